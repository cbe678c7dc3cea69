/*
 * The API page: a form for each operation of /openapi.json (which is printed from the server's own
 * table of routes, so that this page can't drift), the curl line of what is filled in, and what the
 * server answered: status, the header fields that tell something, and text or picture.
 */
import { fresh } from './bursts.js';
import { el } from './palette.js';

const TOLD = ['content-type', 'content-length', 'server-timing', 'x-request-id', 'cache-control', 'etag', 'retry-after', 'allow', 'location'];
const TEXT_MAX = 20000;
const ENDLESS = ['/events']; /* a stream without end: shown for two seconds */

const $ = (id) => document.getElementById(id);
const nameOf = (path) => path.replace(/[^a-z0-9]+/gi, '-').replace(/^-|-$/g, '') || 'root';

/* One parameter -> label, field, and what is allowed. */
function field(p, id) {
  const schema = p.schema || {}, range = schema.oneOf ? schema.oneOf[0] : schema;
  const usual = schema.default === undefined ? '' : String(schema.default);
  const input = schema.enum ? el('select', { id, name: p.name }, el('option', { value: '' }, ''), ...schema.enum.map((v) => el('option', { value: v }, v)))
    : el('input', { id, name: p.name, placeholder: usual, inputmode: range.type === 'integer' ? 'numeric' : 'text', autocomplete: 'off', required: p.required ? '' : null });
  const limits = range.minimum === undefined ? '' : `${range.minimum} to ${range.maximum}`;

  input.dataset.in = p.in;
  return [el('label', { for: id }, p.name), input, el('span', { class: 'empty' }, [p.description, limits].filter(Boolean).join('; '))];
}

class Operation {
  constructor(path, method, spec) {
    Object.assign(this, { path, method, spec });
    this.body = spec.requestBody ? Object.entries(spec.requestBody.content)[0] : null;
    this.code = el('code');
    this.answer = el('div', { class: 'answer', 'aria-live': 'polite' });
    this.form = this.makeForm();
    this.update();
  }

  makeForm() {
    const id = `${nameOf(this.path)}-${this.method}`, grid = el('div', { class: 'fields' });
    const copy = el('button', { type: 'button', onclick: () => navigator.clipboard?.writeText(this.code.textContent) }, 'Copy');

    for (const p of this.spec.parameters || []) grid.append(...field(p, `${id}-${p.name}`));
    if (this.body) {
      const example = typeof this.body[1].example === 'string' ? this.body[1].example : JSON.stringify(this.body[1].example);

      this.area = el('textarea', { id: `${id}-body`, rows: 2, spellcheck: 'false' }, example);
      grid.append(el('label', { for: `${id}-body` }, 'body'), this.area, el('span', { class: 'empty' }, this.body[0]));
    }
    const form = el('form', { id, class: 'op', onsubmit: (e) => { e.preventDefault(); this.run(); }, oninput: () => this.update() },
      el('h2', {}, el('span', { class: 'method' }, this.method.toUpperCase()), ` ${this.path}`),
      el('p', { class: 'empty' }, this.spec.summary || ''), grid,
      el('div', { class: 'curl' }, el('button', {}, 'Run'), this.code, copy), this.answer);

    return form;
  }

  /* What is filled in, as an address. */
  address() {
    const query = new URLSearchParams();
    let path = this.path;

    for (const input of this.form.querySelectorAll('[name]')) {
      if (input.dataset.in === 'path') path = path.replace(`{${input.name}}`, encodeURIComponent(input.value));
      else if (input.value !== '') query.set(input.name, input.value);
    }
    return `${path}${query.size ? `?${query}` : ''}`;
  }

  update() {
    const data = this.method === 'post' ? ` -d '${(this.area ? this.area.value : '').replaceAll("'", "'\\''")}'` : '';

    this.code.textContent = `curl -i '${location.origin}${this.address()}'${data}`;
  }

  async run() {
    const abort = new AbortController(), button = this.form.querySelector('button');

    if (ENDLESS.includes(this.path)) setTimeout(() => abort.abort(), 2000);
    button.disabled = true;
    this.answer.replaceChildren('running …');
    try {
      const begun = performance.now();
      const response = await fetch(fresh(this.address()), { method: this.method.toUpperCase(), body: this.method === 'post' && this.area ? this.area.value : undefined,
        headers: this.method === 'post' && this.body ? { 'Content-Type': this.body[0] } : { Accept: '*/*' }, signal: abort.signal });
      const shown = await this.content(response);

      this.answer.replaceChildren(this.headOf(response, performance.now() - begun), shown);
    } catch (error) {
      this.answer.replaceChildren(el('p', { class: 'bad' }, String(error.message || error)));
    } finally {
      button.disabled = false;
    }
  }

  headOf(response, ms) {
    const lines = TOLD.filter((name) => response.headers.has(name)).map((name) => `${name}: ${response.headers.get(name)}`);

    return el('pre', { class: 'head' }, `${response.status} ${response.statusText}   (${ms.toFixed(1)} ms here)\n${lines.join('\n')}`);
  }

  async content(response) {
    const type = response.headers.get('Content-Type') || '';

    if (type.startsWith('image/')) {
      const image = el('img', { alt: `the answer of ${this.path}`, src: URL.createObjectURL(await response.blob()) });

      image.addEventListener('load', () => URL.revokeObjectURL(image.src));
      return image;
    }
    const text = await readText(response);

    return el('pre', {}, text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}\n… ${text.length - TEXT_MAX} more` : text);
  }
}

/* Of a stream that was cut off: what had come. */
async function readText(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';

  try {
    for (;;) {
      const { value, done } = await reader.read();

      if (done) return text;
      text += value;
    }
  } catch {
    return text;
  }
}

async function load() {
  const spec = await (await fetch('/openapi.json')).json();

  for (const [path, methods] of Object.entries(spec.paths))
    for (const [method, operation] of Object.entries(methods)) {
      const op = new Operation(path, method, operation);

      $('forms').append(op.form);
      $('list').append(el('a', { href: `#${op.form.id}` }, method === 'get' ? path : `${path} (${method.toUpperCase()})`));
    }
  if (location.hash) document.querySelector(location.hash)?.scrollIntoView();
}

load().catch((error) => { $('marks').textContent = `/openapi.json could not be read: ${error.message}`; });
