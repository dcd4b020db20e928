"use strict";
// One sounding clip at a time; switching between rows keeps the position.

let playing = null;

class Player {
  constructor(clip, data) {
    this.clip = clip;
    this.data = data;
    this.buttons = [...clip.querySelectorAll(".rows button")];
    this.audios = Object.fromEntries(
      [...clip.querySelectorAll("audio")].map((audio) => [audio.dataset.row, audio]));
    this.images = [...clip.querySelectorAll(".stage img")];
    this.stage = clip.querySelector(".stage");
    this.canvas = clip.querySelector("canvas");
    this.needle = clip.querySelector(".needle");
    this.button = clip.querySelector(".play");
    this.time = clip.querySelector("output");
    this.figures = clip.querySelector(".figures");
    this.position = 0;
    this.buttons.forEach((button) =>
      button.addEventListener("click", () => this.choose(button.dataset.row)));
    Object.values(this.audios).forEach((audio) =>
      audio.addEventListener("ended", () => this.ended()));
    this.button.addEventListener("click", () => this.toggle());
    this.stage.addEventListener("pointerdown", (event) => this.pointer(event));
    this.stage.addEventListener("pointermove", (event) => {
      if (event.buttons === 1) this.pointer(event);
    });
    clip.addEventListener("keydown", (event) => this.key(event));
    this.choose(this.buttons[0].dataset.row);
  }

  get audio() { return this.audios[this.row]; }
  get sounding() { return playing === this; }

  choose(row) {
    const before = this.audio;
    if (before) {
      if (this.sounding) this.position = before.currentTime;
      before.pause();
    }
    this.row = row;
    this.buttons.forEach((button) => {
      const chosen = button.dataset.row === row;
      button.setAttribute("aria-checked", String(chosen));
      button.tabIndex = chosen ? 0 : -1;
    });
    this.images.forEach((image) => { image.hidden = image.dataset.row !== row; });
    this.audio.currentTime = this.position;
    if (this.sounding) this.start();
    this.draw();
    this.show();
  }

  toggle() { if (this.sounding) this.stop(); else this.start(); }

  start() {
    if (playing && playing !== this) playing.stop();
    playing = this;
    if (this.position >= this.data.duration_sec - 0.02) this.position = 0;
    this.audio.currentTime = this.position;
    this.audio.play().catch(() => this.stop());
    this.button.textContent = "❚❚ Pause";
    this.tick();
  }

  stop() {
    this.position = this.audio.currentTime;
    this.audio.pause();
    if (playing === this) playing = null;
    this.button.textContent = "▶ Play";
    this.show();
  }

  ended() {
    this.position = 0;
    if (document.getElementById("loop").checked) this.start(); else this.stop();
  }

  seek(seconds) {
    this.position = Math.min(Math.max(0, seconds), this.data.duration_sec);
    this.audio.currentTime = this.position;
    this.show();
  }

  tick() {
    if (!this.sounding) return;
    this.position = this.audio.currentTime;
    this.show();
    requestAnimationFrame(() => this.tick());
  }

  show() {
    const share = this.position / this.data.duration_sec;
    this.needle.style.left = `${100 * share}%`;
    this.stage.setAttribute("aria-valuenow", this.position.toFixed(2));
    this.time.textContent =
      `${this.position.toFixed(2)} / ${this.data.duration_sec.toFixed(2)} s · ${this.row}`;
  }

  pointer(event) {
    const box = this.stage.getBoundingClientRect();
    this.seek(((event.clientX - box.left) / box.width) * this.data.duration_sec);
  }

  key(event) {
    const place = this.buttons.findIndex((button) => button.dataset.row === this.row);
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const jump = { ArrowLeft: -0.25, ArrowRight: 0.25 }[event.key];
    const digit = /^[1-9]$/.test(event.key) ? Number(event.key) - 1 : -1;
    // Space plays from anywhere in a clip, except on the button of which it is the click already.
    if (event.key === " " && event.target !== this.button) this.toggle();
    else if (jump) this.seek(this.position + jump);
    else if (step) this.focus((place + step + this.buttons.length) % this.buttons.length);
    else if (digit >= 0 && digit < this.buttons.length) this.focus(digit);
    else return;
    event.preventDefault();
  }

  focus(place) {
    const button = this.buttons[place];
    this.choose(button.dataset.row);
    if (this.clip.querySelector(".rows").contains(document.activeElement)) button.focus();
  }

  draw() {
    const { peaks } = this.data.rows[this.row];
    const context = this.canvas.getContext("2d");
    const { width, height } = this.canvas;
    context.clearRect(0, 0, width, height);
    context.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--accent");
    const loudest = Math.max(1, ...peaks);
    peaks.forEach((peak, index) => {
      const tall = Math.max(1, (peak / loudest) * height * 0.96);
      context.fillRect((index * width) / peaks.length, (height - tall) / 2,
        width / peaks.length, tall);
    });
    this.figures.replaceChildren(...this.data.rows[this.row].figures.map(([name, value]) => {
      const pair = document.createElement("div");
      for (const [tag, text] of [["dt", name], ["dd", value]]) {
        const element = document.createElement(tag);
        element.textContent = text;
        pair.append(element);
      }
      return pair;
    }));
  }
}
