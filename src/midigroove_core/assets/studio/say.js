// What the page says: what it does, what went wrong, what is odd about the file or the sound.

import { $, page } from "./page.js";

export function doing(text) { $("status").value = text; }

export function failed(error) {
  const line = document.createElement("p"), close = document.createElement("button");
  const text = document.createElement("span");
  text.textContent = error.message;
  close.textContent = "✕";
  close.setAttribute("aria-label", "Dismiss");
  close.addEventListener("click", () => line.remove());
  line.append(text, close);
  $("alerts").replaceChildren(line);
}

/** What is odd about the song, and what was said of the take that is heard. */
export function notes(lines) {
  $("notes").replaceChildren(...[...(page.song?.notes ?? []), ...lines].map((text) => {
    const item = document.createElement("li");
    item.textContent = text;
    return item;
  }));
}
