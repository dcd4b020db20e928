"""The presets of models, with how many weights each has."""

from __future__ import annotations

from typing import Any

from midigroove_core.cli.output import print_json, print_table, stderr
from midigroove_core.errors import MidigrooveError
from midigroove_core.plugins import contained
from midigroove_core.registry import Registry


def print_presets(json: bool) -> None:
    """A row for each preset of each model."""
    rows = preset_rows()
    if json:
        print_json(rows)
        return
    shown = [
        (
            row["id"],
            row["preset"],
            "-" if row["parameters"] is None else f"{row['parameters']:,}",
            ", ".join(f"{name}={value}" for name, value in row["args"].items()),
        )
        for row in rows
        if "error" not in row
    ]
    print_table("Presets", ("model", "preset", "weights", "arguments"), shown)
    for row in rows:
        if "error" in row:
            stderr.print(f"warning: {row['error']}", markup=False, soft_wrap=True, highlight=False)


def preset_rows() -> list[dict[str, Any]]:
    """Arguments, and weights (None where they cannot be counted without making them) on the default
    grid and the codec that ships, before there are any names of kits."""
    registry, rows = Registry(), []
    for entry in registry.entries("model"):
        try:
            cls = entry.load()
            with contained():
                presets = cls.presets() or {"": {}}
                rows += [
                    {"id": entry.id, "preset": name, "args": args, "parameters": count(cls, args)}
                    for name, args in presets.items()
                ]
        except MidigrooveError as error:
            rows.append({"id": entry.id, "error": f"{entry.id} of {entry.distribution}: {error}"})
    return rows


def count(cls: Any, args: dict[str, Any]) -> int | None:
    """How many weights a model has that is trained."""
    from midigroove_core.builtin.expressive_grid import ExpressiveGrid
    from midigroove_core.builtin.groove_codec import GrooveCodec
    from midigroove_core.interfaces.model import ModelSpec
    from midigroove_core.interfaces.shapes import shapes_without_memory

    spec = ModelSpec(
        tuple(ExpressiveGrid().feature_names),
        GrooveCodec.clock,
        GrooveCodec.codebooks,
        {"kit": (), "drummer": (), "style": ()},
    )
    found: list[int] = []

    def build() -> Any:
        model = cls.build(spec, **args)
        found.append(sum(weights.numel() for weights in model.parameters()))
        return model

    return found[0] if shapes_without_memory(build) is not None else None
