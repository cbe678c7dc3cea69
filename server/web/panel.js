/*
 * Below the lanes: the table of requests (those that are there, then the latest that were) and the
 * detail of the pinned one. Rebuilt a few times a second, and only if something changed.
 */
import { KIND } from './trace.js';
import { colorOf, labelOf } from './lanes.js';
import { el, hue, seconds } from './palette.js';

const ROWS = 40, LOOKED = 500; /* of the latest requests */
const STATES = { gate: 'waits for its turn', queue: 'queued', db: 'waits for the database', cpu: 'computes in a worker',
  loop: 'on the loop', client: 'waits for its client', done: 'done' };

export function chip(r) {
  const color = hue(colorOf(r)), node = el('span', { class: 'chip' }, labelOf(r));

  node.style.background = color.fill;
  node.style.color = color.text;
  return node;
}

const tookOf = (r, now) => Math.max(0, ((r.end ?? now) - r.start) / 1000);

export function createPanel(table, detail, pin) {
  const body = table.tBodies[0];
  let drawn = '', told = '';

  const idOf = (event) => Number(event.target.closest('tr[data-id]')?.dataset.id || 0);

  body.addEventListener('click', (event) => pin(idOf(event)));
  body.addEventListener('keydown', (event) => { if (event.key === 'Enter') pin(idOf(event)); });

  function draw(trace, look, now) {
    const list = [...trace.requests.values()].slice(-LOOKED)
      .filter((r) => r.slot >= 0 && !r.parent && (!look.mine || look.mine(r.id)))
      .sort((a, b) => (a.end === null ? 0 : 1) - (b.end === null ? 0 : 1) || b.start - a.start).slice(0, ROWS);
    const sign = list.map((r) => `${r.id}${r.state}${r.end === null ? Math.round(now / 1e5) : ''}${r.id === look.pinned}`).join();

    if (sign !== drawn) {
      drawn = sign;
      const focused = document.activeElement?.closest?.('tr[data-id]')?.dataset.id;

      body.replaceChildren(...(list.length ? list.map((r) => row(r, look, now))
        : [el('tr', {}, el('td', { colspan: 4, class: 'empty' }, 'No request yet. Press a button above, or use curl.'))]));
      if (focused) body.querySelector(`tr[data-id="${focused}"]`)?.focus();
    }
  }

  const row = (r, look, now) => el('tr', { 'data-id': r.id, tabindex: 0, class: r.id === look.pinned ? 'pinned' : null },
    el('td', {}, chip(r)), el('td', {}, r.path || ''), el('td', {}, STATES[r.state] || r.state),
    el('td', { class: 'num' }, seconds(tookOf(r, now))));

  /* The parts of one request, from the trace, or exactly as the server told them. */
  function showDetail(trace, id, now) {
    const r = trace.requests.get(id), sign = r ? `${id} ${r.state} ${Boolean(r.line)} ${r.end ?? Math.round(now / 1e5)}` : '';

    if (sign === told && detail.firstChild) return;
    told = sign;
    if (!r) {
      detail.replaceChildren(el('p', { class: 'empty' }, 'Click a bar or a row: its parts and tasks are shown here.'));
      return;
    }
    const parts = r.line ? { queued: r.line.queue_ms, database: r.line.db_ms, CPU: r.line.cpu_ms, loop: r.line.loop_ms } : partsOf(trace, r);
    const total = r.line ? r.line.total_ms : tookOf(r, now), most = Math.max(total, ...Object.values(parts), 0.001);
    const tasks = r.spans.filter((s) => s.kind === KIND.TASK), lanes = new Set(tasks.map((s) => s.lane));
    const grid = el('div', { class: 'parts' });

    for (const [name, ms] of Object.entries(parts)) {
      const bar = el('span', { class: 'bar' });

      bar.style.width = `${(ms / most) * 100}%`;
      bar.style.background = hue(colorOf(r)).fill;
      grid.append(el('span', {}, name), el('span', { class: 'num' }, seconds(ms)), el('span', { class: 'track' }, bar));
    }
    detail.replaceChildren(
      el('h3', {}, chip(r), ` ${r.path || ''} · ${r.end === null ? 'so far ' : ''}${seconds(total)}`),
      grid,
      el('p', {}, tasks.length ? `${tasks.length} task${tasks.length > 1 ? 's' : ''} on ${lanes.size} ${lanes.size > 1 ? 'processes' : 'process'}. ` : 'No tasks to compute. ',
        el('a', { href: `/trace.svg?request=${id}`, target: '_blank' }, 'picture'), ' · ', el('a', { href: `/trace.json?request=${id}`, download: `trace-${id}.json` }, 'trace for Perfetto')));
  }

  return { draw, showDetail };
}

function partsOf(trace, r) {
  const sum = (kinds) => r.spans.filter((s) => kinds.includes(s.kind)).reduce((n, s) => n + s.end - s.start, 0) / 1000;
  const parts = { queued: sum([KIND.QUEUE, KIND.GATE]), database: sum([KIND.QUERY]), CPU: 0, loop: sum([KIND.LOOP]) };

  trace.bars(r.start, r.end ?? trace.to, (cpu, request, who, a, b) => { if (request === r.id && who > 0) parts.CPU += (b - a) / 1000; });
  return parts;
}
