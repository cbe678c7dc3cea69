/*
 * What ran, as the page keeps it: requests, spans by lane, CPU slices by CPU, and the courses of the
 * counts. Filled from /events (app.js), from /trace.json (traceRead below) or from the recording;
 * who draws asks for bars. Times are microseconds, of the server's clock.
 *
 * A CPU slice says only which process was on the CPU; what that process worked on is told by the
 * spans of its lane. bars() intersects the two:
 *
 *   worker 1 on cpu 0    ====slice====      ====slice====
 *   tasks of worker 1  [ task of 3  ][ task of 5         ]
 *   bars on cpu 0        333333333 55       5555555555555
 */

export const KIND = { REQUEST: 0, GATE: 1, QUEUE: 2, LOOP: 3, TURN: 4, QUERY: 5, BATCH: 6, LOCK: 7, TASK: 8 };
export const LANE = { LOOP: 0x0000, CPU: 0x1000, FAST: 0x2000, WRITE: 0x3000, SLOW: 0x4000, WORKER: 0x5000,
  REQUEST: 0x6000, GROUP: 0xf000 };

const REQUESTS_MAX = 20000;
const LONGEST = 20e6; /* us */

const laneOfWho = (who) => (who === 0 ? LANE.LOOP : LANE.WORKER + who - 1);

/* Into a list sorted by start; nearly always at its end. */
function insert(list, item) {
  let i = list.length;

  while (i > 0 && list[i - 1].start > item.start) i--;
  if (i === list.length) list.push(item);
  else list.splice(i, 0, item);
}

/* The first item that ends after t, or a little before it: lists are sorted by start, and items of
 * one CPU or process do not overlap. */
function firstAfter(list, t) {
  let low = 0, high = list.length;

  while (low < high) {
    const mid = (low + high) >> 1;

    if (list[mid].end <= t) low = mid + 1;
    else high = mid;
  }
  return low;
}

export class Trace {
  constructor() {
    this.requests = new Map(); /* id -> {id, route, start, end, burst, place, slot, spans, state, since} */
    this.lanes = new Map(); /* lane -> spans, sorted by start */
    this.cpus = []; /* number -> slices {who, start, end}, sorted by start */
    this.tasks = []; /* [us, value] */
    this.queries = [];
    this.to = 0;
    this.slots = []; /* rows of requests that are taken: their ids */
  }

  /* The record of a request, made when it is first heard of. */
  request(id, start) {
    let r = this.requests.get(id);

    if (r) {
      if (start < r.start) r.start = start;
      return r;
    }
    r = { id, route: -1, start, end: null, burst: 0, place: -1, slot: -1, spans: [], state: '', since: start };
    this.requests.set(id, r);
    return r;
  }

  /* A row for it, the same for all of its life. */
  seat(r, now) {
    if (r.slot >= 0) return;
    let slot = this.slots.findIndex((taken) => taken === null || taken <= now);

    if (slot < 0) slot = this.slots.length;
    r.slot = slot;
    this.slots[slot] = Infinity;
  }

  leave(r) {
    if (r.slot >= 0) this.slots[r.slot] = r.end + 150000; /* a moment free, so that bars do not touch */
  }

  addSpan([kind, lane, request, arg, start, duration]) {
    const span = { kind, lane, request, arg, start, end: start + duration };

    this.to = Math.max(this.to, span.end);
    if (kind === KIND.REQUEST) {
      const r = this.request(request, start);

      r.route = arg;
      r.start = start;
      r.end = span.end;
      r.state = 'done';
      this.seat(r, start);
      this.leave(r);
      return r;
    }
    if (request > 0) this.request(request, start).spans.push(span);
    if ((lane & LANE.GROUP) !== LANE.REQUEST) {
      if (!this.lanes.has(lane)) this.lanes.set(lane, []);
      insert(this.lanes.get(lane), span);
    }
    return null;
  }

  addSlice([cpu, who, start, duration]) {
    while (this.cpus.length <= cpu) this.cpus.push([]);
    const list = this.cpus[cpu];

    for (let i = list.length - 1; i >= 0 && list[i].start >= start; i--)
      if (list[i].who === who && list[i].start === start) {
        list[i].end = Math.max(list[i].end, start + duration);
        return;
      }
    insert(list, { who, start, end: start + duration });
  }

  addPoints(course, points) {
    for (const [at, value] of points) {
      const n = course.length;

      if (n >= 2 && course[n - 1][1] === value && course[n - 2][1] === value) course[n - 1] = [at, value];
      else course.push([at, value]);
    }
  }

  /* fn(cpu, request or 0, who, from, to) for each piece of CPU time in the window. */
  bars(from, to, fn) {
    for (let cpu = 0; cpu < this.cpus.length; cpu++) {
      const list = this.cpus[cpu];

      for (let i = firstAfter(list, from); i < list.length && list[i].start < to; i++)
        this.split(list[i], cpu, from, to, fn);
    }
  }

  split(slice, cpu, from, to, fn) {
    const spans = this.lanes.get(laneOfWho(slice.who)) || [];
    const end = Math.min(slice.end, to);
    let at = Math.max(slice.start, from);

    for (let i = firstAfter(spans, at); i < spans.length && spans[i].start < end && at < end; i++) {
      const s = spans[i];

      if (s.start > at) fn(cpu, 0, slice.who, at, s.start);
      fn(cpu, s.request, slice.who, Math.max(at, s.start), Math.min(end, s.end));
      at = Math.max(at, Math.min(end, s.end));
    }
    if (at < end) fn(cpu, 0, slice.who, at, end);
  }

  /* fn(from, to, how many CPUs were occupied): the whole window, without gaps. */
  running(from, to, fn) {
    const lists = this.cpus.map((list) => ({ list, i: firstAfter(list, from) }));
    let at = from;

    while (at < to) {
      let next = to, count = 0;

      for (const l of lists) {
        while (l.i < l.list.length && l.list[l.i].end <= at) l.i++;
        const s = l.list[l.i];

        if (!s) continue;
        if (s.start <= at) {
          count++;
          next = Math.min(next, s.end);
        } else {
          next = Math.min(next, s.start);
        }
      }
      fn(at, next, count);
      at = next;
    }
  }

  /* Forgets what ended before t; more, if there is a flood. */
  forget(t) {
    let over = this.requests.size - REQUESTS_MAX;

    for (const [id, r] of this.requests) {
      if (r.end === null ? r.start >= t - 60e6 : r.end >= t && over <= 0) continue;
      if (r.end !== null) t = Math.max(t, r.start);
      this.requests.delete(id);
      over--;
    }
    for (const list of [...this.lanes.values(), ...this.cpus]) {
      const n = firstAfter(list, t);

      if (n > 200) list.splice(0, n);
    }
    for (const course of [this.tasks, this.queries]) {
      const n = course.findIndex(([at]) => at >= t) - 1;

      if (n > 200) course.splice(0, n);
    }
  }
}

/* fn(span) for those of a list that touch the window; they may overlap each other, but none is longer
 * than LONGEST. The latest comes first. */
export function within(list, from, to, fn) {
  for (let i = list.length - 1; i >= 0 && list[i].start > from - LONGEST; i--)
    if (list[i].end > from && list[i].start < to) fn(list[i]);
}

/* Index of the first point of a course after t. */
export function firstPoint(course, t) {
  let low = 0, high = course.length;

  while (low < high) {
    const mid = (low + high) >> 1;

    if (course[mid][0] <= t) low = mid + 1;
    else high = mid;
  }
  return low;
}

/* What a course is at t. */
export function courseAt(course, t) {
  const n = firstPoint(course, t);

  return n > 0 ? course[n - 1][1] : 0;
}

const TRACK = { CPU: 1, LOOP: 2, DB: 3, WORKER: 4, REQUEST: 5 };

/* Chrome trace events, as /trace.json writes them, into a Trace; time 0 is where it begins. */
export function traceRead(json) {
  const t = new Trace(), open = new Map();

  for (const e of json.traceEvents) {
    const ts = e.ts, key = `${e.cat} ${e.id} ${e.name}`;

    if (e.ph === 'X' && e.pid === TRACK.CPU)
      t.addSlice([e.tid - LANE.CPU, e.name === 'loop' ? 0 : 1 + Number(e.name.slice(7)), ts, e.dur]);
    else if (e.ph === 'X')
      t.addSpan([/ task /.test(e.name) ? KIND.TASK : e.args ? KIND.LOOP : KIND.TURN, e.tid,
        e.args ? e.args.request || 0 : 0, 0, ts, e.dur]);
    else if (e.ph === 'b')
      open.set(key, e);
    else if (e.ph === 'e' && open.has(key))
      readAsync(t, open.get(key), ts);
    else if (e.ph === 'C' && e.name === 'in progress')
      t.tasks.push([ts, e.args.tasks]);
  }
  return t;
}

function readAsync(t, begin, end) {
  const request = begin.args.request, duration = end - begin.ts;
  const kind = begin.cat === 'query' ? KIND.QUERY : begin.cat === 'lock' ? KIND.LOCK
    : begin.name === 'queued' ? KIND.QUEUE : begin.name.startsWith('waits') ? KIND.GATE : KIND.REQUEST;

  t.addSpan([kind, begin.tid, request, 0, begin.ts, duration]);
  if (kind === KIND.REQUEST) t.requests.get(request).path = begin.name.replace(/ #\d+$/, '');
}
