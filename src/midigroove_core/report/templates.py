"""Templates, style and scripts that ship with the package."""

from __future__ import annotations

from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from midigroove_core import __version__

_FOLDER = resources.files("midigroove_core") / "assets" / "report"


def asset(name: str) -> str:
    """The text of a file in assets/report."""
    return (_FOLDER / name).read_text(encoding="utf-8")


def render(template: str, **values: Any) -> str:
    """A page; everything but our own style and scripts is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(asset),
        autoescape=True,
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    scripts = {
        name.replace(".", "_"): Markup(asset(name))
        for name in ("player.js", "page.js", "listening.js")
    }
    css = Markup(asset("report.css"))
    return environment.get_template(template).render(
        css=css, version=__version__, **scripts, **values
    )
