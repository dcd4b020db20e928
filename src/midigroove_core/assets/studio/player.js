// Two takes that sound at one place: A and B, with a loop, at equal loudness if wanted. A take can
// be heard while it is drawn: the player goes as far as it is, and waits for the rest there.

const FADE_SEC = 0.008;
const LEAD_SEC = 0.02; // so far ahead one source hands over to the next
const AHEAD_SEC = 3; // a source that will end sooner is handed over to one that has more

export class Player {
  constructor() {
    this.takes = { a: null, b: null };
    this.coming = { a: null, b: null }; // drawn at the moment, and not yet as far as the cursor
    this.slot = "a";
    this.place = 0; // in seconds, at the time `started` of the context
    this.loop = null; // { start, stop } in seconds
    this.equal = true;
    this.playing = false; // also where it waits for sound
    this.source = null;
    this.onEnd = () => {};
  }

  get length() { return this.takes[this.slot]?.seconds ?? 0; }

  get context() {
    this.made ??= new AudioContext();
    return this.made;
  }

  // Takes

  /** A whole take: channels of samples at a rate. */
  set(slot, channels, rate) {
    this.coming[slot] = null;
    const samples = channels[0].length;
    this.takes[slot] = { ...this.take(slot, rate, samples), channels, known: samples };
    if (slot === this.slot) this.again();
  }

  /** A take whose samples will come with `extend`. */
  expect(slot, channels, samples, rate) {
    this.coming[slot] = { ...this.take(slot, rate, samples), open: true, known: 0,
      channels: Array.from({ length: channels }, () => new Float32Array(samples)) };
  }

  take(slot, rate, samples) {
    const { lufs = null } = this.takes[slot] ?? {}; // about right, until it is measured
    return { rate, seconds: samples / rate, lufs, measured: false, open: false };
  }

  /** The next samples of a take that is drawn; whether it is the one that sounds in its slot. */
  extend(slot, channels, first) {
    const take = this.coming[slot] ?? this.takes[slot];
    put(take, channels, first);
    take.known = first + channels[0].length;
    if (take === this.coming[slot]) {
      // Where something sounds, it goes on until the new one has come as far.
      const sounds = this.source !== null && slot === this.slot;
      if (sounds && take.known / take.rate < this.position + 1) return false;
      this.takes[slot] = take;
      this.coming[slot] = null;
      if (slot === this.slot) this.again();
    } else if (slot === this.slot && (!this.source || this.left() < AHEAD_SEC)) this.again();
    return true;
  }

  /** What is drawn will not grow any more. */
  noMore() {
    for (const slot of ["a", "b"]) {
      this.coming[slot] = null;
      if (this.takes[slot]) this.takes[slot].open = false;
    }
    if (this.playing && !this.source) this.finish();
  }

  /** Samples of a take that have changed, from `first` on. */
  patch(slot, channels, first) {
    this.coming[slot] = null;
    put(this.takes[slot], channels, first);
    this.takes[slot].measured = false;
    if (slot === this.slot) this.again();
  }

  clear() {
    this.stop();
    this.takes = { a: null, b: null };
    this.coming = { a: null, b: null };
    this.place = 0;
    this.loop = null;
  }

  // Time

  get position() {
    if (!this.source) return this.place;
    return this.placeAt(this.context.currentTime - (this.context.outputLatency || 0));
  }

  placeAt(time) {
    const at = this.place + Math.max(0, time - this.started), { loop } = this;
    if (!loop || at < loop.stop) return Math.min(at, this.length || at);
    return loop.start + ((at - loop.start) % (loop.stop - loop.start));
  }

  /** Seconds that the source has still to play. */
  left() { return this.loop ? Infinity : this.until - this.placeAt(this.context.currentTime); }

  // Playing

  async play() {
    await this.context.resume();
    if (this.playing) return;
    if (this.length && this.place >= this.length - 0.02) this.place = 0;
    this.playing = true;
    this.sound(this.place, this.context.currentTime);
  }

  stop() {
    if (!this.playing) return;
    this.place = this.position;
    this.hush(this.context.currentTime);
    this.playing = false;
  }

  /** Goes on at the same place with what has changed: samples, slot, loop. */
  again() {
    if (!this.playing) return;
    const when = this.context.currentTime + (this.source ? LEAD_SEC : 0);
    const place = this.source ? this.placeAt(when) : this.place;
    this.hush(when);
    this.sound(place, when);
  }

  /** Begins to sound at a time of the context, or waits where there is nothing to play yet. */
  sound(place, when) {
    const { context, loop } = this, take = this.takes[this.slot];
    if (loop && (place < loop.start || place >= loop.stop)) place = loop.start;
    Object.assign(this, { place, started: when });
    if (!take) return;
    const until = take.known / take.rate;
    if (take.open && until < (loop ? loop.stop : place + 2 * FADE_SEC)) return;
    const source = context.createBufferSource(), fade = context.createGain();
    source.buffer = bufferOf(take, context);
    if (loop) Object.assign(source, { loop: true, loopStart: loop.start, loopEnd: loop.stop });
    fade.gain.setValueAtTime(0, when);
    fade.gain.linearRampToValueAtTime(this.level(), when + FADE_SEC);
    source.connect(fade).connect(context.destination);
    source.onended = () => { if (this.source === source) this.ended(); };
    source.start(when, place);
    if (!loop) source.stop(when + until - place);
    Object.assign(this, { source, fade, until, loud: this.level() });
  }

  /** Fades out what sounds, from a time of the context on. */
  hush(when) {
    const { source, fade } = this;
    if (!source) return;
    this.source = null;
    fade.gain.cancelScheduledValues(when);
    fade.gain.setValueAtTime(this.loud, when);
    fade.gain.linearRampToValueAtTime(0, when + FADE_SEC);
    source.stop(when + FADE_SEC);
  }

  ended() {
    const take = this.takes[this.slot];
    this.source = null;
    this.place = this.until;
    if (take.open || take.known / take.rate > this.until) {
      this.sound(this.place, this.context.currentTime);
    }
    else this.finish();
  }

  finish() {
    this.playing = false;
    this.place = 0;
    this.onEnd();
  }

  seek(seconds) {
    this.jump(Math.max(0, Math.min(seconds, this.length || seconds)));
  }

  choose(slot) {
    this.slot = slot;
    this.again();
  }

  setLoop(loop) {
    const place = this.position;
    this.loop = loop;
    this.jump(place);
  }

  jump(place) {
    const now = this.playing ? this.context.currentTime : 0;
    if (this.playing) this.hush(now);
    this.place = place;
    if (this.playing) this.sound(place, now);
  }

  // Loudness

  /** Gain of the slot: the louder one of two is turned down to the other. */
  level() {
    const lufs = ["a", "b"].map((slot) => this.takes[slot]?.lufs ?? null);
    if (!this.equal || lufs.includes(null)) return 1;
    return 10 ** ((Math.min(...lufs) - this.takes[this.slot].lufs) / 20);
  }

  setLoudness(slot, lufs) {
    Object.assign(this.takes[slot], { lufs, measured: true });
    if (!this.source) return;
    this.loud = this.level();
    this.fade.gain.setTargetAtTime(this.loud, this.context.currentTime, 0.02);
  }
}

function put(take, channels, first) {
  channels.forEach((part, c) => {
    take.channels[c].set(part, first);
    take.buffer?.copyToChannel(part, c, first);
  });
}

function bufferOf(take, context) {
  if (!take.buffer) {
    take.buffer = context.createBuffer(take.channels.length, take.channels[0].length, take.rate);
    take.channels.forEach((samples, c) => take.buffer.copyToChannel(samples, c));
  }
  return take.buffer;
}
