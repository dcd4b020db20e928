"""Which licence a card may name, given those of what it was made with."""

from __future__ import annotations

import re

from midigroove_core.errors import InputError, MismatchError

_ON_THE_HUB = {
    "mit", "apache-2.0", "bsd-2-clause", "bsd-3-clause", "cc0-1.0", "cc-by-4.0", "cc-by-3.0",
    "cc-by-sa-4.0", "cc-by-sa-3.0", "cc-by-nc-4.0", "cc-by-nc-3.0", "cc-by-nc-sa-4.0",
    "cc-by-nc-nd-4.0", "cc-by-nd-4.0", "gpl-3.0", "lgpl-3.0", "agpl-3.0", "mpl-2.0", "unlicense",
    "openrail", "odbl",
}  # fmt: skip
"""Of the identifiers that the hub knows, those that music and models come under."""

_LONGEST = 100


def is_non_commercial(license: str) -> bool:
    """Whether a licence keeps people from selling what they make."""
    return re.search(r"\bnc\b|non-?commercial|research.only", license, re.IGNORECASE) is not None


def is_known(license: str) -> bool:
    """Whether a codec says a licence at all: "not stated" and "see model card" are none."""
    return hub_id(license) in _ON_THE_HUB


def hub_id(license: str) -> str:
    """The hub's identifier of a licence; `other` for what it has none for, "" for none."""
    if not license:
        return ""
    folded = re.sub(r"\s+", "-", license.strip().casefold())
    return folded if folded in _ON_THE_HUB else "other"


def licence_of_weights(asked: str | None, stored: str, codec: str, codec_id: str) -> str:
    """The licence that the card of a checkpoint names.

    Args:
        asked: by whoever publishes it.
        stored: in the checkpoint.
        codec: of the codec's weights, without which the checkpoint makes no sound.
        codec_id: for messages.

    Returns:
        What was asked for, else what is stored; but that of a non-commercial codec wherever the
        stored one would allow more. "" where nobody said anything.

    Raises:
        MismatchError: a licence was asked for that allows more than that of the codec.
    """
    check_license(asked)
    if not is_non_commercial(codec):
        return asked or stored
    if asked is not None and not is_non_commercial(asked):
        raise MismatchError(
            f"`license` is {asked}, but codec {codec_id} is {codec}: what the model plays may not "
            f"be sold; name a non-commercial licence, or none, and the card says {codec}"
        )
    return asked or (stored if is_non_commercial(stored) else codec)


def check_license(license: str | None) -> None:
    """Raises InputError for what is no short name of a licence."""
    if license is not None and not re.fullmatch(rf"[A-Za-z0-9][\w .+-]{{0,{_LONGEST}}}", license):
        raise InputError("`license` is no SPDX id or short name, such as MIT or CC-BY-4.0")
