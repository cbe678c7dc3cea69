/*
 * The last `make compare` on this machine, or else the reference run, as a table with bars.
 * compare.json is cut from results.json by loadtest/page.jq; nothing is computed here but the length
 * of bars.
 */
import { el, seconds } from './palette.js';

/* In the order of the story; what is not there is left out. */
const STORY = [
  ['the same 8 tasks', 'the same 8 tasks'], ['db/sleep, 50 at once', '50 waits of 100 ms at once'], ['cpu', 'computations'],
  ['mixed', 'a mix of all'], ['mixed p99', '99 % of the mix: within'], ['db p99, idle', '99 % of /db, idle: within'],
  ['db p99 while cpu', '99 % of /db while others compute: within'], ['plaintext', '/plaintext'], ['db', '/db'], ['queries', '/queries?queries=20'],
];
const WORK = [0, 10, 25, 50, 75, 100].map((share) => [`work, ${share} % CPU`, `${share} % computing`]);

const $ = (id) => document.getElementById(id);
const shortName = (config) => config.replace(/.*\//, '').replace(/\.conf$/, '');
const value = (c) => (c.unit === 'ms' ? seconds(c.median) : `${Math.round(c.median).toLocaleString('en').replaceAll(',', '\u202f')}/s`);

/* How good, from 0 to 1, among those of its row: less time, or more requests. */
function goodness(cell, row) {
  const all = row.filter(Boolean).map((c) => c.median);

  return cell.unit === 'ms' ? Math.min(...all) / cell.median : cell.median / Math.max(...all);
}

/* As good as the best, as far as the spread of the rounds tells? */
function isBest(cell, row) {
  const best = row.filter(Boolean).reduce((a, b) => (goodness(b, row) > goodness(a, row) ? b : a));

  return cell.min <= best.max && best.min <= cell.max;
}

function cellOf(cell, row) {
  if (!cell) return el('td', {}, '–');
  const share = goodness(cell, row), bar = el('span', { class: 'bar' });

  bar.style.width = `${Math.max(1, share * 100)}%`;
  return el('td', { class: isBest(cell, row) ? 'best' : null, title: `from ${cell.min} to ${cell.max} ${cell.unit}` },
    el('span', { class: 'value' }, value(cell)), el('span', { class: 'track' }, bar), el('span', { class: 'limit' }, cell.limit || ''));
}

function show(table, names, data) {
  const rows = names.map(([key, words]) => [words, data.configs.map((config) => data.rows.find((r) => r.row === key && r.config === config))])
    .filter(([, cells]) => cells.some(Boolean));

  table.replaceChildren(
    el('thead', {}, el('tr', {}, el('th', {}, ''), ...data.configs.map((c) => el('th', {}, shortName(c))))),
    el('tbody', {}, ...rows.map(([words, cells]) => el('tr', {}, el('th', { scope: 'row' }, words), ...cells.map((c) => cellOf(c, cells))))));
}

async function load() {
  const data = await (await fetch('/compare.json')).json();

  $('machine').textContent = `${data.date.replace('T', ' ').replace('Z', ' UTC')} · ${data.cpu} · ${data.cpus} CPUs · Linux ${data.kernel} · ${data.rounds} rounds · commit ${data.commit}. `
    + 'These are stored measurements, not of this server now: make compare and then make run show yours here.';
  show($('story'), STORY, data);
  show($('work'), WORK, data);
}

load().catch((error) => { $('marks').textContent = `compare.json could not be read: ${error.message}`; });
