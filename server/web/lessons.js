/*
 * ?lesson=1..7 walks a class through: first a guess of three, then the measurement, then guess,
 * measurement and why side by side. Each lesson is a row of the table; it runs through the same
 * Runner as the buttons.
 *
 *   {title, ask, choices(host) -> [ms, ms, ms], measured(result) -> ms, why; answer() -> ms, if it is not what
 *    the scenario expects; quiet: the server's own reason says nothing here}
 *
 * Which guess is right is decided by what is to be expected, so that a busy machine spoils no lesson.
 */
import { disturbed, el, seconds } from './palette.js';
import { lanesOf, scenario } from './scenarios.js';

const sleep = (ms, count) => ({ tasks: [{ path: `/db/sleep?ms=${ms}`, count }] });
const two = (run) => ({ tasks: [{ path: '/work?wait_ms=0&cpu_ms=400', count: 2 }], run });

/* A scenario of its own for a lesson, shown on the button that is nearest to it. */
const own = (key, name, plan, expect) => ({ key, name, plan: () => plan, expect, alone: () => expect({ cpus: 1, workers: 1 }) });

const wall = (r) => r.measured;

const LESSONS = [
  { title: 'One request', run: () => own('db', 'One request', sleep(500, 1), () => 500),
    ask: 'One request waits 500 ms in the database. How long does the server’s thread work for it?',
    choices: () => [500, 250, 1], answer: () => 1, measured: (r) => r.summary.loop_ms, quiet: true,
    why: 'The thread sends the question and goes back to its loop; the answer wakes it up. Waiting costs nobody’s CPU: the request is in progress all the time and running almost never.' },
  { title: 'Six waits on one thread', run: () => scenario('db'),
    ask: 'Six requests wait 500 ms each, all on one thread. How long until the last is answered?',
    choices: () => [3000, 1500, 500], measured: wall,
    why: 'Six are in progress, and hardly ever is one running: this is concurrency without any parallelism.' },
  { title: 'Two computations on one CPU', run: () => own('cpu', 'Two computations on one CPU', two('loop'), () => 800),
    ask: 'Two requests compute 400 ms each, both on one CPU. How long until the last is answered?',
    choices: () => [400, 800, 1600], measured: wall,
    why: 'They take turns of a few milliseconds, so both advance, and both end late. Turns make it fair, not faster. In the loop these are loop switches: a task gives way by itself; when the kernel takes a CPU away, that is a kernel switch.' },
  { title: 'The same on all CPUs', run: () => own('cpu', 'Two computations in workers', two('workers'), (host) => 800 / lanesOf(host, 'workers')),
    ask: 'The same two computations, now in worker processes, on all CPUs. How long?',
    choices: (host) => (lanesOf(host, 'workers') > 1 ? [400, 800, 200] : [800, 400, 1600]), measured: wall,
    why: 'Two are running at the same instant: parallelism. It needs as many CPUs as there shall be running; on one CPU it would be the lesson before.' },
  { title: 'One lock, shared', run: () => scenario('lock'),
    ask: 'Six requests each hold the same lock for 200 ms. How long until the last is answered?',
    choices: () => [200, 600, 1200], measured: wall,
    why: 'All six are in progress, but whoever shares a resource waits for the others: neither concurrency nor CPUs help. Pin a request: the line shows whom it waited for.' },
  { title: 'All together, four ways', run: () => scenario('four'),
    ask: 'Four waits of 0.3 s and four computations of 0.3 s: one at a time that is 2.4 s. How long with concurrency and parallelism together?',
    choices: (host) => [1800, host.workers > 0 && host.cpus > 1 ? 1200 : 2400, scenario('four').expect(host)], measured: wall,
    why: 'Concurrency alone lets the waits overlap with all else; parallelism alone halves the computing; only both together do both.' },
  { title: 'Block the loop', run: () => scenario('block'),
    ask: 'Five requests wait 100 ms in the database while one computes 1 s right on the loop, without giving way. How long until the five are answered?',
    choices: () => [100, 500, 1000], measured: wall, quiet: true,
    why: 'Their answers are there after 100 ms, but the only thread that could pass them on is computing. Whatever computes must take turns, or go to a worker: see “loop lag”.' },
];

const words = (ms) => (ms < 10 ? 'about none' : seconds(ms).replace(/(\.\d*?)0+ s$/, '$1 s').replace('. s', ' s'));

/* hands: {run(scenario) -> result or null, host()} */
export function createLesson(box, number, hands) {
  const at = Number(number) - 1, lesson = LESSONS[at];
  let guess = null, state = 'ask';

  if (!lesson) return { draw() {} };
  document.getElementById('lessons-link').setAttribute('aria-current', 'page');
  document.querySelector('nav a[href="/"]').removeAttribute('aria-current');

  async function choose(ms) {
    guess = ms;
    state = 'running';
    draw();
    const result = await hands.run(lesson.run());

    state = result ? 'done' : 'failed';
    draw(result);
  }

  const go = (n, label, current) => el('a', { href: `/?lesson=${n}`, 'aria-current': current ? 'step' : null, 'aria-label': `lesson ${n}` }, label);

  function draw(result) {
    const nav = el('nav', { 'aria-label': 'Lessons' }, ...LESSONS.map((_, i) => go(i + 1, String(i + 1), i === at)));
    const head = el('div', { class: 'head' }, el('h1', { id: 'lesson-title' }, `${at + 1}. ${lesson.title}`), nav);
    const parts = [head, el('p', { class: 'ask' }, lesson.ask)];

    if (state === 'ask')
      parts.push(el('div', { class: 'guesses' }, 'Guess first: ', ...lesson.choices(hands.host()).map((ms) => el('button', { type: 'button', 'data-guess': ms, onclick: () => choose(ms) }, words(ms)))));
    else if (state === 'running')
      parts.push(el('p', { 'aria-live': 'polite' }, `Your guess: ${words(guess)}. Running …`));
    else if (state === 'failed')
      parts.push(el('p', {}, 'It could not be run: the reason stands below. ', el('a', { href: `/?lesson=${at + 1}` }, 'Again')));
    else
      parts.push(verdict(result));
    box.hidden = false;
    box.replaceChildren(...parts);
  }

  function verdict(result) {
    const measured = lesson.measured(result), choices = lesson.choices(hands.host());
    const answer = lesson.answer ? lesson.answer() : result.expected;
    const right = choices.reduce((a, b) => (Math.abs(b - answer) < Math.abs(a - answer) ? b : a)) === guess;

    return el('div', { class: 'verdict', 'aria-live': 'polite' },
      el('div', {}, el('h3', {}, 'your guess'), el('p', { class: `value ${right ? 'right' : 'wrong'}` }, `${words(guess)} ${right ? '✓' : '✗'}`)),
      el('div', {}, el('h3', {}, 'measured'), el('p', { class: 'value' }, seconds(measured)),
        disturbed(measured, answer) ? el('p', { class: 'empty' }, `Expected ${seconds(answer)}: other programs of this machine had the CPUs meanwhile.`) : null),
      el('div', {}, el('h3', {}, 'why'), el('p', {}, lesson.why), lesson.quiet ? null : el('p', { class: 'empty' }, `Measured: ${result.summary.why}.`),
        el('p', {}, at + 1 < LESSONS.length ? go(at + 2, `Next: ${LESSONS[at + 1].title} →`, false) : el('a', { href: '/' }, 'That was the last one: try your own →'))));
  }

  return { draw };
}
