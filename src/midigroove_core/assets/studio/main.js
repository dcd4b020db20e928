// The studio: makes the parts of the page, and gives its buttons what they do.

import { add, addAtCursor, change, edited, nudge, remove, select, toLane } from "./edit.js";
import { redo, remember, undo } from "./history.js";
import { listenForKeys } from "./keys.js";
import { listenForFiles, openFirst } from "./open.js";
import { $, page } from "./page.js";
import { Panel } from "./panel.js";
import { doing, failed } from "./say.js";
import { Stage } from "./stage.js";
import { cancel, chooseSlot, drawBarAnew, refresh, stale } from "./takes.js";
import { follow, play, seek, toggleLoop } from "./transport.js";

function settingsChanged() {
  stale(page.panel.slot);
  refresh();
}

page.panel = new Panel(page.choices, {
  begin: (what) => { if (page.hits) remember(what); }, change: settingsChanged, failed, doing });
page.stage = new Stage(
  { canvas: $("canvas"), scroller: $("scroller"), wide: $("wide"), lanes: $("lanes"),
    needle: $("cursor") },
  page.spectrogram,
  { select, cursor: seek, lane: (n) => page.stage.choose(n), begin: remember, change: edited,
    add });
page.player.onEnd = follow;

const buttons = {
  play, loop: toggleLoop, redraw: drawBarAnew, cancel, delete: remove, add: addAtCursor,
  undo, redo,
  in: () => page.stage.zoom(1.5), out: () => page.stage.zoom(1 / 1.5),
  earlier: () => nudge(-1), later: () => nudge(1), higher: () => toLane(-1),
  lower: () => toLane(1), help: () => $("keys").showModal(),
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
  page.player.equal = $("equal").checked;
  page.player.again();
});
$("snap").addEventListener("change", () => { page.stage.snap = Number($("snap").value); });
$("every").addEventListener("change", () => {
  if (page.hits) page.stage.layout($("every").checked);
});
$("velocity").addEventListener("change", () => change({ velocity: Number($("velocity").value) }));

function theme(name) {
  document.documentElement.dataset.theme = name;
  page.stage.colours();
}

const dark = matchMedia("(prefers-color-scheme: dark)");
dark.addEventListener("change", () => theme(dark.matches ? "dark" : "light"));
theme(dark.matches ? "dark" : "light");
listenForFiles();
listenForKeys();
page.panel.show();
document.body.dataset.ready = "yes";
if (page.choices.first) openFirst();
