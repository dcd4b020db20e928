"""`midigroove plugins | codecs | featurizers | models | embeddings`: what is installed."""

from __future__ import annotations

from typing import Any

import typer

from midigroove_core.cli.output import Json, print_json, print_table, stderr


def add(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command(rich_help_panel="Plugins")(plugins)
    app.command(rich_help_panel="Plugins")(codecs)
    for kind in ("featurizer", "model", "embedding"):
        app.command(f"{kind}s", rich_help_panel="Plugins", help=_help(kind))(_lister(kind))


def plugins(json: Json = False) -> None:
    """List the installed plugins, the broken ones with the reason.

    Example: `midigroove plugins`
    """
    from midigroove_core.plugins import load_plugins

    infos = load_plugins().infos
    if json:
        print_json([vars(info) for info in infos])
        return
    rows = [
        (info.name, info.distribution, info.version, ", ".join(info.hooks), info.error or "ok")
        for info in infos
    ]
    print_table("Plugins", ("plugin", "distribution", "version", "hooks", "state"), rows)


def codecs(json: Json = False) -> None:
    """List the codecs: geometry, bit rate, licence, and whether the weights are here.

    The family name alone (`--codec dac`) means the variant marked default.

    Example: `midigroove codecs --json`
    """
    rows = codec_rows()
    if json:
        print_json(rows)
        return
    columns = ("id", "from", "sample rate", "frames/s", "K x V", "kbit/s", "licence", "weights")
    table = [
        (
            row["id"] + (" (default)" if row["default"] else ""),
            f"{row['distribution']} {row['version']}",
            row["sample_rate"],
            round(row["frame_rate"], 4),
            f"{row['num_codebooks']} x {row['codebook_size']}",
            round(row["kbit_per_second"], 2),
            row["license"],
            "here" if row["weights_here"] else "not here",
        )
        for row in rows
        if "error" not in row
    ]
    print_table("Codecs", columns, table)
    for row in rows:
        if "error" in row:
            stderr.print(f"warning: {row['error']}", markup=False, soft_wrap=True)


def codec_rows() -> list[dict[str, Any]]:
    """One row of facts per registered codec; a codec that cannot be imported has an `error`."""
    from midigroove_core.errors import PluginError
    from midigroove_core.registry import Registry

    registry = Registry()
    rows: list[dict[str, Any]] = []
    for entry in registry.entries("codec"):
        row: dict[str, Any] = {
            "id": entry.id,
            "distribution": entry.distribution,
            "version": entry.version,
            "default": registry.entry("codec", entry.id.split("_")[0]).id == entry.id,
        }
        try:
            row |= entry.load().describe()
        except PluginError as error:
            row["error"] = str(error)
        rows.append(row)
    return rows


def _help(kind: str) -> str:
    return f"List the {kind}s and where they come from.\n\nExample: `midigroove {kind}s`"


def _lister(kind: str) -> Any:
    def command(json: Json = False) -> None:
        from midigroove_core.registry import Registry

        entries = Registry().entries(kind)
        if json:
            print_json([vars(entry) for entry in entries])
            return
        rows = [(e.id, f"{e.distribution} {e.version}", e.import_string) for e in entries]
        print_table(f"{kind.capitalize()}s", ("id", "from", "class"), rows)

    return command
