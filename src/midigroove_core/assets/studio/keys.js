// The keyboard: what keys do anywhere, and what they do with the hits in focus.

import { addAtCursor, louder, nudge, remove, select, toLane } from "./edit.js";
import { redo, undo } from "./history.js";
import { $, page } from "./page.js";
import { cancel, chooseSlot, drawBarAnew } from "./takes.js";
import { play, seek, toggleLoop } from "./transport.js";

const anywhere = {
  " ": play,
  l: toggleLoop,
  a: () => chooseSlot("a"),
  b: () => chooseSlot("b"),
  r: drawBarAnew,
  Escape: cancel,
  "?": () => $("keys").showModal(),
};

export function listenForKeys() {
  document.addEventListener("keydown", (event) => {
    if (page.song && !$("keys").open && pressed(event)) event.preventDefault();
  });
}

/** Whether a key was for the page. */
function pressed(event) {
  const { target, key } = event, held = event.ctrlKey || event.metaKey;
  if (held && ["z", "y"].includes(key.toLowerCase())) {
    if (event.shiftKey || key.toLowerCase() === "y") redo(); else undo();
    return true;
  }
  if (target === $("canvas") && onHits(event)) return true;
  const typing = target.matches("select, input:not([type=range], [type=checkbox], [type=radio])");
  if (held || event.altKey || typing) return false;
  if (key === " " && target.matches("button, a, input")) return false; // their own click
  const action = anywhere[key] ?? anywhere[key.toLowerCase()];
  action?.();
  return action !== undefined;
}

function onHits(event) {
  const sideways = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const upwards = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  const force = { "+": 5, "=": 5, "-": -5 }[event.key];
  if (sideways && event.altKey) nudge(sideways);
  else if (sideways && event.ctrlKey) moveCursor(sideways);
  else if (sideways) along(sideways);
  else if (upwards && event.altKey) toLane(upwards);
  else if (upwards) across(upwards);
  else if (force) louder(force);
  else if (event.key === "Enter") addAtCursor();
  else if (event.key === "Delete" || event.key === "Backspace") remove();
  else return false;
  return true;
}

function moveCursor(direction) {
  const { stage } = page;
  select(null);
  seek(stage.step(stage.cursor, direction, stage.snap || 4));
  stage.reveal(stage.cursor);
}

/** To the next hit of the lane. */
function along(direction) {
  const { hits, stage } = page, all = hits.inLane(stage.lane), now = hits.byId(stage.selected);
  const from = now?.lane === stage.lane ? now.sec : stage.cursor;
  const next = direction > 0
    ? all.find((hit) => hit.sec > from + 1e-9 || (hit.sec >= from && !now))
    : all.findLast((hit) => hit.sec < from - 1e-9);
  if (!next) return;
  select(next.id);
  if (!page.player.playing) seek(next.sec);
  stage.reveal(next.sec);
}

/** To the next lane, and its hit that is near the cursor. */
function across(direction) {
  const { hits, stage } = page;
  const row = stage.rows.findIndex((one) => one.n === stage.lane) + direction;
  if (!stage.rows[row]) return;
  stage.choose(stage.rows[row].n);
  const near = hits.inLane(stage.lane)
    .filter((hit) => Math.abs(hit.sec - stage.cursor) < 0.5)
    .sort((p, q) => Math.abs(p.sec - stage.cursor) - Math.abs(q.sec - stage.cursor));
  select(near[0]?.id ?? null);
}
