"""`midigroove inspect`: what is in a MIDI file, a cache or a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from midigroove_core import bounds
from midigroove_core.cli.numbers import number
from midigroove_core.cli.output import Json, console, print_json, print_table
from midigroove_core.cli.tables import flat_rows
from midigroove_core.drum_maps import DEFAULT_MAP

if TYPE_CHECKING:
    from midigroove_core.midi_summary import MidiSummary


def add(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command()(inspect)


def inspect(
    path: Annotated[
        Path,
        typer.Argument(
            help="A MIDI file, a score or - for standard input; a cache, a checkpoint or a "
            "training state."
        ),
    ],
    drum_map: Annotated[
        str, typer.Option(help="MIDI: what the pitches mean, as `render` has it.")
    ] = DEFAULT_MAP,
    kit: Annotated[
        str | None,
        typer.Option(help="MIDI: the sampler's kit to look in.", show_default="the first kit"),
    ] = None,
    channel: Annotated[
        int | None, number(bounds.CHANNEL, help="MIDI channel, 1 to 16.", show_default="the drums")
    ] = None,
    track: Annotated[
        str | None, typer.Option(help="Track, by number or name.", show_default="the drums")
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read every byte of a cache and check its sums.")
    ] = False,
    json: Json = False,
) -> None:
    """Print what is in a MIDI file or a score, a cache or a checkpoint.

    Of a MIDI file: tracks and channels and which are taken as drums, tempo and meter, hits for each
    drum and what plays them, pitches that are no drum, and what was odd.

    Example: `midigroove inspect take.mid --drum-map ezdrummer`
    """
    from midigroove_core.readers import is_performance

    if is_performance(path):
        from midigroove_core.midi_summary import summarise

        summary = summarise(path, drum_map=drum_map, kit=kit, channel=channel, track=track)
        print_json(summary.to_json()) if json else _print_midi(summary)
        return
    from midigroove_core.inspect import inspect_path

    found = inspect_path(path, verify=verify)
    if json:
        print_json(found)
        return
    title = f"{path}: {found.pop('kind')}"
    card = str(found.pop("model_card", ""))
    print_table(title, ("field", "value"), flat_rows(found))
    if card:
        console.print(f"\n{card.strip()}", markup=False, soft_wrap=True)


def _print_midi(summary: MidiSummary) -> None:
    tempi = [bpm for _, bpm in summary.bpm]
    tempo = f"{tempi[0]:g} bpm"
    if len(tempi) > 1:
        tempo += f", {len(tempi) - 1} changes, {min(tempi):g} to {max(tempi):g}"
    meters = ", ".join(
        f"{meter} from bar {bar}" if bar > 1 else meter for bar, meter in summary.meters[:6]
    )
    plural = "" if summary.bars == 1 else "s"
    facts = [
        ("format", summary.format),
        (
            "length",
            f"{summary.duration_sec:.3f} s, {summary.bars} bar{plural}",
        ),
        ("tempo", tempo),
        ("meter", meters + (", ..." if len(summary.meters) > 6 else "")),
        ("hits", f"{summary.hits:,}"),
        ("pedal moves, chokes", f"{summary.pedal_moves:,}, {summary.chokes:,}"),
    ]
    print_table(summary.path, ("", ""), facts)
    if summary.parts:
        names = ("track", "name", "channel", "program", "hits", "pitches", "drums")
        rows = [
            (p.track, p.name, f"{p.channel}" + (f" port {p.port}" if p.port else ""),
             p.program or "", p.hits, f"{p.lowest} to {p.highest}", "yes" if p.taken else "")
            for p in summary.parts
        ]  # fmt: skip
        print_table("Tracks", names, rows)
    columns = (
        "drum",
        "hits",
        "softest / middle / loudest",
        "pitches (hits)",
        f"kit {summary.kit}",
        "model",
    )
    drums = [
        (d.drum, d.hits, f"{d.softest}/{d.middle}/{d.loudest}",
         ", ".join(f"{pitch} ({n})" for pitch, n in d.pitches.items()),
         d.kit or "no sound", d.model or "no sound")
        for d in summary.drums
    ]  # fmt: skip
    if drums:
        print_table(f"Drums, as {summary.drum_map} reads them", columns, drums)
    for line in summary.lines:
        console.print(line, markup=False, soft_wrap=True)
