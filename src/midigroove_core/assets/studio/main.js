// The studio: a song that is open, two slots of settings, what is rendered of them, and the keys.

import { get, post, render, samples } from "./api.js";
import { Hits } from "./hits.js";
import { Panel } from "./panel.js";
import { Player } from "./player.js";
import { Spectrogram } from "./spectrogram.js";
import { Stage } from "./stage.js";

const $ = (id) => document.getElementById(id);
const NUDGE_SEC = 0.005;
const QUIET_MS = 300;
const CLOCK_MS = 80;
const REST_MS = 800;

const choices = await get("/api/choices");
const spectrogram = new Spectrogram();
const player = new Player();
const panel = new Panel(choices, { change: () => { stale(panel.slot); refresh(); }, failed, doing });
const stage = new Stage(
  { canvas: $("canvas"), scroller: $("scroller"), wide: $("wide"), lanes: $("lanes"), needle: $("cursor") },
  spectrogram,
  { select, cursor: seek, lane: (n) => stage.choose(n), begin: () => hits.remember(),
    change: edited, add });

let song = null; // as the server describes it
let hits = null;
let takes = { a: null, b: null }; // number of the take whose samples are here
let fresh = { a: false, b: false };
let work = null; // the render that is under way
let editedAt = 0; // of an edit that is not heard yet
let measuring = 0;
let shownAt = 0;

// Opening

async function open(name, ask) {
  try {
    doing(`Opening ${name} …`);
    const found = await ask();
    work?.abort();
    player.clear();
    Object.assign(takes, { a: null, b: null });
    Object.assign(fresh, { a: false, b: false });
    song = found;
    hits = new Hits(song.hits, choices.lanes);
    $("welcome").hidden = true;
    $("work").hidden = false;
    $("alerts").replaceChildren();
    document.title = `${song.name} · midigroove studio`;
    spectrogram.samples = null;
    stage.all = $("every").checked;
    stage.show(hits, song.bars, song.end_sec);
    setLoop(null);
    notes([]);
    select(null);
    showUndo();
    doing(`${song.name}: ${song.hits.length} hits, ${song.bars.length - 1} bars, ` +
      `${song.bpm} beats a minute`);
    refresh();
  } catch (error) {
    failed(error);
    doing("");
  }
}

function openFile(file) {
  const { suffixes, limits } = choices;
  const audio = /\.(wav|flac|ogg|aiff?|mp3)$/i.test(file.name);
  if (audio && song) return panel.like(file);
  if (!suffixes.some((suffix) => file.name.toLowerCase().endsWith(suffix))) {
    return failed(new Error(`${file.name}: neither MIDI nor a score` +
      (audio ? "; open a groove first, then drop a recording to sound like" :
        ` (${suffixes.join(", ")} are read)`)));
  }
  if (file.size > limits.score) {
    return failed(new Error(
      `${file.name}: larger than ${limits.score >> 20} MiB, the most the studio takes`));
  }
  open(file.name, () => post(`/api/songs?name=${encodeURIComponent(file.name)}`, file));
}

// Rendering

function stale(...slots) { for (const slot of slots) fresh[slot] = false; }

/** Renders the slot that is heard where it is stale, then the other one where it was heard. */
async function refresh(redraw = null) {
  if (!song) return;
  work?.abort();
  const mine = (work = new AbortController());
  const slots = [panel.slot, ...["a", "b"].filter((slot) => slot !== panel.slot && takes[slot])];
  try {
    for (const slot of slots) {
      if (fresh[slot] && !redraw) continue;
      // Another edit may follow soon, and should not wait for what is not heard now.
      if (slot !== panel.slot) await new Promise((resolve) => setTimeout(resolve, REST_MS));
      mine.signal.throwIfAborted();
      if (panel.settings[slot].engine === "model" && !(await panel.loadModel())) return;
      await one(slot, redraw, mine.signal);
      redraw = null;
    }
  } catch (error) {
    if (!mine.signal.aborted) failed(error);
  } finally {
    if (work === mine) {
      $("working").hidden = true;
      work = null;
    }
    showDownloads();
  }
}

async function one(slot, redraw, signal) {
  const id = song.id, settings = panel.settings[slot];
  const request = { slot, settings, hits: hits.rows() };
  if (redraw) request.redraw = redraw;
  const done = await render(id, request, (line) => {
    $("working").hidden = false;
    $("doing").textContent = `${slot.toUpperCase()}: ${line.doing}`;
    $("progress").value = line.share;
  }, signal);
  const patch = takes[slot] !== null && takes[slot] === done.before;
  const [first, last] = patch ? done.changed : [0, done.samples];
  const channels = first < last ? await samples(id, slot, first, last, done.channels) : null;
  signal.throwIfAborted();
  $("working").hidden = true;
  takes[slot] = done.take;
  fresh[slot] = true;
  if (channels && patch) player.patch(slot, channels, first);
  else if (channels) player.set(slot, channels, done.sample_rate);
  if (slot === panel.slot) {
    if (!patch) see(slot);
    else if (channels) spectrogram.changed(first, last);
    stage.draw();
    notes(done.lines);
    if (editedAt) $("status").dataset.heardMs = Math.round(performance.now() - editedAt);
    editedAt = 0;
  }
  clearTimeout(measuring);
  measuring = setTimeout(measure, QUIET_MS);
}

/** For equal loudness of two takes; comes when nothing else is to be done. */
async function measure() {
  if (work || !takes.a || !takes.b) return;
  for (const slot of ["a", "b"]) {
    const { id } = song, take = takes[slot];
    if (player.takes[slot].measured) continue;
    const { lufs } = await get(`/api/songs/${id}/${slot}/loudness`).catch(() => ({ lufs: null }));
    if (song.id === id && takes[slot] === take) player.setLoudness(slot, lufs);
  }
}

function see(slot) {
  const take = player.takes[slot];
  if (take) spectrogram.set(take.channels[0], take.rate);
  else spectrogram.samples = null;
  stage.draw();
}

function chooseSlot(slot) {
  if (slot === panel.slot) return;
  panel.choose(slot);
  player.choose(slot);
  for (const button of document.querySelectorAll("[data-slot]")) {
    const chosen = button.dataset.slot === slot;
    button.setAttribute("aria-checked", String(chosen));
    button.tabIndex = chosen ? 0 : -1;
  }
  see(slot);
  showDownloads();
  if (!fresh[slot]) refresh();
}

function drawBarAnew() {
  if ($("redraw").hidden || !takes[panel.slot]) return;
  const { start, stop } = stage.bar(stage.barAt(stage.cursor));
  editedAt = performance.now();
  refresh({ start_sec: start, stop_sec: stop, seed: Math.floor(Math.random() * 1e9) });
}

// Editing

function edited() {
  editedAt = performance.now();
  stale("a", "b");
  showUndo();
  stage.draw();
  refresh();
}

function change(values) {
  if (!hits?.byId(stage.selected)) return;
  hits.remember();
  hits.change(stage.selected, values);
  select(stage.selected);
  edited();
}

function add(sec, lane) {
  hits.remember();
  const hit = hits.add(sec, lane, Number($("velocity").value));
  select(hit.id);
  edited();
}

function remove() {
  const hit = hits?.byId(stage.selected);
  if (!hit) return;
  hits.remember();
  hits.remove(hit.id);
  const left = hits.inLane(hit.lane);
  select((left.find((one) => one.sec >= hit.sec) ?? left.at(-1))?.id ?? null);
  edited();
}

function nudge(direction) {
  const hit = hits?.byId(stage.selected);
  if (!hit) return;
  const sec = stage.snap ? stage.step(hit.sec, direction, stage.snap)
    : hit.sec + direction * NUDGE_SEC;
  change({ sec: Math.max(0, Math.min(stage.end, sec)) });
}

function toLane(direction) {
  const hit = hits?.byId(stage.selected);
  const row = stage.rows.findIndex((one) => one.n === hit?.lane) + direction;
  if (!hit || !stage.rows[row]) return;
  stage.choose(stage.rows[row].n);
  change({ lane: stage.rows[row].n });
}

function history(step) {
  if (!hits?.[step]()) return;
  if (!hits.byId(stage.selected)) select(null);
  edited();
}

function showUndo() {
  $("undo").disabled = !hits.past.length;
  $("redo").disabled = !hits.future.length;
}

function select(id) {
  stage.selected = id;
  const hit = hits.byId(id);
  for (const name of ["earlier", "later", "higher", "lower", "delete"]) $(name).disabled = !hit;
  if (hit) {
    $("velocity").value = hit.velocity;
    const { beats, n } = stage.beatAt(hit.sec);
    const beat = n + 1 + (hit.sec - beats[n]) / (beats[n + 1] - beats[n]);
    $("said").value = `${choices.lanes[hit.lane].name}, bar ${stage.barAt(hit.sec) + 1}, ` +
      `beat ${beat.toFixed(2)}, velocity ${hit.velocity}`;
  } else {
    $("said").value = `${choices.lanes[stage.lane]?.name ?? ""}: no hit selected`;
  }
  stage.draw();
}

// Playing

async function play() {
  if (player.playing) player.stop();
  else await player.play();
  $("play").textContent = player.playing ? "❚❚ Pause" : "▶ Play";
  tick();
}

function tick() {
  show(player.position);
  if (!player.playing) return;
  stage.reveal(stage.cursor);
  requestAnimationFrame(tick);
}

function show(seconds) {
  stage.place(seconds);
  // A text that changes sixty times a second cannot be read, and costs a layout each time.
  const now = performance.now();
  if (player.playing && now - shownAt < CLOCK_MS) return;
  shownAt = now;
  $("clock").value = `bar ${stage.barAt(seconds) + 1} · ${seconds.toFixed(2)} s`;
}

function seek(seconds) {
  player.seek(seconds);
  show(seconds);
  if (stage.loop && (seconds < stage.loop.start || seconds >= stage.loop.stop)) {
    setLoop(stage.bar(stage.barAt(seconds)));
  }
}

function setLoop(loop) {
  stage.loop = loop;
  player.setLoop(loop);
  $("loop").setAttribute("aria-pressed", String(loop !== null));
  stage.draw();
}

player.onEnd = () => {
  $("play").textContent = "▶ Play";
  tick();
};

// Keys

const anywhere = {
  " ": play,
  l: () => setLoop(stage.loop ? null : stage.bar(stage.barAt(stage.cursor))),
  a: () => chooseSlot("a"),
  b: () => chooseSlot("b"),
  r: drawBarAnew,
  Escape: () => work?.abort(),
  "?": () => $("keys").showModal(),
};

function along(direction) {
  const all = hits.inLane(stage.lane), now = hits.byId(stage.selected);
  const from = now?.lane === stage.lane ? now.sec : stage.cursor;
  const next = direction > 0
    ? all.find((hit) => hit.sec > from + 1e-9 || (hit.sec >= from && !now))
    : all.findLast((hit) => hit.sec < from - 1e-9);
  if (next) reach(next);
}

function across(direction) {
  const row = stage.rows.findIndex((one) => one.n === stage.lane) + direction;
  if (!stage.rows[row]) return;
  stage.choose(stage.rows[row].n);
  const near = hits.inLane(stage.lane)
    .filter((hit) => Math.abs(hit.sec - stage.cursor) < 0.5)
    .sort((p, q) => Math.abs(p.sec - stage.cursor) - Math.abs(q.sec - stage.cursor));
  if (near.length) select(near[0].id); else select(null);
}

function reach(hit) {
  select(hit.id);
  if (!player.playing) seek(hit.sec);
  stage.reveal(hit.sec);
}

function ofStage(event) {
  const sideways = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const upwards = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  const louder = { "+": 5, "=": 5, "-": -5 }[event.key];
  const hit = hits.byId(stage.selected);
  if (sideways && event.altKey) nudge(sideways);
  else if (sideways && event.ctrlKey) {
    select(null);
    seek(stage.step(stage.cursor, sideways, stage.snap || 4));
    stage.reveal(stage.cursor);
  } else if (sideways) along(sideways);
  else if (upwards && event.altKey) toLane(upwards);
  else if (upwards) across(upwards);
  else if (louder && hit) {
    change({ velocity: Math.max(1, Math.min(127, hit.velocity + louder)) });
  } else if (event.key === "Enter") add(stage.snapped(stage.cursor), stage.lane);
  else if (event.key === "Delete" || event.key === "Backspace") remove();
  else return false;
  return true;
}

document.addEventListener("keydown", (event) => {
  if (!song || $("keys").open) return;
  const { target, key } = event;
  const typing = target.matches("select, input:not([type=range], [type=checkbox], [type=radio])");
  if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === "z") {
    history(event.shiftKey ? "redo" : "undo");
  } else if (target === $("canvas") && ofStage(event)) {
    // done
  } else if (event.ctrlKey || event.metaKey || event.altKey || typing) return;
  else if (key === " " && target.matches("button, a, input")) return; // their own click
  else if (anywhere[key] ?? anywhere[key.toLowerCase()]) {
    (anywhere[key] ?? anywhere[key.toLowerCase()])();
  } else return;
  event.preventDefault();
});

// What is said

function doing(text) { $("status").value = text; }

function failed(error) {
  const line = document.createElement("p"), close = document.createElement("button");
  const text = document.createElement("span");
  text.textContent = error.message;
  close.textContent = "✕";
  close.setAttribute("aria-label", "Dismiss");
  close.addEventListener("click", () => line.remove());
  line.append(text, close);
  $("alerts").replaceChildren(line);
}

function notes(lines) {
  $("notes").replaceChildren(...[...(song?.notes ?? []), ...lines].map((text) => {
    const item = document.createElement("li");
    item.textContent = text;
    return item;
  }));
}

function showDownloads() {
  const there = Boolean(song && takes[panel.slot]);
  const paths = { wav: `${panel.slot}/wav`, stems: `${panel.slot}/stems`,
    midi: `${panel.slot}/midi` };
  for (const [name, path] of Object.entries(paths)) {
    const link = $(`get-${name}`);
    if (!there) {
      link.setAttribute("aria-disabled", "true");
      link.removeAttribute("href");
      continue;
    }
    link.removeAttribute("aria-disabled");
    link.href = `/api/songs/${song.id}/${path}`;
    link.download = name === "midi" ? `${song.name.replace(/\.\w+$/, "")}.mid` : "";
  }
}

function theme(name) {
  document.documentElement.dataset.theme = name;
  stage.colours();
}

// Buttons, files

const buttons = {
  play, undo: () => history("undo"), redo: () => history("redo"), redraw: drawBarAnew,
  loop: anywhere.l, in: () => stage.zoom(1.5), out: () => stage.zoom(1 / 1.5),
  earlier: () => nudge(-1), later: () => nudge(1), higher: () => toLane(-1),
  lower: () => toLane(1), delete: remove, add: () => add(stage.snapped(stage.cursor), stage.lane),
  cancel: () => work?.abort(), help: () => $("keys").showModal(), browse: () => $("file").click(),
  theme: () => theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"),
};
for (const [id, action] of Object.entries(buttons)) $(id).addEventListener("click", action);
for (const button of document.querySelectorAll("[data-slot]")) {
  button.addEventListener("click", () => chooseSlot(button.dataset.slot));
  button.addEventListener("keydown", (event) => {
    if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    chooseSlot(button.dataset.slot === "a" ? "b" : "a");
    document.querySelector("[data-slot][aria-checked=true]").focus();
  });
}
$("equal").addEventListener("change", () => {
  player.equal = $("equal").checked;
  player.again();
});
$("snap").addEventListener("change", () => { stage.snap = Number($("snap").value); });
$("every").addEventListener("change", () => { if (hits) stage.layout($("every").checked); });
$("velocity").addEventListener("change", () => change({ velocity: Number($("velocity").value) }));
$("file").addEventListener("change", () => {
  if ($("file").files[0]) openFile($("file").files[0]);
  $("file").value = "";
});
for (const one of choices.grooves) {
  $("groove").append(new Option(`${one.style}, ${one.bpm} bpm, ${one.meter}`, one.id));
}
$("groove").addEventListener("change", () => {
  const id = $("groove").value;
  if (id) open(id, () => post(`/api/songs?groove=${encodeURIComponent(id)}`));
});
let inside = 0;
addEventListener("dragenter", (event) => { event.preventDefault(); inside++; $("dropping").hidden = false; });
addEventListener("dragleave", () => { if (--inside <= 0) $("dropping").hidden = true; });
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  inside = 0;
  $("dropping").hidden = true;
  if (event.dataTransfer.files[0]) openFile(event.dataTransfer.files[0]);
});
const dark = matchMedia("(prefers-color-scheme: dark)");
dark.addEventListener("change", () => theme(dark.matches ? "dark" : "light"));
theme(dark.matches ? "dark" : "light");
panel.show();
document.body.dataset.ready = "yes";
if (choices.first) open("the file", () => post("/api/songs"));
