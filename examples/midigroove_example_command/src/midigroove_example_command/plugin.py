from pathlib import Path
from typing import Annotated

import typer

from midigroove_core import hookimpl

midigroove_edition = 2


@hookimpl
def register_commands(app):
    @app.command()
    def hits(
        file: Annotated[Path, typer.Argument(help="A performance of any format that is read.")],
        drum_map: Annotated[str, typer.Option(help="gm, roland_td or a .toml file.")] = "roland_td",
    ) -> None:
        """Count the hits of each drum.

        Example: `midigroove hits groove.mid`
        """
        from midigroove_example_command.hits import count_hits  # what --help has no need of

        for drum, count in count_hits(file, drum_map).items():
            typer.echo(f"{drum:12} {count:6}")
