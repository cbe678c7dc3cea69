/*
 * Runs what a button says: first what to expect, then the burst, then what was measured beside it.
 * One thing at a time; a lesson runs its scenario through here, too. Knows nothing of the page but
 * its `show` callbacks:
 *
 *   show.expect(scenario)   show.busy(scenario, text)   show.done(scenario, result)   show.four(strips)
 *
 *   result = {expected, measured (ms), summary or null, picture or null, words}
 */
import { burst, get, timing } from './bursts.js';
import { waysOf } from './scenarios.js';
import { traceRead } from './trace.js';

export class Runner {
  constructor(feed, host, show) {
    this.feed = feed;
    this.host = host; /* () -> {cpus, workers, slow} */
    this.show = show;
    this.busy = false;
    this.mine = new Set(); /* bursts and requests of this page */
  }

  async run(s, where) {
    if (this.busy) return null;
    let result;

    this.busy = true;
    try {
      result = s.ways ? await this.runFour(s) : s.picture ? await this.runPicture(s) : await this.runBurst(s, where);
    } catch (error) {
      result = { error: error.message };
    }
    this.busy = false;
    this.show.done(s, result);
    return result.error ? null : result;
  }

  async burst(plan, onHead = () => {}, onLine = () => {}) {
    let id = 0, failed = null;

    const summary = await burst(plan, {
      onHead: (number) => {
        id = number;
        this.mine.add(number);
        onHead(number);
      },
      onLine: (line) => {
        this.mine.add(line.request);
        this.feed.takeLine(id, line);
        if (line.status >= 400) failed ??= line;
        onLine(line);
      },
    });
    if (failed) throw new Error(`${summary.failed} of ${summary.count} requests failed. ${failed.path}: ${failed.detail || failed.status}`);
    return summary;
  }

  async runBurst(s, where) {
    const expected = s.expect(this.host(), where), lines = [];

    this.show.busy(s, 'running …');
    const summary = await this.burst(s.plan(where), undefined, (line) => lines.push(line));

    return { expected, measured: s.measure ? s.measure(lines) : summary.wall_ms, alone: s.alone(), summary };
  }

  /* The four bursts, one after the other; each strip grows from the feed and is then drawn from its trace. */
  async runFour(s) {
    const strips = waysOf(this.host()).map((way) => ({ way, predicted: way.expect(this.host()), trace: this.feed.trace, from: null, ids: [], summary: null, burst: 0 }));

    this.show.four(strips);
    for (const strip of strips) {
      this.show.busy(s, `${strip.way.name} …`);
      strip.trace = this.feed.trace;
      strip.summary = await this.burst(strip.way.plan, (id) => { strip.burst = id; });
      await this.exact(strip);
    }
    const last = strips.at(-1);

    return { expected: last.predicted, measured: last.summary.wall_ms, alone: strips[0].summary.wall_ms, summary: last.summary, strips };
  }

  async exact(strip) {
    const trace = traceRead(await (await get(`/trace.json?burst=${strip.summary.burst}`)).json());
    const ids = [...trace.requests.keys()].sort((a, b) => a - b);

    if (ids.length === 0) return; /* all of it sampled away: what was seen live must do */
    strip.trace = trace;
    strip.ids = ids;
    strip.from = 0;
  }

  /* Called for each frame: what the feed knows by now of strips that still run. */
  grow(strips) {
    for (const strip of strips) {
      if (strip.summary || !strip.burst) continue;
      const ids = this.feed.bursts.get(strip.burst) || [];

      strip.ids = ids;
      strip.from ??= this.feed.trace.requests.get(ids[0])?.start ?? null;
    }
  }

  async picture(path) {
    const response = await get(path), blob = await response.blob();
    const parts = Object.fromEntries(timing(response.headers.get('Server-Timing')));

    this.mine.add(Number((response.headers.get('X-Request-Id') || '').split('-').pop()));
    return { ms: parts.total, blob };
  }

  /* The same picture in one section and in two. */
  async runPicture(s) {
    this.show.busy(s, 'in 1 section …');
    const one = await this.picture(`${s.picture}&sections=1&run=workers`);

    this.show.busy(s, `1: ${Math.round(one.ms)} ms; now in 2 …`);
    const two = await this.picture(`${s.picture}&sections=2&run=workers&overlay=1`);
    const lanes = Math.min(2, this.host().cpus, Math.max(1, this.host().workers));

    return { expected: one.ms / lanes, measured: two.ms, alone: one.ms, summary: null, picture: two.blob };
  }
}
