"""A checkpoint with its card."""

from __future__ import annotations

import re
from math import prod
from pathlib import Path
from typing import Any

from midigroove_core import __version__
from midigroove_core.checkpoint import CheckpointMetadata, checkpoint_file, read_metadata
from midigroove_core.checkpoint.metadata import PUBLISHED
from midigroove_core.hub.send import SentFile
from midigroove_core.publishing import markdown
from midigroove_core.publishing.figures import figures, results, system_in
from midigroove_core.publishing.licences import (
    hub_id,
    is_known,
    is_non_commercial,
    licence_of_weights,
)
from midigroove_core.publishing.parcel import Parcel, Said
from midigroove_core.registry import known_distribution
from midigroove_core.scorecard.files import Evaluation
from midigroove_core.tensorfile import read_header


def checkpoint_parcel(path: Path, said: Said, evaluation: Path | None) -> Parcel:
    """A checkpoint, or a run's best one.

    Args:
        path: the file, or the run's folder.
        said: what only people know.
        evaluation: a folder that `eval` wrote, with this checkpoint among the systems.

    Raises:
        InputError: no checkpoint, or no evaluation.
        MismatchError: an evaluation of other files, or a licence that allows too much.
    """
    path = checkpoint_file(path)
    metadata = read_metadata(path)
    codec = str(metadata.codec.facts.get("license", ""))
    license = licence_of_weights(said.license, metadata.license, codec, metadata.codec.id)
    found = None if evaluation is None else Evaluation.open(evaluation)
    system = None if found is None else system_in(found, path)
    measured, index = "", []
    if found is not None and system is not None:
        measured, index = figures(found, system, said.name), results(found, system, said.name)
        found.check_same()
    fields = {
        "library_name": "midigroove",
        "license": hub_id(license),
        "license_name": license if hub_id(license) == "other" else "",
        "tags": [
            "drums", "midi", "music", "neural-audio-codec", "midi-to-audio", metadata.model.id,
        ],
        "model-index": index,
    }  # fmt: skip
    parts = [
        f"# {markdown.plain(said.name)}",
        _what(metadata, path),
        "## Render\n\n" + _how(metadata, said.repo),
        "## What it plays\n\n" + _plays(metadata),
        "## What it was trained on\n\n" + _trained(metadata, said),
        "## Licences\n\n" + _licences(metadata, license, codec, said),
        "## Figures\n\n" + (measured or _no_figures(metadata)),
        _words(metadata),
        f"Made by midigroove {__version__} from the file itself.",
    ]
    notes = []
    if not license:
        notes.append("the card names no licence, so nobody may use it")
    if not said.data:
        notes.append("the card does not say what data this is, and under which licence")
    if found is None:
        notes.append("the card has no figures: no evaluation is named")
    files = (SentFile(PUBLISHED.first, path),)
    card = markdown.card(fields, parts)
    return Parcel(PUBLISHED, files, card, lambda name: name == PUBLISHED.first, tuple(notes))


def _what(metadata: CheckpointMetadata, path: Path) -> str:
    weights = sum(prod(info.shape) for info in read_header(path).tensors.values())
    clock, books = metadata.geometry(path)
    return (
        f"Plays expressive drum MIDI as audio: the model {markdown.code(metadata.model.id)} "
        f"({weights / 1e6:.1f} million weights) reads {markdown.code(metadata.featurizer.id)} and "
        f"predicts the codes of {markdown.code(metadata.codec.id)} ({len(books)} rows of codes at "
        f"{float(clock.frame_rate):g} frames a second, {clock.sample_rate:,} Hz), which the codec "
        f"decodes. A checkpoint of [midigroove](https://github.com/midigroove/midigroove)."
    )


def _how(metadata: CheckpointMetadata, repo: str) -> str:
    plugin = known_distribution("codec", metadata.codec.id)
    more = f" {plugin}" if plugin else ""
    kits = metadata.vocabularies.get("kit", ())
    kit = f' --kit "{kits[0]}"' if kits and '"' not in kits[0] and kits[0].isprintable() else ""
    return "\n\n".join(
        [
            markdown.block(
                f"pip install 'midigroove[hub]'{more}\n"
                f"midigroove render groove.mid --checkpoint hf://{repo}{kit} -o groove.wav"
            ),
            "```python\nimport midigroove\n\n"
            f'rendered = midigroove.render("groove.mid", checkpoint="hf://{repo}")\n'
            'rendered.save("groove.wav")\n```',
            f"`hf://{repo}@COMMIT`, with a commit of this repository, never changes: write that in "
            "what others are to repeat. The file holds tensors and JSON; nothing is unpickled.",
        ]
    )  # fmt: skip


def _plays(metadata: CheckpointMetadata) -> str:
    names = {"kit": "Kits", "drummer": "Drummers", "style": "Styles"}
    rows: list[tuple[str, object]] = [
        (names.get(condition, markdown.plain(condition)), markdown.listing(values))
        for condition, values in sorted(
            metadata.vocabularies.items(), key=lambda item: (item[0] not in names, item[0] != "kit")
        )
    ]
    sampling = ", ".join(f"{name} {value}" for name, value in metadata.model.sampling.items())
    return markdown.facts([*rows, ("Drawn with", markdown.plain(sampling))])


def _trained(metadata: CheckpointMetadata, said: Said) -> str:
    training = metadata.training
    dataset = training.get("dataset")
    name = dataset.get("name", "") if isinstance(dataset, dict) else ""
    settings = training.get("settings")
    split = settings.get("split", "") if isinstance(settings, dict) else ""
    hours = _number(training, "train_hours", "{:.1f} hours")
    takes = _number(training, "train_takes", "{:,} takes")
    amount = ", ".join(part for part in (takes, hours) if part)
    rows: list[tuple[str, object]] = [
        ("Data", markdown.plain(said.data) if said.data else "not stated"),
        ("Dataset's folder", markdown.code(name) if name else ""),
        ("Of it", f"{amount}, split {markdown.plain(split)}" if split else amount),
        ("Steps", _number(training, "step", "{:,}")),
        ("Validation", _validation(training)),
        ("Cache", _code(training.get("cache_fingerprint"))),
        ("Weights of the codec", markdown.code(metadata.codec.weights_sha)),
    ]
    return markdown.facts(rows)


def _number(training: dict[str, Any], name: str, form: str) -> str:
    value = training.get(name)
    return form.format(value) if isinstance(value, int | float) else ""


def _code(value: object) -> str:
    return markdown.code(value) if isinstance(value, str) else ""


def _validation(training: dict[str, Any]) -> str:
    own = _number(training, "valid_nll", "{:.3f} nats a code")
    if not own:
        return _number(training, "valid_loss", "loss {:.4g}")
    beside = []
    for name in ("unigram", "bigram"):
        values = training.get(f"{name}_nll_per_codebook")
        if isinstance(values, list) and values:
            beside.append(f"{name} {sum(map(float, values)) / len(values):.3f}")
    return own + (f" ({', '.join(beside)})" if beside else "")


def _licences(metadata: CheckpointMetadata, license: str, codec: str, said: Said) -> str:
    if is_non_commercial(codec):
        about = "without which the checkpoint makes no sound: **not for commercial use**"
    elif not is_known(codec):
        about = "ask its authors before you use what it plays"
    else:
        about = "without which the checkpoint makes no sound"
    rows = [
        ("These weights", f"{markdown.plain(license)}" if license else "not stated"),
        (f"The codec {markdown.code(metadata.codec.id)}",
         f"{markdown.plain(codec or 'not stated')}, {about}"),
        ("The data", markdown.plain(said.data) if said.data else "not stated"),
        ("The program midigroove", "MIT"),
    ]  # fmt: skip
    return markdown.facts(rows)


def _no_figures(metadata: CheckpointMetadata) -> str:
    elsewhere = "; what its authors say of it stands below" if metadata.model_card else ""
    return f"No evaluation of this file was named when the card was made{elsewhere}."


_LINK = re.compile(r"\[([^\]\n]*)\]\((?!https?:)[^)\n]*\)")
"""A link to a file, which is not on the hub."""


def _words(metadata: CheckpointMetadata) -> str:
    """What its authors have put into the file, a level lower than the headings of this card."""
    lines, fenced = [], False
    for line in _LINK.sub(r"\1", metadata.model_card).splitlines():
        fenced ^= line.startswith("```")
        lines.append(f"##{line}" if line.startswith("#") and not fenced else line)
    return "## From its authors\n\n" + "\n".join(lines) if lines else ""
