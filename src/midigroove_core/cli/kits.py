"""`midigroove kits` and `midigroove grooves`: what ships to play, and on what."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from midigroove_core import bounds
from midigroove_core.cli.numbers import number
from midigroove_core.cli.output import Json, console, print_json, print_table
from midigroove_core.drum_maps import DEFAULT_MAP

KitArgument = Annotated[
    str, typer.Argument(help="A kit's name, a folder of one-shots, font.sf2, or font.sf2:PROGRAM.")
]
OutOption = Annotated[Path, typer.Option("--out", "-o", help="Audio file to write.")]
GrooveOption = Annotated[
    str | None,
    typer.Option(help="A built-in groove or a MIDI file.", show_default="a test groove"),
]


def add(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    kits = typer.Typer(
        help="Drum kits of one-shots: list them, hear them.\n\nExample: midigroove kits",
        invoke_without_command=True,
    )
    kits.callback()(_default)
    kits.command("list")(list_kits)
    kits.command("preview")(preview)
    kits.command("cut")(cut)
    app.add_typer(kits, name="kits")
    app.command("grooves")(grooves)


def _default(context: typer.Context, json: Json = False) -> None:
    if context.invoked_subcommand is None:
        list_kits(json)


def list_kits(json: Json = False) -> None:
    """List the built-in kits.

    Example: midigroove kits list
    """
    from midigroove_core.kits import library as kits

    infos = kits.list_kits()
    if json:
        return print_json([asdict(info) for info in infos])
    rows = [(info.id, info.description, info.source, info.license) for info in infos]
    print_table("Built-in kits", ("kit", "what it is", "source", "licence"), rows)


def preview(
    kit: KitArgument,
    out: OutOption = Path("preview.wav"),
    groove: GrooveOption = None,
    seconds: Annotated[
        float, number(bounds.SECONDS_ABOVE_0, help="How much of it to play.")
    ] = 12.0,
    json: Json = False,
) -> None:
    """Play a groove on a kit.

    Example: midigroove kits preview jazz -o jazz.wav
    """
    from midigroove_core.kits.preview import preview_kit

    done = preview_kit(kit, out, groove=groove, seconds=seconds)
    if json:
        return print_json({**asdict(done), "path": str(done.path)})
    console.print(f"{done.path}: {done.seconds:.1f} s of {done.groove} on {done.kit}", markup=False)
    if done.silent:
        console.print(f"this kit has nothing for {', '.join(done.silent)}", markup=False)


def cut(
    recording: Annotated[Path, typer.Argument(help="Audio file of drums alone.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the one-shots.")],
    midi: Annotated[
        Path | None,
        typer.Option(help="What is played in it, or the whole of that.", show_default="heard"),
    ] = None,
    drum_map: Annotated[
        str | None, typer.Option(help="What its pitches mean.", show_default=DEFAULT_MAP)
    ] = None,
    complete: Annotated[
        bool, typer.Option("--complete", help="Add what it lacks, of the nearest kit that ships.")
    ] = False,
    json: Json = False,
) -> None:
    """Cut a kit out of a recording of it, to play anything on.

    Example: midigroove kits cut recording.wav --midi recording.mid --out my_kit
    """
    from midigroove_core.drums import load_drum_map
    from midigroove_core.kits.cut import check_new_folder, save_kit
    from midigroove_core.recordings.like import kit_like

    check_new_folder(out)
    pitches = load_drum_map(drum_map) if drum_map else None
    found, heard = kit_like(recording, midi, drum_map=pitches, lenders=None if complete else ())
    save_kit(found.kit, out)
    if json:
        return print_json(
            {"out": str(out), "offset_sec": heard.offset_sec, "transcribed": heard.transcribed,
             "doubts": list(heard.doubts), "drums": [asdict(drum) for drum in found.drums],
             "lent": list(found.lent), "lender": found.lender}
        )  # fmt: skip
    for line in heard.doubts:
        console.print(line, markup=False)
    rows = [
        (d.articulation, d.hits, ", ".join(map(str, d.velocities)), f"{100 * d.own:.0f} %")
        for d in found.drums
    ]
    print_table(f"{out}", ("drum", "hits", "layers at velocity", "own, in its attack"), rows)
    if found.borrowed:
        console.print(found.borrowed, markup=False)


def grooves(
    split: Annotated[
        str | None, typer.Option(help="train, validation or test.", show_default="all")
    ] = None,
    json: Json = False,
) -> None:
    """List the built-in grooves and their files.

    Example: midigroove grooves --split test
    """
    from midigroove_core.kits import library as kits

    infos = [info for info in kits.builtin_grooves() if split in (None, info.split)]
    if json:
        return print_json([{**asdict(info), "path": str(info.path)} for info in infos])
    rows = [
        (i.split, i.drummer, i.style, i.bpm, i.time_signature, i.duration_sec, i.name)
        for i in infos
    ]
    columns = ("split", "drummer", "style", "bpm", "meter", "seconds", "name")
    print_table("Built-in grooves (Groove MIDI Dataset, CC BY 4.0)", columns, rows)
    console.print(f"files: {kits.ASSETS / 'grooves'}/NAME.mid", markup=False, soft_wrap=True)
