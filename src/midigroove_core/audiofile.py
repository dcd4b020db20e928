"""Opening audio files: what a header claims is compared with what is there.

libsndfile reads a file that was cut as if it had been that short, believes any sample rate and any
number of samples, and takes a length of zero, which programs write that stream, for no audio. Here
such a file is read right, or refused in one line.
"""

from __future__ import annotations

import os
import struct
from io import SEEK_CUR, SEEK_SET
from pathlib import Path
from typing import BinaryIO

import soundfile

from midigroove_core.errors import InputError

SLOWEST_RATE, FASTEST_RATE = 1_000, 1_000_000
"""Sample rates in Hz that a recording can have; others are damage, or no audio at all."""

MOST_SAMPLES_PER_BYTE = 8_192
"""No codec packs more: a FLAC block of 65,535 equal samples takes eleven bytes."""

LARGEST_SAMPLES = 1 << 31
"""Samples over all channels that are read at once, 8 GiB of float32: 13 hours of mono."""

_STREAMED_TAIL = 1 << 16
_OGG_TAIL = 1 << 17  # two of the largest pages
_OTHERS = {b"FORM": (4, ">I", 8), b"riff": (16, "<Q", 0), b".snd": (8, ">I", 24)}
"""AIFF, Wave64 and AU: where the length stands, as what, and bytes that it leaves out."""


def open_audio(path: Path) -> soundfile.SoundFile:
    """Opens a file for reading; its `frames` are what can be read.

    Raises:
        InputError: missing, empty, cut, not audio, or with a header that cannot be true.
    """
    try:
        size = path.stat().st_size
        if size == 0:
            raise InputError(f"{path}: the audio file is empty (0 bytes)")
        patch = _check_length(path, size)
        if patch is None:
            file = soundfile.SoundFile(native(path))
        else:
            file = soundfile.SoundFile(_Patched(path, patch))  # type: ignore[arg-type]
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read ({reason})") from error
    except soundfile.LibsndfileError as error:
        reason = error.error_string.rstrip(".")
        raise InputError(f"{path}: not readable as audio ({reason})") from error
    problem = _implausible(file, size)
    if problem:
        file.close()
        raise InputError(f"{path}: {problem}")
    return file


def native(path: Path) -> bytes | str:
    """A path as libsndfile takes it; names that are not UTF-8 are bytes."""
    return str(path) if os.name == "nt" else os.fsencode(path)


def _implausible(file: soundfile.SoundFile, size: int) -> str:
    if file.frames == 0:
        return "the audio file has no samples"
    if not SLOWEST_RATE <= file.samplerate <= FASTEST_RATE:
        return (
            f"a sample rate of {file.samplerate:,} Hz; "
            f"audio has {SLOWEST_RATE:,} to {FASTEST_RATE:,} Hz"
        )
    if file.frames > size * MOST_SAMPLES_PER_BYTE:
        return f"its header says {file.frames:,} samples, which {size:,} bytes cannot hold"
    if file.frames * file.channels > LARGEST_SAMPLES:
        hours = file.frames / file.samplerate / 3600
        return f"too long: {hours:.1f} hours of {file.channels} channels; cut it into parts"
    return ""


def _check_length(path: Path, size: int) -> dict[int, bytes] | None:
    """Refuses a file that ends before its header says so.

    Returns:
        Bytes of the header to be read instead, by place, where a stream's length is filled in;
        None where the file can be read as it is.
    """
    with open(path, "rb") as handle:
        head = handle.read(24)
        handle.seek(12)
        if head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE":
            return _check_wav(handle, path, size)
        if head[:4] == b"OggS":
            _check_ogg(handle, path, size)
    for magic, (place, form, header) in _OTHERS.items():
        if head.startswith(magic) and len(head) == 24:
            length = struct.unpack_from(form, head, place)[0] + header
            if length > size and not _is_streamed(length - header):
                raise InputError(f"{path}: truncated: {size:,} of {length:,} bytes are there")
    return None


def _check_wav(handle: BinaryIO, path: Path, size: int) -> dict[int, bytes] | None:
    long_place, long_length = 0, 0
    while len(chunk := handle.read(8)) == 8:
        name, length = struct.unpack("<4sI", chunk)
        if name == b"ds64":
            long_place = handle.tell()
            content = handle.read(24).ljust(24, b"\0")
            long_length = struct.unpack_from("<Q", content, 8)[0]
            handle.seek(long_place)
        if name == b"data":
            start = handle.tell()
            there = size - start
            if length == 0xFFFFFFFF and long_place:
                length = long_length
                if there > 0 and (length == 0 or _is_streamed(length)):
                    return {long_place: struct.pack("<QQQ", size - 8, there, 0)}
            if length == 0 and there > 0 and not _is_chunk(handle.read(8), there):
                # Both lengths of a stream that was never closed; libsndfile would see no audio.
                least = struct.pack("<I", min(there, 0xFFFFFFFE))
                return {4: struct.pack("<I", min(size - 8, 0xFFFFFFFE)), start - 4: least}
            if length > there and not _is_streamed(length):
                raise InputError(
                    f"{path}: truncated: {there:,} of {length:,} bytes of audio are there"
                )
            return None
        handle.seek(length + length % 2, SEEK_CUR)
    return None


def _is_streamed(length: int) -> bool:
    """Whether a length is one that programs write who do not know it yet.

    0xFFFFFFFF (ffmpeg), 0x7FFFF000 (SoX), 0x7FFFFFFF, 0x80000000 (arecord), and these less the
    bytes of a header.
    """
    return any(end - _STREAMED_TAIL <= length <= end for end in (0x80000000, 0xFFFFFFFF)) or (
        length >= 1 << 62
    )


def _is_chunk(head: bytes, there: int) -> bool:
    """Whether what follows an empty data chunk is another chunk, to the end of the file."""
    if len(head) < 8 or not all(32 <= byte < 127 for byte in head[:4]):
        return False
    length = struct.unpack("<I", head[4:])[0]
    return length + 8 <= there


def _check_ogg(handle: BinaryIO, path: Path, size: int) -> None:
    """Refuses an Ogg file whose last page is cut, or is not marked as the last one."""
    handle.seek(max(0, size - _OGG_TAIL))
    tail = handle.read(_OGG_TAIL)
    at = tail.rfind(b"OggS\0")
    page = tail[at : at + 27 + 255]
    if at < 0 or len(page) < 27 or len(page) < 27 + page[26]:
        raise InputError(f"{path}: truncated: the last Ogg page is not whole")
    end = at + 27 + page[26] + sum(page[27 : 27 + page[26]])
    if end > len(tail):
        raise InputError(f"{path}: truncated: {end - len(tail):,} bytes of its last page are gone")
    if not page[5] & 4:
        raise InputError(f"{path}: truncated: its last Ogg page is not marked as the end")


class _Patched:
    """A file read with some of its bytes replaced; as much of a file as libsndfile asks for."""

    def __init__(self, path: Path, patch: dict[int, bytes]) -> None:
        self._file = open(path, "rb")  # noqa: SIM115  closed with this object, below
        self._patch = patch

    def __del__(self) -> None:
        self._file.close()

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, count: int = -1) -> bytes:
        start = self._file.tell()
        data = bytearray(self._file.read(count))
        for place, value in self._patch.items():
            for n, byte in enumerate(value, place - start):
                if 0 <= n < len(data):
                    data[n] = byte
        return bytes(data)
