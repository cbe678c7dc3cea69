/*
 * Colours and words that canvas and page share. Eight colours that people with any colour vision can
 * tell apart (Okabe and Ito); a request of a burst has that of its place in the burst, any other
 * that of its number. Colour never stands alone: the number is in the bar, the state in the shape.
 */

/* fill, text on it, one for thin lines on white, one for those on black if it is not the fill. */
const HUES = [
  ['#0072B2', '#fff', '#0072B2', '#4AA8E0'], ['#E69F00', '#000', '#B87F00'], ['#009E73', '#fff', '#00805D', '#2BC79B'],
  ['#D55E00', '#fff', '#D55E00'], ['#56B4E9', '#000', '#2E93CC'], ['#CC79A7', '#000', '#B85C90'],
  ['#F0E442', '#000', '#A89C00'], ['#3F444A', '#fff', '#3F444A'],
];

const LAST_IN_DARK = ['#D9DCDE', '#000', '#D9DCDE']; /* instead of the black one */

let dark = false;
let inks = {};

/* Reads the colours of style.css anew: at start, and when light becomes dark. */
export function paletteRead() {
  const css = getComputedStyle(document.documentElement);
  const get = (name) => css.getPropertyValue(name).trim();

  dark = matchMedia('(prefers-color-scheme: dark)').matches;
  inks = { paper: get('--paper'), ink: get('--ink'), soft: get('--soft'), rule: get('--rule'),
    faint: get('--faint'), accent: get('--accent'), warn: get('--warn'), good: get('--good'),
    panel: get('--panel'), other: dark ? '#6d757c' : '#aeb4b9',
    size: parseFloat(get('--size')) || 14,
    font: getComputedStyle(document.body).fontFamily };
}

export const ink = () => inks;
export const hue = (index) => {
  const i = index % HUES.length, [fill, text, line, pale] = dark && i === HUES.length - 1 ? LAST_IN_DARK : HUES[i];

  return { fill, text, line: dark ? pale || fill : line };
};

export const seconds = (ms) => (ms < 9.95 ? `${ms.toFixed(1)} ms` : ms < 99.5 ? `${Math.round(ms)} ms`
  : ms < 995 ? `${(ms / 1000).toFixed(2)} s` : `${(ms / 1000).toFixed(ms < 9995 ? 2 : 1)} s`);
/* What is only expected gets no more digits than it deserves. */
export const about = (ms) => (ms < 100 ? `about ${Math.round(ms)} ms` : `about ${(ms / 1000).toFixed(1)} s`);
export const times = (x) => `${x < 9.95 ? x.toFixed(1) : Math.round(x)}×`;

/* So much longer than expected that something else must have had the CPUs. */
export const disturbed = (measured, expected) => measured > 1.4 * expected && measured > 100;

/* An element: el('td', {class: 'num'}, 'text', child, ...). */
export function el(tag, attributes, ...children) {
  const node = document.createElement(tag);

  for (const [name, value] of Object.entries(attributes || {}))
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) node.setAttribute(name, value);
  node.append(...children.filter((c) => c !== null && c !== undefined));
  return node;
}

/* A canvas as large as its box, in device pixels; draws in CSS pixels. */
export function canvasFit(canvas, height) {
  const width = canvas.clientWidth, ratio = Math.min(window.devicePixelRatio || 1, 3);
  const w = Math.round(width * ratio), h = Math.round(height * ratio);

  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
    canvas.style.height = `${height}px`;
  }
  const g = canvas.getContext('2d');

  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  g.clearRect(0, 0, width, height);
  return { g, width };
}
