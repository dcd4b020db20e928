// Playing: play and pause, the cursor and its clock, the bar that is looped.

import { $, page } from "./page.js";
import { ensure } from "./takes.js";

const CLOCK_MS = 80;
let shownAt = 0;

export async function play() {
  const { player } = page;
  if (player.playing) player.stop();
  else {
    ensure();
    await player.play();
  }
  follow();
}

/** Shows where it plays, until it does no more. */
export function follow() {
  $("play").textContent = page.player.playing ? "❚❚ Pause" : "▶ Play";
  tick();
}

function tick() {
  show(page.player.position);
  if (!page.player.playing) return;
  page.stage.reveal(page.stage.cursor);
  requestAnimationFrame(tick);
}

function show(seconds) {
  page.stage.place(seconds);
  // A text that changes sixty times a second cannot be read, and costs a layout each time.
  const now = performance.now();
  if (page.player.playing && now - shownAt < CLOCK_MS) return;
  shownAt = now;
  $("clock").value = `bar ${page.stage.barAt(seconds) + 1} · ${seconds.toFixed(2)} s`;
}

export function seek(seconds) {
  const { stage, player } = page;
  player.seek(seconds);
  show(seconds);
  if (stage.loop && (seconds < stage.loop.start || seconds >= stage.loop.stop)) {
    setLoop(stage.bar(stage.barAt(seconds)));
  }
}

export function setLoop(loop) {
  page.stage.loop = loop;
  page.player.setLoop(loop);
  $("loop").setAttribute("aria-pressed", String(loop !== null));
  page.stage.draw();
}

export function toggleLoop() {
  const { stage } = page;
  setLoop(stage.loop ? null : stage.bar(stage.barAt(stage.cursor)));
}
