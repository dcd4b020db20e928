// What the parts of the page share: the song that is open, its hits, and what shows and plays them.

import { get } from "./api.js";
import { Player } from "./player.js";
import { Spectrogram } from "./spectrogram.js";

export const $ = (id) => document.getElementById(id);

export const page = {
  choices: await get("/api/choices"),
  song: null, // as the server describes it
  hits: null, // as they are edited
  player: new Player(),
  spectrogram: new Spectrogram(),
  panel: null, // main.js makes these two
  stage: null,
};
