/*
 * Asks the server for things: bursts, whose answer is read as it comes (a line per finished request,
 * then the summary), and traces. Each address carries a fresh `_=`, since browsers run requests for
 * the same address one after the other.
 */

let count = 0;

export function fresh(path) {
  return `${path}${path.includes('?') ? '&' : '?'}_=${Date.now().toString(36)}${count++}`;
}

async function refusal(response) {
  let detail = `${response.status} ${response.statusText}`;

  try {
    const problem = await response.json();

    detail = problem.detail || problem.title || detail;
  } catch { /* no problem+json: the status must do */ }
  return new Error(detail);
}

/*
 * plan: {tasks: [{path, count}], run, at_once, gap}. onHead(id) with the number of the burst,
 * onLine(line) for each finished request. Gives the summary.
 */
export async function burst(plan, { onHead = () => {}, onLine = () => {} } = {}) {
  const response = await fetch(fresh(burstPath(plan)), { method: 'POST', body: JSON.stringify(plan.tasks),
    headers: { 'Content-Type': 'application/json' } });

  if (!response.ok) throw await refusal(response);
  onHead(Number((response.headers.get('X-Request-Id') || '').split('-').pop()));
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '', summary = null;

  for (;;) {
    const { value, done } = await reader.read();

    if (done) break;
    const lines = (rest + value).split('\n');

    rest = lines.pop();
    for (const line of lines) {
      const item = JSON.parse(line);

      if (item.summary) summary = item.summary;
      else onLine(item);
    }
  }
  if (!summary) throw new Error('the server ended before the burst was over');
  return summary;
}

export function burstPath(plan) {
  const query = new URLSearchParams();

  if (plan.run) query.set('run', plan.run);
  if (plan.at_once) query.set('at_once', plan.at_once);
  if (plan.gap) query.set('gap_ms', plan.gap);
  return `/burst${query.size ? `?${query}` : ''}`;
}

/* The same as one line for a terminal. */
export const curlOf = (plan) => `curl -s '${location.origin}${burstPath(plan)}' -d '${JSON.stringify(plan.tasks)}'`;

export async function get(path) {
  const response = await fetch(fresh(path));

  if (!response.ok) throw await refusal(response);
  return response;
}

/* "queue;dur=0.1, db;dur=501.2" -> [['queue', 0.1], ...] */
export const timing = (field) => [...(field || '').matchAll(/([a-z_]+);dur=([\d.]+)/g)].map(([, name, ms]) => [name, Number(ms)]);
