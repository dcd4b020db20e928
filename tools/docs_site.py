"""A hook of mkdocs: what the documentation links to outside docs/ lies in the repository."""

from __future__ import annotations

import posixpath
import re
from typing import Any

_OUTSIDE = re.compile(r"\]\((\.\./[^)\s]*)\)")


def on_page_markdown(markdown: str, *, page: Any, config: Any, **_: Any) -> str:
    """Turns `](../examples/...)` into an address of the repository; pages keep their links."""
    here = posixpath.dirname("docs/" + page.file.src_uri)

    def address(match: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(here, match[1]))
        if path.startswith("docs/"):
            return match[0]
        return f"]({config.repo_url}/tree/main/{path})"

    return _OUTSIDE.sub(address, markdown)
