// The settings of the slot that is heard: engine, kit, recording, drawing, levels.

import { get, post } from "./api.js";

const $ = (id) => document.getElementById(id);

export const plainSettings = () =>
  ({ engine: "sampler", kit: null, like: null, temperature: null, seed: 0, stereo: null, vary: false,
    swing: 50,
    swing_notes: 8, curve: 1, humanize_ms: 0, humanize_velocity: 0, levels: {}, muted: [],
    soloed: [] });

// The sliders of the touch: field of the settings, what the slider's value means, what is shown.
const SLIDERS = [
  { id: "swing", field: "swing", shown: (value) => `${value} %` },
  { id: "curve", field: "curve", from: (value) => Math.round(100 * 2 ** -value) / 100,
    to: (power) => -Math.log2(power),
    shown: (power) => (power === 1 ? "as played" : power < 1 ? "louder" : "softer") },
  { id: "humanize-ms", field: "humanize_ms", shown: (value) => `${value} ms` },
  { id: "humanize-velocity", field: "humanize_velocity", shown: (value) => `± ${value}` },
];

// What undo calls the settings.
const WORDS = { engine: "the engine", kit: "the kit", like: "the recording",
  temperature: "the temperature", seed: "the seed", stereo: "stereo", vary: "varied hits",
  swing: "the swing", swing_notes: "the swing", curve: "the velocities",
  humanize_ms: "the luck of time", humanize_velocity: "the luck of force", levels: "a level",
  muted: "a mute", soloed: "a solo" };

export class Panel {
  /** @param on { begin(what), change(), failed(error), doing(text) } */
  constructor(choices, on) {
    Object.assign(this, { choices, on, model: null, names: {} });
    this.settings = { a: plainSettings(), b: { ...plainSettings(), engine: "model" } };
    this.slot = "a";
    for (const radio of document.querySelectorAll("[name=engine]")) {
      radio.addEventListener("change", () => this.engine(radio.value));
    }
    $("kit").addEventListener("change", () => this.set({ kit: $("kit").value }));
    $("temperature").addEventListener("input", () => this.showTemperature());
    $("temperature").addEventListener("change",
      () => this.set({ temperature: Number($("temperature").value) }));
    $("seed").addEventListener("change", () =>
      this.set({ seed: Math.max(0, Math.floor(Number($("seed").value)) || 0) }));
    $("dice").addEventListener("click", () =>
      this.set({ seed: Math.floor(Math.random() * 1000000) }));
    $("like").addEventListener("click", () => $("like-file").click());
    $("like-file").addEventListener("change", () => {
      if ($("like-file").files[0]) this.like($("like-file").files[0]);
      $("like-file").value = "";
    });
    $("unlike").addEventListener("click", () => this.set({ like: null }));
    $("stereo").addEventListener("change", () => this.set({ stereo: $("stereo").value || null }));
    $("vary").addEventListener("change", () => this.set({ vary: $("vary").checked }));
    $("swing-notes").addEventListener("change",
      () => this.set({ swing_notes: Number($("swing-notes").value) }));
    for (const slider of SLIDERS) {
      const element = $(slider.id), read = () => (slider.from ?? Number)(Number(element.value));
      element.addEventListener("input", () => this.showSlider(slider, read()));
      element.addEventListener("change", () => this.set({ [slider.field]: read() }));
    }
    this.makeMixer();
  }

  showSlider({ id, shown }, value) {
    document.querySelector(`output[for=${id}]`).value = shown(value);
  }

  get now() { return this.settings[this.slot]; }

  set(values) {
    const what = WORDS[Object.keys(values)[0]];
    this.on.begin(`${what} of ${this.slot.toUpperCase()}`);
    Object.assign(this.now, values);
    this.show();
    this.on.change();
  }

  async engine(name) {
    if (name === "model" && !(await this.loadModel())) return this.show();
    this.set({ engine: name, like: this.hears(name) ? this.now.like : null });
  }

  /** Whether an engine can sound like a recording. */
  hears(engine) { return engine === "sampler" || Boolean(this.model?.hears); }

  /** What the model offers; loading it takes a second or two, once. */
  async loadModel() {
    if (this.model) return true;
    this.on.doing("Loading the model …");
    try {
      this.model = await get("/api/model");
    } catch (error) {
      this.on.failed(error);
    }
    this.on.doing("");
    if (this.model) this.show();
    return this.model !== null;
  }

  async like(file) {
    const { recording } = this.choices.limits;
    if (file.size > recording) {
      return this.on.failed(new Error(
        `${file.name}: larger than ${recording >> 20} MiB, the most the studio takes`));
    }
    try {
      const { id, name } = await post(
        `/api/recordings?name=${encodeURIComponent(file.name)}`, file);
      this.names[id] = name;
      const { engine } = this.now, heard = this.hears(engine);
      if (!heard) this.on.doing("The model hears no recordings: the sampler plays like this one");
      this.set({ like: id, engine: heard ? engine : "sampler" });
    } catch (error) {
      this.on.failed(error);
    }
  }

  choose(slot) {
    this.slot = slot;
    this.show();
  }

  show() {
    const { now, model } = this, drawn = now.engine === "model";
    $("slot-name").textContent = this.slot.toUpperCase();
    document.querySelector(`[name=engine][value=${now.engine}]`).checked = true;
    const kits = drawn && model ? model.kits.map((id) => ({ id })) : this.choices.kits;
    $("kit").replaceChildren(...kits.map((kit) => new Option(kit.id, kit.id)));
    const known = kits.map((kit) => kit.id);
    if (!known.includes(now.kit)) {
      const first = this.choices.kits.map((kit) => kit.id).find((id) => known.includes(id));
      now.kit = first ?? known[0] ?? null;
    }
    $("kit").value = now.kit ?? "";
    $("kit").disabled = now.like !== null || !known.length;
    const kit = this.choices.kits.find(({ id }) => id === now.kit);
    $("kit-about").textContent = now.like === null ? kit?.about ?? "" : "";
    $("of-like").hidden = !this.hears(now.engine);
    $("of-sampler").hidden = drawn;
    $("of-model").hidden = !drawn;
    $("like-name").textContent = now.like === null ? "" : this.names[now.like];
    $("unlike").hidden = now.like === null;
    $("temperature").value = now.temperature ?? model?.temperature ?? 0.5;
    this.showTemperature();
    $("seed").value = now.seed;
    $("stereo").value = now.stereo ?? "";
    $("vary").checked = now.vary;
    $("swing-notes").value = now.swing_notes;
    for (const slider of SLIDERS) {
      $(slider.id).value = (slider.to ?? Number)(now[slider.field]);
      this.showSlider(slider, now[slider.field]);
    }
    $("redraw").hidden = !(drawn && model?.uses_known);
    for (const row of $("mixer").tBodies[0].rows) this.showStrip(row);
  }

  showTemperature() {
    $("temperature-value").value = Number($("temperature").value).toFixed(2);
  }

  makeMixer() {
    $("mixer").tBodies[0].append(...this.choices.groups.map((group) => {
      const row = document.createElement("tr");
      row.dataset.group = group;
      const name = group[0].toUpperCase() + group.slice(1);
      const title = document.createElement("th");
      title.scope = "row";
      title.textContent = name;
      const level = document.createElement("input");
      Object.assign(level, { type: "range", min: -24, max: 12, step: 0.5 });
      level.setAttribute("aria-label", `${name}: level in dB`);
      const shown = document.createElement("output");
      level.addEventListener("input", () => { shown.value = `${Number(level.value)} dB`; });
      level.addEventListener("change", () =>
        this.set({ levels: { ...this.now.levels, [group]: Number(level.value) } }));
      const cells = [[level], [shown], [this.toggle("M", `Mute ${group}`, "muted", group)],
        [this.toggle("S", `Solo ${group}`, "soloed", group)]];
      row.append(title, ...cells.map((inside) => {
        const cell = document.createElement("td");
        cell.append(...inside);
        return cell;
      }));
      return row;
    }));
  }

  toggle(letter, label, field, group) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = letter;
    button.dataset.field = field;
    button.setAttribute("aria-label", label);
    button.addEventListener("click", () => {
      const there = this.now[field].includes(group);
      this.set({ [field]: there ? this.now[field].filter((name) => name !== group)
        : [...this.now[field], group] });
    });
    return button;
  }

  showStrip(row) {
    const { group } = row.dataset, level = this.now.levels[group] ?? 0;
    row.querySelector("input").value = level;
    row.querySelector("output").value = `${level} dB`;
    for (const button of row.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(this.now[button.dataset.field].includes(group)));
    }
  }
}
