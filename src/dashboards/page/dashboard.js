'use strict';

// ---- Number formats. An unknown value is a dash, never 0. ----

const NONE = '–';
const isKnown = (n) => typeof n === 'number' && Number.isFinite(n);

// Slow to create.
const numberFormat = (options) => new Intl.NumberFormat('en', options).format;
const precise = numberFormat({ maximumSignificantDigits: 3, maximumFractionDigits: 3, roundingPriority: 'lessPrecision' });
const round = numberFormat({ maximumFractionDigits: 0 });
const exact = numberFormat({ maximumFractionDigits: 2 });
const cents = numberFormat({ style: 'currency', currency: 'USD' });
const clock = new Intl.DateTimeFormat([], { timeStyle: 'medium' }).format;

function formatNumber(n) {
  const size = Math.abs(n);
  if (size > 0 && size < 0.001) return n.toExponential(1);
  return size < 100 ? precise(n) : round(n);
}

// Formats a number in the first unit that it reaches. A unit is [smallest number, suffix, divisor].
function scaled(n, units, baseUnit = '') {
  if (!isKnown(n)) return NONE;
  const [, unit, size] = units.find(([from]) => Math.abs(n) >= from) || [0, baseUnit, 1];
  return formatNumber(n / size) + unit;
}

const compact = (n) => scaled(n, [[1e9, ' G', 1e9], [1e6, ' M', 1e6], [1e4, ' k', 1e3]]);
const bytes = (n) => scaled(n, [[2 ** 30, ' GiB', 2 ** 30], [2 ** 20, ' MiB', 2 ** 20], [2 ** 10, ' KiB', 2 ** 10]], ' B');

function duration(s) {
  if (s && isKnown(s.over)) return '> ' + duration(s.over);
  if (!isKnown(s)) return NONE;
  if (s >= 100) return formatNumber(s / 60) + ' min';
  if (s >= 1) return formatNumber(s) + ' s';
  return s >= 0.001 || s === 0 ? formatNumber(s * 1e3) + ' ms' : formatNumber(s * 1e6) + ' µs';
}

function timeSpan(s) {
  const plural = (n, unit) => (Math.round(n) === 1 ? '1 ' + unit : Math.round(n) + ' ' + unit + 's');
  if (s >= 172800) return plural(s / 86400, 'day');
  if (s >= 7200) return plural(s / 3600, 'hour');
  return s >= 120 ? plural(s / 60, 'minute') : plural(Math.max(s, 0), 'second');
}

const percent = (n) => (isKnown(n) ? (n > 0 && n < 1e-5 ? '< 0.001' : formatNumber(n * 100)) + ' %' : NONE);
const exactNumber = (n) => (isKnown(n) ? exact(n) : NONE);
const perSecond = (n) => (isKnown(n) ? compact(n) + '/s' : NONE);
const dollars = (n) => (isKnown(n) ? (n > 0 && n < 0.01 ? '$' + n.toPrecision(2) : cents(n)) : NONE);

// ---- Elements. Everything from the server is inserted as text, never as HTML. ----

// Bidirectional control characters are shown as their code points.
const BIDI_CONTROLS = /[\u202a-\u202e\u2066-\u2069]/g;
const parseJson = (text) => JSON.parse(text.replace(BIDI_CONTROLS, (mark) => `[U+${mark.charCodeAt(0).toString(16).toUpperCase()}]`));

// The layout of a megabyte of text takes seconds.
const truncate = (text) => (text.length > 1000 ? text.slice(0, 1000) + '…' : text);

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

function svgElement(name, attributes, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function setText(element, text) {
  if (element.shown !== text) element.textContent = truncate((element.shown = text));
}

// ---- Cards with current values. ----

function cardGroup(id, title) {
  const group = { box: byId(id), cards: new Map(), columns: [], table: historyTable(title) };
  group.box.after(group.table.details);
  return group;
}

function addCard(group, name) {
  const card = make('div', { className: 'card', 'data-card': name },
    make('p', { className: 'quiet', textContent: name }), make('p', { className: 'value' }), make('p', { className: 'quiet' }),
    svgElement('svg', { viewBox: '0 0 100 28', preserveAspectRatio: 'none', role: 'img' }, svgElement('path', { class: 'mark' })));
  group.box.append(card);
  group.cards.set(name, card);
  return card;
}

function setCard(group, name, value, detail, history, format) {
  const [, text, note, svg] = (group.cards.get(name) || addCard(group, name)).children;
  setText(text, value);
  setText(note, detail);
  svg.toggleAttribute('hidden', !history);
  if (!history) return;
  group.columns.push([name, history, format]);
  const max = Math.max(...history.filter(isKnown), 1e-12);
  const toPoint = (value, i) => [(i * 100) / Math.max(history.length - 1, 1), 26 - (24 * value) / max];
  svg.firstChild.setAttribute('d', path(history, toPoint));
  svg.setAttribute('aria-label', `${name}, recent values: ${range(history, format)}`);
}

function range(values, format) {
  const all = values.filter(isKnown);
  return all.length ? `from ${format(Math.min(...all))} to ${format(Math.max(...all))}.` : 'No data yet.';
}

// ---- History tables, the newest row first. ----

let source = ''; // the process that the values are from

function historyTable(title) {
  const [head, body] = [make('thead'), make('tbody')];
  const details = make('details', {}, make('summary', { textContent: 'Show as table' }),
    make('div', { className: 'scroll tall', tabIndex: 0, role: 'region', 'aria-label': title + ', as a table' }, make('table', {}, head, body)));
  const table = { head, body, details, times: [], columns: [] };
  details.addEventListener('toggle', () => fillHistoryTable(table, table.times, table.columns));
  return table;
}

// A column is [name, values, format]. Closed tables are not filled, and existing rows are kept.
function fillHistoryTable(table, times, columns) {
  Object.assign(table, { times, columns });
  const { head, body, details } = table;
  if (!details.open) return;
  const columnsKey = source + columns.map(([name]) => name);
  if (table.columnsKey !== columnsKey) {
    Object.assign(table, { columnsKey, last: 0 });
    head.replaceChildren(make('tr', {}, ...['Time', ...columns.map(([name]) => name)].map((name) => make('th', { scope: 'col', textContent: name }))));
    body.replaceChildren();
  }
  times.forEach((time, i) => {
    if (time > table.last) body.prepend(make('tr', {}, make('th', { scope: 'row', textContent: clock(time) }),
      ...columns.map(([, values, format]) => make('td', { textContent: format(values[i]) }))));
  });
  table.last = times[times.length - 1];
  while (body.children.length > times.length) body.lastChild.remove();
}

// An SVG path through the known values. One without a known neighbor is a dot.
function path(values, toPoint) {
  let d = '';
  let pen = false;
  values.forEach((value, i) => {
    if (!isKnown(value)) { pen = false; return; }
    const [x, y] = toPoint(value, i);
    d += (pen ? 'L' : 'M') + x.toFixed(1) + ' ' + y.toFixed(1);
    if (!pen && !isKnown(values[i + 1])) d += 'h.1';
    pen = true;
  });
  return d;
}

// ---- Charts of the history. ----

const charts = [];
let hoveredTime = null; // the time under the pointer, the same in all charts

function addChart(id, title, lines, format) {
  const box = byId(id);
  const caption = make('span', { className: 'quiet' });
  const svg = svgElement('svg', { role: 'img' });
  const legend = make('ul', { className: 'legend quiet' });
  const table = historyTable(title);
  box.append(make('figcaption', {}, title, caption), svg, legend, table.details);
  const chart = { title, lines, format, caption, svg, legend, table };
  const hover = (event) => {
    const { left, width } = svg.getBoundingClientRect();
    hoveredTime = chart.time ? chart.time(((event.clientX - left) / width) * chart.width) : null;
    charts.forEach(redraw);
  };
  // Reading the width while drawing would cause one page layout per chart.
  new ResizeObserver(([{ contentRect }]) => { chart.width = contentRect.width; redraw(chart); }).observe(svg);
  svg.addEventListener('pointermove', hover);
  svg.addEventListener('pointerleave', () => { hoveredTime = null; charts.forEach(redraw); });
  charts.push(chart);
}

// Round numbers for the axis.
function axisTicks(max) {
  const raw = max / 3;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((n) => n * power >= raw) * power;
  return [0, 1, 2, 3, 4].map((n) => n * step).filter((n) => n < max + step);
}

function redraw(chart) {
  const { history, svg, format, width } = chart;
  if (!history || !width) return;
  const { t } = history;
  const now = t.length - 1;
  const lines = chart.lines.map(([column, style, name = column]) => ({ column, style, name, values: history[column] || [] }))
    .filter(({ column, values }) => values.some((n) => isKnown(n) && (n > 0 || !/[1345]xx|none/.test(column))));
  const max = Math.max(...lines.flatMap(({ values }) => values.filter(isKnown)), 1e-9);
  const [height, left, bottom] = [190, 58, 20];
  const start = t[0];
  const end = Math.max(t[now], start + 60000);
  const ticks = lines.length ? axisTicks(max) : [];
  const x = (time) => left + ((time - start) / (end - start)) * (width - left - 8);
  const y = (value) => height - bottom - (value / ticks[ticks.length - 1]) * (height - bottom - 12);
  chart.time = (at) => start + ((at - left) / (width - left - 8)) * (end - start);

  const parts = ticks.flatMap((tick) => [
    svgElement('line', { class: 'grid', x1: left, x2: width - 8, y1: y(tick), y2: y(tick) }),
    svgElement('text', { x: left - 6, y: y(tick) + 4, 'text-anchor': 'end' }, format(tick)),
  ]);
  for (const [time, anchor] of [[start, 'start'], [end, 'end']]) {
    parts.push(svgElement('text', { x: x(time), y: height - 4, 'text-anchor': anchor }, clock(time)));
  }
  for (const { style, values } of lines) {
    parts.push(svgElement('path', { class: 'mark ' + style, d: path(values, (value, i) => [x(t[i]), y(value)]) }));
  }
  const at = hoveredTime === null ? now : nearest(t, hoveredTime);
  if (hoveredTime !== null) parts.push(svgElement('line', { class: 'cross', x1: x(t[at]), x2: x(t[at]), y1: 8, y2: height - bottom }));
  svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
  svg.replaceChildren(...parts);

  chart.legend.replaceChildren(...lines.map(({ style, name, values }) => make('li', {},
    svgElement('svg', { viewBox: '0 0 26 8', 'aria-hidden': 'true' }, svgElement('path', { class: 'mark ' + style, d: 'M0 4H26' })),
    `${name} ${format(values[at])}`)));
  const noData = lines.length ? '' : 'No data yet.';
  setText(chart.caption, noData || (hoveredTime === null ? `The last ${timeSpan((t[now] - start) / 1000)}.` : `At ${clock(t[at])}.`));
  const descriptions = lines.map(({ name, values }) => `${name}: now ${format(values[now])}, ${range(values, format)}`);
  svg.setAttribute('aria-label', [chart.title + '.', ...(lines.length ? descriptions : [noData])].join(' '));
  fillHistoryTable(chart.table, t, lines.map(({ name, values }) => [name, values, format]));
}

const nearest = (times, time) => times.reduce((best, t, i) => (Math.abs(t - time) < Math.abs(times[best] - time) ? i : best), 0);

// ---- Sortable and filterable tables. ----

// A column is [title, value, format, class, isHigh]. `sorted` is the index of the column that rows
// are sorted by, and `head` that of the row header.
function sortableTable(id, columns, sorted, head) {
  const table = { columns, sorted, head, down: true, rows: [], rowElements: new Map(), filter: '', limit: 20, note: '', count: byId(id + '-count') };
  table.heads = columns.map(([title, , , style], i) => make('th', { scope: 'col', className: style || '' }, button(title, () => {
    table.down = table.sorted === i ? !table.down : style !== 'words';
    table.sorted = i;
    fillTable(table);
  })));
  table.body = make('tbody');
  table.all = button('', () => {
    table.limit = Infinity;
    fillTable(table);
  });
  byId(id).append(make('thead', {}, make('tr', {}, ...table.heads)), table.body);
  byId(id).after(table.all);
  const filter = byId(id + '-filter');
  if (filter) filter.addEventListener('input', () => {
    table.filter = filter.value.toLowerCase();
    fillTable(table);
  });
  return table;
}

function button(text, onClick) {
  const element = make('button', { type: 'button', textContent: text });
  element.addEventListener('click', onClick);
  return element;
}

const textColumn = (title, value, text = String) => [title, value, text, 'words'];

function comparator({ columns, sorted, down }) {
  const [, value] = columns[sorted];
  const sortValue = (v) => (v && isKnown(v.over) ? v.over * 1.001 : v);
  return (a, b) => {
    const [x, y] = [sortValue(value(a)), sortValue(value(b))];
    if (typeof x === 'string') return x.localeCompare(y) * (down ? -1 : 1);
    if (!isKnown(x) || !isKnown(y)) return isKnown(y) - isKnown(x); // unknown values come last
    return (x - y) * (down ? -1 : 1);
  };
}

// Reuses the element of a row, so that selected text stays selected.
function tableRow({ columns, head, rowElements }, row, key) {
  let element = rowElements.get(key);
  if (!element) {
    element = make('tr', {}, ...columns.map(([, , , style], i) =>
      (i === head ? make('th', { scope: 'row', className: style }) : make('td', { className: style || '' }))));
    rowElements.set(key, element);
  }
  columns.forEach(([, value, text, , isHigh], i) => {
    setText(element.children[i], text(value(row), row));
    if (isHigh) element.children[i].classList.toggle('high', isHigh(value(row)));
  });
  return element;
}

// Only the first rows, since the layout of many is slow.
function fillTable(table) {
  const { sorted, down, body, rowElements, count } = table;
  table.heads.forEach((head, i) => {
    if (i === sorted) head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
    else head.removeAttribute('aria-sort');
  });
  const matching = table.rows.filter((row) => row.key.toLowerCase().includes(table.filter)).sort(comparator(table));
  const keyCounts = {};
  const rows = matching.slice(0, table.limit).map((row) => {
    keyCounts[row.key] = (keyCounts[row.key] || 0) + 1; // names that the server truncated may be equal
    return tableRow(table, row, row.key + keyCounts[row.key]);
  });
  if (count) setText(count, `${rows.length} of ${table.rows.length} shown${table.note}`);
  table.all.hidden = rows.length === matching.length;
  setText(table.all, `Show all ${matching.length}`);
  if (rowElements.size > table.rows.length + 200) rowElements.clear();
  if (rows.length === 0) rows.push(make('tr', {}, make('td', { className: 'words quiet', colSpan: table.columns.length, textContent: table.filter ? 'No matches.' : 'None yet.' })));
  if (rows.length !== body.children.length || rows.some((row, i) => row !== body.children[i])) body.replaceChildren(...rows);
}

// ---- The sections of the page. ----

const routes = sortableTable('routes', [
  textColumn('Method', (r) => r.method),
  textColumn('Route', (r) => r.route),
  ['Rate', (r) => r.rate, perSecond],
  ['Errors', (r) => r.errors, percent, '', (n) => n > 0.05],
  ['4xx', (r) => r.client_errors, percent],
  ['p50', (r) => r.p[0], duration],
  ['p95', (r) => r.p[1], duration],
  ['p99', (r) => r.p[2], duration],
  ['In flight', (r) => r.in_flight, exactNumber],
  ['Share of time', (r) => r.time_share, percent],
  ['Total', (r) => r.total, exactNumber],
], 9, 1);

const price = (cost, m) => (isKnown(cost) ? dollars(cost) + (m.unpriced ? ` + ${exactNumber(m.unpriced)} unpriced` : '') : m.total ? 'no price' : NONE);

const models = sortableTable('models', [
  textColumn('Provider', (m) => m.provider),
  textColumn('Model', (m) => m.model),
  ['Calls', (m) => m.total, exactNumber],
  ['Rate', (m) => m.rate, perSecond],
  ['Errors', (m) => m.errors, percent, '', (n) => n > 0.1],
  ['Tokens in', (m) => m.tokens[0], compact],
  ['Tokens out', (m) => m.tokens[1], compact],
  ['Cost', (m) => m.cost, price],
  ['Cost per hour', (m) => m.cost_per_hour, dollars],
  ['Time to first token p95', (m) => m.first_token, duration],
  ['Duration p95', (m) => m.p[1], duration],
  ['In flight', (m) => m.in_flight, exactNumber],
  ['Rate limit remaining', (m) => m.rate_limit_remaining, percent, '', (n) => isKnown(n) && n < 0.1],
], 2, 1);

const costRoutes = sortableTable('cost-routes', [textColumn('Route', (r) => r.route), ['Cost', (r) => r.cost, dollars]], 1, 0);

const metrics = sortableTable('metrics', [
  textColumn('Name', (m) => m.name),
  textColumn('Kind', (m) => m.kind),
  ['Series', (m) => m.series, exactNumber],
  ['Value', (m) => m.value, (n, m) => (m.kind === 'histogram' ? exactNumber(n) + ' observed' : compact(n))],
  textColumn('Description', (m) => m.help),
  textColumn('Values by series', (m) => m.values, seriesText),
], 0, 0);
metrics.down = false;

function seriesText(values, m) {
  const lines = [];
  for (let i = 0; i < values.length; i += 2) lines.push(`{${values[i]}} ${compact(values[i + 1])}`);
  if (lines.length && m.series > lines.length) lines.push(`and ${m.series - lines.length} more`);
  return lines.join('\n');
}

addChart('traffic', 'Requests/s by status', [
  ['2xx', 'good'], ['3xx', 'accent'], ['4xx', 'warn'], ['5xx', 'bad'], ['none', 'dim', 'no response'], ['1xx', 'other'],
], perSecond);
addChart('latency', 'Request duration', [['p50', 'good'], ['p95', 'accent'], ['p99', 'bad']], duration);
addChart('tokens', 'Tokens/s', [['input', 'accent'], ['output', 'good']], perSecond);
addChart('cost', 'Cost per hour', [['cost', 'other']], dollars);

const figures = cardGroup('figures', 'Current values');
const callFigures = cardGroup('llm-figures', 'LLM calls');

function render(view) {
  const { http, llm, process, otlp, history } = view;
  source = view.instance;
  document.title = truncate(view.title);
  setText(byId('title'), view.title);
  setText(byId('about'), `process ${view.pid} · ${view.instance.slice(0, 6)} · up ${timeSpan(view.uptime)} · ${exactNumber(view.series)} series`);
  setText(byId('generator'), `Values of this process only. Generated by tachometer ${view.version}.`);
  const rateNote = view.window ? `over ${timeSpan(view.window)}` : 'rates need two samples';

  const p = http ? http.p : [];
  figures.columns = [];
  setCard(figures, 'Requests', perSecond(http && http.rate), http ? rateNote : 'none yet', sum(history, CLASSES), perSecond);
  setCard(figures, 'Errors', percent(http && http.errors), 'of all requests', history.errors, percent);
  setCard(figures, 'Duration p95', duration(p[1]), `p50 ${duration(p[0])} · p99 ${duration(p[2])}`, history.p95, duration);
  setCard(figures, 'In flight', exactNumber(http && http.in_flight), 'requests', history.in_flight, exactNumber);
  if (process) showProcess(process, history);
  if (otlp) setCard(figures, 'Last OTLP export', isKnown(otlp.since_success) ? `${timeSpan(otlp.since_success)} ago` : 'none yet', `${exactNumber(otlp.failed)} failed · ${exactNumber(otlp.rejected_points)} points rejected`);
  fillHistoryTable(figures.table, history.t, figures.columns);

  byId('http').hidden = !http;
  if (http) {
    routes.rows = http.routes.map((r) => ({ ...r, key: r.method + ' ' + r.route }));
    const others = `${http.omitted} others`;
    if (http.others) routes.rows.push({ ...http.others, method: '', route: others, key: others });
    fillTable(routes);
  }
  byId('llm').hidden = !llm;
  if (llm) showCalls(llm, history, rateNote);
  for (const chart of charts) {
    chart.history = history;
    redraw(chart);
  }

  setText(byId('metrics-all'), `${view.metrics.rows.length + view.metrics.omitted}`);
  metrics.rows = view.metrics.rows.map(([name, kind, help, series, value, values]) => ({ key: name, name, kind, help, series, value, values }));
  if (byId('all').open) fillTable(metrics);
}

function showProcess(process, history) {
  const usage = (n, max, label) => (isKnown(n) && isKnown(max) ? `${label} ${percent(n / max)}` : '');
  const machine = usage(process.machine_cpu, 100, ' · machine');
  const memory = usage(process.container_memory, process.container_memory_limit, 'container') || usage(process.machine_memory, 100, 'machine');
  setCard(figures, 'CPU', compact(process.cpu), 'cores' + machine, history.cpu, compact);
  setCard(figures, 'Memory', bytes(process.memory), memory, history.memory, bytes);
  setCard(figures, 'Open files', exactNumber(process.files), `of ${exactNumber(process.max_files)} · ${exactNumber(process.threads)} threads`);
}

function showCalls(llm, history, rateNote) {
  const group = callFigures;
  const tokens = isKnown(llm.input) ? llm.input + llm.output + llm.unknown : null;
  const costNote = isKnown(llm.cost_per_hour) ? `${dollars(llm.cost_per_hour)} per hour now` : 'since the start';
  const unpriced = llm.unpriced ? ` · ${exactNumber(llm.unpriced)} calls without a price` : '';
  group.columns = [];
  setCard(group, 'LLM calls', perSecond(llm.rate), rateNote, history.calls, perSecond);
  setCard(group, 'LLM errors', percent(llm.errors), 'of all calls');
  setCard(group, 'Tokens', perSecond(tokens), `${compact(llm.input)} in · ${compact(llm.output)} out`, sum(history, ['input', 'output']), perSecond);
  if (isKnown(llm.cost)) setCard(group, 'Cost', dollars(llm.cost), costNote + unpriced, history.cost, dollars);
  else setCard(group, 'Cost', 'no price', 'set prices with LlmLayer::prices');
  setCard(group, 'Time to first token p95', duration(llm.first_token), 'of streamed responses', history.first_token, duration);
  setCard(group, 'LLM calls in flight', exactNumber(llm.in_flight), '');
  fillHistoryTable(group.table, history.t, group.columns);
  models.rows = llm.models.map((m) => ({ ...m, key: m.provider + ' ' + m.model }));
  models.note = llm.omitted ? `; ${llm.omitted} more not shown` : '';
  fillTable(models);
  byId('cost-routes-part').hidden = llm.routes.length === 0;
  costRoutes.rows = llm.routes.map((r) => ({ ...r, key: r.route }));
  fillTable(costRoutes);
}

const CLASSES = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'];

function sum(history, names) {
  const columns = names.map((name) => history[name]).filter(Boolean);
  return columns.length && history.t.map((_, i) => columns.reduce((all, c) => (isKnown(c[i]) ? all + c[i] : NaN), 0));
}

// ---- Polling the server. ----

let view = null; // the last view
let receivedAt = 0;
let changedAt = 0; // when the view last differed from the one before
let failures = 0;
let lastError = '';
let polling = false;
let isPaused = false;
let isDenied = false;
let timer = 0;
let nextPoll = 0;
let restartedAt = 0;
let recentInstances = [];
let lastAnnouncement = ['', 0];

// One request at a time, with a timeout.
async function poll() {
  clearTimeout(timer);
  if (polling || isPaused || isDenied || document.hidden) return updateState();
  polling = true;
  const controller = new AbortController();
  const timeout = setTimeout(() => controller.abort(), 10000);
  let errorText = 'No response'; // if the next step fails
  try {
    const response = await fetch('view', { cache: 'no-store', signal: controller.signal });
    errorText = `The server responded with status ${response.status}`;
    isDenied = response.status === 401 || response.status === 403;
    if (!response.ok) throw new Error(errorText);
    errorText = 'The response was cut off';
    const text = await response.text();
    errorText = 'The response is not a metrics view';
    receive(parseJson(text));
    failures = 0;
  } catch {
    failures += 1;
    lastError = errorText;
  }
  clearTimeout(timeout);
  polling = false;
  const wait = failures ? Math.min(1000 * 2 ** (failures - 1), 30000) : parseFloat(byId('every').value) * 1000;
  nextPoll = Date.now() + wait;
  timer = setTimeout(poll, wait);
  updateState();
}

function receive(newView) {
  const now = Date.now();
  render(newView); // throws if the view is invalid, which is then not kept
  // A process that started after the last view is a restart. Any other is a replica.
  if (view && view.instance !== newView.instance && newView.uptime * 1000 < now - receivedAt + 1000) {
    restartedAt = now;
    recentInstances = [];
  }
  recentInstances = [...recentInstances.slice(-9), newView.instance];
  if (!view || view.now !== newView.now) changedAt = now;
  view = newView;
  receivedAt = now;
}

function notices() {
  const texts = [];
  const replicas = new Set(recentInstances).size;
  const wait = Math.ceil((nextPoll - Date.now()) / 1000);
  const retry = isPaused ? 'Paused.' : `Retrying ${wait > 0 ? `in ${wait} s` : 'now'}.`;
  const age = view ? `; the values shown are ${timeSpan((Date.now() - receivedAt) / 1000)} old` : '';
  if (isDenied) texts.push('Access denied. Sign in, then reload the page.');
  else if (failures) texts.push(`${lastError}${age}. ${retry}`);
  if (!view) return texts;
  if (receivedAt - changedAt > 15000) texts.push(`The values have not changed for ${timeSpan((receivedAt - changedAt) / 1000)}: reading the metrics is slow.`);
  if (replicas > 1) texts.push(`${replicas} processes respond at this address. The page shows one at a time; Prometheus adds them up.`);
  else if (Date.now() - restartedAt < 60000) texts.push(`The service restarted at ${clock(view.now - view.uptime * 1000)}; values start from 0 again.`);
  if (!view.http && !view.llm) texts.push(`No requests yet. Is MetricsLayer on the router? Requests for metrics are not counted. Try: curl ${location.origin}/`);
  else if (view.window === null) texts.push('One sample so far. Rates need two.');
  if (view.overflowed.length) texts.push(`Too many series: a label of ${view.overflowed.slice(0, 3).join(', ')}${view.overflowed.length > 3 ? ' and others' : ''} has more values than its limit. Further values become _overflow.`);
  if (view.otlp && view.otlp.failed && !view.otlp.accepted) texts.push('No OTLP export has succeeded yet. The log has the reason.');
  if (view.metrics.omitted) texts.push(`${view.metrics.omitted} more metrics are not shown. The Prometheus and JSON formats have them.`);
  return texts;
}

// Screen readers announce only changes.
function updateState() {
  const name = isDenied ? 'Access denied' : failures ? 'Not connected' : isPaused ? 'Paused' : view ? 'Live' : 'Loading';
  byId('state').dataset.state = name;
  setText(byId('state'), view && !isDenied && !failures ? `${name}, ${timeSpan((Date.now() - receivedAt) / 1000)} ago` : name);
  const list = byId('notices');
  const texts = notices();
  texts.forEach((text, i) => setText(list.children[i] || list.appendChild(make('li')), text));
  while (list.children.length > texts.length) list.lastChild.remove();
  const summary = view && view.http ? `${perSecond(view.http.rate)} requests, ${percent(view.http.errors)} errors.` : '';
  const key = (name + texts).replace(/in \d+ s|now|\d+ \w+/g, ''); // time passes
  if (key !== lastAnnouncement[0] || Date.now() - lastAnnouncement[1] > 30000) {
    lastAnnouncement = [key, Date.now()];
    setText(byId('announcement'), [name, ...texts, summary].join('. '));
  }
}

byId('pause').addEventListener('click', (event) => {
  isPaused = !isPaused;
  event.target.setAttribute('aria-pressed', isPaused);
  poll();
});
byId('every').addEventListener('change', poll);
byId('all').addEventListener('toggle', () => fillTable(metrics));
byId('theme').addEventListener('click', () => {
  const { style } = document.documentElement;
  const dark = style.colorScheme ? style.colorScheme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  style.colorScheme = dark ? 'light' : 'dark';
});
document.addEventListener('visibilitychange', () => { if (!document.hidden) poll(); });
addEventListener('online', poll);
byId('text').href = location.pathname.replace(/\/dashboard\/?$/, '') || '/';
setInterval(updateState, 1000);
poll();
