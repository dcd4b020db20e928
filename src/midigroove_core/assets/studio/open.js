// Opening a song: a groove that ships, a file that is chosen or dropped, the one of the command line.

import { post } from "./api.js";
import { select } from "./edit.js";
import { begin } from "./history.js";
import { Hits } from "./hits.js";
import { $, page } from "./page.js";
import { doing, failed, notes } from "./say.js";
import { forget, refresh } from "./takes.js";
import { setLoop } from "./transport.js";

async function open(name, ask) {
  try {
    doing(`Opening ${name} …`);
    show(await ask());
    refresh();
  } catch (error) {
    failed(error);
    doing("");
  }
}

function show(song) {
  const { stage } = page;
  forget();
  page.song = song;
  page.hits = new Hits(song.hits, page.choices.lanes);
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
  open(file.name, () => post(`/api/songs?name=${encodeURIComponent(file.name)}`, file));
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
