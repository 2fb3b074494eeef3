'use strict';

// ---- Texts of numbers: what is not known is a dash, and never 0. ----

const NONE = '–';
const known = (n) => typeof n === 'number' && Number.isFinite(n);

// Made once each, since that takes long.
const numbers = (options) => new Intl.NumberFormat('en', options).format;
const precise = numbers({ maximumSignificantDigits: 3, maximumFractionDigits: 3, roundingPriority: 'lessPrecision' });
const round = numbers({ maximumFractionDigits: 0 });
const exact = numbers({ maximumFractionDigits: 2 });
const cents = numbers({ style: 'currency', currency: 'USD' });
const clock = new Intl.DateTimeFormat([], { timeStyle: 'medium' }).format;

function digits(n) {
  const size = Math.abs(n);
  if (size > 0 && size < 0.001) return n.toExponential(1);
  return size < 100 ? precise(n) : round(n);
}

// A number in the first of some units that it reaches, each [from where on, unit, its size].
function scaled(n, units, rest = '') {
  if (!known(n)) return NONE;
  const [, unit, size] = units.find(([from]) => Math.abs(n) >= from) || [0, rest, 1];
  return digits(n / size) + unit;
}

const short = (n) => scaled(n, [[1e9, ' G', 1e9], [1e6, ' M', 1e6], [1e4, ' k', 1e3]]);
const bytes = (n) => scaled(n, [[2 ** 30, ' GiB', 2 ** 30], [2 ** 20, ' MiB', 2 ** 20], [2 ** 10, ' KiB', 2 ** 10]], ' B');

function seconds(s) {
  if (s && known(s.over)) return '> ' + seconds(s.over);
  if (!known(s)) return NONE;
  if (s >= 100) return digits(s / 60) + ' min';
  if (s >= 1) return digits(s) + ' s';
  return s >= 0.001 || s === 0 ? digits(s * 1e3) + ' ms' : digits(s * 1e6) + ' µs';
}

function span(s) {
  const of = (n, unit) => (Math.floor(n) === 1 ? '1 ' + unit : Math.floor(n) + ' ' + unit + 's');
  if (s >= 172800) return of(s / 86400, 'day');
  if (s >= 7200) return of(s / 3600, 'hour');
  return s >= 120 ? of(s / 60, 'minute') : of(Math.max(s, 0), 'second');
}

const percent = (n) => (known(n) ? (n > 0 && n < 1e-5 ? '< 0.001' : digits(n * 100)) + ' %' : NONE);
const whole = (n) => (known(n) ? exact(n) : NONE);
const perSecond = (n) => (known(n) ? short(n) + '/s' : NONE);
const dollars = (n) => (known(n) ? (n > 0 && n < 0.01 ? '$' + n.toPrecision(2) : cents(n)) : NONE);

// ---- Elements: all that comes from the server goes in as text. ----

// Marks that turn the text around them are spelled out.
const MARKS = /[\u202a-\u202e\u2066-\u2069]/g;
const read = (text) => JSON.parse(text.replace(MARKS, (mark) => `[U+${mark.charCodeAt(0).toString(16).toUpperCase()}]`));

// A megabyte of text takes seconds to lay out.
const brief = (text) => (text.length > 1000 ? text.slice(0, 1000) + '…' : text);

const byId = (id) => document.getElementById(id);

function make(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in element) element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

function draw(name, attributes, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function write(element, text) {
  if (element.said !== text) element.textContent = brief((element.said = text));
}

// ---- Figures. ----

function group(id, title) {
  const own = { box: byId(id), cards: new Map(), columns: [], table: listing(title) };
  own.box.after(own.table.details);
  return own;
}

function card(own, name) {
  const made = make('div', { className: 'card', 'data-card': name },
    make('p', { className: 'quiet', textContent: name }), make('p', { className: 'value' }), make('p', { className: 'quiet' }),
    draw('svg', { viewBox: '0 0 100 28', preserveAspectRatio: 'none', role: 'img' }, draw('path', { class: 'mark' })));
  own.box.append(made);
  own.cards.set(name, made);
  return made;
}

function figure(own, name, value, detail, course, format) {
  const [, text, more, svg] = (own.cards.get(name) || card(own, name)).children;
  write(text, value);
  write(more, detail);
  svg.toggleAttribute('hidden', !course);
  if (!course) return;
  own.columns.push([name, course, format]);
  const most = Math.max(...course.filter(known), 1e-12);
  const at = (value, i) => [(i * 100) / Math.max(course.length - 1, 1), 26 - (24 * value) / most];
  svg.firstChild.setAttribute('d', path(course, at));
  svg.setAttribute('aria-label', `${name}, lately: ${range(course, format)}`);
}

function range(values, format) {
  const all = values.filter(known);
  return all.length ? `from ${format(Math.min(...all))} to ${format(Math.max(...all))}.` : 'Nothing yet.';
}

// ---- Courses as tables, the newest first. ----

let source = ''; // the process that the figures are of

function listing(title) {
  const [head, body] = [make('thead'), make('tbody')];
  const details = make('details', {}, make('summary', { textContent: 'As a table' }),
    make('div', { className: 'scroll tall', tabIndex: 0, role: 'region', 'aria-label': title + ', as a table' }, make('table', {}, head, body)));
  const own = { head, body, details, times: [], columns: [] };
  details.addEventListener('toggle', () => list(own, own.times, own.columns));
  return own;
}

// A column is [name, values, format]. None is written that no one sees, and no row twice.
function list(own, times, columns) {
  Object.assign(own, { times, columns });
  const { head, body, details } = own;
  if (!details.open) return;
  const of = source + columns.map(([name]) => name);
  if (own.of !== of) {
    Object.assign(own, { of, last: 0 });
    head.replaceChildren(make('tr', {}, ...['Time', ...columns.map(([name]) => name)].map((name) => make('th', { scope: 'col', textContent: name }))));
    body.replaceChildren();
  }
  times.forEach((time, i) => {
    if (time > own.last) body.prepend(make('tr', {}, make('th', { scope: 'row', textContent: clock(time) }),
      ...columns.map(([, values, format]) => make('td', { textContent: format(values[i]) }))));
  });
  own.last = times[times.length - 1];
  while (body.children.length > times.length) body.lastChild.remove();
}

// A line through what is known, and a dot where a value has no neighbour.
function path(values, at) {
  let d = '';
  let pen = false;
  values.forEach((value, i) => {
    if (!known(value)) { pen = false; return; }
    const [x, y] = at(value, i);
    d += (pen ? 'L' : 'M') + x.toFixed(1) + ' ' + y.toFixed(1);
    if (!pen && !known(values[i + 1])) d += 'h.1';
    pen = true;
  });
  return d;
}

// ---- Charts: lines since someone first looked. ----

const charts = [];
let pointed = null; // the time under the pointer, the same in all charts

function chart(id, title, lines, format) {
  const box = byId(id);
  const words = make('span', { className: 'quiet' });
  const svg = draw('svg', { role: 'img' });
  const legend = make('ul', { className: 'legend quiet' });
  const table = listing(title);
  box.append(make('figcaption', {}, title, words), svg, legend, table.details);
  const own = { title, lines, format, words, svg, legend, table };
  const point = (event) => {
    const { left, width } = svg.getBoundingClientRect();
    pointed = own.time ? own.time(((event.clientX - left) / width) * own.width) : null;
    charts.forEach(redraw);
  };
  // To ask for the width while drawing would lay out the page for each chart.
  new ResizeObserver(([{ contentRect }]) => { own.width = contentRect.width; redraw(own); }).observe(svg);
  svg.addEventListener('pointermove', point);
  svg.addEventListener('pointerleave', () => { pointed = null; charts.forEach(redraw); });
  charts.push(own);
}

// Round steps, three or four of them.
function steps(most) {
  const raw = most / 3;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((n) => n * power >= raw) * power;
  return [0, 1, 2, 3, 4].map((n) => n * step).filter((n) => n < most + step);
}

function redraw(own) {
  const { history, svg, format, width } = own;
  if (!history || !width) return;
  const { t } = history;
  const now = t.length - 1;
  const lines = own.lines.map(([column, style, name = column]) => ({ column, style, name, values: history[column] || [] }))
    .filter(({ column, values }) => values.some((n) => known(n) && (n > 0 || !/[1345]xx|none/.test(column))));
  const most = Math.max(...lines.flatMap(({ values }) => values.filter(known)), 1e-9);
  const [height, left, bottom] = [190, 58, 20];
  const begin = t[0];
  const end = Math.max(t[now], begin + 60000);
  const ticks = lines.length ? steps(most) : [];
  const x = (time) => left + ((time - begin) / (end - begin)) * (width - left - 8);
  const y = (value) => height - bottom - (value / ticks[ticks.length - 1]) * (height - bottom - 12);
  own.time = (at) => begin + ((at - left) / (width - left - 8)) * (end - begin);

  const parts = ticks.flatMap((tick) => [
    draw('line', { class: 'grid', x1: left, x2: width - 8, y1: y(tick), y2: y(tick) }),
    draw('text', { x: left - 6, y: y(tick) + 4, 'text-anchor': 'end' }, format(tick)),
  ]);
  for (const [time, anchor] of [[begin, 'start'], [end, 'end']]) {
    parts.push(draw('text', { x: x(time), y: height - 4, 'text-anchor': anchor }, clock(time)));
  }
  for (const { style, values } of lines) {
    parts.push(draw('path', { class: 'mark ' + style, d: path(values, (value, i) => [x(t[i]), y(value)]) }));
  }
  const at = pointed === null ? now : nearest(t, pointed);
  if (pointed !== null) parts.push(draw('line', { class: 'cross', x1: x(t[at]), x2: x(t[at]), y1: 8, y2: height - bottom }));
  svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
  svg.replaceChildren(...parts);

  own.legend.replaceChildren(...lines.map(({ style, name, values }) => make('li', {},
    draw('svg', { viewBox: '0 0 26 8', 'aria-hidden': 'true' }, draw('path', { class: 'mark ' + style, d: 'M0 4H26' })),
    `${name} ${format(values[at])}`)));
  const none = lines.length ? '' : 'Nothing yet.';
  write(own.words, none || (pointed === null ? `The last ${span((t[now] - begin) / 1000)}.` : `At ${clock(t[at])}.`));
  const courses = lines.map(({ name, values }) => `${name}: now ${format(values[now])}, ${range(values, format)}`);
  svg.setAttribute('aria-label', [own.title + '.', ...(lines.length ? courses : [none])].join(' '));
  list(own.table, t, lines.map(({ name, values }) => [name, values, format]));
}

const nearest = (times, time) => times.reduce((best, t, i) => (Math.abs(t - time) < Math.abs(times[best] - time) ? i : best), 0);

// ---- Tables that can be sorted and filtered. ----

// A column is [title, value, its text, class, whether it is too much]. Rows are sorted by the
// one of number `sorted`, and named by that of `head`.
function table(id, columns, sorted, head) {
  const own = { columns, sorted, head, down: true, rows: [], kept: new Map(), filter: '', most: 20, note: '', count: byId(id + '-count') };
  own.heads = columns.map(([title, , , style], i) => make('th', { scope: 'col', className: style || '' }, pressed(title, () => {
    own.down = own.sorted === i ? !own.down : style !== 'words';
    own.sorted = i;
    fill(own);
  })));
  own.body = make('tbody');
  own.all = pressed('', () => {
    own.most = Infinity;
    fill(own);
  });
  byId(id).append(make('thead', {}, make('tr', {}, ...own.heads)), own.body);
  byId(id).after(own.all);
  const filter = byId(id + '-filter');
  if (filter) filter.addEventListener('input', () => {
    own.filter = filter.value.toLowerCase();
    fill(own);
  });
  return own;
}

function pressed(text, then) {
  const button = make('button', { type: 'button', textContent: text });
  button.addEventListener('click', then);
  return button;
}

const words = (title, value, text = String) => [title, value, text, 'words'];

function order({ columns, sorted, down }) {
  const [, value] = columns[sorted];
  const number = (v) => (v && known(v.over) ? v.over * 1.001 : v);
  return (a, b) => {
    const [x, y] = [number(value(a)), number(value(b))];
    if (typeof x === 'string') return x.localeCompare(y) * (down ? -1 : 1);
    if (!known(x) || !known(y)) return known(y) - known(x); // what is not known comes last
    return (x - y) * (down ? -1 : 1);
  };
}

// The same line each time, so that a selection in it stays.
function line({ columns, head, kept }, row, key) {
  let found = kept.get(key);
  if (!found) {
    found = make('tr', {}, ...columns.map(([, , , style], i) =>
      (i === head ? make('th', { scope: 'row', className: style }) : make('td', { className: style || '' }))));
    kept.set(key, found);
  }
  columns.forEach(([, value, text, , high], i) => {
    write(found.children[i], text(value(row), row));
    if (high) found.children[i].classList.toggle('high', high(value(row)));
  });
  return found;
}

// Of many rows the first alone: to lay out all takes its time.
function fill(own) {
  const { sorted, down, body, kept, count } = own;
  own.heads.forEach((head, i) => {
    if (i === sorted) head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
    else head.removeAttribute('aria-sort');
  });
  const wanted = own.rows.filter((row) => row.key.toLowerCase().includes(own.filter)).sort(order(own));
  const used = {};
  const rows = wanted.slice(0, own.most).map((row) => {
    used[row.key] = (used[row.key] || 0) + 1; // names that the server cut may be the same
    return line(own, row, row.key + used[row.key]);
  });
  if (count) write(count, `${rows.length} of ${own.rows.length} shown${own.note}`);
  own.all.hidden = rows.length === wanted.length;
  write(own.all, `Show all ${wanted.length}`);
  if (kept.size > own.rows.length + 200) kept.clear();
  if (rows.length === 0) rows.push(make('tr', {}, make('td', { className: 'words quiet', colSpan: own.columns.length, textContent: own.filter ? 'None has that in its name.' : 'None yet.' })));
  if (rows.length !== body.children.length || rows.some((row, i) => row !== body.children[i])) body.replaceChildren(...rows);
}

// ---- The parts of the page. ----

const routes = table('routes', [
  words('Method', (r) => r.method),
  words('Route', (r) => r.route),
  ['Rate', (r) => r.rate, perSecond],
  ['Errors', (r) => r.errors, percent, '', (n) => n > 0.05],
  ['4xx', (r) => r.client_errors, percent],
  ['p50', (r) => r.p[0], seconds],
  ['p95', (r) => r.p[1], seconds],
  ['p99', (r) => r.p[2], seconds],
  ['In flight', (r) => r.in_flight, whole],
  ['Share of time', (r) => r.time_share, percent],
  ['Total', (r) => r.total, whole],
], 9, 1);

const price = (cost, m) => (known(cost) ? dollars(cost) + (m.unpriced ? ` + ${whole(m.unpriced)} unpriced` : '') : m.total ? 'no price known' : NONE);

const models = table('models', [
  words('Provider', (m) => m.provider),
  words('Model', (m) => m.model),
  ['Calls', (m) => m.total, whole],
  ['Rate', (m) => m.rate, perSecond],
  ['Errors', (m) => m.errors, percent, '', (n) => n > 0.1],
  ['Tokens in', (m) => m.tokens[0], short],
  ['Tokens out', (m) => m.tokens[1], short],
  ['Cost', (m) => m.cost, price],
  ['An hour', (m) => m.cost_per_hour, dollars],
  ['First token p95', (m) => m.first_token, seconds],
  ['Time p95', (m) => m.p[1], seconds],
  ['In flight', (m) => m.in_flight, whole],
  ['Limit left', (m) => m.rate_limit_remaining, percent, '', (n) => known(n) && n < 0.1],
], 2, 1);

const spenders = table('spenders', [words('Route', (r) => r.route), ['Cost', (r) => r.cost, dollars]], 1, 0);

const metrics = table('metrics', [
  words('Name', (m) => m.name),
  words('Kind', (m) => m.kind),
  ['Series', (m) => m.series, whole],
  ['Value', (m) => m.value, (n, m) => (m.kind === 'histogram' ? whole(n) + ' observed' : short(n))],
  words('What it is', (m) => m.help),
  words('Of each', (m) => m.told, told),
], 0, 0);
metrics.down = false;

function told(values, m) {
  const lines = [];
  for (let i = 0; i < values.length; i += 2) lines.push(`{${values[i]}} ${short(values[i + 1])}`);
  if (lines.length && m.series > lines.length) lines.push(`and ${m.series - lines.length} more`);
  return lines.join('\n');
}

chart('traffic', 'Requests a second, by status', [
  ['2xx', 'good'], ['3xx', 'accent'], ['4xx', 'warn'], ['5xx', 'bad'], ['none', 'dim', 'no response'], ['1xx', 'other'],
], perSecond);
chart('latency', 'Time of requests', [['p50', 'good'], ['p95', 'accent'], ['p99', 'bad']], seconds);
chart('tokens', 'Tokens a second', [['input', 'accent'], ['output', 'good']], perSecond);
chart('cost', 'Cost an hour', [['cost', 'other']], dollars);

const figures = group('figures', 'Figures');
const callFigures = group('llm-figures', 'Calls of LLMs');

function show(view) {
  const { http, llm, process, history } = view;
  source = view.instance;
  document.title = brief(view.title);
  write(byId('title'), view.title);
  write(byId('about'), `process ${view.pid} · ${view.instance.slice(0, 6)} · up ${span(view.uptime)} · ${whole(view.series)} series`);
  write(byId('made'), `Figures of this process alone, by tachometer ${view.version}.`);
  const last = view.window ? `over ${span(view.window)}` : 'a rate takes two readings';

  const p = http ? http.p : [];
  figures.columns = [];
  figure(figures, 'Requests', perSecond(http && http.rate), http ? last : 'none yet', sum(history, CLASSES), perSecond);
  figure(figures, 'Errors', percent(http && http.errors), 'of all requests', history.errors, percent);
  figure(figures, 'Time p95', seconds(p[1]), `p50 ${seconds(p[0])} · p99 ${seconds(p[2])}`, history.p95, seconds);
  figure(figures, 'In flight', whole(http && http.in_flight), 'requests', history.in_flight, whole);
  if (process) showProcess(process, history);
  list(figures.table, history.t, figures.columns);

  byId('http').hidden = !http;
  if (http) {
    routes.rows = http.routes.map((r) => ({ ...r, key: r.method + ' ' + r.route }));
    const others = `${http.omitted} others`;
    if (http.others) routes.rows.push({ ...http.others, method: '', route: others, key: others });
    fill(routes);
  }
  byId('llm').hidden = !llm;
  if (llm) showCalls(llm, history, last);
  for (const own of charts) {
    own.history = history;
    redraw(own);
  }

  write(byId('metrics-all'), `${view.metrics.rows.length + view.metrics.omitted}`);
  metrics.rows = view.metrics.rows.map(([name, kind, help, series, value, told]) => ({ key: name, name, kind, help, series, value, told }));
  if (byId('all').open) fill(metrics);
}

function showProcess(process, history) {
  const share = (n, most, of) => (known(n) && known(most) ? `${of} ${percent(n / most)}` : '');
  const machine = share(process.machine_cpu, 100, ' · machine');
  const memory = share(process.container_memory, process.container_memory_limit, 'container') || share(process.machine_memory, 100, 'machine');
  figure(figures, 'CPU', short(process.cpu), 'cores' + machine, history.cpu, short);
  figure(figures, 'Memory', bytes(process.memory), memory, history.memory, bytes);
  figure(figures, 'Open files', whole(process.files), `of ${whole(process.max_files)} · ${whole(process.threads)} threads`);
}

function showCalls(llm, history, last) {
  const own = callFigures;
  const tokens = known(llm.input) ? llm.input + llm.output + llm.unknown : null;
  const hour = known(llm.cost_per_hour) ? `${dollars(llm.cost_per_hour)} an hour now` : 'since it started';
  const unpriced = llm.unpriced ? ` · ${whole(llm.unpriced)} calls unpriced` : '';
  own.columns = [];
  figure(own, 'Calls', perSecond(llm.rate), last, history.calls, perSecond);
  figure(own, 'Failed calls', percent(llm.errors), 'of all calls');
  figure(own, 'Tokens', perSecond(tokens), `${short(llm.input)} in · ${short(llm.output)} out`, sum(history, ['input', 'output']), perSecond);
  if (known(llm.cost)) figure(own, 'Cost', dollars(llm.cost), hour + unpriced, history.cost, dollars);
  else figure(own, 'Cost', 'no price known', 'give some by LlmLayer::prices');
  figure(own, 'First token p95', seconds(llm.first_token), 'of streamed answers', history.first_token, seconds);
  figure(own, 'Calls in flight', whole(llm.in_flight), '');
  list(own.table, history.t, own.columns);
  models.rows = llm.models.map((m) => ({ ...m, key: m.provider + ' ' + m.model }));
  models.note = llm.omitted ? `; ${llm.omitted} others left out` : '';
  fill(models);
  byId('spenders-part').hidden = llm.routes.length === 0;
  spenders.rows = llm.routes.map((r) => ({ ...r, key: r.route }));
  fill(spenders);
}

const CLASSES = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'];

function sum(history, names) {
  const columns = names.map((name) => history[name]).filter(Boolean);
  return columns.length && history.t.map((_, i) => columns.reduce((all, c) => (known(c[i]) ? all + c[i] : NaN), 0));
}

// ---- Asking the server. ----

let view = null; // the last one
let heard = 0; // when it came
let fresh = 0; // when it last was another than before
let failures = 0;
let trouble = ''; // what the last failure was
let asking = false;
let paused = false;
let refused = false;
let timer = 0;
let next = 0; // when it is asked again
let restarted = 0;
let answering = []; // the processes that answered last
let spoken = ['', 0];

// One question at a time, and none for more than ten seconds.
async function ask() {
  clearTimeout(timer);
  if (asking || paused || refused || document.hidden) return state();
  asking = true;
  const stop = new AbortController();
  const patience = setTimeout(() => stop.abort(), 10000);
  let step = 'No answer'; // what is told, should this step fail
  try {
    const answer = await fetch('view', { cache: 'no-store', signal: stop.signal });
    step = `The server answers ${answer.status}`;
    refused = answer.status === 401 || answer.status === 403;
    if (!answer.ok) throw new Error(step);
    step = 'The answer broke off';
    const text = await answer.text();
    step = 'The answer is not one of metrics';
    take(read(text));
    failures = 0;
  } catch {
    failures += 1;
    trouble = step;
  }
  clearTimeout(patience);
  asking = false;
  const wait = failures ? Math.min(1000 * 2 ** (failures - 1), 30000) : parseFloat(byId('every').value) * 1000;
  next = Date.now() + wait;
  timer = setTimeout(ask, wait);
  state();
}

function take(answer) {
  const now = Date.now();
  show(answer); // what cannot be shown is not kept
  // One that began since the last answer is the same service anew, any other a replica.
  if (view && view.instance !== answer.instance && answer.uptime * 1000 < now - heard + 1000) {
    restarted = now;
    answering = [];
  }
  answering = [...answering.slice(-9), answer.instance];
  if (!view || view.now !== answer.now) fresh = now;
  view = answer;
  heard = now;
}

function notices() {
  const said = [];
  const replicas = new Set(answering).size;
  const wait = Math.ceil((next - Date.now()) / 1000);
  const again = paused ? 'Paused.' : `Asking again ${wait > 0 ? `in ${wait} s` : 'now'}.`;
  const old = view ? `; the last figures are ${span((Date.now() - heard) / 1000)} old` : '';
  if (refused) said.push('The server refuses to show its metrics. Sign in, then reload.');
  else if (failures) said.push(`${trouble}${old}. ${again}`);
  if (!view) return said;
  if (heard - fresh > 15000) said.push(`The server has told the same for ${span((heard - fresh) / 1000)}: reading its metrics takes that long.`);
  if (replicas > 1) said.push(`${replicas} processes answer here. Figures are of one at a time; Prometheus adds them up.`);
  else if (Date.now() - restarted < 60000) said.push(`The service started anew at ${clock(view.now - view.uptime * 1000)}; figures begin again.`);
  if (!view.http && !view.llm) said.push(`No traffic yet. Is MetricsLayer on the router? Requests for metrics do not count; try: curl ${location.origin}/`);
  else if (view.window === null) said.push('One reading so far; a rate takes two.');
  if (view.overflowed.length) said.push(`Too many series: a label of ${view.overflowed.slice(0, 3).join(', ')}${view.overflowed.length > 3 ? ' and others' : ''} has more values than its limit; the rest is called _overflow.`);
  if (view.metrics.omitted) said.push(`${view.metrics.omitted} more metrics are in the formats for programs alone.`);
  return said;
}

// Says how things are, to a screen reader when that changes.
function state() {
  const name = refused ? 'Refused' : failures ? 'Not connected' : paused ? 'Paused' : view ? 'Live' : 'Loading';
  byId('state').dataset.state = name;
  write(byId('state'), view && !refused && !failures ? `${name}, ${span((Date.now() - heard) / 1000)} ago` : name);
  const list = byId('notices');
  const said = notices();
  said.forEach((text, i) => write(list.children[i] || list.appendChild(make('li')), text));
  while (list.children.length > said.length) list.lastChild.remove();
  const summary = view && view.http ? `${perSecond(view.http.rate)} requests, ${percent(view.http.errors)} errors.` : '';
  const key = (name + said).replace(/in \d+ s|now|\d+ \w+/g, ''); // time that passes is no news
  if (key !== spoken[0] || Date.now() - spoken[1] > 30000) {
    spoken = [key, Date.now()];
    write(byId('said'), [name, ...said, summary].join('. '));
  }
}

byId('pause').addEventListener('click', (event) => {
  paused = !paused;
  event.target.setAttribute('aria-pressed', paused);
  ask();
});
byId('every').addEventListener('change', ask);
byId('all').addEventListener('toggle', () => fill(metrics));
byId('theme').addEventListener('click', () => {
  const { style } = document.documentElement;
  const dark = style.colorScheme ? style.colorScheme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  style.colorScheme = dark ? 'light' : 'dark';
});
document.addEventListener('visibilitychange', () => { if (!document.hidden) ask(); });
addEventListener('online', ask);
byId('text').href = location.pathname.replace(/\/dashboard\/?$/, '') || '/';
setInterval(state, 1000);
ask();
