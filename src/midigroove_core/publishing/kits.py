"""A kit of one-shots with its card."""

from __future__ import annotations

from pathlib import Path

import msgspec

from midigroove_core import __version__
from midigroove_core.atomic import dump_json
from midigroove_core.hub.send import SentFile
from midigroove_core.kits.published import KIT, LIST, is_shot_name, list_kit
from midigroove_core.kits.user_kits import load_folder
from midigroove_core.publishing import markdown
from midigroove_core.publishing.licences import check_license, hub_id
from midigroove_core.publishing.parcel import Parcel, Said


def kit_parcel(path: Path, said: Said) -> Parcel:
    """A folder of one-shots; what `load_kit` does not read of it stays here.

    Raises:
        InputError: no one-shots in it, one that cannot be read, or a name no machine may have.
    """
    check_license(said.license)
    kit = load_folder(path)
    shots = tuple(
        file.name
        for file in sorted(path.iterdir())
        if file.suffix.lower() in (".wav", ".flac")
        and not file.name.startswith(".") and file.name not in kit.unread
    )  # fmt: skip
    listed = list_kit(path, shots, said.license or "")
    content = dump_json(msgspec.to_builtins(listed)) + "\n"
    fields = {
        "license": hub_id(said.license or ""),
        "license_name": said.license if hub_id(said.license or "") == "other" else "",
        "tags": ["drums", "samples", "music", "midigroove"],
    }
    rows = [
        (name, len(layers), len(kit.variants.get(name, {})))
        for name, layers in sorted(kit.articulations.items())
    ]
    parts = [
        f"# {markdown.plain(said.name)}",
        "A drum kit of one-shots for [midigroove](https://github.com/midigroove/midigroove): "
        f"{len(shots)} files.",
        "## Play it\n\n" + markdown.block(
            f"pip install 'midigroove[hub]'\n"
            f"midigroove render groove.mid --engine sampler --kit hf://{said.repo} -o groove.wav"
        ),
        "## What is in it\n\n" + markdown.table(("drum", "layers", "pitches of its own"), rows),
        "## Licence\n\n" + markdown.facts(
            [("The sounds", markdown.plain(said.license) if said.license else "not stated"),
             ("From", markdown.plain(said.data))]
        ),
        f"Made by midigroove {__version__} from the files themselves.",
    ]  # fmt: skip
    files = (
        SentFile(LIST, content.encode("utf-8")),
        *(SentFile(name, path / name) for name in shots),
    )
    notes = [f"not sent, no one-shots: {', '.join(kit.unread)}"] if kit.unread else []
    if not said.license:
        notes.append("the card names no licence, so nobody may use it")
    return Parcel(
        KIT, files, markdown.card(fields, parts),
        lambda name: name == LIST or is_shot_name(name), tuple(notes),
    )  # fmt: skip
