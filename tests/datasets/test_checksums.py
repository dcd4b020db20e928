"""Published checksums: read as mirdata and md5sum write them, and compared by `verify`."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from midigroove_core.audio import save_audio
from midigroove_core.datasets.checksums import read_checksums
from midigroove_core.datasets.verify import verify
from midigroove_core.errors import InputError
from midigroove_core.takes import open_dataset

GROOVE = Path(__file__).parents[1] / "data" / "groove"
MIDI = "drummer1/session1/1_funk_80_beat_4-4.mid"


@pytest.fixture
def gmd(tmp_path: Path) -> Path:
    """A folder of two files of GMD, with a recording."""
    source = next(path for path in sorted(GROOVE.rglob("*.mid")))
    midi = tmp_path / "gmd" / MIDI
    midi.parent.mkdir(parents=True)
    midi.write_bytes(source.read_bytes())
    save_audio(midi.with_suffix(".wav"), [0.1] * 44100, 44100)
    (tmp_path / "gmd" / "info.csv").write_text(
        "drummer,session,id,style,bpm,beat_type,time_signature,midi_filename,audio_filename,"
        "duration,split\n"
        f"drummer1,session1,p1,funk,80,beat,4-4,{MIDI},{MIDI[:-3]}wav,1,train\n"
    )
    return tmp_path / "gmd"


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


def found(root: Path, listed: Path) -> tuple[int, dict[str, str]]:
    report = verify(open_dataset(root), listen=False, checksums=listed, workers=1)
    assert report.to_json()["checksums"] == report.checksums
    return report.checksums, {f.take: f.detail for f in report.findings if f.kind == "checksum"}


def test_an_index_of_mirdata(gmd: Path, tmp_path: Path) -> None:
    audio = MIDI[:-3] + "wav"
    index = {
        "version": "1.0.0",
        "tracks": {
            "drummer1/session1/1": {
                "midi": [MIDI, md5(gmd / MIDI)], "audio": [audio, md5(gmd / audio)],
            },
            "drummer2/session2/15": {"midi": ["drummer2/x.mid", "0" * 32], "audio": [None, None]},
        },
        "metadata": {"info": {"metadata": ["info.csv", md5(gmd / "info.csv")]}},
    }  # fmt: skip
    listed = tmp_path / "index.json"
    listed.write_text(json.dumps(index))
    assert found(gmd, listed) == (3, {})
    (gmd / "info.csv").write_text((gmd / "info.csv").read_text().replace("funk,80", "funk,81"))
    count, wrong = found(gmd, listed)
    assert count == 3 and list(wrong) == ["info.csv"]
    assert wrong["info.csv"].startswith("its md5 is ")


def test_lines_of_sha256sum(gmd: Path, tmp_path: Path) -> None:
    listed = tmp_path / "SHA256SUMS"
    digest = hashlib.sha256((gmd / MIDI).read_bytes()).hexdigest()
    listed.write_text(f"{digest}  {MIDI}\n\n{'0' * 64} *./info.csv\n")
    assert list(found(gmd, listed)[1]) == ["info.csv"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("sums", "", "no checksums in it"),
        ("sums", "hello\n", "line 1: not a checksum, two blanks and a path"),
        ("sums", f"{'0' * 33}  a\n", "line 1: '0{33}' is no MD5"),
        ("sums", f"{'0' * 32}  ../a\n", "line 1: path: '../a' is not a path below"),
        ("sums", f"{'0' * 32}  a\n", "none of its 1 files is in .*, the first 'a'"),
        ("i.json", "[]", "i.json"),
        ("i.json", '{"tracks": {"a": {"midi": ["a"]}}}', "tracks: a: midi: not a path and its MD5"),
        ("i.json", '{"tracks": []}', "no checksums in it"),
        ("i.json", '{"tracks": [1]}', "tracks: not an index of mirdata"),
    ],
)
def test_other_files_are_refused(
    gmd: Path, tmp_path: Path, name: str, content: str, message: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=message):
        verify(open_dataset(gmd), listen=False, checksums=tmp_path / name, workers=1)
    with pytest.raises(InputError, match="No such file"):
        read_checksums(tmp_path / "nowhere")
