"use strict";
// A blind test: stimuli in a new order for every listener, one score each, saved as JSON.

function shuffled(list) {
  const copy = [...list];
  for (let i = copy.length - 1; i > 0; i -= 1) {
    const j = Math.floor(Math.random() * (i + 1));
    [copy[i], copy[j]] = [copy[j], copy[i]];
  }
  return copy;
}

document.addEventListener("DOMContentLoaded", () => {
  const { test, pages } = JSON.parse(document.getElementById("data").textContent);
  const order = shuffled(pages).map((page) => ({ ...page, stimuli: shuffled(page.stimuli) }));
  const scores = new Map();
  const audio = new Audio();
  audio.loop = true;
  let place = 0;
  let pressed = null;
  const find = (id) => document.getElementById(id);

  function play(button, source) {
    const again = pressed === button;
    if (pressed) pressed.setAttribute("aria-pressed", "false");
    const position = audio.currentTime;
    audio.pause();
    pressed = null;
    if (again) return;
    pressed = button;
    button.setAttribute("aria-pressed", "true");
    audio.src = source;
    audio.addEventListener("loadedmetadata", () => {
      audio.currentTime = Math.min(position, audio.duration - 0.01);
    }, { once: true });
    audio.play().catch(() => {});
  }

  function ready() {
    const total = order.reduce((sum, page) => sum + page.stimuli.length, 0);
    find("save").disabled = scores.size < total || !find("listener").value.trim();
    find("place").textContent =
      `Clip ${place + 1} of ${order.length}, ${scores.size} of ${total} sounds scored`;
  }

  function row(stimulus, number) {
    const box = document.createElement("div");
    box.className = "stimulus";
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = `▶ Sound ${number}`;
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => play(button, stimulus.audio));
    const slider = document.createElement("input");
    Object.assign(slider, { type: "range", min: 0, max: 100, value: scores.get(stimulus.id) ?? 50 });
    slider.setAttribute("aria-label", `Score of sound ${number}`);
    const shown = document.createElement("output");
    shown.textContent = scores.has(stimulus.id) ? slider.value : "-";
    slider.addEventListener("input", () => {
      scores.set(stimulus.id, Number(slider.value));
      shown.textContent = slider.value;
      ready();
    });
    box.append(button, slider, shown);
    return box;
  }

  function show() {
    audio.pause();
    audio.currentTime = 0;
    pressed = null;
    const page = order[place];
    find("title").textContent = page.title;
    find("reference").setAttribute("aria-pressed", "false");
    find("reference").onclick = () => play(find("reference"), page.reference);
    find("stimuli").replaceChildren(...page.stimuli.map((s, index) => row(s, index + 1)));
    find("back").disabled = place === 0;
    find("next").disabled = place === order.length - 1;
    ready();
  }

  find("back").addEventListener("click", () => { place -= 1; show(); });
  find("next").addEventListener("click", () => { place += 1; show(); });
  find("listener").addEventListener("input", ready);
  find("save").addEventListener("click", () => {
    const ratings = order.flatMap((page) =>
      page.stimuli.map((s) => ({ clip: page.clip, stimulus: s.id, score: scores.get(s.id) })));
    const listener = find("listener").value.trim();
    const votes = { format: "midigroove-votes", version: 1, test, listener, ratings };
    const link = document.createElement("a");
    link.href = URL.createObjectURL(
      new Blob([JSON.stringify(votes, null, 2)], { type: "application/json" }));
    link.download = `votes-${listener.replaceAll(/[^A-Za-z0-9]+/g, "_")}.json`;
    link.click();
  });
  show();
});
