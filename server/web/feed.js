/*
 * The live feed: GET /events as an EventSource, each batch put into a Trace. Reconnects by itself
 * (Last-Event-ID); a server that was started anew has another `start` and gets a new Trace. A page
 * that is left closes it at once: browsers may keep the page for going back, and with it one of the
 * six connections that they allow to a host.
 *
 *   hello -> facts of the server     batch -> spans, slices, courses, who is there now
 *   gap   -> some of it was missed   bye   -> the server drains
 */
import { KIND, Trace } from './trace.js';

const KEPT = 65e6; /* us of the past that stay */
const LINES_MAX = 2000, BURSTS_MAX = 200;

/* Files of the page and operations: no work to look at. */
const QUIET = /^\/(events|status|livez|readyz|version|config|help|api|compare|openapi\.json|trace\.(json|svg)|problems\/|[^/]*\.[a-z0-9]+)?$/;

export class Feed {
  /* on: {hello(feed), state(text), work()}: connected; what to tell; a request of any work was seen */
  constructor(on) {
    this.on = on;
    this.trace = new Trace();
    this.bursts = new Map(); /* burst -> ids of its requests, rising */
    this.lines = new Map(); /* request -> [burst, line] that came before its spans */
    this.hello = null;
    this.forgotAt = 0;
    this.counts = null;
    this.history = []; /* [ms of our clock, counts] of the last second */
    this.sampled = 1;
    this.there = new Set(); /* requests of the newest batch */
    this.left = 0;
    this.quiet = new Set();
    this.seen = false; /* any work, or somebody asked for it */
  }

  open(view) {
    this.view = view;
    this.connect();
    addEventListener('pagehide', () => this.source.close());
    addEventListener('pageshow', (e) => { if (e.persisted) this.connect(); });
  }

  connect() {
    const source = (this.source = new EventSource('/events'));
    const take = (name, fn) => source.addEventListener(name, (e) => fn(JSON.parse(e.data)));

    take('hello', (h) => this.takeHello(h));
    take('batch', (b) => this.takeBatch(b));
    take('gap', (g) => {
      this.on.state(g.missed < 0 ? 'the server was started anew' : 'this page was too slow: some of the trace is missing');
      setTimeout(() => this.on.state(''), 5000);
    });
    take('bye', () => this.on.state('the server is finishing its requests …'));
    source.onerror = () => this.on.state('no connection: trying again …');
  }

  takeHello(h) {
    if (!this.hello || this.hello.start !== h.start) {
      this.trace = new Trace();
      this.bursts.clear();
      this.view.offset = null;
      this.history = [];
      this.there = new Set();
      this.forgotAt = 0;
    }
    this.hello = h;
    this.quiet = new Set(h.routes.flatMap((path, i) => (QUIET.test(path) ? [i] : [])));
    this.burstRoute = h.routes.indexOf('/burst');
    this.on.hello(this);
  }

  takeBatch(b) {
    const t = this.trace;
    let work = false;

    this.view.sync(b.to);
    t.to = Math.max(t.to, b.to);
    for (const [id, route, start, state, since, burst] of b.open) {
      if (this.quiet.has(route)) continue;
      this.takeOpen(id, route, start, state, since, burst);
      work = true;
    }
    for (const s of b.spans) {
      const r = this.isQuiet(s) ? null : t.addSpan(s);

      if (r) {
        const early = this.lines.get(r.id);

        this.nameRoute(r);
        if (early) this.takeLine(...early);
        work = true;
      }
    }
    for (const s of b.slices) t.addSlice(s);
    t.addPoints(t.tasks, b.tasks);
    t.addPoints(t.queries, b.queries);
    if (b.to - this.forgotAt > 1e6) {
      this.forgotAt = b.to;
      t.forget(b.to - KEPT);
    }
    this.counts = b.counts;
    this.sampled = b.sampled[0];
    this.left = b.left_out;
    this.remember(b.counts);
    this.closeGone(b);
    if (work) this.on.work();
  }

  /* The list tells the oldest first: who is no longer on it has ended. Its span came, unless it was
   * sampled away; then there is nothing to draw. */
  closeGone(b) {
    const now = new Set(b.open.map(([id]) => id));

    for (const id of this.there) {
      const r = now.has(id) ? null : this.trace.requests.get(id);

      if (!r || r.end !== null) continue;
      r.end = b.to;
      r.state = 'done';
      this.trace.leave(r);
      if (this.sampled > 1) this.trace.requests.delete(id);
    }
    this.there = now;
  }

  isQuiet([kind, , , arg]) {
    return kind === KIND.REQUEST && this.quiet.has(arg);
  }

  nameRoute(r) {
    r.path ||= this.hello.routes[r.route] || '';
    if (r.route === this.burstRoute) r.parent = true;
  }

  takeOpen(id, route, start, state, since, burst) {
    const r = this.trace.request(id, start);

    if (r.end !== null) return; /* its span came before */
    Object.assign(r, { route, state, since });
    this.nameRoute(r);
    if (burst) this.join(r, burst);
    if (!r.parent) this.trace.seat(r, start);
  }

  /* A request belongs to a burst: its place there is its number and colour. */
  join(r, burst) {
    if (!this.bursts.has(burst)) this.bursts.set(burst, []);
    if (this.bursts.size > BURSTS_MAX) this.bursts.delete(this.bursts.keys().next().value);
    const ids = this.bursts.get(burst);

    if (r.burst) return;
    r.burst = burst;
    ids.push(r.id);
    ids.sort((a, b) => a - b).forEach((id, i) => {
      const other = this.trace.requests.get(id);

      if (other) other.place = i;
    });
  }

  /* A line of a burst's answer: exact, and often here before the spans; then it waits for them. */
  takeLine(burst, line) {
    const r = this.trace.requests.get(line.request);

    if (!r) {
      if (this.lines.size > LINES_MAX) this.lines.clear(); /* sampled away: nobody asks for them */
      this.lines.set(line.request, [burst, line]);
      return;
    }
    this.lines.delete(line.request);
    this.join(r, burst);
    r.path = line.path;
    r.line = line;
  }

  remember(counts) {
    const now = performance.now();

    this.history.push([now, counts]);
    while (this.history.length > 2 && now - this.history[1][0] > 1000) this.history.shift();
  }

  /* How much a total grew, per second. */
  rate(key) {
    if (this.history.length < 2) return 0;
    const [t0, a] = this.history[0], [t1, b] = this.history[this.history.length - 1];

    return t1 - t0 < 200 ? 0 : ((b[key] - a[key]) * 1000) / (t1 - t0);
  }
}
