/*
 * What the first visitor sees before anything ran: recorded.json, the four bursts of "the same eight
 * tasks, four ways" as a real server ran them, written by tests/lib/record (its head tells how). Kept
 * small: whole tens of microseconds, each number the difference to the one before it.
 *
 *   {date, version, config, cpus, workers, bursts: [{way, summary, ids, spans, slices, tasks}]}
 *   spans: kind, lane, number of the request (place in ids + 1, 0: none), gap to the start before, duration, ...
 *   slices: cpu, who, gap, duration, ...      tasks: gap, value, ...
 */
import { KIND, LANE, Trace } from './trace.js';

const UNIT = 10; /* us */
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
