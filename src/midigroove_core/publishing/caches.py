"""A cache with its card: its own files as they are, so that it comes back byte for byte."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from midigroove_core import __version__
from midigroove_core.cache import Cache
from midigroove_core.cache.format import HEADER, INDEX
from midigroove_core.cache.schema import PUBLISHED, is_cache_file
from midigroove_core.errors import InputError
from midigroove_core.hub.send import SentFile
from midigroove_core.publishing import markdown
from midigroove_core.publishing.licences import hub_id, licence_of_weights
from midigroove_core.publishing.parcel import Parcel, Said


def cache_parcel(path: Path, said: Said) -> Parcel:
    """A finished cache, every byte of which is as it was written.

    Raises:
        InputError: no cache, an unfinished one, or a damaged one.
        MismatchError: a licence that allows more than the codec's.
    """
    cache = Cache.open(path)
    damaged = cache.verify()
    if damaged:
        raise InputError("; ".join(damaged))
    header = cache.header
    codec = str(header["codec_facts"].get("license", ""))
    license = licence_of_weights(said.license, "", codec, header["codec_id"])
    fields = {
        "license": hub_id(license),
        "license_name": license if hub_id(license) == "other" else "",
        "tags": ["drums", "midi", "music", "neural-audio-codec", "midigroove", header["codec_id"]],
        # The viewer of the hub shows the index: a line of JSON for each take.
        "configs": [{"config_name": "index", "data_files": INDEX}],
    }
    hours = sum(entry.num_samples for entry in cache.entries) / cache.clock.sample_rate / 3600
    splits = sorted(Counter(entry.split for entry in cache.entries).items())
    rows: list[tuple[str, object]] = [
        ("Codec", f"{markdown.code(header['codec_id'])}, {cache.num_codebooks} rows of codes at "
         f"{float(cache.clock.frame_rate):g} frames a second, {cache.clock.sample_rate:,} Hz"),
        ("Weights of the codec", markdown.code(header["weights_sha"])),
        ("Data", markdown.plain(said.data) if said.data else "not stated"),
        ("Takes", ", ".join(f"{count:,} {markdown.plain(name)}" for name, count in splits)),
        ("Hours", f"{hours:.2f}"),
        ("Kits", markdown.listing(cache.vocabularies()["kit"])),
        ("Fingerprint", markdown.code(cache.fingerprint)),
    ]  # fmt: skip
    parts = [
        f"# {markdown.plain(said.name)}",
        "Codes of drum recordings by a neural audio codec, with the performances that they play: a "
        "cache of [midigroove](https://github.com/midigroove/midigroove), ready to train on.",
        markdown.facts(rows),
        "## Use\n\n" + _how(said.repo),
        "## Licences\n\n" + markdown.facts(
            [("This cache", markdown.plain(license) if license else "not stated"),
             ("The codec", markdown.plain(codec or "not stated")),
             ("The data", f"{markdown.plain(said.data) if said.data else 'not stated'}. Codes can "
              "be decoded to the recordings, nearly: what holds for these holds for them")]
        ),
        f"Made by midigroove {__version__} from the cache itself.",
    ]  # fmt: skip
    files = tuple(SentFile(name, path / name) for name in (HEADER, *sorted(header["files"])))
    notes = []
    if not said.data:
        notes.append("the card does not say what data this is, and under which licence")
    return Parcel(PUBLISHED, files, markdown.card(fields, parts), is_cache_file, tuple(notes))


def _how(repo: str) -> str:
    return (
        markdown.block(
            f"pip install 'midigroove[hub]'\nmidigroove train --cache hf://{repo} --out runs/mine"
        )
        + f'\n\nIn Python `midigroove.Cache.open("hf://{repo}")`. '
        f"`{INDEX}` has a line for each take; the codes lie in safetensors files, which other "
        f"programs can read without midigroove."
    )
