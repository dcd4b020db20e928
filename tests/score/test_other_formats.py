"""Compressed MusicXML, and what partitura reads beside MusicXML."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from midigroove_core.errors import InputError
from midigroove_core.score.read import load_score

SCORES = Path(__file__).parent.parent / "data" / "scores"

KERN = "**kern\n*M4/4\n=1\n4CC\n4DD\n4CC\n4DD\n=\n*-\n"
MEI = """<?xml version="1.0" encoding="UTF-8"?>
<mei xmlns="http://www.music-encoding.org/ns/mei" meiversion="4.0.1"><meiHead><fileDesc><titleStmt>
<title>a</title></titleStmt><pubStmt/></fileDesc></meiHead><music><body><mdiv><score>
<scoreDef meter.count="4" meter.unit="4" key.sig="0"><staffGrp>
<staffDef n="1" lines="5" clef.shape="G" clef.line="2" ppq="1"/></staffGrp></scoreDef>
<section><measure n="1"><staff n="1"><layer n="1">
<note xml:id="n1" dur="4" oct="2" pname="c" dur.ppq="1"/>
<note xml:id="n2" dur="4" oct="2" pname="d" dur.ppq="1"/>
<note xml:id="n3" dur="2" oct="2" pname="c" dur.ppq="2"/>
</layer></staff></measure></section></score></mdiv></body></music></mei>
"""


def test_compressed_is_the_same(tmp_path: Path) -> None:
    plain = SCORES / "musescore_two_voices.musicxml"
    path = tmp_path / "drums.mxl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "META-INF/container.xml",
            '<container><rootfiles><rootfile full-path="s.xml"/></rootfiles></container>',
        )
        archive.write(plain, "s.xml")
    assert np.array_equal(load_score(path).onset_sec, load_score(plain).onset_sec)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match=r"drums\.mxl"):
        load_score(path)


@pytest.mark.parametrize(("name", "text"), [("a.krn", KERN), ("a.mei", MEI)])
def test_pitches_without_a_percussion_clef_are_midi_pitches(
    tmp_path: Path, name: str, text: str
) -> None:
    path = tmp_path / name
    path.write_text(text)
    played = load_score(path)
    assert played.pitch.tolist()[:3] == [36, 38, 36]
    assert played.onset_sec.tolist()[:3] == [0.0, 0.5, 1.0]
    assert (played.velocity == 80).all()
    path.write_text("nothing of the kind")
    with pytest.raises(InputError, match=name) as error:
        load_score(path)
    assert "NoneType" not in str(error.value)
