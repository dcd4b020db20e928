"""`data verify`: is a dataset what its csv says, and does the audio belong to the MIDI?"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from midigroove_core.datasets.checksums import differs, read_checksums
from midigroove_core.datasets.verify_take import Finding, Limits, check_takes
from midigroove_core.errors import InputError
from midigroove_core.metrics.alignment import Alignment
from midigroove_core.processes import in_order
from midigroove_core.progress import Progress, Silent
from midigroove_core.takes import Dataset, Take

SCHEMA = 1
_FEW = 2000
"""So many files are read before processes would have started."""


@dataclass
class VerifyReport:
    """What was looked at and what is wrong.

    Attributes:
        dataset, fingerprint: what was verified.
        num_takes: takes in it.
        audio_sec: audio that could be read.
        findings: in the order of the takes.
        alignments: by key of the take, for takes that were heard.
        checksums: files whose published checksum was compared.
    """

    dataset: str
    fingerprint: str
    num_takes: int
    audio_sec: float
    findings: list[Finding]
    alignments: dict[str, Alignment]
    checksums: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """Findings by kind."""
        return dict(sorted(Counter(finding.kind for finding in self.findings).items()))

    def alignment_summary(self) -> dict[str, float]:
        """Median, 5 % and 95 % of offset and residual, and medians of the rest; {} if none."""
        found = list(self.alignments.values())
        if not found:
            return {}
        offset = np.percentile([a.offset_ms for a in found], [5, 50, 95])
        residual = np.percentile([a.residual_ms for a in found], [50, 95])
        values = {
            "takes": len(found), "offset_ms_p5": offset[0], "offset_ms_median": offset[1],
            "offset_ms_p95": offset[2], "residual_ms_median": residual[0],
            "residual_ms_p95": residual[1], "match_median": np.median([a.match for a in found]),
        }  # fmt: skip
        return {name: round(float(value), 3) for name, value in values.items()}

    def to_json(self) -> dict[str, Any]:
        """The whole report."""
        return {
            "schema": SCHEMA, "dataset": self.dataset, "fingerprint": self.fingerprint,
            "takes": self.num_takes, "audio_hours": round(self.audio_sec / 3600, 4),
            "counts": self.counts, "findings": [asdict(finding) for finding in self.findings],
            "checksums": self.checksums,
            "alignment_summary": self.alignment_summary(),
            "alignment": {key: a.to_json() for key, a in self.alignments.items()},
        }  # fmt: skip


def verify(
    dataset: Dataset,
    *,
    limits: Limits | None = None,
    listen: bool = True,
    checksums: Path | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> VerifyReport:
    """Checks every file of a dataset and, by listening, that audio and MIDI belong together.

    Args:
        dataset: from `open_dataset`.
        limits: of the alignment; the defaults suit datasets that claim a few milliseconds.
        listen: False skips the alignment, which takes most of the time.
        checksums: of the files as published, see `read_checksums`; all that it names and that are
            there are compared, whichever takes were chosen.
        workers: processes; None uses every core.
        progress: told of every take.

    Raises:
        InputError: `checksums` is no such list, or names no file that is there.
    """
    progress = progress or Silent()
    groups: dict[str, list[Take]] = {}
    for take in dataset.takes:
        groups.setdefault(take.midi_path, []).append(take)
    heard = (limits or Limits()) if listen else None
    tasks = [(dataset.root, takes, heard) for takes in groups.values()]
    findings = [*_check_rows(dataset.takes), *_check_unpaired(dataset)]
    compared = [] if checksums is None else _listed(dataset.root, checksums)
    findings += _check_sums(compared, workers)
    alignments: dict[str, Alignment] = {}
    audio_sec = 0.0
    progress.start(f"verifying {len(dataset.takes)} takes", len(dataset.takes))
    for reports in in_order(check_takes, tasks, workers):
        for report in reports:
            findings += report.findings
            audio_sec += report.audio_sec
            if report.alignment is not None:
                alignments[report.key] = report.alignment
        progress.advance(len(reports), findings=len(findings))
    progress.finish()
    places = {take.key: place for place, take in enumerate(dataset.takes)}
    findings.sort(key=lambda finding: places.get(finding.take, -1))
    return VerifyReport(
        dataset=dataset.name,
        fingerprint=dataset.fingerprint(),
        num_takes=len(dataset.takes),
        audio_sec=audio_sec,
        findings=findings,
        alignments=dict(sorted(alignments.items(), key=lambda item: places[item[0]])),
        checksums=len(compared),
    )


def _listed(root: Path, checksums: Path) -> list[tuple[Path, str, str]]:
    """Root, path below it and checksum of every file that is listed and there."""
    listed = read_checksums(checksums).items()
    there = [(root, name, digest) for name, digest in listed if (root / name).is_file()]
    if not there:
        raise InputError(
            f"{checksums}: none of its {len(listed)} files is in {root}, the first "
            f"{next(iter(listed))[0]!r}; its paths must count from the dataset's root"
        )
    return there


def _check_sums(files: list[tuple[Path, str, str]], workers: int | None) -> list[Finding]:
    found = in_order(_differs, files, workers if len(files) > _FEW else 1)
    return [
        Finding("checksum", name, detail)
        for (_, name, _), detail in zip(files, found, strict=True)
        if detail is not None
    ]


def _differs(file: tuple[Path, str, str]) -> str | None:
    try:
        return differs(*file)
    except InputError as error:
        return str(error)


def _check_rows(takes: list[Take]) -> list[Finding]:
    """Two rows for one audio file, and performances that are in two splits."""
    findings = [
        Finding("duplicate_key", key, f"{count} rows name this audio file")
        for key, count in Counter(take.key for take in takes).items()
        if count > 1
    ]
    splits: dict[str, dict[str, Take]] = {}
    for take in takes:
        splits.setdefault(take.performance_key, {}).setdefault(take.split, take)
    for performance, found in splits.items():
        if len(found) > 1:
            names = ", ".join(f"{split} ({take.key})" for split, take in sorted(found.items()))
            findings.append(Finding("performance_in_two_splits", performance, names))
    return findings


def _check_unpaired(dataset: Dataset) -> list[Finding]:
    return [
        Finding("missing_midi", name, "audio without a MIDI file of the same name")
        for name in dataset.unpaired
    ]
