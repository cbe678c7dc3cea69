/*
 * /status for people: the same counters as the JSON, refreshed each second, with the growth per
 * second beside those that only grow. It knows no counter by name but the list of workers: what the
 * server adds is shown.
 */
import { el } from './palette.js';

const $ = (id) => document.getElementById(id);
const words = (key) => key.replace(/_ms$/, ', ms').replaceAll('_', ' ');
const number = (v) => v.toLocaleString('en', { maximumFractionDigits: 3 }).replaceAll(',', '\u202f');
const text = (v) => (typeof v === 'number' ? number(v) : typeof v === 'boolean' ? (v ? 'yes' : 'no') : String(v));

/* Never a total, though it may grow. */
const LEVELS = /max|in_progress|open|uptime|pid|generation|cpus|wanted|lag|sampling|in_flight|alive|hash|connections$|idle|busy$|p50|p99/;

let before = null, beforeAt = 0;

function rate(now, old, seconds, key) {
  if (typeof now !== 'number' || typeof old !== 'number' || seconds <= 0 || LEVELS.test(key) || now <= old) return '';
  return `+${number(Math.round((now - old) / seconds))}/s`;
}

/* An object -> rows; objects within become rows with both names. */
function rows(group, old, seconds, prefix = '') {
  return Object.entries(group).flatMap(([key, value]) => {
    if (Array.isArray(value)) return value.flatMap((v, i) => (v && typeof v === 'object' ? rows(v, old?.[key]?.[i], seconds, `${prefix}${key === 'list' ? 'worker' : words(key)} ${i}: `) : []));
    if (value && typeof value === 'object') return rows(value, old?.[key], seconds, `${prefix}${words(key)}: `);
    return [el('tr', {}, el('th', { scope: 'row' }, prefix + words(key)), el('td', { class: 'num' }, text(value)), el('td', { class: 'num empty' }, rate(value, old?.[key], seconds, key)))];
  });
}

function showGroups(status, seconds) {
  const groups = Object.entries(status).filter(([key]) => key !== 'routes' && key !== 'problems');

  $('groups').replaceChildren(...groups.map(([key, group]) => el('section', {}, el('h3', {}, words(key)),
    el('table', {}, el('tbody', {}, ...rows(group && typeof group === 'object' ? group : { [key]: group }, before?.[key], seconds))))));
}

function showRoutes(routes, seconds) {
  const columns = [...new Set(Object.values(routes).flatMap(Object.keys))];
  const head = el('thead', {}, el('tr', {}, el('th', {}, 'route'), ...columns.map((c) => el('th', { class: 'num' }, words(c)))));
  const body = Object.entries(routes).sort().map(([path, r]) => el('tr', {}, el('td', {}, path), ...columns.map((c) => el('td', { class: 'num' }, text(r[c] ?? ''),
    el('span', { class: 'empty' }, ` ${c === 'answered_2xx' ? rate(r[c], before?.routes?.[path]?.[c], seconds, '') : ''}`)))));

  $('routes').replaceChildren(head, el('tbody', {}, ...body));
}

function showProblems(problems) {
  const list = Object.entries(problems || {});

  $('problems').replaceChildren(...(list.length ? [el('div', { class: 'title' }, el('h2', {}, 'Problems')), el('p', {}, ...list.flatMap(([name, n], i) => [i ? ' · ' : '',
    el('a', { href: `/problems/${name}` }, name), ` ${number(n)}`]))] : []));
}

async function refresh() {
  const response = await fetch(`/status?_=${Date.now()}`, { headers: { Accept: 'application/json' } });

  if (!response.ok) throw new Error(`/status: ${response.status}`);
  const status = await response.json(), now = performance.now(), seconds = before ? (now - beforeAt) / 1000 : 0, s = status.server;

  $('facts').textContent = `${s.version} · pid ${s.pid} · up ${Math.round(s.uptime_ms / 1000)} s · ${String(s.config).split('/').pop()}`;
  $('marks').textContent = s.draining ? 'finishing its requests' : '';
  showGroups(status, seconds);
  showRoutes(status.routes || {}, seconds);
  showProblems(status.problems);
  before = status;
  beforeAt = now;
}

async function again() {
  if ($('auto').checked && !document.hidden)
    await refresh().catch((error) => { $('marks').textContent = `${error.message}: trying again …`; });
  setTimeout(again, 1000);
}

$('origin').textContent = location.origin;
again();
