"""Audio files in and out, resampling, downmix. Arrays are float32, full scale is 1.0.

Resampling is soxr at its HQ setting: on a sweep from 44.1 to 16 kHz its aliases lie at -127 dB,
where linear interpolation, which the baseline used for its targets, leaves them at -2 dB.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from midigroove_core.atomic import atomic_path
from midigroove_core.audiofile import native, open_audio
from midigroove_core.errors import InputError, MidigrooveError

Audio = NDArray[np.float32]

_FORMATS = {".wav": ("WAV", "PCM_16"), ".flac": ("FLAC", "PCM_16"), ".ogg": ("OGG", "VORBIS")}
AUDIO_SUFFIXES = tuple(_FORMATS)
"""What audio is written as, and what a folder of pairs is searched for."""

BIT_DEPTHS = ("16", "24", "float")
"""What WAV is written in; FLAC has the first two."""

_SUBTYPES = {"16": "PCM_16", "24": "PCM_24", "float": "FLOAT"}
_BYTES = {"16": 2, "24": 3, "float": 4}
_LARGEST_WAV = (1 << 32) - (1 << 12)

SILENCE = 1e-4
"""A peak (-80 dBFS) below which nothing is played."""

_BLOCK_SAMPLES = 1 << 18
"""Samples read or written at once: a ten-minute stereo take never lies in memory twice."""


@dataclass(frozen=True)
class AudioInfo:
    """What a file's header says.

    Attributes:
        sample_rate: samples per second.
        channels: number of channels C.
        num_samples: samples per channel S.
    """

    sample_rate: int
    channels: int
    num_samples: int

    @property
    def duration_sec(self) -> float:
        """Length in seconds."""
        return self.num_samples / self.sample_rate


def audio_info(path: str | Path) -> AudioInfo:
    """Reads a file's header.

    Raises:
        InputError: missing, empty, truncated, or not audio; names the file.
    """
    with open_audio(Path(path)) as file:
        return AudioInfo(file.samplerate, file.channels, file.frames)


def load_audio(path: str | Path) -> tuple[Audio, int]:
    """Reads a whole file.

    Returns:
        audio: [C, S] float32.
        sample_rate: of the file.

    Raises:
        InputError: missing, empty, truncated, or not audio; names the file.
    """
    with open_audio(Path(path)) as file:
        audio = np.empty((file.channels, file.frames), dtype=np.float32)
        start = 0
        for block in _blocks(file, Path(path)):
            audio[:, start : start + len(block)] = block.T
            start += len(block)
        return audio, file.samplerate


def read_blocks(path: str | Path) -> Iterator[Audio]:
    """Reads a file in blocks [C, n] of some seconds, for what must not lie in memory whole.

    Raises:
        InputError: missing, empty, truncated, or not audio; names the file.
    """
    with open_audio(Path(path)) as file:
        for block in _blocks(file, Path(path)):
            yield block.T


def load_mono(path: str | Path, sample_rate: int, *, notes: list[str] | None = None) -> Audio:
    """Reads a file as the mean of its channels at `sample_rate`, as `downmix` has it.

    Block by block, so that beside the result only a few megabytes are held.

    Args:
        path: the file.
        sample_rate: wanted.
        notes: gets a line where the channels cancel each other and the loudest was taken alone.

    Returns:
        audio: [S] float32, S = resampled_length(samples in the file, its rate, sample_rate).

    Raises:
        InputError: missing, empty, truncated, or not audio; names the file.
    """
    with open_audio(Path(path)) as file:
        length = resampled_length(file.frames, file.samplerate, sample_rate)
        powers = ChannelPowers()
        mono = (_mean(powers.watch(block.T)) for block in _blocks(file, Path(path)))
        audio = _collect(_resample_blocks(mono, file.samplerate, sample_rate), length)
        if powers.cancel:
            if notes is not None:
                notes.append(f"{path}: {powers.what}; channel {powers.loudest + 1} was taken alone")
            file.seek(0)
            loud = (block[:, powers.loudest] for block in _blocks(file, Path(path)))
            audio = _collect(_resample_blocks(loud, file.samplerate, sample_rate), length)
        return audio


def load_channels(
    path: str | Path, sample_rate: int, channels: int, *, notes: list[str] | None = None
) -> Audio:
    """Reads a file `[channels, S]` at `sample_rate`: one mixes those that are there, as `load_mono`
    does, and a file with one gives it to each.

    Raises:
        InputError: another number of channels, or not a file that can be read; names it.
    """
    if channels == 1:
        return load_mono(path, sample_rate, notes=notes)[None]
    audio, rate = load_audio(path)
    if len(audio) not in (1, channels):
        raise InputError(f"{path}: {len(audio)} channels, expected 1 or {channels}")
    audio = resample(audio, rate, sample_rate)
    return audio if len(audio) == channels else np.repeat(audio, channels, axis=0)


def resampled_length(num_samples: int, from_rate: int, to_rate: int) -> int:
    """`num_samples * to_rate / from_rate`, rounded half up, exact for any length."""
    return (2 * num_samples * to_rate + from_rate) // (2 * from_rate)


def resample(audio: Audio, from_rate: int, to_rate: int) -> Audio:
    """Resamples along the last axis with soxr HQ; no delay.

    Args:
        audio: [..., S].
        from_rate: its sample rate.
        to_rate: the rate wanted.

    Returns:
        audio: [..., resampled_length(S, from_rate, to_rate)] float32.
    """
    if min(from_rate, to_rate) <= 0:
        raise MidigrooveError(f"cannot resample from {from_rate} to {to_rate} Hz")
    audio = np.asarray(audio, dtype=np.float32)
    if from_rate == to_rate:
        return audio
    length = resampled_length(audio.shape[-1], from_rate, to_rate)
    rows = audio.reshape(-1, audio.shape[-1])
    out = np.empty((len(rows), length), dtype=np.float32)
    for i, row in enumerate(rows):
        pieces = (row[s : s + _BLOCK_SAMPLES] for s in range(0, len(row), _BLOCK_SAMPLES))
        out[i] = _collect(_resample_blocks(pieces, from_rate, to_rate), length)
    return out.reshape(*audio.shape[:-1], length)


class ChannelPowers:
    """Whether channels cancel each other in their mean, seen block by block.

    The power of a sum is the sum of the powers where channels have nothing in common, more where
    they agree, and next to nothing where one is the other turned upside down (a swapped wire, a
    side signal alone).
    """

    _LEAST = 0.1

    def __init__(self) -> None:
        self._each: NDArray[np.float64] = np.zeros(1)
        self._sum = 0.0

    def watch(self, block: Audio) -> Audio:
        """Counts a block [C, n] and returns it."""
        if len(block) > 1:
            with np.errstate(all="ignore"):  # what is not finite is found by others
                self._each = self._each + np.square(block, dtype=np.float64).sum(axis=1)
                self._sum += float(np.square(block.sum(axis=0, dtype=np.float64)).sum())
        return block

    @property
    def cancel(self) -> bool:
        """Whether the mean has lost more than 10 dB of what the channels hold."""
        return len(self._each) > 1 and self._sum < self._LEAST * float(self._each.sum())

    @property
    def loudest(self) -> int:
        """The channel with the most power, from 0."""
        return int(np.argmax(self._each))

    @property
    def what(self) -> str:
        """What is wrong, in figures."""
        left_db = 10 * np.log10(max(self._sum, 1e-30) / max(float(self._each.sum()), 1e-30))
        return f"its channels cancel each other: {max(left_db, -120):.0f} dB are left in their mean"


def downmix(audio: Audio) -> Audio:
    """Mean over channels, [C, S] -> [S]; where they cancel each other, the loudest alone."""
    powers = ChannelPowers()
    powers.watch(audio)
    return audio[powers.loudest] if powers.cancel else _mean(audio)


def _mean(audio: Audio) -> Audio:
    return audio[0] if len(audio) == 1 else audio.mean(axis=0, dtype=np.float32)


def check_suffix(path: str | Path) -> None:
    """Raises InputError unless audio can be written to a file of that name."""
    if Path(path).suffix.lower() not in AUDIO_SUFFIXES:
        known = ", ".join(AUDIO_SUFFIXES)
        raise InputError(f"{path}: audio is written as {known}; use one of these")


def save_audio(path: str | Path, audio: Audio, sample_rate: int) -> None:
    """Writes audio in the format of the file's suffix: .wav and .flac (16 bit) or .ogg (Vorbis).

    Whole or not at all. Samples beyond full scale are clipped in the 16-bit formats; 16-bit audio
    that was read by `load_audio` comes back bit for bit.

    Args:
        path: where to.
        audio: [S] or [C, S].
        sample_rate: samples per second.

    Raises:
        InputError: another suffix, or audio with NaN or infinite samples.
        MidigrooveError: the file cannot be written.
    """
    rows = np.atleast_2d(np.asarray(audio, dtype=np.float32))
    starts = range(0, rows.shape[1], _BLOCK_SAMPLES)
    blocks = (rows[:, start : start + _BLOCK_SAMPLES] for start in starts)
    save_blocks(path, blocks, sample_rate, channels=len(rows), num_samples=rows.shape[1])


def save_blocks(
    path: str | Path,
    blocks: Iterable[Audio],
    sample_rate: int,
    *,
    channels: int,
    num_samples: int,
    bit_depth: str = "16",
) -> None:
    """Writes audio that comes in blocks, for what need not lie in memory; else as `save_audio`.

    Args:
        path: where to.
        blocks: [channels, n] each, together of `num_samples`.
        sample_rate: samples per second.
        channels: of every block.
        num_samples: in all; a .wav of more than 4 GiB becomes an RF64.
        bit_depth: one of `BIT_DEPTHS`; .flac has no "float", and .ogg none of them.

    Raises:
        InputError: another suffix or bit depth, or audio with NaN or infinite samples.
        MidigrooveError: the file cannot be written.
    """
    path = Path(path)
    container, subtype = audio_format(path, bit_depth)
    if container == "WAV" and num_samples * channels * _BYTES[bit_depth] > _LARGEST_WAV:
        container = "RF64"
    try:
        with (
            atomic_path(path) as temporary,
            soundfile.SoundFile(
                native(temporary), "w", sample_rate, channels, subtype, format=container
            ) as file,
        ):
            for block in blocks:
                if not np.isfinite(block).all():
                    raise InputError(f"{path}: the audio has NaN or infinite samples; not written")
                file.write(_to_integers(block.T, subtype))
            file.close()
            _check_written(temporary, path, num_samples)
    except AssertionError as error:  # soundfile's own word for a block that was not taken whole
        raise MidigrooveError(f"cannot write {path}: {_FULL}") from error
    except soundfile.LibsndfileError as error:
        # "System error." is what libsndfile says to any refusal of the system.
        said = error.error_string.rstrip(".")
        reason = _FULL if said == "System error" else said
        raise MidigrooveError(f"cannot write {path}: {reason}") from error


def audio_format(path: str | Path, bit_depth: str = "16") -> tuple[str, str]:
    """Container and subtype, in libsndfile's words, of a file to write.

    Raises:
        InputError: no such format, or a bit depth that it does not have.
    """
    check_suffix(path)
    suffix = Path(path).suffix.lower()
    container, subtype = _FORMATS[suffix]
    if bit_depth not in BIT_DEPTHS:
        raise InputError(f"bit_depth must be {', '.join(BIT_DEPTHS)}, got {bit_depth!r}")
    if bit_depth == "16":
        return container, subtype
    if container == "OGG" or (container == "FLAC" and bit_depth == "float"):
        raise InputError(f"{path}: {suffix} has no bit_depth {bit_depth}; use .wav")
    return container, _SUBTYPES[bit_depth]


_FULL = "not all of the audio was taken; is the disk full?"


def _check_written(temporary: Path, path: Path, num_samples: int) -> None:
    """Vorbis writes its last pages when it closes, and says nothing where they do not fit."""
    with soundfile.SoundFile(native(temporary)) as file:
        if file.frames != num_samples:
            raise MidigrooveError(
                f"cannot write {path}: {file.frames:,} of {num_samples:,} samples are in the file; "
                "is the disk full?"
            )


def _to_integers(block: Audio, subtype: str) -> NDArray[np.generic]:
    """What libsndfile is given: rounded here, since it truncates when it clips as well."""
    if subtype == "PCM_16":
        return np.clip(np.rint(block * 32768.0), -32768, 32767).astype(np.int16)
    if subtype == "PCM_24":  # the upper bytes of 32
        steps = np.clip(np.rint(block.astype(np.float64) * (1 << 23)), -(1 << 23), (1 << 23) - 1)
        return steps.astype(np.int32) << 8
    return block


def _blocks(file: soundfile.SoundFile, path: Path) -> Iterator[Audio]:
    """The file as blocks [n, C]; together exactly as long as the header says."""
    done = 0
    try:
        while done < file.frames:
            block = file.read(min(_BLOCK_SAMPLES, file.frames - done), "float32", always_2d=True)
            if len(block) == 0:
                break
            done += len(block)
            yield block
    except soundfile.LibsndfileError as error:
        raise InputError(f"{path}: damaged audio ({error.error_string})") from error
    if done != file.frames:
        raise InputError(f"{path}: truncated: {done:,} of {file.frames:,} samples are there")


def _resample_blocks(blocks: Iterator[Audio], from_rate: int, to_rate: int) -> Iterator[Audio]:
    """Mono blocks at another rate; the same samples however the input was cut into blocks."""
    if from_rate == to_rate:
        yield from blocks
        return
    stream = soxr.ResampleStream(from_rate, to_rate, 1, dtype="float32", quality="HQ")
    for block in blocks:
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.zeros(0, dtype=np.float32), last=True)


def _collect(blocks: Iterator[Audio], length: int) -> Audio:
    """Blocks joined into one array of exactly `length` samples; soxr may end a sample off."""
    out = np.zeros(length, dtype=np.float32)
    start = 0
    for block in blocks:
        n = min(len(block), length - start)
        out[start : start + n] = block[:n]
        start += n
    return out
