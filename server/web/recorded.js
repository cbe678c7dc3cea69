/*
 * What the first visitor sees before anything ran: recorded.json, the four bursts of "the same eight
 * tasks, four ways" as a real server ran them. The page writes it itself: open /?record=8, press the first
 * button, keep what then stands below as recorded.json. Kept small: whole tens of microseconds, gaps
 * instead of times, slices of one process that are less than GRAIN apart as one.
 *
 *   {date, config, cpus, workers, bursts: [{way, summary, ids, spans, slices, tasks}]}
 *   spans: kind, lane, number of the request (place in ids + 1, 0: none), gap to the start before, duration, ...
 *   slices: cpu, who, gap, duration, ...      tasks: gap, value, ...
 */
import { KIND, LANE, Trace } from './trace.js';

const UNIT = 10, GRAIN = 400; /* us */
const PAUSE = 0.15e6; /* between two bursts in the lanes, us */

/* null: there is none. */
export async function recordedLoad(ways) {
  try {
    const response = await fetch('/recorded.json');

    return response.ok ? unpack(await response.json(), ways) : null;
  } catch {
    return null;
  }
}

/* fn(numbers of a record, its start) for each record of `width` numbers. */
function each(list, width, gapAt, fn) {
  let at = 0;

  for (let i = 0; i < list.length; i += width) {
    at += list[i + gapAt] * UNIT;
    fn(list.slice(i, i + width), at);
  }
}

function unpack(json, ways) {
  const lanes = new Trace(), strips = [];
  let begin = 0;

  json.bursts.forEach((b, n) => {
    const own = new Trace(), base = 100 * (n + 1);

    fill(own, b, 0, 0);
    fill(lanes, b, begin, base);
    const ids = b.ids.map((_, i) => i + 1);

    strips.push({ way: ways.find((w) => w.key === b.way), trace: own, from: 0, ids, predicted: b.predicted, summary: b.summary, burst: 0 });
    begin += b.summary.wall_ms * 1000 + PAUSE;
  });
  return { ...json, trace: lanes, strips, total: begin };
}

/* One burst into a trace, `begin` later, its requests numbered from base + 1. */
function fill(t, b, begin, base) {
  each(b.spans, 5, 3, ([kind, lane, request, , duration], at) => {
    const r = t.addSpan([kind, lane, request ? base + request : 0, 0, begin + at, duration * UNIT]);

    if (r) Object.assign(r, { place: request - 1, path: b.ids[request - 1], burst: base });
  });
  each(b.slices, 4, 2, ([cpu, who, , duration], at) => t.addSlice([cpu, who, begin + at, duration * UNIT]));
  each(b.tasks, 2, 0, ([, value], at) => t.tasks.push([begin + at, value]));
  const edges = [...t.lanes.entries()].filter(([lane]) => lane >= LANE.FAST && lane < LANE.WORKER)
    .flatMap(([, spans]) => spans.filter((s) => s.kind === KIND.QUERY).flatMap((s) => [[s.start, 1], [s.end, -1]]));
  let count = 0;

  t.queries = edges.sort((a, c) => a[0] - c[0]).map(([at, d]) => [at, (count += d)]);
}

/* The other way round: strips that were run -> the text of the file. */
export function recordedPack(strips, hello) {
  const bursts = strips.map((s) => ({ way: s.way.key, predicted: s.predicted, summary: s.summary, ids: s.ids.map((id) => s.trace.requests.get(id).path),
    spans: packSpans(s), slices: packSlices(s.trace), tasks: packTasks(s.trace.tasks) }));

  return JSON.stringify({ date: hello.date, config: hello.config, cpus: hello.cpus, workers: hello.workers, bursts });
}

/* fn(item, gap) for items sorted by start, gaps in UNITs that add up without drift. */
function gaps(list, startOf, fn) {
  let at = 0;

  return [...list].sort((a, b) => startOf(a) - startOf(b)).flatMap((item) => {
    const start = Math.round(startOf(item) / UNIT), gap = start - at;

    at = start;
    return fn(item, gap);
  });
}

const inUnits = (us) => Math.max(1, Math.round(us / UNIT));

function packSpans(s) {
  const of = (request) => s.ids.indexOf(request) + 1;
  const kept = [...s.trace.requests.values()].filter((r) => of(r.id) > 0).flatMap((r) => [
    { kind: KIND.REQUEST, lane: LANE.REQUEST, request: r.id, start: r.start, end: r.end },
    ...r.spans.filter((p) => p.kind !== KIND.LOOP || p.end - p.start > 100)]);

  return gaps(kept, (p) => p.start, (p, gap) => [p.kind, p.lane, of(p.request), gap, inUnits(p.end - p.start)]);
}

function packSlices(trace) {
  const merged = [];

  trace.cpus.forEach((list, cpu) => {
    let last = null;

    for (const s of list)
      if (last && last.who === s.who && s.start - last.end < GRAIN) last.end = s.end;
      else if (s.who > 0 || s.end - s.start > 50) merged.push((last = { cpu, ...s }));
  });
  return gaps(merged, (s) => s.start, (s, gap) => [s.cpu, s.who, gap, inUnits(s.end - s.start)]);
}

/* Peaks shorter than a millisecond are left out: nobody could see them. */
function packTasks(tasks) {
  const kept = tasks.filter(([at], i) => i + 1 === tasks.length || tasks[i + 1][0] - at > 1000);

  return gaps(kept, ([at]) => at, ([, value], gap) => [gap, value]);
}
