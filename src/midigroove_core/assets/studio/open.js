// Opening a song: a groove that ships, a file that is chosen or dropped, the one of the command line.

import { get, post } from "./api.js";
import { edited, select } from "./edit.js";
import { begin, remember } from "./history.js";
import { Hits } from "./hits.js";
import { $, page } from "./page.js";
import { doing, failed, notes } from "./say.js";
import { forget, refresh } from "./takes.js";
import { setLoop } from "./transport.js";

let refused = null; // opens the file again that another drum map may read

async function open(name, ask) {
  refused = null;
  try {
    doing(`Opening ${name} …`);
    show(await ask());
    refresh();
  } catch (error) {
    refused = error.message.endsWith("drum map") ? () => open(name, ask) : null;
    failed(error);
    doing("");
  }
}

function show(song) {
  const { stage } = page;
  forget();
  page.song = song;
  page.hits = new Hits(song.hits, page.choices.lanes);
  $("map").value = song.drum_map;
  $("welcome").hidden = true;
  $("work").hidden = false;
  $("alerts").replaceChildren();
  document.title = `${song.name} · midigroove studio`;
  stage.all = $("every").checked;
  stage.show(page.hits, song.bars, song.end_sec);
  setLoop(null);
  notes([]);
  select(null);
  begin();
  doing(`${song.name}: ${song.hits.length} hits, ${song.bars.length - 1} bars, ` +
    `${song.bpm} beats a minute`);
}

function openFile(file) {
  const { suffixes, limits } = page.choices;
  const audio = /\.(wav|flac|ogg|aiff?|mp3)$/i.test(file.name);
  if (audio && page.song) return page.panel.like(file);
  if (!suffixes.some((suffix) => file.name.toLowerCase().endsWith(suffix))) {
    return failed(new Error(`${file.name}: neither MIDI nor a score` +
      (audio ? "; open a groove first, then drop a recording to sound like" :
        ` (${suffixes.join(", ")} are read)`)));
  }
  if (file.size > limits.score) {
    return failed(new Error(
      `${file.name}: larger than ${limits.score >> 20} MiB, the most the studio takes`));
  }
  const name = encodeURIComponent(file.name);
  open(file.name, () => post(`/api/songs?name=${name}&map=${$("map").value}`, file));
}

/** Reads the file of the song by the map that is chosen; edits are gone, and undo brings them back. */
async function chooseMap() {
  if (refused) return refused();
  const { song, hits } = page, drum_map = $("map").value;
  if (!song) return;
  try {
    const found = await get(`/api/songs/${song.id}/reading?map=${drum_map}`);
    if (page.song !== song || $("map").value !== drum_map) return;
    remember("the drum map");
    hits.read(found.hits);
    readBy({ drum_map, notes: found.notes }, hits.list);
    edited();
  } catch (error) {
    failed(error);
  }
}

/** The hits as they were read by a map. */
export function readBy({ drum_map, notes: lines }, list) {
  const { song, hits, stage } = page, other = song.drum_map !== drum_map;
  Object.assign(song, { drum_map, notes: lines });
  hits.list = list;
  $("map").value = drum_map;
  if (other) {
    notes([]);
    stage.layout(stage.all);
  }
  select(hits.byId(stage.selected)?.id ?? null);
}

/** The song that the studio was started with. */
export function openFirst() { open("the file", () => post("/api/songs")); }

export function listenForFiles() {
  $("browse").addEventListener("click", () => $("file").click());
  $("file").addEventListener("change", () => {
    if ($("file").files[0]) openFile($("file").files[0]);
    $("file").value = "";
  });
  for (const one of page.choices.grooves) {
    $("groove").append(new Option(`${one.style}, ${one.bpm} bpm, ${one.meter}`, one.id));
  }
  for (const map of page.choices.maps) $("map").append(new Option(map.title, map.id));
  $("map").value = page.choices.map;
  $("map").addEventListener("change", chooseMap);
  $("groove").addEventListener("change", () => {
    const id = $("groove").value;
    if (id) open(id, () => post(`/api/songs?groove=${encodeURIComponent(id)}`));
  });
  listenForDrops();
}

function listenForDrops() {
  let inside = 0;
  addEventListener("dragenter", (event) => {
    event.preventDefault();
    inside++;
    $("dropping").hidden = false;
  });
  addEventListener("dragleave", () => { if (--inside <= 0) $("dropping").hidden = true; });
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    inside = 0;
    $("dropping").hidden = true;
    if (event.dataTransfer.files[0]) openFile(event.dataTransfer.files[0]);
  });
}
