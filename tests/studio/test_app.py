"""The studio's server: what it opens, renders, sends and refuses."""

from __future__ import annotations

import asyncio
import gc
import io
import itertools
import json
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

pytest.importorskip("starlette")
pytest.importorskip("httpx")

from starlette.testclient import TestClient
from support.toy_systems import performance, save_going_on_checkpoint

from midigroove_core.drums import load_drum_map
from midigroove_core.errors import InputError
from midigroove_core.kits.library import builtin_grooves
from midigroove_core.midi import load_midi
from midigroove_core.midi_write import midi_bytes
from midigroove_core.rendering import render as rendering
from midigroove_core.studio import songs
from midigroove_core.studio.app import Studio, build
from midigroove_core.studio.serve import serve
from midigroove_core.studio.songs import Song
from midigroove_core.studio.takes import Growing, Take

PORT = 8765
HOME = f"http://127.0.0.1:{PORT}"
Render = Callable[..., dict[str, Any]]
Draw = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


@pytest.fixture
def client(studio: Studio) -> Iterator[TestClient]:
    with TestClient(build(studio, PORT), base_url=HOME, headers={"origin": HOME}) as client:
        yield client


@pytest.fixture
def render(client: TestClient) -> Render:
    """Renders and returns the last line."""

    def render(song: dict[str, Any], **request: Any) -> dict[str, Any]:
        answer = client.post(f"/api/songs/{song['id']}/render", json=request)
        assert answer.status_code == 200, answer.text
        return json.loads(answer.text.splitlines()[-1])

    return render


@pytest.fixture
def groove(client: TestClient) -> dict[str, Any]:
    """The shortest groove that ships, opened."""
    grooves = client.get("/api/choices").json()["grooves"]
    shortest = min(grooves, key=lambda one: one["sec"])
    return client.post("/api/songs", params={"groove": shortest["id"]}).json()


def shortest() -> Path:
    return min(builtin_grooves(), key=lambda one: one.duration_sec).path


def samples(client: TestClient, song: dict[str, Any], slot: str, done: dict[str, Any]) -> Any:
    first, last = done["changed"]
    answer = client.get(
        f"/api/songs/{song['id']}/{slot}/samples", params={"first": first, "last": last}
    )
    return np.frombuffer(answer.content, "<f4").reshape(done["channels"], -1)


def test_a_groove_opens_with_its_hits_and_bars(groove: dict[str, Any]) -> None:
    performance = load_midi(shortest())
    assert [hit[0] for hit in groove["hits"]] == performance.onset_sec.tolist()
    starts = [bar[0] for bar in groove["bars"]]
    assert starts[:2] == [0.0, performance.bar_start_sec(1)]
    assert starts[-1] >= groove["end_sec"] - 1e-9
    assert len(groove["bars"][0]) == int(performance.meter_numerator[0])


def test_a_file_that_is_sent_sounds_as_render_has_it(
    client: TestClient, render: Render, studio: Studio
) -> None:
    song = client.post(
        "/api/songs", params={"name": "../../mine.mid"}, content=shortest().read_bytes()
    ).json()
    assert song["name"] == "mine.mid"
    assert list(studio.uploads.folder.iterdir()) == []
    done = render(song, settings={"kit": "jazz"})
    config = rendering.RenderConfig(engine="sampler", kit="jazz")
    wanted = rendering.from_file(shortest(), config)
    assert done["sample_rate"] == wanted.sample_rate
    assert np.array_equal(samples(client, song, "a", done), wanted.audio)


def test_an_edit_changes_the_samples_after_it_and_no_others(
    client: TestClient, render: Render, groove: dict[str, Any]
) -> None:
    whole = samples(client, groove, "a", render(groove)).copy()
    hits = groove["hits"]
    sec, pitch, velocity = hits[len(hits) // 2]
    hits[len(hits) // 2] = [sec, pitch, 1 if velocity > 60 else 127]
    done = render(groove, hits=hits)
    first, last = done["changed"]
    assert 0 < first < last <= done["samples"]
    assert abs(first - sec * done["sample_rate"]) < 0.01 * done["sample_rate"]
    whole[:, first:last] = samples(client, groove, "a", done)
    anew = render({**groove}, slot="b", hits=hits)
    assert np.array_equal(whole, samples(client, groove, "b", anew))


def test_levels_mute_and_solo(client: TestClient, render: Render, groove: dict[str, Any]) -> None:
    hits = [[0.5, 36, 90], [1.5, 38, 90], [2.5, 42, 90]]
    plain = samples(client, groove, "a", render(groove, hits=hits))
    rate = 44_100

    def heard(**settings: Any) -> list[float]:
        render(groove, slot="b")  # all of it comes back as changed by what follows
        take = render(groove, slot="b", settings=settings)
        answer = client.get(
            f"/api/songs/{groove['id']}/b/samples", params={"first": 0, "last": take["samples"]}
        )
        audio = np.frombuffer(answer.content, "<f4")
        spans = [slice(int(s * rate), int((s + 0.05) * rate)) for s in (0.5, 1.5, 2.5)]
        return [float(np.abs(audio[s]).max() / np.abs(plain[0, s]).max()) for s in spans]

    assert heard(muted=["kick"])[0] < 0.01
    assert heard(muted=["kick"])[1] == pytest.approx(1.0, abs=0.05)
    assert heard(soloed=["snare"])[2] < 0.3
    assert heard(levels={"kick": -6.0})[0] == pytest.approx(0.501, abs=0.01)


def test_stems_add_up_to_the_take(
    client: TestClient, render: Render, groove: dict[str, Any], studio: Studio
) -> None:
    render(groove, settings={"levels": {"kick": -3.0}})
    mix, rate = soundfile.read(io.BytesIO(client.get(f"/api/songs/{groove['id']}/a/wav").content))
    answer = client.get(f"/api/songs/{groove['id']}/a/stems")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        stems = [soundfile.read(io.BytesIO(archive.read(name)))[0] for name in archive.namelist()]
    assert rate == 44_100 and len(stems) >= 2
    late = round(0.01 * rate)  # the take fades out at its end
    assert np.abs(np.sum(stems, axis=0) - mix)[:-late].max() < 1e-3
    assert list(studio.uploads.folder.iterdir()) == []


def test_midi_has_the_edits(
    client: TestClient, render: Render, groove: dict[str, Any], tmp_path: Path
) -> None:
    render(groove, hits=[[0.25, 38, 77], [1.0, 36, 99]])
    path = tmp_path / "edited.mid"
    path.write_bytes(client.get(f"/api/songs/{groove['id']}/a/midi").content)
    back = load_midi(path)
    assert back.pitch.tolist() == [38, 36] and back.velocity.tolist() == [77, 99]
    assert np.abs(back.onset_sec - [0.25, 1.0]).max() < 2e-3


def test_touch_moves_what_is_played_and_what_is_downloaded(
    client: TestClient, render: Render, groove: dict[str, Any], tmp_path: Path
) -> None:
    hits = [[0.5 * n, 42, 64] for n in range(8)]
    render(groove, hits=hits)
    settings = {"curve": 2.0, "humanize_ms": 10.0, "seed": 3}
    assert render(groove, settings=settings)["changed"][1] > 0
    path = tmp_path / "touched.mid"
    path.write_bytes(client.get(f"/api/songs/{groove['id']}/a/midi").content)
    played = load_midi(path)
    assert set(played.velocity.tolist()) == {round(127 * (64 / 127) ** 2)}
    late = played.onset_sec - [hit[0] for hit in hits]
    assert 0.002 < np.abs(late).max() < 0.026


def test_a_model_goes_on_from_its_take(
    client: TestClient, render: Render, groove: dict[str, Any], studio: Studio,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    # The studio has the model's own levels: those of a kit would keep an edit waiting.
    own = "midigroove_core.rendering.guide.leveled_by_kit"
    monkeypatch.setattr(own, lambda audio, *_: audio)
    assert client.get("/api/model").json()["uses_known"]
    hits = [[0.5, 36, 90], [1.0, 38, 90], [2.0, 42, 90]]
    model = {"engine": "model", "kit": "jazz"}
    whole = render(groove, hits=hits, settings=model)
    assert whole["changed"] == [0, whole["samples"]] and whole["sample_rate"] == 32_000
    performance = studio.songs[groove["id"]].performance
    wanted = rendering.from_performance(performance, rendering.RenderConfig(kit="jazz"))
    assert np.array_equal(samples(client, groove, "a", whole), wanted.audio)
    edited = render(groove, hits=[*hits[:2], [2.0, 42, 40]], settings=model)
    first, last = (sample / 32_000 for sample in edited["changed"])
    assert 1.4 < first < 2.0 and 2.0 < last < 3.1
    redraw = {"start_sec": 0.0, "stop_sec": 0.75, "seed": 5}
    again = render(groove, settings=model, redraw=redraw)
    assert again["changed"][1] < 1.1 * 32_000
    both = render(groove, hits=hits, settings=model, redraw={**redraw, "seed": 6})
    assert both["changed"][0] < 0.75 * 32_000 and both["changed"][1] > 2.0 * 32_000
    muted = render(groove, settings={**model, "muted": ["kick"]})
    assert muted["changed"][0] < 0.6 * 32_000, "no new draw, but the kick is gone"
    with zipfile.ZipFile(
        io.BytesIO(client.get(f"/api/songs/{groove['id']}/a/stems").content)
    ) as archive:
        assert {name.rpartition("-")[2] for name in archive.namelist()} == {"snare.wav", "hats.wav"}
    wide = render(groove, settings={**model, "stereo": "audience"})
    assert wide["channels"] == 2
    empty = render(groove, hits=[], settings=model)
    assert "error" not in empty


@pytest.fixture
def drawn(tmp_path: Path, toy_plugin: None) -> Iterator[tuple[Song, Draw]]:
    """A song, and what renders it with a small model that goes on and gives all lines."""
    checkpoint = save_going_on_checkpoint(tmp_path / "model.safetensors")
    studio = Studio(tmp_path, checkpoint=checkpoint)
    with TestClient(build(studio, PORT), base_url=HOME, headers={"origin": HOME}) as client:
        song = studio.songs.open("toy.mid", performance(12, 2.0))

        def draw(settings: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
            request = {"settings": {"engine": "model", **settings}, **more}
            answer = client.post(f"/api/songs/{song.id}/render", json=request)
            return [json.loads(line) for line in answer.text.splitlines()]

        yield song, draw


def test_a_model_is_heard_while_it_draws(
    drawn: tuple[Song, Draw], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes on the way is the take, but for the polish of silences and echoes."""
    monkeypatch.setattr("midigroove_core.studio.engines.polished", lambda audio, *_: audio)
    heard: list[Any] = []
    add = Growing.add

    def added(growing: Growing, block: Any) -> tuple[int, int]:
        first, last = add(growing, block)
        heard.append(growing.audio[:, first:last].copy())
        return first, last

    monkeypatch.setattr(Growing, "add", added)
    song, draw = drawn
    got = draw({})
    told = [line["heard"] for line in got if "heard" in line]
    assert len(told) > 3 and told[0][0] == 0 and told[-1][1] == got[-1]["samples"]
    assert all(one[1] == other[0] for one, other in itertools.pairwise(told))
    late, rise = 160, 16  # the take fades out at its end, and begins at zero
    whole = song.takes["a"].audio
    assert np.abs(np.concatenate(heard, axis=1) - whole)[:, rise:-late].max() < 1e-4
    assert not any("heard" in line for line in draw({"muted": ["kick"]})), "made of the whole"
    assert not song.growing


def test_what_a_model_has_drawn_comes_back(drawn: tuple[Song, Draw]) -> None:
    song, draw = drawn
    first = draw({})[-1]["draw"]
    heard = song.takes["a"].audio
    redraw = {"start_sec": 0.5, "stop_sec": 1.5, "seed": 5}
    second = draw({}, redraw=redraw)[-1]["draw"]
    anew = song.takes["a"].audio
    assert second != first and not np.array_equal(anew, heard)
    draw({"muted": ["kick"]})
    assert song.takes["a"].draw == second, "levels draw nothing"
    draw({}, draw=first)
    assert np.allclose(song.takes["a"].audio, heard, atol=1e-5)
    draw({"seed": 9})
    draw({}, draw=second)
    assert np.allclose(song.takes["a"].audio, anew, atol=1e-5)
    song.draws.clear()
    assert "take" in draw({}, draw=first)[-1], "what is gone is drawn"


def test_the_oldest_draws_are_forgotten(
    drawn: tuple[Song, Draw], monkeypatch: pytest.MonkeyPatch
) -> None:
    song, draw = drawn
    kept = draw({})[-1]["draw"]
    monkeypatch.setattr(songs, "MOST_DRAWN_BYTES", 1)
    draw({"seed": 1})
    assert len(song.draws) == 1 and kept not in song.draws


def test_a_model_that_hears_kits_sounds_like_a_recording(
    tmp_path: Path, toy_plugin: None, groove: dict[str, Any]
) -> None:
    checkpoint = save_going_on_checkpoint(tmp_path / "model.safetensors", sketch=True)
    studio = Studio(tmp_path, checkpoint=checkpoint)
    recording = tmp_path / "mine.wav"
    rendering.from_performance(
        performance(12, 3.0), rendering.RenderConfig(engine="sampler", kit="power")
    ).save(recording)
    with TestClient(build(studio, PORT), base_url=HOME, headers={"origin": HOME}) as client:
        about = client.get("/api/model").json()
        assert about["hears"] and "power" in about["kits"], "kits that it has no name for, too"
        song = studio.songs.open("toy.mid", performance(6, 2.0))
        id = client.post(
            "/api/recordings", params={"name": "mine.wav"}, content=recording.read_bytes()
        ).json()["id"]

        def played(**settings: Any) -> dict[str, Any]:
            request = {"settings": {"engine": "model", "kit": "jazz", **settings}}
            answer = client.post(f"/api/songs/{song.id}/render", json=request)
            return json.loads(answer.text.splitlines()[-1])

        done = played(like=id)
        assert any(line.startswith("mine.wav: heard") for line in done["lines"]), done
        like = song.takes["a"].drawn
        again = played(like=id, muted=["hats"])
        assert any(line.startswith("mine.wav: heard") for line in again["lines"]), "said again"
        played()
        assert song.takes["a"].drawn is not like
        wanted = rendering.render(
            song.performance, checkpoint=checkpoint, engine="model", like=recording
        )
        assert like is not None and np.array_equal(like.codes, wanted.codes)


def test_of_what_is_being_drawn_samples_can_be_had(
    client: TestClient, groove: dict[str, Any], studio: Studio
) -> None:
    growing = Growing(1, 1000, 32_000)
    assert growing.add(np.full((1, 600), 2.0, np.float32)) == (0, 600)
    assert growing.add(np.full((1, 600), 0.5, np.float32)) == (600, 1000)
    studio.songs[groove["id"]].growing["b"] = growing
    done = {"changed": [500, 700], "channels": 1}
    got = samples(client, groove, "b", done)
    assert got[0].tolist() == [1.0] * 100 + [0.5] * 100


def test_a_file_is_read_by_the_map_that_is_chosen(
    client: TestClient, render: Render, studio: Studio, tmp_path: Path
) -> None:
    """EZdrummer has a snare on 33 and an open hat on 24; 36 is everywhere a kick."""
    path = tmp_path / "ez.mid"
    played = replace(performance(3, 2.0), pitch=np.array([36, 33, 24]))
    path.write_bytes(midi_bytes(replace(played, tempo_bpm=np.array([120.0]))))
    asked = {"name": "ez.mid"}
    usual = client.post("/api/songs", params=asked, content=path.read_bytes()).json()
    assert len(usual["hits"]) == 1 and usual["drum_map"] == "roland_td"
    said = "2 hits are no drum of the map roland_td: pitches 24 (1), 33 (1); left out"
    assert said in usual["notes"]
    found = client.get(f"/api/songs/{usual['id']}/reading", params={"map": "ezdrummer"}).json()
    assert [hit[1] for hit in found["hits"]] == [36, 38, 26] and found["notes"] == []
    assert studio.songs[usual["id"]].drum_map == "roland_td", "asking changes nothing"
    render(usual, drum_map="ezdrummer", hits=found["hits"])
    back = tmp_path / "back.mid"
    back.write_bytes(client.get(f"/api/songs/{usual['id']}/a/midi").content)
    pitches = load_midi(back).pitch.tolist()
    ez = load_drum_map("ezdrummer")
    assert [ez.articulation(p) for p in pitches] == ["kick", "snare", "hat_open"]
    render(usual, drum_map="roland_td")
    assert studio.songs[usual["id"]].performance.num_hits == 1
    opened = client.post("/api/songs", params={**asked, "map": "ezdrummer"},
                         content=path.read_bytes()).json()  # fmt: skip
    assert opened["hits"] == found["hits"]
    refused = client.get(f"/api/songs/{usual['id']}/reading", params={"map": "/etc/x.toml"})
    assert refused.status_code == 400 and "there are gm, roland_td" in refused.json()["error"]


def test_a_file_without_a_drum_of_the_map_says_its_pitches(studio: Studio) -> None:
    odd = replace(performance(2, 1.0), pitch=np.array([33, 34]))
    with pytest.raises(InputError, match=r"x.mid: .*pitches 33 \(1\), 34 \(1\).*another drum map"):
        studio.songs.open("x.mid", odd)


def test_it_begins_with_the_file_that_was_named(tmp_path: Path) -> None:
    app = build(Studio(tmp_path, first=shortest()), PORT)
    client = TestClient(app, base_url=HOME, headers={"origin": HOME})
    assert client.get("/api/choices").json()["first"]
    assert client.post("/api/songs").json()["name"] == shortest().name
    with pytest.raises(InputError, match="nowhere.mid"):
        Studio(tmp_path, first=tmp_path / "nowhere.mid")


def test_without_its_packages_a_line_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['uvicorn'] = None;"
        "from midigroove_core.cli import run; print(run(['studio']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "2"
    assert "the studio needs uvicorn: pip install 'midigroove[studio]'" in done.stderr


def test_a_checkpoint_that_is_not_there_is_said_before_a_page_opens(tmp_path: Path) -> None:
    pytest.importorskip("uvicorn", reason="the studio's server is an extra")
    with pytest.raises(InputError, match=r"nowhere\.safetensors"):
        serve(None, checkpoint=tmp_path / "nowhere.safetensors", ready=print)


def test_no_other_command_loads_the_studio() -> None:
    code = (
        "import sys; from midigroove_core.cli import build_app; build_app();"
        "print([n for n in sys.modules if 'starlette' in n or 'midigroove_core.studio' in n])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("cat.mid", b"meow", "cat.mid: "),
        ("score.musicxml", b"<a/>", "score.musicxml"),
        ("cat.exe", b"MZ", "no reader for .exe"),
        ("<b>.mid", b"", "<b>.mid"),
    ],
)
def test_wrong_files_are_named(
    client: TestClient, studio: Studio, name: str, content: bytes, said: str
) -> None:
    answer = client.post("/api/songs", params={"name": name}, content=content)
    assert answer.status_code == 400
    assert said in answer.json()["error"] and str(studio.uploads.folder) not in answer.text
    assert list(studio.uploads.folder.iterdir()) == []


def test_files_beyond_the_size_are_refused(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("midigroove_core.studio.app.LARGEST_SCORE", 1 << 20)
    answer = client.post("/api/songs", params={"name": "big.mid"}, content=b"M" * ((1 << 20) + 1))
    assert answer.status_code == 400 and "big.mid: larger than 1 MiB" in answer.json()["error"]


@pytest.mark.parametrize(
    "request_",
    [
        {"hits": [[1e9, 36, 90]]},
        {"hits": [[0.0, 36, 200]]},
        {"settings": {"kit": "/etc"}},
        {"settings": {"like": "../x"}},
        {"settings": {"levels": {"cowbell": 0}}},
        {"redraw": {"start_sec": 0, "stop_sec": 1}, "settings": {"engine": "model"}},
        {"nonsense": 1},
    ],
)
def test_requests_that_make_no_sense_are_refused(
    client: TestClient, groove: dict[str, Any], request_: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    answer = client.post(f"/api/songs/{groove['id']}/render", json=request_)
    last = json.loads(answer.text.splitlines()[-1])
    assert "error" in last and "fault of midigroove" not in last["error"]


def test_a_hundred_renders_leave_one_take_and_no_file(
    render: Render, groove: dict[str, Any], studio: Studio
) -> None:
    hits = groove["hits"][:4]
    gc.collect()
    before = sum(type(one) is Take for one in gc.get_objects())
    threads = threading.active_count()  # other tests' among them
    for n in range(100):
        render(groove, hits=[[*hits[0][:2], 1 + n], *hits[1:]], settings={"seed": n})
    gc.collect()
    assert sum(type(one) is Take for one in gc.get_objects()) <= before + 1
    assert list(studio.uploads.folder.iterdir()) == []
    assert threading.active_count() < threads + 8


def test_songs_are_forgotten_in_turn(client: TestClient, groove: dict[str, Any]) -> None:
    for _ in range(4):
        client.post("/api/songs", params={"groove": groove["name"]})
    answer = client.get(f"/api/songs/{groove['id']}/a/midi")
    assert answer.status_code == 400 and "open it again" in answer.json()["error"]


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", {"host": "evil.example"}),
        ("GET", {"host": f"127.0.0.1:{PORT + 1}"}),
        ("GET", {"origin": "https://evil.example"}),
        ("GET", {"sec-fetch-site": "cross-site"}),
        ("POST", {"origin": "https://evil.example"}),
        ("POST", {"origin": "null"}),
        ("POST", {"host": "evil.example", "origin": HOME}),
    ],
)
def test_only_the_own_page_is_answered(
    client: TestClient, method: str, headers: dict[str, str]
) -> None:
    answer = client.request(method, "/api/songs" if method == "POST" else "/", headers=headers)
    assert answer.status_code == 403


def test_a_post_without_an_origin_is_refused(studio: Studio) -> None:
    answer = TestClient(build(studio, PORT), base_url=HOME).post("/api/songs")
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["/", "/main.js", "/nothing", "/api/choices"])
def test_every_answer_forbids_other_hosts(client: TestClient, path: str) -> None:
    policy = client.get(path).headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'")
    assert "unsafe" not in policy and "http" not in policy


@pytest.mark.parametrize("path", ["/../pyproject.toml", "/..%2fgroove_model.safetensors", "/x/y"])
def test_no_other_file_is_served(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_a_render_ends_when_nobody_waits(studio: Studio, groove: dict[str, Any]) -> None:
    steps: list[int] = []

    async def follow() -> None:
        def work(progress: Any) -> dict[str, Any]:
            progress.start("counting", 1000)
            for step in range(1000):
                steps.append(step)
                progress.advance(1)
                stop.wait(0.005)
            return {"done": True}

        lines = studio.worker.follow(work)
        assert (await anext(lines))["doing"] == "counting"
        await lines.aclose()
        assert [line async for line in studio.worker.follow(lambda _: {"next": 1})] == [{"next": 1}]

    stop = threading.Event()
    asyncio.run(follow())
    assert len(steps) < 100


def test_whoever_waits_is_let_go_when_the_studio_ends(studio: Studio) -> None:
    stop = threading.Event()

    async def follow() -> list[Any]:
        async def all_lines() -> list[Any]:
            return [line async for line in studio.worker.follow(lambda _: {"late": stop.wait(5)})]

        waiting = asyncio.create_task(all_lines())
        await asyncio.sleep(0.05)
        studio.worker.end()
        return await asyncio.wait_for(waiting, 2)

    assert asyncio.run(follow()) == []
    stop.set()


def test_a_fault_in_a_render_is_a_line_and_no_end(studio: Studio) -> None:
    def broken(progress: Any) -> dict[str, Any]:
        raise ZeroDivisionError("oops")

    async def follow() -> list[dict[str, Any]]:
        return [line async for line in studio.worker.follow(broken)]

    assert "oops" in asyncio.run(follow())[0]["error"]
