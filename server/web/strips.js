/*
 * The heart of the page: the same eight tasks, four ways, as four strips on one time axis. Each strip
 * has a row per task and, below, a lane per CPU; a dashed tick says when it was expected to end, a
 * solid line when it did. A strip grows from the live trace while its burst runs, and is drawn once
 * more from /trace.json of the burst when it is over.
 *
 *   a strip = {way, trace, from, ids, predicted (ms), summary or null}
 */
import { KIND } from './trace.js';
import { about, canvasFit, hue, ink, seconds, times } from './palette.js';
import { axisStep, paintQueue, paintWait, Row, text } from './paint.js';

const TASKS = 8;

export function createStrips(canvas) {
  let strips = [], limit = 0, drawn = '';

  /* axis: milliseconds that must have room; it only grows, so that strips stay comparable. */
  function show(list, axis) {
    strips = list;
    limit = axis;
    drawn = '';
  }

  const axisOf = (now) => Math.max(limit, ...strips.map((s) => (s.summary ? s.summary.wall_ms
    : s.from !== null ? (now - s.from) / 1000 : 0))) * 1.04;

  /* now: of the live trace, for strips that still grow. */
  function draw(now, cpus) {
    const growing = strips.some((s) => s.burst && !s.summary);
    const sign = [canvas.clientWidth, ink().paper, cpus, ...strips.map((s) => s.burst + (s.summary ? s.way.key : ''))].join();

    if ((!growing && sign === drawn) || canvas.clientWidth < 160) return;
    drawn = growing ? '' : sign;
    const wide = canvas.clientWidth > 700, big = ink().size > 15;
    const unit = big ? 11 : 8, lane = big ? 13 : 9, head = wide ? 8 : 40;
    const tall = head + TASKS * unit + 5 + cpus * lane + 12;
    const { g, width } = canvasFit(canvas, strips.length * tall + 22);
    const left = wide ? (big ? 330 : 256) : 44, right = wide ? (big ? 200 : 158) : 8;
    const axis = axisOf(now), scale = (width - left - right) / (axis * 1000);

    drawAxis(g, left, width - right, strips.length * tall, axis);
    const alone = strips[0]?.summary?.wall_ms;

    strips.forEach((s, i) => drawStrip(g, s, { alone, y: i * tall, tall, head, unit, lane, left, right, width, scale, now, cpus, wide, big }));
  }

  function drawAxis(g, left, right, bottom, axis) {
    const step = axisStep(axis / 1000);

    g.lineWidth = 1;
    for (let t = 0; t <= axis / 1000; t += step) {
      const x = Math.round(left + ((right - left) * t * 1000) / axis) + 0.5;

      g.strokeStyle = ink().rule;
      g.beginPath();
      g.moveTo(x, 2);
      g.lineTo(x, bottom);
      g.stroke();
      if (x + 12 < canvas.clientWidth) text(g, `${+t.toFixed(2)}${t === 0 ? '' : ' s'}`, x, bottom + 11, { color: ink().soft, size: 11, align: 'center' });
    }
  }

  function drawStrip(g, s, v) {
    const top = v.y + v.head;

    if (v.y > 0) {
      g.fillStyle = ink().rule;
      g.fillRect(0, v.y, v.width, 1);
    }
    drawTitle(g, s, v);
    if (s.from !== null) drawRows(g, s, v, top);
    drawEnds(g, s, v, top);
  }

  function drawTitle(g, s, v) {
    const size = v.big ? 19 : v.wide ? 15 : 13, small = v.big ? 15 : 12;
    const y = v.wide ? v.y + 22 : v.y + 13;

    text(g, s.way.name, 0, y, { size, weight: 650 });
    const lines = v.wide ? s.way.words : [s.way.short];

    lines.forEach((line, i) => text(g, line, 0, y + (size + 5) + i * (small + 5), { size: small, color: ink().soft }));
  }

  function drawRows(g, s, v, top) {
    const x = (t) => v.left + (t - s.from) * v.scale;
    const to = s.summary ? s.from + s.summary.wall_ms * 1000 : v.now;
    const columns = Math.max(1, Math.ceil(x(to) - v.left));
    /* the loop is one thread: one CPU at a time, whichever the kernel gives it */
    const one = s.way.plan.run === 'loop';
    const rows = s.ids.map(() => new Row(columns)), lanes = Array.from({ length: one ? 1 : v.cpus }, () => new Row(columns));

    s.ids.forEach((id, i) => drawRow(g, s, v, id, i, top + i * v.unit, x, to));
    s.trace.bars(s.from, to, (cpu, request, who, a, b) => {
      const i = request ? s.ids.indexOf(request) : -1;

      if (i >= 0) rows[i].add(x(a) - v.left, x(b) - v.left, i);
      if (one ? who === 0 : lanes[cpu] && (i >= 0 || request === 0)) lanes[one ? 0 : cpu].add(x(a) - v.left, x(b) - v.left, i >= 0 ? i : -2);
    });
    rows.forEach((row, i) => row.paint(g, v.left, top + i * v.unit + 0.5, v.unit - 1.5, null));
    lanes.forEach((row, c) => {
      const y = top + TASKS * v.unit + 5 + c * v.lane;

      g.fillStyle = ink().faint;
      g.fillRect(v.left, y, columns, v.lane - 1);
      row.paint(g, v.left, y, v.lane - 1, (i) => String(i + 1));
      text(g, one ? 'one cpu' : `cpu ${c}`, v.left - 6, y + v.lane / 2, { size: v.big ? 12 : 9.5, color: ink().soft, align: 'right' });
    });
  }

  function drawRow(g, s, v, id, i, y, x, to) {
    const r = s.trace.requests.get(id), color = hue(i);

    text(g, String(i + 1), v.left - 6, y + v.unit / 2, { size: v.big ? 11 : 9, color: ink().soft, align: 'right' });
    if (!r) return;
    for (const p of r.spans) {
      const a = x(p.start), b = x(Math.min(p.end, to));

      if (p.kind === KIND.QUERY) paintWait(g, a, b, y, v.unit, color.line);
      else if (p.kind === KIND.QUEUE || p.kind === KIND.GATE) paintQueue(g, a, b, y, v.unit);
    }
    if (r.end !== null) return;
    if (r.state === 'db') paintWait(g, x(r.since), x(to), y, v.unit, color.line);
    else if (r.state === 'queue' || r.state === 'gate') paintQueue(g, x(r.since), x(to), y, v.unit);
  }

  /* When it should end, and when it did. */
  function drawEnds(g, s, v, top) {
    const bottom = v.y + v.tall - 6, px = v.left + s.predicted * 1000 * v.scale;

    g.strokeStyle = ink().ink;
    g.lineWidth = 1.5;
    g.setLineDash([3, 3]);
    g.beginPath();
    g.moveTo(px, top - 3);
    g.lineTo(px, bottom);
    g.stroke();
    g.setLineDash([]);
    if (s.summary) {
      const mx = v.left + s.summary.wall_ms * 1000 * v.scale;

      g.fillStyle = ink().ink;
      g.fillRect(mx, top - 3, 2, bottom - top + 3);
    }
    drawMeasured(g, s, v, top);
  }

  function drawMeasured(g, s, v, top) {
    const running = s.from !== null && !s.summary;
    const took = s.summary ? seconds(s.summary.wall_ms) : running ? seconds((v.now - s.from) / 1000) : '';

    if (!v.wide) {
      const words = s.summary ? `${took}, expected ${(s.predicted / 1000).toFixed(1)} s · ${times(v.alone / s.summary.wall_ms)}`
        : `${running ? `${took}, ` : ''}expected ${(s.predicted / 1000).toFixed(1)} s`;

      text(g, words, v.width, v.y + 13, { size: 12, align: 'right', weight: s.summary ? 600 : 400 });
      if (s.summary)
        text(g, `${s.summary.requests_max} in progress, ${s.summary.running_max} running`, v.width, v.y + 30, { size: 11, align: 'right', color: ink().soft });
      return;
    }
    const x = v.width, k = v.big ? 1.35 : 1;

    text(g, took || '–', x, v.y + 24 * k, { size: 22 * k, weight: s.summary ? 600 : 300, align: 'right', color: s.summary ? ink().ink : ink().accent });
    text(g, `expected ${about(s.predicted).replace('about ', '')}`, x, v.y + 44 * k, { size: 12 * k, color: ink().soft, align: 'right' });
    if (!s.summary) return;
    const { requests_max: r, running_max: n } = s.summary;

    text(g, `requests in progress  ${r}`, x, v.y + 64 * k, { size: 12 * k, align: 'right', weight: r > 1 ? 650 : 400, color: r > 1 ? ink().ink : ink().soft });
    text(g, `running  ${n}`, x, v.y + 80 * k, { size: 12 * k, align: 'right', weight: n > 1 ? 650 : 400, color: n > 1 ? ink().ink : ink().soft });
    text(g, `${times(v.alone / s.summary.wall_ms)} against one at a time`, x, v.y + 96 * k, { size: 11 * k, align: 'right', color: ink().soft });
  }

  return { show, draw };
}

/* For those who can't see it. */
export function stripsText(strips) {
  return strips.filter((s) => s.summary).map((s) => `${s.way.name}: ${seconds(s.summary.wall_ms)}, expected ${seconds(s.predicted)}; `
    + `at most ${s.summary.requests_max} in progress and ${s.summary.running_max} running.`).join(' ');
}
