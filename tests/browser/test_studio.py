"""The studio in Chromium, by mouse and by keyboard: `nox -s browser`."""

from __future__ import annotations

import base64
import os
import re
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

if not os.environ.get("MIDIGROOVE_BROWSER"):
    pytest.skip("nox -s browser runs these", allow_module_level=True)

import numpy as np
import soundfile
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright
from support.report_browser import CHROMIUM

from midigroove_core.kits.library import builtin_grooves
from midigroove_core.midi import load_midi
from midigroove_core.midi_write import midi_bytes
from midigroove_core.rendering import render

GROOVE = min(builtin_grooves(), key=lambda one: one.duration_sec)
PATIENCE_MS = 120_000
expect.set_options(timeout=PATIENCE_MS)
RULER, STRIP = 24, 66


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Of a studio that runs as a user starts it; Ctrl-C ends it without a word of trouble."""
    command = [sys.executable, "-m", "midigroove_core", "studio", "--no-browser"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield process.stdout.readline().split()[0]
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (0, "")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        browser.close()


@pytest.fixture
def trouble() -> list[str]:
    """What the console said, and requests to other hosts."""
    return []


@pytest.fixture
def page(
    chromium: Browser, address: str, trouble: list[str], request: pytest.FixtureRequest
) -> Iterator[Page]:
    """The page; its console must stay empty and all its requests must go to the studio."""
    page = chromium.new_page(**{"viewport": {"width": 1280, "height": 900},
                                **getattr(request, "param", {})})  # fmt: skip
    page.set_default_timeout(PATIENCE_MS)
    page.on("console", lambda message: trouble.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("request", lambda asked: asked.url.startswith(address) or trouble.append(asked.url))
    page.goto(address)
    page.wait_for_selector("body[data-ready]")
    yield page
    page.close()
    assert trouble == []


def settled(page: Page) -> None:
    """Waits until nothing is rendered any more."""
    page.wait_for_selector("#get-wav[href]")
    page.wait_for_selector("#working", state="hidden")


def accessible(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []


def drop(page: Page, name: str, content: bytes) -> None:
    """Drops a file on the page."""
    script = """([name, text]) => {
      const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
      const files = new DataTransfer();
      files.items.add(new File([bytes], name));
      return files;
    }"""
    files = page.evaluate_handle(script, [name, base64.b64encode(content).decode()])
    page.dispatch_event("body", "dragenter", {"dataTransfer": files})
    page.dispatch_event("body", "drop", {"dataTransfer": files})


def open_groove(page: Page) -> None:
    page.select_option("#groove", GROOVE.name)
    settled(page)


def place(page: Page, sec: float, lane: str | None) -> tuple[float, float]:
    """Where on the screen a time and a lane (None: the sticks at the bottom) are."""
    canvas = page.locator("#canvas")
    box = canvas.bounding_box()
    assert box is not None
    left, scale = (float(str(canvas.get_attribute(f"data-{name}"))) for name in ("left", "scale"))
    y = box["y"] + box["height"] - STRIP / 2
    if lane is not None:
        row = page.locator("#lanes li", has_text=re.compile(f"^{lane}$")).bounding_box()
        assert row is not None
        y = row["y"] + row["height"] / 2
    return box["x"] + sec * scale - left, y


def said(page: Page) -> str:
    return page.inner_text("#said")


def heard_ms(page: Page) -> int:
    """How long the last edit took until it was heard."""
    page.wait_for_selector("#status[data-heard-ms]", state="attached")
    found = page.get_attribute("#status", "data-heard-ms")
    page.evaluate("delete document.getElementById('status').dataset.heardMs")
    return int(str(found))


def sound(page: Page, slot: str) -> float:
    """Energy of what is heard of a slot."""
    script = """async (slot) => {
      const { page } = await import("/page.js");
      return page.player.takes[slot].channels[0].reduce((sum, x, n) => sum + x * x * (n % 1009), 0);
    }"""
    return float(page.evaluate(script, slot))


def cursor(page: Page) -> float:
    """Where the cursor is, in seconds."""
    found = re.search(r"([\d.]+) s", page.inner_text("#clock"))
    assert found is not None
    return float(found[1])


def snare_hit() -> tuple[float, int]:
    """The first loud snare that has no other near: seconds and velocity."""
    performance = load_midi(GROOVE.path)
    times = performance.onset_sec[performance.pitch == 38]
    alone = [t for t in times if sum(abs(times - t) < 0.3) == 1 and t > 0.3]
    hits = zip(performance.onset_sec, performance.pitch, performance.velocity, strict=True)
    velocity = next(v for t, pitch, v in hits if t == alone[0] and pitch == 38)
    return float(alone[0]), int(velocity)


def test_the_story_by_mouse(page: Page, tmp_path: Path) -> None:
    drop(page, "mine.mid", GROOVE.path.read_bytes())
    settled(page)
    assert page.title() == "mine.mid · midigroove studio"
    accessible(page)
    play_and_loop(page)
    edit_by_mouse(page)
    levels_and_touch(page)
    compare(page)
    download(page, tmp_path)


def play_and_loop(page: Page) -> None:
    page.click("#play")
    while cursor(page) < 0.3:
        page.wait_for_timeout(50)
    page.click("#play")
    page.wait_for_timeout(200)
    at = cursor(page)
    page.wait_for_timeout(200)
    assert 0.3 <= at == cursor(page)
    performance = load_midi(GROOVE.path)
    start, stop = performance.bar_start_sec(1), performance.bar_start_sec(2)
    to(page, start + 0.05)
    page.click("#loop")
    expect(page.locator("#loop")).to_have_attribute("aria-pressed", "true")
    page.click("#play")
    seen = []
    for _ in range(12):
        page.wait_for_timeout(200)
        seen.append(cursor(page))
    assert all(start - 0.01 <= at <= stop + 0.01 for at in seen)
    assert sorted(seen) != seen, "it never came back to the start of the bar"
    page.click("#play")
    page.click("#loop")


def to(page: Page, sec: float) -> None:
    """Moves the cursor by a click on the ruler."""
    box = page.locator("#canvas").bounding_box()
    assert box is not None
    page.mouse.click(place(page, sec, None)[0], box["y"] + RULER / 2)


def edit_by_mouse(page: Page) -> None:
    sec, velocity = snare_hit()
    x, y = place(page, sec, "Snare")
    page.mouse.click(x, y)
    assert said(page).startswith("Snare, bar ") and f"velocity {velocity}" in said(page)
    before = said(page)
    drag(page, (x, y), (x + 30, y))
    assert heard_ms(page) and said(page) != before and "Snare" in said(page)
    page.click("#undo")
    heard_ms(page)
    x, y = place(page, sec, None)
    page.mouse.click(*place(page, sec, "Snare"))
    drag(page, (x, y), (x, y - 10 if velocity < 100 else y + 10))
    assert heard_ms(page) and f"velocity {velocity}" not in said(page)
    drag(page, place(page, sec, "Snare"), place(page, sec, "Mid tom"))
    assert heard_ms(page) and said(page).startswith("Mid tom")
    page.click("#delete")
    heard_ms(page)
    page.mouse.dblclick(*place(page, sec, "Ride"))
    assert heard_ms(page) and said(page).startswith("Ride, bar ")
    page.click("#velocity", position={"x": 5, "y": 5})
    assert heard_ms(page) and re.search(r"velocity \d$|velocity 1\d$", said(page))
    undo_and_redo_settings(page)


def undo_and_redo_settings(page: Page) -> None:
    kit = page.input_value("#kit")
    page.select_option("#kit", "power")
    settled(page)
    for button, wanted in (("#undo", kit), ("#redo", "power"), ("#undo", kit)):
        page.click(button)
        heard_ms(page)
        assert page.input_value("#kit") == wanted
    expect(page.locator("#status")).to_have_text("Undone: the kit of A")


def drag(page: Page, start: tuple[float, float], stop: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*stop, steps=4)
    page.mouse.up()


def levels_and_touch(page: Page) -> None:
    rendered = "**/render"
    for action in (
        lambda: page.select_option("#kit", "jazz"),
        lambda: page.click("[aria-label='Mute kick']"),
        lambda: page.click("[aria-label='Solo snare']"),
        lambda: page.click("[aria-label='Solo snare']"),
        lambda: page.locator("[aria-label='Hats: level in dB']").fill("-6"),
        lambda: page.select_option("#stereo", "audience"),
        lambda: page.locator("#swing").fill("60"),
        lambda: page.locator("#curve").fill("0.5"),
        lambda: page.locator("#humanize-ms").fill("6"),
        lambda: page.locator("#humanize-velocity").fill("5"),
        lambda: page.click("#vary"),
        lambda: page.click("#dice"),
    ):
        with page.expect_response(rendered) as answer:
            action()
        assert answer.value.ok
        settled(page)
    expect(page.locator("[aria-label='Mute kick']")).to_have_attribute("aria-pressed", "true")
    page.click("[aria-label='Mute kick']")
    settled(page)


def compare(page: Page) -> None:
    """B is the model; a bar of it is drawn anew; the cursor keeps its place over the switch."""
    page.click("[data-slot=b]")
    expect(page.locator("[data-slot=b]")).to_have_attribute("aria-checked", "true")
    settled(page)
    assert page.is_checked("[name=engine][value=model]") and page.is_visible("#temperature")
    page.evaluate("delete document.getElementById('status').dataset.heardMs")
    heard = sound(page, "b")
    page.click("#redraw")
    assert heard_ms(page) > 0
    anew = sound(page, "b")
    assert anew != heard
    expect(page.locator("#undo")).to_have_attribute("aria-label", re.compile("bar . drawn anew"))
    for button, wanted in (("#undo", heard), ("#redo", anew)):
        page.click(button)
        assert heard_ms(page) > 0 and sound(page, "b") == pytest.approx(wanted, rel=1e-6)
    page.locator("#scroller").evaluate("(element) => { element.scrollLeft = 0; }")
    page.wait_for_timeout(200)
    to(page, 0.05)
    page.click("#play")
    page.wait_for_timeout(600)
    page.click("[data-slot=a]")
    page.wait_for_timeout(300)
    at = cursor(page)
    assert at > 0.3
    page.click("[data-slot=b]")
    page.wait_for_timeout(300)
    assert cursor(page) > at
    page.click("#play")
    page.uncheck("#equal")
    accessible(page)


def download(page: Page, tmp_path: Path) -> None:
    page.click("[data-slot=a]")
    settled(page)
    files = {}
    for name in ("wav", "stems", "midi"):
        with page.expect_download() as got:
            page.click(f"#get-{name}")
        files[name] = tmp_path / got.value.suggested_filename
        got.value.save_as(files[name])
    assert files["wav"].name == "mine-jazz.wav" and files["midi"].name == "mine.mid"
    assert soundfile.info(files["wav"]).samplerate == 44_100
    with zipfile.ZipFile(files["stems"]) as archive:
        assert "mine-jazz-snare.wav" in archive.namelist()
    assert load_midi(files["midi"]).num_hits == load_midi(GROOVE.path).num_hits


def test_a_model_is_heard_while_it_draws(page: Page) -> None:
    """And what there is of it stays where it is cancelled."""
    longest = max(builtin_grooves(), key=lambda one: one.duration_sec)
    open_groove(page)
    page.click("[data-slot=b]")  # the model
    page.select_option("#groove", longest.name)
    page.click("#play")
    page.wait_for_selector("#status[data-heard-sec]", state="attached")
    while cursor(page) < 0.2:
        page.wait_for_timeout(50)
    expect(page.locator("#working")).to_be_visible()
    expect(page.locator("#play")).to_have_text("❚❚ Pause")
    page.click("#cancel")
    page.wait_for_selector("#working", state="hidden")
    assert page.get_attribute("#get-wav", "href") is None
    page.click("#play")
    to(page, 1.0)
    page.click("[data-slot=a]")
    settled(page)


def test_what_the_pitches_mean_is_chosen(page: Page) -> None:
    """A snare on 33, as EZdrummer has it, is said where it is not read, and else is heard."""
    performance = load_midi(GROOVE.path)
    pitch = np.where(performance.pitch == 38, 33, performance.pitch)
    drop(page, "ez.mid", midi_bytes(replace(performance, pitch=pitch)))
    settled(page)
    expect(page.locator("#notes")).to_contain_text("no drum of the map roland_td: pitches 33 (")
    page.select_option("#map", "ezdrummer")
    expect(page.locator("#notes")).not_to_contain_text("33 (")
    heard_ms(page)
    sec, velocity = snare_hit()
    page.mouse.click(*place(page, sec, "Snare"))
    assert f"velocity {velocity}" in said(page)
    page.click("#undo")
    expect(page.locator("#notes")).to_contain_text("pitches 33 (")
    expect(page.locator("#map")).to_have_value("roland_td")


def test_a_recording_to_sound_like(page: Page, tmp_path: Path, trouble: list[str]) -> None:
    open_groove(page)
    recording = tmp_path / "mine.wav"
    config = render.RenderConfig(engine="sampler", kit="power")
    render.from_file(GROOVE.path, config).save(recording)
    drop(page, "mine.wav", recording.read_bytes())
    expect(page.locator("#like-name")).to_have_text("mine.wav")
    settled(page)
    expect(page.locator("#notes")).to_contain_text("mine.wav: heard")
    page.click("#unlike")
    settled(page)
    drop(page, "noise.wav", b"RIFF not a wave file")
    expect(page.locator("#alerts")).to_contain_text("noise.wav")
    trouble.clear()


def test_wrong_files_are_named_in_the_page(page: Page, trouble: list[str]) -> None:
    drop(page, "letter.txt", b"Dear all")
    expect(page.locator("#alerts")).to_contain_text("letter.txt: neither MIDI nor a score")
    drop(page, "broken.mid", b"MThd and no more")
    expect(page.locator("#alerts")).to_contain_text("broken.mid: ")
    drop(page, "<img src=x>.mid", b"no MIDI")
    expect(page.locator("#alerts")).to_contain_text("<img src=x>.mid")
    accessible(page)
    assert all("status of 400" in line for line in trouble)  # Chromium's own word for a refusal
    trouble.clear()


def test_the_story_by_keyboard(page: Page) -> None:
    press = page.keyboard.press
    press("Tab")  # the list of grooves is the first thing that can be focused
    page.keyboard.type("reggae")
    press("Enter")
    settled(page)
    page.focus("#canvas")
    press("ArrowRight")
    assert said(page).startswith("Snare, bar ")
    velocity = int(said(page).rpartition(" ")[2])
    press("-")
    assert heard_ms(page) and int(said(page).rpartition(" ")[2]) == max(1, velocity - 5)
    before = said(page)
    press("Alt+ArrowRight")
    assert heard_ms(page) and said(page) != before
    press("Alt+ArrowUp")
    assert heard_ms(page) and not said(page).startswith("Snare")
    press("Delete")
    heard_ms(page)
    for _ in range(3):
        press("Control+z")
        heard_ms(page)
    press("ArrowUp")
    press("ArrowDown")
    press("Control+ArrowRight")
    press("Control+ArrowRight")
    press("Enter")
    assert heard_ms(page) and "velocity" in said(page)
    press("Control+Shift+z")
    press("l")
    expect(page.locator("#loop")).to_have_attribute("aria-pressed", "true")
    press("Space")
    page.wait_for_timeout(500)
    assert cursor(page) > 0
    press("Space")
    press("l")
    press("?")
    expect(page.locator("#keys")).to_be_visible()
    accessible(page)
    press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    press("b")
    expect(page.locator("[data-slot=b]")).to_have_attribute("aria-checked", "true")
    page.wait_for_selector("#working:not([hidden])")
    press("Escape")  # ends the render
    page.wait_for_selector("#working", state="hidden")
    assert page.get_attribute("#get-wav", "href") is None
    press("a")
    settled(page)


PHONE = {"width": 390, "height": 844}
LOOKS = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {
        "color_scheme": "light",
        "has_touch": True,
        "viewport": {"width": 390, "height": 844},
    },
}


@pytest.mark.parametrize("page", LOOKS.values(), ids=LOOKS, indirect=True)
def test_it_fits_and_can_be_read(page: Page, request: pytest.FixtureRequest) -> None:
    """Screenshots go to the folder that MIDIGROOVE_SCREENSHOTS names."""
    accessible(page)
    open_groove(page)
    accessible(page)
    wide = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1]
    folder = os.environ.get("MIDIGROOVE_SCREENSHOTS")
    if folder:
        name = request.node.callspec.id
        page.screenshot(path=str(Path(folder) / f"studio-{name}.png"), full_page=True)


@pytest.mark.parametrize("page", [LOOKS["phone"]], indirect=True)
def test_a_finger_selects_and_scrolls(page: Page) -> None:
    open_groove(page)
    sec, velocity = snare_hit()
    page.locator("#scroller").evaluate("(element, at) => { element.scrollLeft = at; }", sec * 100)
    page.wait_for_timeout(200)
    page.touchscreen.tap(*place(page, sec, "Snare"))
    assert f"velocity {velocity}" in said(page)
    page.tap("#later")
    assert heard_ms(page) > 0
