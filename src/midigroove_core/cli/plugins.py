"""`midigroove plugins`, and `codecs`, `models`, `readers` and so on: what is installed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from midigroove_core.cli.output import Json, print_json, print_table, stderr

if TYPE_CHECKING:
    from midigroove_core.registry import Entry

PANEL = "Plugins"


def add(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command(rich_help_panel=PANEL)(plugins)
    app.command(rich_help_panel=PANEL)(codecs)
    app.command("drum-maps")(drum_maps)
    app.command(rich_help_panel=PANEL)(models)
    for kind in ("featurizer", "embedding", "reader", "metric"):
        app.command(f"{kind}s", rich_help_panel=PANEL, help=_help(kind))(_lister(kind))


def plugins(
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Also load every class and build every command; exit code 1 if broken."
        ),
    ] = False,
    json: Json = False,
) -> None:
    """List the installed plugins, the broken ones with the reason.

    Example: `midigroove plugins --check`
    """
    from midigroove_core.cli.plugin_check import check_plugins

    states = check_plugins(load_classes=check)
    if json:
        print_json([state.to_json() for state in states])
    else:
        rows = [
            (s.name, s.distribution, s.version, ", ".join(s.hooks), s.text(checked=check))
            for s in states
        ]
        print_table("Plugins", ("plugin", "distribution", "version", "hooks", "state"), rows)
    raise typer.Exit(1 if check and any(state.errors for state in states) else 0)


def models(
    presets: Annotated[
        bool, typer.Option("--presets", help="The presets of each, and how many weights they have.")
    ] = False,
    json: Json = False,
) -> None:
    """List the models and where they come from.

    Example: `midigroove models --presets`
    """
    if presets:
        from midigroove_core.cli.model_presets import print_presets

        print_presets(json)
    else:
        _lister("model")(json)


def drum_maps(json: Json = False) -> None:
    """List the drum maps that ship: what `--drum-map` takes, and where each is from.

    Example: `midigroove drum-maps`
    """
    from midigroove_core.drums import list_drum_maps, load_drum_map

    infos = list_drum_maps()
    if json:
        maps = [{**vars(info), "map": load_drum_map(info.name).to_json()} for info in infos]
        print_json(maps)
        return
    rows = [
        (info.name, info.title, len(load_drum_map(info.name).pitches), info.source)
        for info in infos
    ]
    print_table("Drum maps", ("name", "for", "pitches", "source"), rows)


def codecs(json: Json = False) -> None:
    """List the codecs: geometry, bit rate, licence, and whether the weights are here.

    The family name alone (`--codec dac`) means the variant marked default.

    Example: `midigroove codecs --json`
    """
    from midigroove_core.interfaces.codec import Codebook, shape_of_codebooks

    rows = codec_rows()
    if json:
        print_json(rows)
        return
    columns = ("id", "from", "sample rate", "frames/s", "KxV", "kbit/s", "licence", "weights")
    table = [
        (
            row["id"] + (" (default)" if row["default"] else ""),
            f"{row['distribution']} {row['version']}",
            row["sample_rate"],
            round(row["frame_rate"], 4),
            shape_of_codebooks(map(Codebook.from_json, row["codebooks"])).replace(" x ", "x"),
            round(row["kbit_per_second"], 2),
            row["license"],
            "here" if row["weights_here"] else "not here",
        )
        for row in rows
        if "error" not in row
    ]
    print_table("Codecs", columns, table)
    _print_errors(rows)


def codec_rows() -> list[dict[str, Any]]:
    """One row of facts per registered codec; a codec that cannot be used has an `error`."""
    from midigroove_core.errors import PluginError
    from midigroove_core.plugins import contained
    from midigroove_core.registry import Registry

    rows = []
    for entry in Registry().entries("codec"):
        row = _row(entry)
        try:
            cls = entry.load()
            with contained():
                row |= cls.describe()
        except PluginError as error:
            row["error"] = f"{entry.id} of {entry.distribution}: {error}"
        rows.append(row)
    return rows


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "distribution": entry.distribution,
        "version": entry.version,
        "default": entry.default,
    }


def _print_errors(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        if "error" in row:
            stderr.print(f"warning: {row['error']}", markup=False, soft_wrap=True, highlight=False)


def _help(kind: str) -> str:
    return f"List the {kind}s and where they come from.\n\nExample: `midigroove {kind}s`"


_MORE = {"reader": {"suffixes": "files"}, "model": {"presets": "presets"}}
"""Kind -> what else is listed, as JSON and as tables name it."""


def _more(kind: str, cls: Any) -> dict[str, Iterable[str]]:
    if kind == "reader":
        return {"suffixes": cls.suffixes}
    return {"presets": cls.presets()} if kind == "model" else {}


def _lister(kind: str) -> Any:
    def command(json: Json = False) -> None:
        from midigroove_core.errors import PluginError
        from midigroove_core.plugins import contained
        from midigroove_core.registry import Registry

        rows = []
        for entry in Registry().entries(kind):
            row = {**_row(entry), "class": entry.import_string}
            try:
                cls = entry.load()
                with contained():
                    row |= {name: list(found) for name, found in _more(kind, cls).items()}
            except PluginError as error:
                row["error"] = f"{entry.id} of {entry.distribution}: {error}"
            rows.append(row)
        if json:
            print_json(rows)
            return
        shown = [
            [
                row["id"],
                f"{row['distribution']} {row['version']}",
                *(" ".join(row[name]) for name in _MORE.get(kind, ())),
                row["class"],
            ]
            for row in rows
            if "error" not in row
        ]
        columns = ("id", "from", *_MORE.get(kind, {}).values(), "class")
        print_table(f"{kind.capitalize()}s", columns, shown)
        _print_errors(rows)

    return command
