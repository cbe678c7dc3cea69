/*
 * THE table of things to try: each says what it asks for, what to expect (computed from the number of
 * CPUs, workers and connections of this server, before anything runs), and why. `host` is
 * {cpus, workers, slow, one: only one request at a time}; `where` is workers or loop; measure(lines),
 * where given, says what to compare.
 */

const WAIT = 300, COMPUTE = 300; /* ms of each of the eight tasks */
const EIGHT = [{ path: `/db/sleep?ms=${WAIT}`, count: 4 }, { path: `/work?wait_ms=0&cpu_ms=${COMPUTE}`, count: 4 }];

/* How many computations go on at the same instant. */
export const lanesOf = (host, where) => (where === 'workers' ? Math.max(1, Math.min(host.cpus, host.workers)) : 1);

const all = WAIT * 4 + COMPUTE * 4;

export const WAYS = [
  { key: 'neither', name: 'One at a time', words: ['one request after the other,', 'on one CPU'], short: 'one by one, on one CPU',
    plan: { tasks: EIGHT, at_once: 1, run: 'loop' }, expect: () => all },
  { key: 'concurrency', name: 'Concurrency only', words: ['all eight in progress: waits', 'overlap, one CPU takes turns'], short: 'waits overlap, one CPU',
    plan: { tasks: EIGHT, run: 'loop' }, expect: (host) => (host.one ? all : Math.max(WAIT, COMPUTE * 4)) },
  { key: 'parallelism', name: 'Parallelism only', words: ['one request after the other,', 'each computed on all CPUs'], short: 'one by one, on all CPUs',
    plan: { tasks: EIGHT, at_once: 1, run: 'workers' }, expect: (host) => WAIT * 4 + (COMPUTE * 4) / lanesOf(host, 'workers') },
  { key: 'both', name: 'Both', words: ['all eight in progress,', 'computed on all CPUs'], short: 'all at once, on all CPUs',
    plan: { tasks: EIGHT, run: 'workers' }, expect: (host) => (host.one ? WAIT * 4 : 0) + Math.max(host.one ? 0 : WAIT, (COMPUTE * 4) / lanesOf(host, 'workers')) },
];

/* Without workers only those two that need none. */
export const waysOf = (host) => WAYS.filter((w) => w.plan.run === 'loop' || host.workers > 0);

const rounds = (count, limit) => Math.ceil(count / Math.max(1, limit));

export const SCENARIOS = [
  { key: 'four', name: 'The same 8 tasks, four ways', ways: WAYS,
    expect: (host) => waysOf(host).at(-1).expect(host), alone: () => all },
  { key: 'db', name: '6 × database', plan: () => ({ tasks: [{ path: '/db/sleep?ms=500', count: 6 }] }),
    expect: (host) => 500 * rounds(6, host.one ? 1 : host.slow), alone: () => 3000 },
  { key: 'cpu', name: '6 × CPU', where: true,
    plan: (where) => ({ tasks: [{ path: '/work?wait_ms=0&cpu_ms=300', count: 6 }], run: where }),
    expect: (host, where) => (6 * 300) / lanesOf(host, where), alone: () => 1800 },
  { key: 'lock', name: 'One lock', plan: () => ({ tasks: [{ path: '/db/lock?key=1&ms=200', count: 6 }] }),
    expect: () => 1200, alone: () => 1200, hint: 'on six locks 0.2 s' },
  { key: 'picture', name: 'Picture in 2', picture: '/image/mandelbrot?w=1600&h=1000&iter=1500',
    plan: () => ({ tasks: [{ path: '/image/mandelbrot?w=1600&h=1000&iter=1500&sections=2', count: 1 }], run: 'workers' }),
    words: (host) => (host.workers === 0 ? 'needs workers' : lanesOf(host, 'workers') > 1 ? 'half the time of the same in 1' : 'as long as in 1: one CPU') },
  { key: 'block', name: 'Block the loop!',
    plan: () => ({ tasks: [{ path: '/db/sleep?ms=100', count: 5 }, { path: '/work?wait_ms=30&cpu_ms=1000&run=loop-blocking', count: 1 }] }), /* all are begun by then */
    expect: () => 1000, alone: () => 1500, words: () => 'waits of 0.1 s take about 1 s',
    measure: (lines) => Math.max(...lines.filter((l) => l.path.startsWith('/db')).map((l) => l.total_ms)),
    why: 'the answers were there after 0.1 s, but the only thread that passes them on was computing' },
];

export const scenario = (key) => SCENARIOS.find((s) => s.key === key);
