// The takes of both slots: rendered where they are stale, shown, compared, offered as files.

import { get, render, samples } from "./api.js";
import { drop, remember } from "./history.js";
import { $, page } from "./page.js";
import { failed, notes } from "./say.js";

const QUIET_MS = 300;
const REST_MS = 800;

export const takes = { a: null, b: null }; // number of the take whose samples are here
const fresh = { a: false, b: false };
const draws = { a: null, b: null }; // which draw of a model the takes have
const wanted = { a: null, b: null }; // a draw to go back to
let work = null; // the render that is under way
let editedAt = 0; // of an edit that is not heard yet
let measuring = 0;

/** Ends the render that is under way. */
export function cancel() { work?.abort(); }

/** Another song will be here. */
export function forget() {
  cancel();
  page.player.clear();
  page.spectrogram.samples = null;
  for (const slot of ["a", "b"]) {
    takes[slot] = null;
    draws[slot] = null;
  }
  stale("a", "b");
}

export function stale(...slots) {
  for (const slot of slots) {
    fresh[slot] = false;
    wanted[slot] = null;
  }
}

/** What a model has drawn for the hits and settings as they are; null where that is not known. */
export function drawsNow() {
  const one = (slot) => (fresh[slot] ? draws[slot] : wanted[slot]);
  return { a: one("a"), b: one("b") };
}

/** Hits and settings are what they were once, when a model had drawn these. */
export function goBack(to) {
  editedAt = performance.now();
  stale("a", "b");
  Object.assign(wanted, to);
  refresh();
}

/** The hits have changed; from now on it counts until that is heard. */
export function changed() {
  editedAt = performance.now();
  stale("a", "b");
  refresh();
}

/** Renders what is to be played, where that was cancelled. */
export function ensure() {
  if (!work && !fresh[page.panel.slot]) refresh();
}

/** Renders the slot that is heard where it is stale, then the other one where it was heard. */
export async function refresh(redraw = null) {
  if (!page.song) return;
  cancel();
  const { panel } = page, mine = (work = new AbortController());
  const slots = [panel.slot, ...["a", "b"].filter((slot) => slot !== panel.slot && takes[slot])];
  try {
    for (const slot of slots) {
      if (fresh[slot] && !redraw) continue;
      // Another edit may follow soon, and should not wait for what is not heard now.
      if (slot !== panel.slot) await new Promise((resolve) => setTimeout(resolve, REST_MS));
      mine.signal.throwIfAborted();
      if (panel.settings[slot].engine === "model" && !(await panel.loadModel())) return;
      await renderSlot(slot, redraw, mine.signal);
      redraw = null;
    }
  } catch (error) {
    if (!mine.signal.aborted) failed(error);
  } finally {
    if (work === mine) {
      $("working").hidden = true;
      work = null;
      page.player.noMore();
    }
    showDownloads();
  }
}

async function renderSlot(slot, redraw, signal) {
  const { player, panel } = page, { id } = page.song;
  const request = { slot, settings: panel.settings[slot], hits: page.hits.rows(),
    drum_map: page.song.drum_map };
  if (redraw) request.redraw = redraw;
  if (wanted[slot] !== null) request.draw = wanted[slot];
  const done = await render(id, request, {
    doing: (line) => showProgress(slot, line),
    heard: (line) => grow(slot, line, signal),
  }, signal);
  const patch = takes[slot] !== null && takes[slot] === done.before;
  const [first, last] = patch ? done.changed : [0, done.samples];
  const channels = first < last ? await samples(id, slot, first, last, done.channels) : null;
  signal.throwIfAborted();
  $("working").hidden = true;
  takes[slot] = done.take;
  draws[slot] = done.draw;
  wanted[slot] = null;
  fresh[slot] = true;
  if (channels && patch) player.patch(slot, channels, first);
  else if (channels) player.set(slot, channels, done.sample_rate);
  if (slot === panel.slot) {
    if (!patch) see(slot);
    else if (channels) page.spectrogram.changed(first, last);
    page.stage.draw();
    notes(done.lines);
    heard();
  }
  clearTimeout(measuring);
  measuring = setTimeout(measure, QUIET_MS);
}

/** Takes the samples that a slot has by now, while the rest of them is drawn. */
async function grow(slot, line, signal) {
  const { player, panel, spectrogram, stage } = page, [first, last] = line.heard;
  const channels = await samples(page.song.id, slot, first, last, line.channels);
  signal.throwIfAborted();
  if (first === 0) player.expect(slot, line.channels, line.samples, line.sample_rate);
  const before = player.takes[slot];
  if (!player.extend(slot, channels, first)) return; // the one before sounds on
  takes[slot] = null; // what is here is no take that the server has
  if (slot !== panel.slot) return;
  if (player.takes[slot] !== before) see(slot);
  else spectrogram.changed(first, last);
  stage.draw();
  showDownloads();
  $("status").dataset.heardSec = last / line.sample_rate;
  heard();
}

function showProgress(slot, line) {
  $("working").hidden = false;
  $("doing").textContent = `${slot.toUpperCase()}: ${line.doing}`;
  $("progress").value = line.share;
}

function heard() {
  if (editedAt) $("status").dataset.heardMs = Math.round(performance.now() - editedAt);
  editedAt = 0;
}

/** For equal loudness of two takes; comes when nothing else is to be done. */
async function measure() {
  if (work || !takes.a || !takes.b) return;
  const { player } = page;
  for (const slot of ["a", "b"]) {
    const { id } = page.song, take = takes[slot];
    if (player.takes[slot].measured) continue;
    const { lufs } = await get(`/api/songs/${id}/${slot}/loudness`).catch(() => ({ lufs: null }));
    if (page.song.id === id && takes[slot] === take) player.setLoudness(slot, lufs);
  }
}

function see(slot) {
  const take = page.player.takes[slot];
  if (take) page.spectrogram.set(take.channels[0], take.rate, take.known);
  else page.spectrogram.samples = null;
  page.stage.draw();
}

export function chooseSlot(slot) {
  if (slot === page.panel.slot) return;
  page.panel.choose(slot);
  page.player.choose(slot);
  for (const button of document.querySelectorAll("[data-slot]")) {
    const chosen = button.dataset.slot === slot;
    button.setAttribute("aria-checked", String(chosen));
    button.tabIndex = chosen ? 0 : -1;
  }
  see(slot);
  showDownloads();
  if (!fresh[slot]) refresh();
}

export async function drawBarAnew() {
  const { stage, panel } = page, { slot } = panel;
  if ($("redraw").hidden || !takes[slot]) return;
  const { start, stop } = stage.bar(stage.barAt(stage.cursor));
  const step = remember(`bar ${stage.barAt(stage.cursor) + 1} drawn anew`);
  editedAt = performance.now();
  stale(slot);
  await refresh({ start_sec: start, stop_sec: stop, seed: Math.floor(Math.random() * 1e9) });
  if (!fresh[slot]) drop(step);
}

function showDownloads() {
  const { song, panel } = page, there = Boolean(song && takes[panel.slot]);
  for (const name of ["wav", "stems", "midi"]) {
    const link = $(`get-${name}`);
    if (!there) {
      link.setAttribute("aria-disabled", "true");
      link.removeAttribute("href");
      continue;
    }
    link.removeAttribute("aria-disabled");
    link.href = `/api/songs/${song.id}/${panel.slot}/${name}`;
    link.download = name === "midi" ? `${song.name.replace(/\.\w+$/, "")}.mid` : "";
  }
}
