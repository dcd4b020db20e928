// The hits as lanes over the spectrogram, the ruler above them and the velocities below: drawn, and
// edited by mouse and touch. Keys are in keys.js.

import { TILE_SEC } from "./spectrogram.js";

const RULER = 24, STRIP = 66, NEAR = 9;
const HEAD = 5; // half the width of a hit

export class Stage {
  /**
   * @param parts { canvas, scroller, wide, lanes, needle } elements
   * @param on { select(id), cursor(sec), lane(n), begin(what), change(), add(sec, lane) }
   */
  constructor(parts, spectrogram, on) {
    Object.assign(this, parts, { spectrogram, on });
    Object.assign(this, { hits: null, rows: [], bars: [], end: 1, scale: 120, selected: null,
      lane: 0, cursor: 0, loop: null, snap: 0, height: 0 });
    this.lanes.addEventListener("click", (event) => this.clickLane(event));
    this.canvas.addEventListener("pointerdown", (event) => this.down(event));
    this.canvas.addEventListener("pointermove", (event) => this.move(event));
    this.canvas.addEventListener("pointerup", () => this.up());
    this.canvas.addEventListener("pointercancel", () => this.up());
    this.canvas.addEventListener("dblclick", (event) => this.double(event));
    // A finger on a hit drags it; elsewhere it scrolls.
    this.canvas.addEventListener("touchstart", (event) => {
      const touch = event.touches[0], { x, y } = this.at(touch);
      if (y < RULER || this.find(x, y)) event.preventDefault();
    }, { passive: false });
    this.scroller.addEventListener("scroll", () => this.draw());
    new ResizeObserver(() => this.resize()).observe(this.scroller);
  }

  get laneHeight() { return innerWidth <= 640 ? 20 : 23; }

  show(hits, bars, end) {
    const lane = hits.lanes.findIndex(({ id }) => id === "snare");
    Object.assign(this, { hits, bars, end, lane, selected: null, cursor: 0, loop: null });
    this.layout(this.all);
    this.scroller.scrollLeft = 0;
  }

  /** Which lanes are there: those in use and a drum set's, or all. */
  layout(all) {
    this.all = all;
    const usual = ["crash_1", "ride", "hat_open", "hat_closed", "tom_mid", "snare", "kick"];
    const used = new Set(this.hits.list.map((hit) => hit.lane));
    this.rows = this.hits.lanes.map((lane, n) => ({ ...lane, n }))
      .filter((lane) => all || used.has(lane.n) || usual.includes(lane.id));
    if (!this.rows.some((row) => row.n === this.lane)) this.lane = this.rows.at(-1).n;
    this.lanes.replaceChildren(...this.rows.map((row) => {
      const item = document.createElement("li");
      item.textContent = row.name;
      item.dataset.lane = row.n;
      item.style.setProperty("--colour", `var(--${row.group})`);
      item.style.height = `${this.laneHeight}px`;
      item.style.lineHeight = `${this.laneHeight - 1}px`;
      return item;
    }));
    this.lanes.style.paddingTop = `${RULER}px`;
    this.tall = this.laneHeight;
    this.resize();
    this.choose(this.lane);
  }

  resize() {
    if (!this.hits) return;
    if (this.tall !== this.laneHeight) return this.layout(this.all);
    const width = this.scroller.clientWidth;
    this.height = RULER + this.rows.length * this.laneHeight + STRIP;
    const ratio = devicePixelRatio || 1;
    Object.assign(this.canvas, { width: width * ratio, height: this.height * ratio });
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${this.height}px`;
    this.wide.style.width = `${Math.max(width, this.end * this.scale + 40)}px`;
    Object.assign(this.canvas.dataset, { ruler: RULER, lane: this.laneHeight, strip: STRIP });
    this.draw();
  }

  /** Moves the cursor, and draws nothing else. */
  place(seconds) {
    this.cursor = seconds;
    this.needle.style.transform = `translateX(${seconds * this.scale}px)`;
  }

  zoom(factor) {
    const middle = this.cursor * this.scale - this.scroller.scrollLeft;
    this.scale = Math.max(20, Math.min(1200, this.scale * factor));
    this.resize();
    this.scroller.scrollLeft = this.cursor * this.scale - middle;
    this.draw();
  }

  choose(lane) {
    this.lane = lane;
    for (const item of this.lanes.children) {
      item.classList.toggle("chosen", Number(item.dataset.lane) === lane);
    }
    this.draw();
  }

  /** Scrolls so that a time can be seen. */
  reveal(seconds) {
    const x = seconds * this.scale, { scrollLeft, clientWidth } = this.scroller;
    if (x < scrollLeft + 10 || x > scrollLeft + clientWidth - 30) {
      this.scroller.scrollLeft = x - clientWidth * 0.15;
    }
  }

  /** Number of the bar at a time, from 0. */
  barAt(seconds) {
    const last = this.bars.length - 2;
    for (let n = last; n > 0; n--) if (seconds >= this.bars[n][0] - 1e-6) return n;
    return 0;
  }

  bar(number) { return { start: this.bars[number][0], stop: this.bars[number + 1][0] }; }

  /** The nearest place on the grid of the snap; the time itself where that is free. */
  snapped(seconds, parts = this.snap) {
    if (!parts) return seconds;
    const { beats, n } = this.beatAt(seconds), step = (beats[n + 1] - beats[n]) / parts;
    return beats[n] + Math.round((seconds - beats[n]) / step) * step;
  }

  step(seconds, direction, parts) {
    const { beats, n } = this.beatAt(seconds + direction * 1e-4);
    const step = (beats[n + 1] - beats[n]) / parts, place = (seconds - beats[n]) / step;
    const next = direction > 0 ? Math.floor(place + 1e-3) + 1 : Math.ceil(place - 1e-3) - 1;
    return Math.max(0, Math.min(this.end, beats[n] + next * step));
  }

  beatAt(seconds) {
    const number = this.barAt(seconds);
    const beats = [...this.bars[number], this.bars[number + 1][0]];
    let n = 0;
    while (n < beats.length - 2 && seconds >= beats[n + 1]) n++;
    return { beats, n };
  }

  // Drawing

  draw() {
    if (this.waiting || !this.hits) return;
    this.waiting = true;
    requestAnimationFrame(() => { this.waiting = false; this.paint(); });
  }

  colours() {
    const style = getComputedStyle(document.documentElement), known = new Map();
    this.colour = (name) => {
      if (!known.has(name)) known.set(name, style.getPropertyValue(`--${name}`).trim());
      return known.get(name);
    };
    const rgb = (name) => [1, 3, 5].map((at) => parseInt(this.colour(name).slice(at, at + 2), 16));
    this.spectrogram.paint(rgb("quiet"), rgb("loud"));
    this.draw();
  }

  paint() {
    const { canvas, scroller, scale } = this, context = canvas.getContext("2d");
    const ratio = devicePixelRatio || 1, width = scroller.clientWidth, left = scroller.scrollLeft;
    const bottom = this.height - STRIP;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = this.colour("card");
    context.fillRect(0, 0, width, this.height);
    Object.assign(canvas.dataset, { left, scale });
    this.paintSound(context, left, width, bottom);
    context.translate(-left, 0);
    this.paintLines(context, left, width, bottom);
    this.paintHits(context, left / scale, (left + width) / scale, bottom);
    this.place(this.cursor);
  }

  paintSound(context, left, width, bottom) {
    const { samples, known, rate } = this.spectrogram;
    if (!samples) return;
    const wide = TILE_SEC * this.scale;
    for (let n = Math.floor(left / wide); n * wide < left + width; n++) {
      context.drawImage(this.spectrogram.tile(n), n * wide - left, RULER, wide + 0.5,
        bottom - RULER);
    }
    const drawn = (known / rate) * this.scale - left;
    if (known === samples.length || drawn >= width) return;
    context.globalAlpha = 0.55; // what is still to be drawn
    context.fillStyle = this.colour("lane");
    context.fillRect(Math.max(0, drawn), RULER, width, bottom - RULER);
    context.globalAlpha = 1;
  }

  paintLines(context, left, width, bottom) {
    const { scale, laneHeight } = this;
    context.fillStyle = this.colour("line");
    this.rows.forEach((row, n) => {
      if (row.n === this.lane) {
        context.globalAlpha = 0.16;
        context.fillStyle = this.colour("accent");
        context.fillRect(left, RULER + n * laneHeight, width, laneHeight);
        context.globalAlpha = 1;
        context.fillStyle = this.colour("line");
      }
      context.fillRect(left, RULER + (n + 1) * laneHeight - 1, width, 1);
    });
    if (this.loop) {
      context.globalAlpha = 0.3;
      context.fillStyle = this.colour("accent");
      context.fillRect(this.loop.start * scale, 0, (this.loop.stop - this.loop.start) * scale,
        RULER);
      context.globalAlpha = 1;
    }
    context.font = "12px system-ui, sans-serif";
    let free = -Infinity;
    this.bars.forEach((bar, number) => bar.forEach((beat, n) => {
      const x = beat * scale;
      if (x < left - 60 || x > left + width + 10) return;
      context.fillStyle = this.colour(n ? "line" : "bar");
      context.fillRect(x, n ? RULER : 0, n ? 1 : 1.5, bottom + STRIP);
      if (!n && x > free && number < this.bars.length - 1) {
        context.fillStyle = this.colour("ink");
        context.fillText(String(number + 1), x + 4, 16);
        free = x + 34;
      }
    }));
  }

  paintHits(context, from, to, bottom) {
    const visible = this.hits.list.filter((hit) => hit.sec > from - 0.2 && hit.sec < to + 0.2);
    const chosen = visible.find((hit) => hit.id === this.selected);
    for (const hit of chosen ? [...visible, chosen] : visible) {
      const box = this.boxOf(hit);
      if (!box) continue;
      const { x, top, tall } = box, colour = this.colour(box.group);
      context.fillStyle = this.colour("card");
      context.fillRect(x - HEAD, top - 1, 2 * HEAD, tall + 2);
      context.fillStyle = colour;
      context.fillRect(x - HEAD + 1, top, 2 * HEAD - 2, tall);
      const stick = (STRIP - 10) * (hit.velocity / 127), at = bottom + STRIP - 2 - stick;
      context.fillRect(x - 1, at, 2, stick);
      context.fillRect(x - 3, at, 6, 3);
      if (hit === chosen) {
        context.strokeStyle = this.colour("ink");
        context.lineWidth = 2;
        context.strokeRect(x - HEAD - 2, top - 3, 2 * HEAD + 4, tall + 6);
        context.strokeRect(x - 5, at - 2, 10, 7);
      }
    }
  }

  /** Where a hit is: its left edge is its time, its height its velocity. */
  boxOf(hit) {
    const row = this.rows.findIndex((lane) => lane.n === hit.lane);
    if (row < 0) return null;
    const space = this.laneHeight - 6, tall = Math.max(4, (hit.velocity / 127) * space);
    const top = RULER + row * this.laneHeight + 3 + (space - tall);
    return { x: hit.sec * this.scale, row, top, tall, group: this.rows[row].group };
  }

  // Mouse and touch

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    return { x: event.clientX - box.left + this.scroller.scrollLeft, y: event.clientY - box.top };
  }

  laneAtY(y) {
    const row = Math.floor((y - RULER) / this.laneHeight);
    return this.rows[Math.max(0, Math.min(this.rows.length - 1, row))].n;
  }

  /** The hit under a place, in the lanes or among the sticks of the velocities. */
  find(x, y) {
    const strip = y >= this.height - STRIP;
    const lane = strip ? null : this.laneAtY(y);
    let best = null, least = NEAR;
    for (const hit of this.hits.list) {
      const far = Math.abs(hit.sec * this.scale - x) - (hit.id === this.selected ? 2 : 0);
      if (far < least && (strip ? this.boxOf(hit) : hit.lane === lane)) [best, least] = [hit, far];
    }
    return best;
  }

  clickLane(event) {
    const item = event.target.closest("li");
    if (item) this.on.lane(Number(item.dataset.lane));
  }

  down(event) {
    if (!this.hits || event.button) return;
    const { x, y } = this.at(event);
    const hit = y < RULER ? null : this.find(x, y);
    this.canvas.setPointerCapture(event.pointerId);
    if (y < RULER) {
      this.drag = { kind: "ruler" };
      this.on.cursor(Math.min(this.end, x / this.scale));
      return;
    }
    if (y < this.height - STRIP) this.on.lane(this.laneAtY(y));
    this.on.select(hit?.id ?? null);
    if (!hit) {
      if (event.pointerType === "mouse") this.on.cursor(Math.min(this.end, x / this.scale));
      return;
    }
    const kind = y >= this.height - STRIP ? "velocity" : "hit";
    this.drag = { kind, hit, x, y, sec: hit.sec, velocity: hit.velocity, moved: false };
  }

  move(event) {
    const { drag } = this;
    if (!drag) return;
    const { x, y } = this.at(event);
    if (drag.kind === "ruler") return this.on.cursor(Math.max(0, Math.min(this.end, x / this.scale)));
    if (!drag.moved && Math.hypot(x - drag.x, y - drag.y) < 4) return;
    if (!drag.moved) this.on.begin(drag.kind === "velocity" ? "a velocity" : "a hit moved");
    drag.moved = true;
    if (drag.kind === "velocity") {
      const velocity = drag.velocity + ((drag.y - y) / (STRIP - 10)) * 127;
      this.hits.change(drag.hit.id, { velocity: Math.max(1, Math.min(127, Math.round(velocity))) });
    } else {
      const sec = this.snapped(drag.sec + (x - drag.x) / this.scale);
      this.hits.change(drag.hit.id,
        { sec: Math.max(0, Math.min(this.end, sec)), lane: this.laneAtY(y) });
    }
    this.on.select(drag.hit.id);
  }

  up() {
    if (this.drag?.moved) this.on.change();
    this.drag = null;
  }

  double(event) {
    const { x, y } = this.at(event);
    if (y < RULER || y >= this.height - STRIP || this.find(x, y)) return;
    this.on.add(Math.max(0, Math.min(this.end, this.snapped(x / this.scale))), this.laneAtY(y));
  }
}
