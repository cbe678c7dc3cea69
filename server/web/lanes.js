/*
 * The live timeline: lanes from top to bottom (CPUs, loop, database connections in use, workers, requests),
 * below them the three counts as steps, all on one time axis. Which time is shown is a View: it runs
 * along with the server's clock, a moment behind (CPU slices come 10-30 ms late, batches 50), until
 * somebody pauses, drags or slows it.
 */
import { courseAt, firstPoint, KIND, LANE, within } from './trace.js';
import { canvasFit, hue, ink } from './palette.js';
import { axisStep, paintQueue, paintWait, Rows, text } from './paint.js';

const BEHIND = 150000; /* us */

export class View {
  constructor() {
    this.span = 5e6;
    this.rate = 1;
    this.paused = false;
    this.offset = null; /* server's clock minus ours, us */
    this.end = 0;
    this.last = 0;
  }

  /* A batch that ended at `to` (server's clock) has come. The quickest one tells the clock best. */
  sync(to) {
    const offset = to - performance.now() * 1000;

    if (this.offset === null || offset > this.offset || offset < this.offset - 2e6) this.offset = offset;
    else this.offset -= 20; /* our clocks may drift */
  }

  live() {
    return this.offset === null ? 0 : performance.now() * 1000 + this.offset - BEHIND;
  }

  /* Moves on; oldest: what is still there. */
  tick(oldest) {
    const now = performance.now() * 1000, passed = now - this.last;

    this.last = now;
    if (this.paused) return;
    if (this.rate === 1) this.end = this.live();
    else this.end = Math.max(oldest + this.span, Math.min(this.live(), this.end + passed * this.rate));
  }

  zoom(factor, at = 1) {
    const span = Math.min(60e6, Math.max(5000, this.span * factor));

    if (this.paused) this.end += (span - this.span) * (1 - at);
    this.span = span;
  }
}

/* Heights, all in one place. */
function measure(width, cpus, workers) {
  const big = ink().size > 15 ? 1.3 : 1, narrow = width < 700;
  const m = { left: narrow ? 80 : Math.round(104 * big), right: narrow ? 8 : 14, gap: Math.round(9 * big), size: (narrow ? 10.5 : 11.5) * big };
  let y = 6;
  const group = (name, rows, each) => {
    m[name] = { y, rows, each: Math.round(each * big) };
    y += rows * m[name].each + m.gap;
  };

  group('cpu', cpus, cpus > 8 ? 9 : 20);
  group('loop', 1, 13);
  group('db', 1, 44);
  group('worker', Math.max(workers, 0), workers > 8 ? 7 : 13);
  group('request', 1, 152);
  group('tasks', 1, 46);
  group('running', 1, 34);
  group('queries', 1, 34);
  m.axis = y - m.gap + 4;
  m.height = m.axis + 20;
  return m;
}

export function createLanes(canvas, view) {
  const pool = new Rows();
  let m = null, width = 0, rowsOf = [], shown = null;

  const x = (t) => m.left + ((t - (view.end - view.span)) / view.span) * (width - m.left - m.right);

  /* look: {cpus, workers, pinned (id or 0), mine (function or null), until (a moment: nothing after it)} */
  function draw(trace, look) {
    if (canvas.clientWidth < 160) return; /* not laid out yet */
    m = measure(canvas.clientWidth, look.cpus, look.workers);
    const fit = canvasFit(canvas, m.height), g = fit.g;

    width = fit.width;
    shown = trace;
    const from = view.end - view.span, to = view.end;

    drawFrame(g, from, to);
    const alpha = (id) => (look.pinned && look.pinned !== id) || (look.mine && id && !look.mine(id)) ? 0.18 : 1;

    rowsOf = requestRows(trace, from, to, look);
    drawRequests(g, trace, from, to, look, alpha);
    drawDatabase(g, trace, from, to, alpha);
    drawBars(g, trace, from, to, look);
    drawCounts(g, trace, from, to, look);
    if (look.pinned) drawArrows(g, trace, from, to, look.pinned);
    if (look.until < to) hideAfter(g, look.until);
  }

  /* A replay has come so far only. */
  function hideAfter(g, t) {
    const at = Math.max(m.left, x(t));

    g.fillStyle = ink().paper;
    g.fillRect(at, 0, width - at, m.axis);
    g.fillStyle = ink().accent;
    g.fillRect(at, 0, 1, m.axis);
  }

  function drawFrame(g, from, to) {
    const names = [['cpu', 'CPUs'], ['loop', 'loop'], ['db', 'database'], ['worker', 'workers'], ['request', 'requests'],
      ['tasks', 'in progress'], ['running', 'running'], ['queries', width < 700 ? 'in Postgres' : 'in PostgreSQL']];
    const step = axisStep(view.span / 1e6) * 1e6, digits = Math.max(0, -Math.floor(Math.log10(step / 1e6)));

    for (let t = Math.ceil(from / step) * step; t < to; t += step) {
      g.fillStyle = ink().rule;
      g.globalAlpha = 0.7;
      g.fillRect(Math.round(x(t)), 0, 1, m.axis);
      g.globalAlpha = 1;
      text(g, `${(t / 1e6).toFixed(digits)} s`, x(t), m.axis + 10, { size: 11, color: ink().soft, align: 'center' });
    }
    for (const [key, name] of names) {
      const l = m[key];

      if (l.rows === 0) continue;
      if (key === 'cpu' || key === 'worker')
        for (let i = 0; i < l.rows; i++) {
          g.fillStyle = ink().faint;
          g.fillRect(m.left, l.y + i * l.each, width - m.left - m.right, l.each - 2);
          text(g, `${key} ${i}`, m.left - 8, l.y + (i + 0.5) * l.each - 1, { size: Math.min(m.size, l.each), color: ink().soft, align: 'right' });
        }
      else
        text(g, name, m.left - 8, l.y + Math.min(l.each / 2, 8), { size: m.size, color: ink().soft, align: 'right' });
      g.fillStyle = ink().rule;
      g.fillRect(0, l.y - Math.round(m.gap / 2), width - m.right, 1);
    }
  }

  /* Which requests get a row: those of the window, each in its slot. */
  function requestRows(trace, from, to, look) {
    const list = [];

    for (const r of trace.requests.values())
      if (r.slot >= 0 && r.start < to && (r.end === null || r.end > from) && !r.parent && (!look.mine || look.mine(r.id))) list.push(r);
    const used = [...new Set(list.map((r) => r.slot))].sort((a, b) => a - b), place = new Map(used.map((slot, i) => [slot, i]));
    const rows = Math.max(used.length, 8), each = Math.max(5, Math.min(19, m.request.each / rows));
    const room = Math.floor(m.request.each / each);

    return list.map((r) => ({ r, row: place.get(r.slot), y: m.request.y + place.get(r.slot) * each, each }))
      .filter((p) => p.row < room);
  }

  function drawRequests(g, trace, from, to, look, alpha) {
    const done = new Map(); /* row -> painted up to there: what ends before it would not be seen */

    g.save();
    g.beginPath();
    g.rect(m.left, m.request.y - 1, width - m.left - m.right, m.request.each + 3);
    g.clip();
    for (const { r, row, y, each } of rowsOf) {
      const a = Math.max(x(r.start), m.left), b = x(r.end === null ? to : Math.min(r.end, to)), h = each - 2, color = hue(colorOf(r));

      if (b <= (done.get(row) ?? -1) && look.pinned !== r.id) continue;
      done.set(row, Math.max(b, a + 1));
      g.globalAlpha = alpha(r.id) * 0.13;
      g.fillStyle = color.fill;
      g.fillRect(a, y, Math.max(1, b - a), h);
      g.globalAlpha = alpha(r.id);
      for (const p of r.spans) {
        if (p.end < from || p.start > to) continue;
        if (p.kind === KIND.QUERY) paintWait(g, x(p.start), x(p.end), y, h, color.line);
        else if (p.kind === KIND.QUEUE || p.kind === KIND.GATE || p.kind === KIND.LOCK) paintQueue(g, x(p.start), x(p.end), y, h);
      }
      if (r.end === null && r.since < to)
        if (r.state === 'db') paintWait(g, x(r.since), b, y, h, color.line);
        else if (r.state === 'queue' || r.state === 'gate') paintQueue(g, x(r.since), b, y, h);
    }
    g.restore();
  }

  /* Connections in use; each lane that had a query in the window. */
  function drawDatabase(g, trace, from, to, alpha) {
    const used = [...trace.lanes.entries()].filter(([lane]) => lane >= LANE.FAST && lane < LANE.WORKER).sort((a, b) => a[0] - b[0])
      .map(([, list]) => {
        const seen = [];

        within(list, from, to, (s) => seen.push(s));
        return seen.reverse(); /* the latest came first */
      }).filter((seen) => seen.length > 0);
    const each = Math.max(2, Math.min(7, m.db.each / Math.max(used.length, 6)));

    used.slice(0, Math.floor(m.db.each / each)).forEach((seen, i) => {
      let done = -1; /* painted up to there: what ends before it would not be seen */

      for (const s of seen) {
        const r = trace.requests.get(s.request), a = Math.max(x(s.start), m.left), b = Math.min(x(s.end), width - m.right);

        if (b <= done) continue;
        done = Math.max(b, a + 0.7);
        g.globalAlpha = alpha(s.request);
        g.fillStyle = r ? hue(colorOf(r)).line : ink().other;
        g.fillRect(a, m.db.y + i * each, Math.max(0.7, b - a), Math.max(1.5, Math.min(3, each - 2)));
      }
    });
    g.globalAlpha = 1;
  }

  /* CPUs, loop, workers and the blocks in the rows of requests: what ran. */
  function drawBars(g, trace, from, to, look) {
    const columns = Math.max(1, Math.ceil(width - m.left - m.right));
    const make = (n) => Array.from({ length: n }, () => pool.take());

    pool.begin(columns);
    const cpus = make(look.cpus), loop = pool.take(), workers = make(look.workers);
    const rows = new Map(), rowOf = new Map(); /* place -> Row, request -> place */
    const label = labels(trace);

    for (const p of rowsOf) {
      if (!rows.has(p.row)) rows.set(p.row, Object.assign(pool.take(), { y: p.y, each: p.each }));
      rowOf.set(p.r.id, p.row);
    }
    const dim = (id) => (look.pinned && look.pinned !== id) || (look.mine && !look.mine(id));

    trace.bars(from, to, (cpu, request, who, a, b) => {
      const r = request ? trace.requests.get(request) : null;
      const color = r && !dim(request) ? colorOf(r) : -2, x0 = x(a) - m.left, x1 = x(b) - m.left;

      if (cpus[cpu]) cpus[cpu].add(x0, x1, color);
      if (who === 0) loop.add(x0, x1, color);
      if (r && rowOf.has(request)) rows.get(rowOf.get(request)).add(x0, x1, color);
    });
    workers.forEach((row, i) => {
      within(trace.lanes.get(LANE.WORKER + i) || [], from, to, (s) => {
        const r = trace.requests.get(s.request);

        row.add(x(s.start) - m.left, x(s.end) - m.left, r && !dim(s.request) ? colorOf(r) : -2);
      });
    });
    cpus.forEach((row, i) => row.paint(g, m.left, m.cpu.y + i * m.cpu.each, m.cpu.each - 2, label));
    loop.paint(g, m.left, m.loop.y, m.loop.each - 2, null);
    workers.forEach((row, i) => row.paint(g, m.left, m.worker.y + i * m.worker.each + 2, m.worker.each - 6, null));
    for (const row of rows.values()) row.paint(g, m.left, row.y + 1, row.each - 4, null);
    for (const p of rowsOf) drawNumber(g, p, to);
  }

  /* The number of a request, where its row begins. */
  function drawNumber(g, { r, y, each }, to) {
    const a = Math.max(x(r.start), m.left), room = x(r.end === null ? to : Math.min(r.end, to)) - a, name = labelOf(r);
    const size = Math.min(11, each - 4), need = 6 + name.length * size * 0.65, color = hue(colorOf(r));

    if (each < 10 || room < need) return;
    g.fillStyle = color.fill;
    g.fillRect(a, y, need, each - 2);
    text(g, name, a + need / 2, y + each / 2 - 0.5, { size, weight: 700, color: color.text, align: 'center' });
  }

  /* Colour -> what is written in its bars: the number of the one request that has it, or nothing. */
  function labels() {
    const names = new Map();

    for (const { r } of rowsOf) {
      const c = colorOf(r), name = labelOf(r);

      names.set(c, names.has(c) && names.get(c) !== name ? '' : name);
    }
    return (c) => names.get(c) ?? '';
  }

  function drawCounts(g, trace, from, to, look) {
    drawSteps(g, m.tasks, trace.tasks, from, to, ink().accent, 'task');
    drawSteps(g, m.queries, trace.queries, from, to, ink().soft, 'query', 'queries');
    const l = m.running, h = l.each - 4, base = l.y + h, most = Math.max(look.cpus, 1);
    const columns = Math.ceil(width - m.left - m.right), peak = new Float32Array(columns + 1), mean = new Float32Array(columns + 1);

    trace.running(from, to, (a, b, count) => {
      if (count === 0) return;
      const x0 = x(a) - m.left, x1 = x(b) - m.left;

      for (let i = Math.floor(x0); i < x1 && i < columns; i++) {
        const c = Math.min(i + 1, x1) - Math.max(i, x0);

        mean[i] += c * count;
        if (c > 0) peak[i] = Math.max(peak[i], count);
      }
    });
    for (let i = 0; i < columns; i++) {
      g.fillStyle = ink().good;
      g.globalAlpha = 0.3;
      g.fillRect(m.left + i, base - (peak[i] / most) * h, 1, (peak[i] / most) * h);
      g.globalAlpha = 0.85;
      g.fillRect(m.left + i, base - (mean[i] / most) * h, 1, (mean[i] / most) * h);
    }
    g.globalAlpha = 1;
    g.strokeStyle = ink().soft;
    g.setLineDash([4, 4]);
    g.beginPath();
    g.moveTo(m.left, base - h);
    g.lineTo(width - m.right, base - h);
    g.stroke();
    g.setLineDash([]);
    text(g, `${look.cpus} CPU${look.cpus === 1 ? '' : 's'}`, m.left - 8, l.y + l.each - 9, { size: m.size - 1.5, color: ink().soft, align: 'right' });
  }

  /* A course as steps; where many changes share a pixel, from their least to their most. */
  function drawSteps(g, l, course, from, to, color, what, several = `${what}s`) {
    const h = l.each - 6, base = l.y + l.each - 2, first = courseAt(course, from), steps = [];
    let most = Math.max(1, first), last = first, column = null;

    for (let i = firstPoint(course, from); i < course.length && course[i][0] < to; i++) {
      const at = Math.floor(x(course[i][0])), value = course[i][1];

      if (!column || column.at !== at) steps.push((column = { at, low: Math.min(last, value), high: Math.max(last, value), last: value }));
      else Object.assign(column, { low: Math.min(column.low, value), high: Math.max(column.high, value), last: value });
      most = Math.max(most, value);
      last = value;
    }
    const y = (value) => base - (value / most) * h;

    g.beginPath();
    g.moveTo(x(from), y(first));
    last = first;
    for (const s of steps) {
      for (const value of [last, s.low, s.high, s.last]) g.lineTo(s.at + 0.5, y(value));
      last = s.last;
    }
    g.lineTo(x(to), y(last));
    g.strokeStyle = color;
    g.lineWidth = 1.5;
    g.stroke();
    text(g, most > 1 || first > 0 || steps.length > 0 ? `most ${most} ${most === 1 ? what : several}` : '', m.left - 8, l.y + l.each - 8, { size: m.size - 1.5, color: ink().soft, align: 'right' });
  }

  /* From the pinned request's row to each of its tasks. */
  function drawArrows(g, trace, from, to, id) {
    const p = rowsOf.find((row) => row.r.id === id);

    if (!p) return;
    const tasks = p.r.spans.filter((s) => s.kind === KIND.TASK && s.start < to && s.end > from).slice(0, 60);

    g.strokeStyle = ink().ink;
    g.fillStyle = ink().ink;
    g.lineWidth = 0.8;
    g.globalAlpha = 0.75;
    for (const s of tasks) {
      const lane = s.lane & LANE.GROUP, worker = s.lane & 0xfff;
      const y1 = lane === LANE.WORKER ? m.worker.y + (worker + 1) * m.worker.each - 3 : m.loop.y + m.loop.each;
      const x1 = Math.max(m.left, x(s.start)), y0 = p.y;

      g.beginPath();
      g.moveTo(x1, y0);
      g.lineTo(x1, y1 + 4);
      g.stroke();
      g.beginPath();
      g.moveTo(x1, y1);
      g.lineTo(x1 - 3, y1 + 5);
      g.lineTo(x1 + 3, y1 + 5);
      g.fill();
    }
    for (const s of p.r.spans.filter((q) => q.kind === KIND.LOCK && q.end > from && q.start < to)) drawHolder(g, trace, p, s);
    g.globalAlpha = 1;
  }

  /* The lock it waited for came from there. */
  function drawHolder(g, trace, p, s) {
    const holder = rowsOf.find((row) => row.r.id === s.arg), at = x(s.end);

    if (!holder) return;
    g.strokeStyle = ink().warn;
    g.lineWidth = 1.5;
    g.beginPath();
    g.moveTo(at, holder.y + holder.each / 2);
    g.lineTo(at, p.y + p.each / 2);
    g.stroke();
    g.fillStyle = ink().warn;
    g.beginPath();
    g.arc(at, holder.y + holder.each / 2, 3, 0, 7);
    g.fill();
  }

  /* The request at a point of the canvas, or 0. */
  function hit(px, py) {
    if (!m || !shown) return 0;
    const row = rowsOf.find(({ r, y, each }) => py >= y && py < y + each && px >= x(r.start) - 3 && px <= (r.end === null ? width : x(r.end) + 3));

    if (row) return row.r.id;
    const t = view.end - view.span + ((px - m.left) / (width - m.left - m.right)) * view.span, near = (view.span / width) * 3;
    let found = 0;

    if (py < m.cpu.y + m.cpu.rows * m.cpu.each) {
      const wanted = Math.floor((py - m.cpu.y) / m.cpu.each);

      shown.bars(t - near, t + near, (cpu, request) => { if (cpu === wanted && request) found = request; });
    }
    return found;
  }

  return { draw, hit, perPixel: () => view.span / Math.max(1, width - (m ? m.left + m.right : 0)), left: () => (m ? m.left : 0) };
}

export const colorOf = (r) => (r.place >= 0 ? r.place : r.id);
export const labelOf = (r) => (r.place >= 0 ? String(r.place + 1) : `#${r.id % 10000}`);
