// Two takes that sound at one place: A and B, with a loop, at equal loudness if wanted.

const FADE_SEC = 0.008;

export class Player {
  constructor() {
    this.takes = { a: null, b: null };
    this.slot = "a";
    this.place = 0;
    this.loop = null; // { start, stop } in seconds
    this.equal = true;
    this.source = null;
    this.onEnd = () => {};
  }

  get playing() { return this.source !== null; }

  get length() { return this.takes[this.slot]?.seconds ?? 0; }

  get context() {
    this.made ??= new AudioContext();
    return this.made;
  }

  /** A whole take: channels of samples at a rate. */
  set(slot, channels, rate) {
    const { lufs = null } = this.takes[slot] ?? {}; // about right, until it is measured
    const seconds = channels[0].length / rate;
    this.takes[slot] = { channels, rate, seconds, lufs, measured: false };
    if (slot === this.slot) this.again();
  }

  /** Samples of a take that have changed, from `first` on. */
  patch(slot, channels, first) {
    const take = this.takes[slot];
    channels.forEach((part, c) => {
      take.channels[c].set(part, first);
      take.buffer?.copyToChannel(part, c, first);
    });
    take.measured = false;
    if (slot === this.slot) this.again();
  }

  clear() {
    this.stop();
    this.takes = { a: null, b: null };
    this.place = 0;
    this.loop = null;
  }

  get position() {
    if (!this.playing) return this.place;
    const late = this.context.outputLatency || 0;
    const at = this.place + Math.max(0, this.context.currentTime - this.started - late);
    const { loop } = this;
    if (!loop || at < loop.stop) return Math.min(at, this.length);
    return loop.start + ((at - loop.start) % (loop.stop - loop.start));
  }

  async play() {
    if (!this.takes[this.slot]) return;
    await this.context.resume();
    if (this.place >= this.length - 0.02) this.place = 0;
    this.begin();
  }

  begin() {
    const take = this.takes[this.slot], { context, loop } = this;
    if (!take.buffer) {
      take.buffer = context.createBuffer(take.channels.length, take.channels[0].length, take.rate);
      take.channels.forEach((samples, c) => take.buffer.copyToChannel(samples, c));
    }
    if (loop && (this.place < loop.start || this.place >= loop.stop)) this.place = loop.start;
    const source = context.createBufferSource(), gain = context.createGain();
    source.buffer = take.buffer;
    if (loop) Object.assign(source, { loop: true, loopStart: loop.start, loopEnd: loop.stop });
    gain.gain.setValueAtTime(0, context.currentTime);
    gain.gain.linearRampToValueAtTime(this.level(), context.currentTime + FADE_SEC);
    source.connect(gain).connect(context.destination);
    source.onended = () => {
      if (this.source !== source) return;
      this.source = null;
      this.place = 0;
      this.onEnd();
    };
    source.start(0, this.place);
    Object.assign(this, { source, gain, started: context.currentTime });
  }

  end() {
    const { source, gain, context } = this;
    this.source = null;
    gain.gain.cancelScheduledValues(context.currentTime);
    gain.gain.setTargetAtTime(0, context.currentTime, FADE_SEC / 3);
    source.stop(context.currentTime + 2 * FADE_SEC);
  }

  stop() {
    if (!this.playing) return;
    this.place = this.position;
    this.end();
  }

  /** Goes on at the same place with what has changed: samples, slot, loop. */
  again() {
    if (!this.playing) return;
    this.place = this.position;
    this.end();
    if (this.takes[this.slot]) this.begin();
  }

  seek(seconds) {
    const before = this.playing;
    if (before) this.end();
    this.place = Math.max(0, Math.min(seconds, this.length || seconds));
    if (before) this.begin();
  }

  choose(slot) {
    if (this.playing) { this.place = this.position; this.end(); this.resume = true; }
    this.slot = slot;
    if (this.resume && this.takes[slot]) { this.resume = false; this.begin(); }
  }

  setLoop(loop) {
    if (this.playing) this.place = this.position;
    const before = this.playing;
    if (before) this.end();
    this.loop = loop;
    if (before) this.begin();
  }

  /** Gain of the slot: the louder one of two is turned down to the other. */
  level() {
    const lufs = ["a", "b"].map((slot) => this.takes[slot]?.lufs ?? null);
    if (!this.equal || lufs.includes(null)) return 1;
    return 10 ** ((Math.min(...lufs) - this.takes[this.slot].lufs) / 20);
  }

  setLoudness(slot, lufs) {
    Object.assign(this.takes[slot], { lufs, measured: true });
    if (this.playing) this.gain.gain.setTargetAtTime(this.level(), this.context.currentTime, 0.02);
  }
}
