/*
 * Brushes for timelines. Turns of a few milliseconds are narrower than a pixel: a Row adds up who had
 * how much of each column, and then paints each column for the one who had the most of it, so that
 * taking turns stays visible as stripes and nothing is painted that was not there.
 *
 *   solid block   on a CPU          thin line   waits for the database       hatched   queued
 */
import { hue, ink } from './palette.js';

const fine = () => Math.min(2, window.devicePixelRatio || 1);

export class Row {
  /* As wide as so many CSS pixels; its columns are device pixels. */
  constructor(width) {
    const columns = Math.ceil(width * fine());

    this.fine = fine();
    this.who = new Int32Array(columns).fill(-1); /* colour of the largest part so far */
    this.part = new Float32Array(columns); /* how large that part is */
    this.all = new Float32Array(columns);
  }

  clear() {
    this.who.fill(-1);
    this.part.fill(0);
    this.all.fill(0);
    return this;
  }

  /* From x0 to x1 (pixels) colour `who`; -2: nobody's. */
  add(from, to, who) {
    const n = this.all.length, x0 = from * this.fine, x1 = to * this.fine;
    const first = Math.max(0, Math.floor(x0)), last = Math.min(n - 1, Math.ceil(x1) - 1);

    for (let i = first; i <= last; i++) {
      const c = Math.min(i + 1, x1) - Math.max(i, x0);

      if (c <= 0) continue;
      this.all[i] += c;
      if (this.who[i] === who) this.part[i] += c;
      else if (c > this.part[i]) {
        this.who[i] = who;
        this.part[i] = c;
      }
    }
  }

  /* Less than half of a column is paler. label(who) -> text for wide runs. */
  paint(g, x, y, height, label) {
    const scale = 1 / this.fine;
    const level = (i) => (this.all[i] <= 0.004 ? 0 : this.all[i] > 0.45 ? 3 : this.all[i] > 0.12 ? 2 : 1);

    for (let i = 0, j; i < this.all.length; i = j) {
      const l = level(i);

      for (j = i + 1; j < this.all.length && level(j) === l && this.who[j] === this.who[i]; j++);
      if (l === 0) continue;
      g.globalAlpha = [0, 0.3, 0.6, 1][l];
      g.fillStyle = this.who[i] === -2 ? ink().other : hue(this.who[i]).fill;
      g.fillRect(x + i * scale, y, (j - i) * scale, height);
      if (label && this.who[i] !== -2 && l === 3) barLabel(g, x + i * scale, y, (j - i) * scale, height, this.who[i], label);
    }
    g.globalAlpha = 1;
  }
}

/* Rows for one frame after the other, without new ones for each. */
export class Rows {
  begin(width) {
    if (this.width !== width || this.fine !== fine()) this.list = [];
    this.width = width;
    this.fine = fine();
    this.taken = 0;
  }

  take() {
    if (this.taken === this.list.length) this.list.push(new Row(this.width));
    else this.list[this.taken].clear();
    return this.list[this.taken++];
  }
}

function barLabel(g, x, y, width, height, who, label) {
  const text = label(who);

  if (height < 9 || text === '' || width < 5 + 7 * text.length) return;
  g.fillStyle = hue(who).text;
  g.font = `600 ${Math.min(12, height - 2)}px ${ink().font}`;
  g.textAlign = 'center';
  g.textBaseline = 'middle';
  g.fillText(text, x + width / 2, y + height / 2 + 0.5);
}

/* Waits for the database: a thin line with ends. */
export function paintWait(g, x0, x1, y, height, color) {
  const mid = y + height / 2;

  g.fillStyle = color;
  g.fillRect(x0, mid - 1, Math.max(1, x1 - x0), 2);
  if (x1 - x0 > 6) {
    g.fillRect(x0, mid - 3, 1.5, 6);
    g.fillRect(x1 - 1.5, mid - 3, 1.5, 6);
  }
}

let hatch = null, hatchOf = '';

/* Queued: hatched, with an edge. */
export function paintQueue(g, x0, x1, y, height) {
  const width = x1 - x0;

  if (width < 0.7) return;
  if (!hatch || hatchOf !== ink().soft) {
    const tile = document.createElement('canvas'), t = tile.getContext('2d');

    tile.width = tile.height = 5;
    t.strokeStyle = hatchOf = ink().soft;
    t.lineWidth = 0.9;
    for (const d of [-5, 0, 5]) {
      t.beginPath();
      t.moveTo(d, 5);
      t.lineTo(d + 5, 0);
      t.stroke();
    }
    hatch = g.createPattern(tile, 'repeat');
  }
  const h = Math.max(4, height * 0.5), top = y + (height - h) / 2;

  g.fillStyle = hatch;
  g.globalAlpha = 0.75;
  g.fillRect(x0, top, width, h);
  g.strokeStyle = ink().soft;
  g.lineWidth = 0.6;
  if (width > 4) g.strokeRect(x0, top, width, h);
  g.globalAlpha = 1;
}

export function text(g, words, x, y, { color = ink().ink, size = 12, weight = 400, align = 'left', base = 'middle' } = {}) {
  g.fillStyle = color;
  g.font = `${weight} ${size}px ${ink().font}`;
  g.textAlign = align;
  g.textBaseline = base;
  g.fillText(words, x, y);
  return g.measureText(words).width;
}

/* A step of the axis that gives 4 to 10 of them, in seconds. */
export function axisStep(span) {
  const raw = span / 7, power = 10 ** Math.floor(Math.log10(raw));

  return [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw);
}
