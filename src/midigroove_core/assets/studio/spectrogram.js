// Spectrogram of a take in tiles that are made when they are seen, and again when samples change.

const SIZE = 1024; // samples of a window
const PER_SEC = 100; // columns
const COLUMNS = 200; // of a tile: two seconds
const BANDS = 96;
const LOWEST_HZ = 40, HIGHEST_HZ = 16000;
const FLOOR_DB = -78, CEILING_DB = -18;

export const TILE_SEC = COLUMNS / PER_SEC;

const window_ = Float64Array.from({ length: SIZE },
  (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / SIZE));
const cosines = Float64Array.from({ length: SIZE / 2 }, (_, n) => Math.cos((2 * Math.PI * n) / SIZE));
const sines = Float64Array.from({ length: SIZE / 2 }, (_, n) => Math.sin((2 * Math.PI * n) / SIZE));
const reversed = Uint16Array.from({ length: SIZE }, (_, n) => {
  let out = 0;
  for (let bit = 1, b = n; bit < SIZE; bit <<= 1, b >>= 1) out = (out << 1) | (b & 1);
  return out;
});

/** In place, of arrays that are in bit-reversed order (Cooley and Tukey, radix 2). */
function fft(re, im) {
  for (let half = 1; half < SIZE; half *= 2) {
    const step = SIZE / (2 * half);
    for (let start = 0; start < SIZE; start += 2 * half) {
      for (let n = 0; n < half; n++) {
        const c = cosines[n * step], s = -sines[n * step], a = start + n, b = a + half;
        const x = re[b] * c - im[b] * s, y = re[b] * s + im[b] * c;
        re[b] = re[a] - x; im[b] = im[a] - y;
        re[a] += x; im[a] += y;
      }
    }
  }
}

export class Spectrogram {
  constructor() {
    this.tiles = new Map();
    this.re = new Float64Array(SIZE);
    this.im = new Float64Array(SIZE);
  }

  /**
   * @param samples first channel of a take
   * @param known how many of them are there
   */
  set(samples, rate, known = samples.length) {
    if (rate !== this.rate) {
      const highest = Math.min(HIGHEST_HZ, rate / 2), span = highest / LOWEST_HZ;
      this.edges = Array.from({ length: BANDS + 1 },
        (_, b) => (LOWEST_HZ * span ** (b / BANDS) * SIZE) / rate);
    }
    Object.assign(this, { samples, rate, known });
    this.tiles.clear();
  }

  changed(first, last) {
    this.known = Math.max(this.known, last);
    const from = Math.floor((first - SIZE) / this.rate / TILE_SEC);
    const to = Math.floor((last + SIZE) / this.rate / TILE_SEC);
    for (let tile = from; tile <= to; tile++) this.tiles.delete(tile);
  }

  /** Colours from quiet to loud, [r, g, b] each. */
  paint(quiet, loud) {
    this.colours = Array.from({ length: 256 }, (_, n) =>
      quiet.map((from, c) => from + ((loud[c] - from) * n) / 255));
    this.tiles.clear();
  }

  tile(number) {
    if (!this.tiles.has(number)) this.tiles.set(number, this.make(number));
    return this.tiles.get(number);
  }

  make(number) {
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: COLUMNS, height: BANDS });
    const context = canvas.getContext("2d");
    const image = context.createImageData(COLUMNS, BANDS);
    for (let column = 0; column < COLUMNS; column++) {
      const levels = this.column(Math.round(
        ((number * COLUMNS + column + 0.5) * this.rate) / PER_SEC - SIZE / 2));
      for (let band = 0; band < BANDS; band++) {
        const share = (levels[band] - FLOOR_DB) / (CEILING_DB - FLOOR_DB);
        const colour = this.colours[Math.round(255 * Math.max(0, Math.min(1, share)))];
        image.data.set([...colour, 255], 4 * ((BANDS - 1 - band) * COLUMNS + column));
      }
    }
    context.putImageData(image, 0, 0);
    return canvas;
  }

  /** Levels of the bands in dB, of the window that begins at a sample. */
  column(start) {
    const { re, im, samples } = this;
    for (let n = 0; n < SIZE; n++) re[reversed[n]] = (samples[start + n] ?? 0) * window_[n];
    im.fill(0);
    fft(re, im);
    const levels = new Float64Array(BANDS);
    for (let band = 0; band < BANDS; band++) {
      const low = Math.floor(this.edges[band]);
      const high = Math.min(Math.max(low, Math.floor(this.edges[band + 1])), SIZE / 2 - 1);
      let most = 1e-12;
      for (let bin = low; bin <= high; bin++) most = Math.max(most, re[bin] ** 2 + im[bin] ** 2);
      levels[band] = 10 * Math.log10(most) - 20 * Math.log10(SIZE / 4);
    }
    return levels;
  }
}
