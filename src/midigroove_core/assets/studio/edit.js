// Editing: hits are selected, moved, added, taken away.

import { remember } from "./history.js";
import { $, page } from "./page.js";
import { changed } from "./takes.js";

const NUDGE_SEC = 0.005;

const selected = () => page.hits?.byId(page.stage.selected) ?? null;

export function edited() {
  page.stage.draw();
  changed();
}

export function change(values) {
  if (!selected()) return;
  remember("velocity" in values ? "a velocity" : "a hit moved");
  page.hits.change(page.stage.selected, values);
  select(page.stage.selected);
  edited();
}

export function louder(by) {
  const hit = selected();
  if (hit) change({ velocity: Math.max(1, Math.min(127, hit.velocity + by)) });
}

export function add(sec, lane) {
  remember("a hit added");
  const hit = page.hits.add(sec, lane, Number($("velocity").value));
  select(hit.id);
  edited();
}

export function addAtCursor() {
  const { stage } = page;
  add(stage.snapped(stage.cursor), stage.lane);
}

export function remove() {
  const hit = selected();
  if (!hit) return;
  remember("a hit deleted");
  page.hits.remove(hit.id);
  const left = page.hits.inLane(hit.lane);
  select((left.find((one) => one.sec >= hit.sec) ?? left.at(-1))?.id ?? null);
  edited();
}

export function nudge(direction) {
  const hit = selected(), { stage } = page;
  if (!hit) return;
  const sec = stage.snap ? stage.step(hit.sec, direction, stage.snap)
    : hit.sec + direction * NUDGE_SEC;
  change({ sec: Math.max(0, Math.min(stage.end, sec)) });
}

export function toLane(direction) {
  const hit = selected(), { stage } = page;
  const row = stage.rows.findIndex((one) => one.n === hit?.lane) + direction;
  if (!hit || !stage.rows[row]) return;
  stage.choose(stage.rows[row].n);
  change({ lane: stage.rows[row].n });
}

export function select(id) {
  const { stage } = page, { lanes } = page.choices;
  stage.selected = id;
  const hit = selected();
  for (const name of ["earlier", "later", "higher", "lower", "delete"]) $(name).disabled = !hit;
  if (hit) {
    $("velocity").value = hit.velocity;
    const { beats, n } = stage.beatAt(hit.sec);
    const beat = n + 1 + (hit.sec - beats[n]) / (beats[n + 1] - beats[n]);
    $("said").value = `${lanes[hit.lane].name}, bar ${stage.barAt(hit.sec) + 1}, ` +
      `beat ${beat.toFixed(2)}, velocity ${hit.velocity}`;
  } else {
    $("said").value = `${lanes[stage.lane]?.name ?? ""}: no hit selected`;
  }
  stage.draw();
}
