"""A MusicXML file as a tree: plain or in its zip (.mxl), bounded, and without entities."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

from midigroove_core.errors import InputError

MAX_BYTES = 64 * 2**20
"""Of the XML text; a score of a whole evening has a few MiB."""


def read_musicxml(path: Path) -> Any:
    """The root element (lxml) of a MusicXML file, its parts before its measures.

    Document types are not loaded and entities not resolved, so a file can neither reach another
    one nor grow.

    Raises:
        InputError: the file is missing, too large, not XML, or not a MusicXML score.
    """
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        remove_blank_text=True,
    )
    try:
        root = etree.fromstring(_text(path), parser)
    except etree.XMLSyntaxError as error:
        raise InputError(f"{path}: not readable as XML ({error.msg})") from error
    if root.tag == "score-timewise":
        return _partwise(root)
    if root.tag != "score-partwise":
        raise InputError(f"{path}: not a MusicXML score (its root is <{root.tag}>)")
    return root


def _text(path: Path) -> bytes:
    try:
        if not zipfile.is_zipfile(path):
            with open(path, "rb") as handle:
                return _bounded(path, handle.read(MAX_BYTES + 1))
        with zipfile.ZipFile(path) as archive, archive.open(_root_file(path, archive)) as handle:
            return _bounded(path, handle.read(MAX_BYTES + 1))
    except (OSError, zipfile.BadZipFile, KeyError, RuntimeError, NotImplementedError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read ({reason})") from error


def _bounded(path: Path, data: bytes) -> bytes:
    if not data.strip():
        raise InputError(f"{path}: the file is empty")
    if len(data) > MAX_BYTES:
        raise InputError(f"{path}: more than {MAX_BYTES >> 20} MiB of XML")
    return data


def _root_file(path: Path, archive: zipfile.ZipFile) -> str:
    """The name that META-INF/container.xml gives, or the only score beside it."""
    from lxml import etree

    names = archive.namelist()
    if "META-INF/container.xml" in names:
        with archive.open("META-INF/container.xml") as handle:
            text = handle.read(1 << 16)
        try:
            tree = etree.parse(io.BytesIO(text), etree.XMLParser(resolve_entities=False))
        except etree.XMLSyntaxError as error:
            raise InputError(f"{path}: META-INF/container.xml is not XML") from error
        for element in tree.iter("{*}rootfile"):
            if element.get("full-path") in names:
                return str(element.get("full-path"))
    scores = [
        name
        for name in names
        if name.endswith((".musicxml", ".xml")) and not name.startswith("META-INF/")
    ]
    if len(scores) != 1:
        raise InputError(f"{path}: the archive names no score")
    return scores[0]


def _partwise(root: Any) -> Any:
    """A score that is written bar by bar, as one that is written part by part."""
    from lxml import etree

    result = etree.Element("score-partwise", root.attrib)
    parts: dict[str, Any] = {}
    for element in root:
        if element.tag != "measure":
            result.append(element)
            continue
        for part in element:
            name = part.get("id", "")
            if name not in parts:
                parts[name] = etree.Element("part", id=name)
            etree.SubElement(parts[name], "measure", element.attrib).extend(list(part))
    result.extend(parts.values())
    return result
