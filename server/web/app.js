/*
 * The live page: puts the parts together. Feed (what ran) -> Trace -> lanes and strips on canvas; buttons ->
 * Runner -> bursts -> measured beside expected. About 35 frames a second are drawn at most, none while the
 * page is hidden; strips only while they grow.
 *
 *   feed.js  trace.js        what ran              scenarios.js  what can be tried, and what to expect
 *   lanes.js strips.js       how it is drawn       runner.js bursts.js   asks for it
 *   paint.js palette.js      brushes and colours   panel.js  lessons.js  table, detail; the seven lessons
 *   recorded.js              what the first visitor sees
 */
import { curlOf } from './bursts.js';
import { Feed } from './feed.js';
import { createLanes, View } from './lanes.js';
import { createLesson } from './lessons.js';
import { about, disturbed, el, paletteRead, seconds, times } from './palette.js';
import { createPanel } from './panel.js';
import { recordedLoad, recordedPack } from './recorded.js';
import { Runner } from './runner.js';
import { SCENARIOS, scenario, WAYS, waysOf } from './scenarios.js';
import { createStrips, stripsText } from './strips.js';

const $ = (id) => document.getElementById(id);
const params = new URLSearchParams(location.search);
const calm = matchMedia('(prefers-reduced-motion: reduce)');
const view = new View();

let recording = null; /* {trace, strips, began (ms of our clock), total (us), date} until work is seen */
let strips = [];
let pinned = 0, onlyMine = false, factor = null;

const feed = new Feed({ hello: showFacts, state: (words) => mark('feed', words), work: endRecording });
const host = () => ({ cpus: feed.hello?.cpus || 2, workers: feed.hello ? feed.hello.workers : 2, slow: feed.hello?.limits.db_slow || 64,
  one: feed.hello?.limits.max_in_progress === 1 });
const where = () => document.querySelector('input[name=run]:checked').value;
const runner = new Runner(feed, host, { busy: showBusy, done: showDone, four: showFour });
const lanes = createLanes($('lanes'), view);
const four = createStrips($('strips'));
const panel = createPanel($('requests'), $('detail'), pin);
const lesson = createLesson($('lesson'), params.get('lesson'), { run: start, host });

/* ---- what the server is ---- */

const marks = new Map(); /* what one should know beside it all */

function mark(key, words) {
  if ((marks.get(key) || '') === words) return;
  marks.set(key, words);
  $('marks').textContent = [...marks.values()].filter(Boolean).join(' · ');
}

const many = (n, word) => `${n} ${word}${n === 1 ? '' : 's'}`;

function showFacts({ hello: h }) {
  $('facts').textContent = [`1 loop`, many(h.workers, 'worker'), many(h.cpus, 'CPU'), h.config].join(' · ');
  mark('feed', '');
  mark('demo', h.demo ? '' : 'demo endpoints are off: bursts are refused (demo = yes turns them on)');
  mark('slices', h.slices === 'exact' ? '' : 'CPU slices are sampled, not exact');
  document.querySelector('input[value=workers]').disabled = h.workers === 0;
  if (h.workers === 0) document.querySelector('input[value=loop]').checked = true;
  showScenarios();
  lesson.draw();
}

/* ---- buttons ---- */

const cards = new Map(); /* key -> {button, expect, measured} */

function makeScenarios() {
  SCENARIOS.forEach((s, i) => {
    const expect = el('span', { class: 'expect' }), measured = el('span', { class: 'measured' });
    const button = el('button', { type: 'button', class: i === 0 ? 'first' : null, 'data-key': s.key, onclick: () => start(s) }, el('b', {}, s.name), expect, measured);

    cards.set(s.key, { button, expect, measured });
    $('scenarios').append(button);
  });
}

/* What to expect, anew when the server or the choice of executor changed. */
function expectation(s) {
  if (s.words) return s.words(host());
  if (s.ways) return waysOf(host()).map((w) => (w.expect(host()) / 1000).toFixed(1)).join(' · ') + ' s expected';
  const words = about(s.expect(host(), where()));

  return s.hint ? `${words}; ${s.hint}` : `${words}; one at a time ${(s.alone() / 1000).toFixed(1)} s`;
}

function showScenarios() {
  for (const s of SCENARIOS) {
    cards.get(s.key).expect.textContent = expectation(s);
    cards.get(s.key).button.disabled = !possible(s) || runner.busy;
  }
}

const possible = (s) => !s.picture || host().workers > 0;

function start(s) {
  if (runner.busy || !possible(s)) return Promise.resolve(null);
  endRecording();
  pause(false);
  view.end = view.live();
  if (!s.ways) $('four').hidden = true;
  $('result').replaceChildren(s.ways ? 'Four bursts, one after the other, of the same eight tasks: four wait 0.3 s, four compute 0.3 s.' : `${s.name}: expected ${expectation(s)}.`);
  showCurl(s);
  for (const c of cards.values()) c.button.disabled = true;
  return runner.run(s, where());
}

function showBusy(s, words) {
  const card = cards.get(s.key);

  card.button.classList.add('busy');
  card.button.classList.remove('failed');
  card.measured.textContent = words;
}

function showDone(s, r) {
  const card = cards.get(s.key);

  card.button.classList.remove('busy');
  card.button.classList.toggle('failed', Boolean(r.error));
  showScenarios();
  if (r.error) {
    card.measured.textContent = 'failed';
    $('result').replaceChildren(el('span', { class: 'bad' }, r.error));
    return;
  }
  factor = s.why ? null : gain(r);
  card.measured.textContent = r.strips ? `${r.strips.map((x) => (x.summary.wall_ms / 1000).toFixed(2)).join(' · ')} s` : `measured ${seconds(r.measured)}`;
  $('result').replaceChildren(...resultWords(s, r));
  if (r.strips) showFourWords(r.strips);
  if (r.strips && params.get('record')) record(r.strips);
}

/* Against one at a time: as measured, where that was measured, too; else by what overlapped. */
function gain(r) {
  if (r.strips) return r.strips[0].summary.wall_ms / r.measured;
  return r.summary ? r.summary.factor : r.alone / r.measured;
}

function resultWords(s, r) {
  const words = [el('b', {}, `${s.ways ? r.strips.at(-1).way.name : s.name}: ${seconds(r.measured)}`), `, expected ${about(r.expected)}`];

  if (s.picture) words.push(` (in 1 section ${seconds(r.alone)}). `);
  else if (s.why) words.push(' for waits of 0.1 s. ');
  else words.push(` · ${times(gain(r))} against one at a time · ${r.summary.requests_max} in progress, ${r.summary.running_max} running. `);
  if (r.summary) words.push(el('span', { class: 'why' }, `Why: ${s.why || r.summary.why}.`));
  if (disturbed(r.measured, r.expected)) words.push(el('span', { class: 'why' }, ' Longer than expected: other programs had the CPUs meanwhile.'));
  if (r.picture) {
    const image = el('img', { alt: 'the picture, tinted by the worker that computed each section', src: URL.createObjectURL(r.picture) });

    image.addEventListener('load', () => URL.revokeObjectURL(image.src));
    words.push(el('span', { class: 'why' }, 'Each half is tinted by the worker that computed it.'), image);
  }
  return words;
}

/* What the four strips show, in words. */
function fourWords(list) {
  const last = list.at(-1);

  if (!recording && host().one) return 'This server takes one request at a time (max_in_progress = 1): nothing overlaps.';
  return `Four tasks wait 0.3 s in PostgreSQL, four compute 0.3 s. Concurrency lets waits overlap, parallelism splits the computing; neither replaces the other. ${last.way.name}: ${seconds(last.summary.wall_ms)} instead of ${seconds(list[0].summary.wall_ms)}.`
    + (list.some((s) => disturbed(s.summary.wall_ms, s.predicted)) ? ' Other programs had the CPUs meanwhile: some took longer than expected.' : '');
}

function showFourWords(list) {
  $('four-text').replaceChildren(fourWords(list), el('span', { class: 'sr' }, stripsText(list)));
}

function showFour(list) {
  strips = list;
  $('four').hidden = false;
  $('four-text').textContent = '';
  four.show(strips, Math.max(...strips.map((s) => s.predicted)));
}

function showCurl(s) {
  $('curl').textContent = s.ways ? waysOf(host()).map((w) => curlOf(w.plan)).join('\n') : curlOf(s.plan(where()));
}

/* ---- the recording ---- */

async function startRecording() {
  const loaded = await recordedLoad(WAYS);

  if (!loaded || feed.seen) return;
  recording = { ...loaded, began: performance.now(), at: 0 };
  view.span = recording.total;
  view.end = recording.total;
  setWindow();
  strips = recording.strips;
  four.show(strips, 0);
  showFourWords(strips);
  $('four').hidden = false;
  document.querySelectorAll('.recorded').forEach((mark, i) => {
    mark.textContent = `RECORDED ${recording.date.slice(0, 10)}${i === 0 ? ': press a button for live' : ''}`;
    mark.hidden = false;
  });
}

let best = null; /* of each way the quickest: other programs make a run longer, never shorter */
let runs = 0;

/* ?record=8: runs the four ways so often and shows the recording of the quickest, to be kept as recorded.json. */
function record(list) {
  best = best ? best.map((s, i) => (list[i].summary.wall_ms < s.summary.wall_ms ? list[i] : s)) : list;
  $('curl').textContent = recordedPack(best, feed.hello);
  if (++runs < Number(params.get('record'))) setTimeout(() => start(scenario('four')), 300);
  else document.title = 'recorded';
}

/* Work was seen, or asked for: from now on all is live. */
function endRecording() {
  feed.seen = true;
  if (!recording) return;
  recording = null;
  view.span = 5e6 * view.rate;
  view.end = view.live();
  pause(false);
  setWindow();
  strips = [];
  four.show([], 0);
  $('four').hidden = true;
  pinned = 0;
  for (const mark of document.querySelectorAll('.recorded')) mark.hidden = true;
}

/* ---- frames ---- */

const look = () => ({ cpus: recording ? recording.cpus : host().cpus, workers: recording ? recording.workers : host().workers, pinned, until: recording ? recording.at : Infinity,
  mine: onlyMine && !recording ? isMine : null });

function isMine(id) {
  return runner.mine.has(id) || runner.mine.has(feed.trace.requests.get(id)?.burst);
}

/* ms at least: the CPUs are for what is shown, not for showing it; no motion: still pictures. */
const frameMs = () => (calm.matches ? 500 : 28);

let drawnAt = 0, dueAt = 0;

function frame(now) {
  requestAnimationFrame(frame);
  if (document.hidden || now < dueAt) return;
  dueAt = Math.max(dueAt, now - frameMs()) + frameMs(); /* one late frame is made up for */
  const trace = recording ? recording.trace : feed.trace;

  if (params.get('record') && runner.busy) return; /* drawing would take the CPUs that are measured */
  if (recording) replay();
  else view.tick(trace.to - 60e6);
  runner.grow(strips);
  lanes.draw(trace, look());
  if (strips.length > 0 && !$('four').hidden) four.draw(feed.trace.to, look().cpus);
  if (performance.now() - drawnAt > 200) {
    drawnAt = performance.now();
    showNumbers();
    panel.draw(trace, look(), view.end);
    if (pinned) panel.showDetail(trace, pinned, view.end);
  }
}

/* The recording is replayed once, at the speed it had, and then stays. */
function replay() {
  const passed = calm.matches ? Infinity : (performance.now() - recording.began) * 1000 * view.rate;

  if (!view.paused && recording.at < recording.total) recording.at = Math.min(recording.total, passed);
}

/* Means and peaks of the last moments, so that numbers can be read. */
function showNumbers() {
  const c = feed.counts, t = feed.trace;
  const at = []; /* of the last 0.3 s, how much had at least so many running */
  let busy = 0, peak = 0, waits = 0;

  if (!c) return;
  t.running(t.to - 1e6, t.to - 40000, (a, b, n) => {
    busy += (b - a) * n;
    for (let k = 1; k <= n && b > t.to - 340000; k++) at[k] = (at[k] || 0) + b - a;
  });
  at.forEach((us, k) => { if (us > 12000) peak = k; });
  for (let i = Math.max(1, t.queries.length - 50); i < t.queries.length; i++) waits = t.queries[i][1];
  const cpu = busy / 960000, now = cpu + waits;

  $('n-tasks').textContent = c.tasks;
  $('n-running').textContent = peak;
  $('n-cpu').textContent = `${feed.left > 0 ? '≥ ' : ''}${Math.round((cpu * 100) / host().cpus)} %`;
  $('h-cpu').textContent = `of ${many(host().cpus, 'CPU')}`;
  $('n-factor').textContent = c.tasks > 0 && now >= 0.95 ? times(now) : factor !== null ? times(factor) : '–';
  $('n-lag').textContent = seconds(c.lag / 1000);
  $('n-loop').textContent = `${Math.round(feed.rate('loop_switches'))}/s`;
  $('n-kernel').textContent = `${Math.round(feed.rate('kernel_switches'))}/s`;
  $('n-tasks').parentNode.classList.toggle('on', c.tasks > 1);
  $('n-running').parentNode.classList.toggle('on', peak > 1);
  $('lanes-text').textContent = `${many(c.requests, 'request')}, ${many(c.tasks, 'task')} in progress, ${peak} running on ${many(host().cpus, 'CPU')}, ${c.queries} in PostgreSQL, ${c.answered} answered.`
    + (feed.sampled > 1 ? ` One request in ${feed.sampled} is shown; the counts are exact.` : '');
  mark('sampled', feed.sampled > 1 ? `1 request in ${feed.sampled} shown, counts exact` : '');
  mark('db', c.db_up ? '' : 'PostgreSQL can’t be reached');
}

/* ---- hands ---- */

function pin(id) {
  pinned = id === pinned ? 0 : id;
  panel.showDetail(recording ? recording.trace : feed.trace, pinned, view.end);
}

function pause(on = !view.paused) {
  view.paused = on;
  $('pause').setAttribute('aria-pressed', String(on));
  $('pause').firstChild.textContent = on ? 'Go on ' : 'Pause ';
}

/* To what is now; slow motion goes on from where it stood. */
function resume() {
  pause(false);
  if (view.rate === 1) view.end = view.live();
}

function pan(pixels) {
  pause(true);
  view.end = Math.min(view.end + pixels * lanes.perPixel(), recording ? recording.total : view.live());
}

function setWindow() {
  const list = [...$('window').options], near = list.find((o) => !o.dataset.own && Math.abs(o.value * 1e6 - view.span) < 1000);
  const own = list.find((o) => o.dataset.own) || el('option', { 'data-own': 'yes' });

  own.remove();
  if (!near) {
    own.value = view.span / 1e6;
    own.textContent = seconds(view.span / 1000);
    $('window').prepend(own);
  }
  $('window').value = near ? near.value : own.value;
}

function takePointer(canvas) {
  let from = null, moved = 0;

  canvas.addEventListener('pointerdown', (e) => {
    from = e.clientX;
    moved = 0;
    canvas.setPointerCapture(e.pointerId);
  });
  canvas.addEventListener('pointermove', (e) => {
    if (from === null) return;
    moved += Math.abs(e.clientX - from);
    if (moved > 4) {
      canvas.classList.add('dragging');
      pan(from - e.clientX);
    }
    from = e.clientX;
  });
  canvas.addEventListener('pointerup', (e) => {
    from = null;
    canvas.classList.remove('dragging');
    if (moved <= 4) pin(lanes.hit(e.offsetX, e.offsetY));
  });
  canvas.addEventListener('pointercancel', () => { from = null; });
  canvas.addEventListener('wheel', (e) => {
    e.preventDefault();
    if (Math.abs(e.deltaX) > Math.abs(e.deltaY)) pan(e.deltaX);
    else view.zoom(e.deltaY > 0 ? 1.15 : 1 / 1.15, (e.offsetX - lanes.left()) / Math.max(1, canvas.clientWidth - lanes.left()));
    setWindow();
  }, { passive: false });
}

const keys = {
  ' ': () => (view.paused ? resume() : pause(true)),
  ArrowLeft: () => pan(-60),
  ArrowRight: () => pan(60),
  '+': () => view.zoom(0.7, 0.5),
  '=': () => view.zoom(0.7, 0.5),
  '-': () => view.zoom(1 / 0.7, 0.5),
  Escape: () => pin(0),
};

function takeKeys() {
  document.addEventListener('keydown', (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(e.target.tagName)) return;
    if (e.key === ' ' && e.target.tagName === 'BUTTON') return;
    const s = SCENARIOS[Number(e.key) - 1];

    if (s && !params.get('lesson')) start(s);
    else if (keys[e.key]) {
      e.preventDefault();
      keys[e.key]();
      setWindow();
    }
  });
}

/* Over http from another machine a browser gives no clipboard: then the text is selected, at least. */
async function copied(node) {
  if (navigator.clipboard) return navigator.clipboard.writeText(node.textContent).then(() => true, () => false);
  getSelection().selectAllChildren(node);
  return false;
}

function takeHands() {
  takePointer($('lanes'));
  takeKeys();
  $('pause').addEventListener('click', () => keys[' ']());
  $('window').addEventListener('change', () => {
    view.span = Number($('window').value) * 1e6;
    setWindow();
  });
  $('slow').addEventListener('change', () => { /* ten times slower, and as much larger */
    view.rate = $('slow').checked ? 0.1 : 1;
    view.zoom($('slow').checked ? 0.1 : 10);
    setWindow();
  });
  $('mine').addEventListener('change', () => { onlyMine = $('mine').checked; });
  $('where').addEventListener('change', showScenarios);
  $('copy').addEventListener('click', async () => {
    $('copy').textContent = await copied($('curl')) ? 'Copied' : 'Selected';
    setTimeout(() => { $('copy').textContent = 'Copy'; }, 1500);
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', paletteRead);
}

if (params.get('big') === '1') document.documentElement.classList.add('big');
paletteRead();
makeScenarios();
showScenarios();
if (params.get('lesson')) $('curl').textContent = '# comes with the measurement';
else showCurl(scenario('four'));
panel.showDetail(feed.trace, 0, 0);
takeHands();
feed.open(view);
if (/^[1-7]$/.test(params.get('lesson'))) document.body.classList.add('in-lesson'); /* nothing shall tell the answer */
else if (params.get('recorded') !== '0') startRecording();
requestAnimationFrame(frame);
