// Undo and redo of all that changes what is heard: the hits and the map by which they were read, the
// settings of both slots, and what a model has drawn.

import { readBy } from "./open.js";
import { $, page } from "./page.js";
import { doing } from "./say.js";
import { drawsNow, goBack } from "./takes.js";

const MOST_STEPS = 200;
let past = [];
let future = [];

const now = (what) => ({ what, hits: page.hits.copy(), draws: drawsNow(),
  reading: { drum_map: page.song.drum_map, notes: page.song.notes },
  settings: structuredClone(page.panel.settings) });

/** Call before a change, with what it is; a drag is one change. */
export function remember(what) {
  const step = now(what);
  past.push(step);
  if (past.length > MOST_STEPS) past.shift();
  future = [];
  show();
  return step;
}

/** A change that was remembered did not come about. */
export function drop(step) {
  past = past.filter((one) => one !== step);
  show();
}

/** Another song: nothing to go back to. */
export function begin() {
  past = [];
  future = [];
  show();
}

export function undo() { step(past, future, "Undone"); }

export function redo() { step(future, past, "Done again"); }

function step(from, to, word) {
  const state = from.pop();
  if (!state) return;
  to.push(now(state.what));
  readBy(state.reading, state.hits);
  page.panel.settings = state.settings;
  page.panel.show();
  show();
  doing(`${word}: ${state.what}`);
  goBack(state.draws);
}

function show() {
  for (const [id, steps, word] of [["undo", past, "Undo"], ["redo", future, "Redo"]]) {
    const what = steps.at(-1)?.what, name = what ? `${word}: ${what}` : word;
    $(id).disabled = !what;
    $(id).setAttribute("aria-label", name);
    $(id).title = name;
  }
}
