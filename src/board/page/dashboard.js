'use strict';

// ---- Texts of numbers: what is not known is a dash, and never 0. ----

const NONE = '–';
const known = (n) => typeof n === 'number' && Number.isFinite(n);

function digits(n) {
  const size = Math.abs(n);
  if (n === 0) return '0';
  if (size < 0.001) return n.toExponential(1);
  return n.toLocaleString('en', { maximumFractionDigits: size < 1 ? 3 : size < 10 ? 2 : size < 100 ? 1 : 0 });
}

function short(n) {
  if (!known(n)) return NONE;
  for (const [unit, size] of [['G', 1e9], ['M', 1e6], ['k', 1e4]]) {
    if (Math.abs(n) >= size) return digits(n / (unit === 'k' ? 1e3 : size)) + ' ' + unit;
  }
  return digits(n);
}

function seconds(s) {
  if (s && known(s.over)) return '> ' + seconds(s.over);
  if (!known(s)) return NONE;
  if (s >= 100) return digits(s / 60) + ' min';
  if (s >= 1) return digits(s) + ' s';
  return s >= 0.001 || s === 0 ? digits(s * 1e3) + ' ms' : digits(s * 1e6) + ' µs';
}

function bytes(n) {
  if (!known(n)) return NONE;
  for (const [unit, size] of [['GiB', 2 ** 30], ['MiB', 2 ** 20], ['KiB', 2 ** 10]]) {
    if (n >= size) return digits(n / size) + ' ' + unit;
  }
  return digits(n) + ' B';
}

function span(s) {
  const of = (n, unit) => Math.floor(n) + ' ' + unit;
  if (s >= 172800) return of(s / 86400, 'days');
  if (s >= 7200) return of(s / 3600, 'hours');
  return s >= 120 ? of(s / 60, 'minutes') : of(s, 'seconds');
}

const percent = (n) => (known(n) ? digits(n * 100) + ' %' : NONE);
const whole = (n) => (known(n) ? n.toLocaleString('en', { maximumFractionDigits: 2 }) : NONE);
const perSecond = (n) => (known(n) ? short(n) + '/s' : NONE);
const dollars = (n) => (known(n) ? '$' + (n > 0 && n < 0.01 ? n.toPrecision(2) : n.toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 })) : NONE);
const clock = (t) => new Date(t).toLocaleTimeString();

// ---- Elements: all that comes from the server goes in as text. ----

const byId = (id) => document.getElementById(id);

function make(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in element && key !== 'list') element[key] = value;
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
  if (element.textContent !== text) element.textContent = text;
}

// ---- Figures, each with its recent course. ----

function card(parent, name) {
  let found = parent.querySelector(`[data-card="${name}"]`);
  if (!found) {
    found = make('div', { className: 'card', 'data-card': name },
      make('p', { className: 'quiet', textContent: name }), make('p', { className: 'value' }), make('p', { className: 'quiet' }),
      draw('svg', { viewBox: '0 0 100 28', preserveAspectRatio: 'none', 'aria-hidden': 'true', class: 'accent' },
        draw('path', { class: 'mark' })));
    parent.append(found);
  }
  return found;
}

function figure(parent, name, value, detail, course) {
  const [, text, more, svg] = card(parent, name).children;
  write(text, value);
  write(more, detail || '');
  svg.toggleAttribute('hidden', !course);
  const values = (course || []).slice(-60);
  const most = Math.max(...values.filter(known), 1e-12);
  const at = (value, i) => [(i * 100) / Math.max(values.length - 1, 1), 26 - (24 * value) / most];
  svg.firstChild.setAttribute('d', path(values, at));
}

// A line through what is known, and a dot where a value has no neighbour.
function path(values, at, breaks = () => false) {
  let d = '';
  let pen = false;
  values.forEach((value, i) => {
    if (!known(value)) { pen = false; return; }
    if (pen && breaks(i)) pen = false;
    const [x, y] = at(value, i);
    d += (pen ? 'L' : 'M') + x.toFixed(1) + ' ' + y.toFixed(1);
    if (!pen && !known(values[i + 1])) d += 'h.1';
    pen = true;
  });
  return d;
}

// ---- Charts: lines over the time since someone first looked. ----

const charts = [];
let pointed = null; // the time under the pointer, the same in all charts

function chart(id, title, lines, format) {
  const box = byId(id);
  const words = make('span', { className: 'quiet' });
  const svg = draw('svg', { role: 'img' });
  const legend = make('ul', { className: 'legend' });
  const table = make('table', { 'aria-label': title });
  const details = make('details', {}, make('summary', { textContent: 'As a table' }), make('div', { className: 'scroll tall', tabIndex: 0, role: 'region', 'aria-label': title + ', as a table' }, table));
  box.append(make('figcaption', {}, title, words), svg, legend, details);
  const own = { title, lines, format, words, svg, legend, table, details, history: null };
  const point = (event) => {
    const { left, width } = svg.getBoundingClientRect();
    pointed = own.time ? own.time(((event.clientX - left) / width) * own.width) : null;
    charts.forEach(redraw);
  };
  svg.addEventListener('pointermove', point);
  svg.addEventListener('pointerleave', () => { pointed = null; charts.forEach(redraw); });
  details.addEventListener('toggle', () => redraw(own));
  charts.push(own);
  return own;
}

// Round steps, of which three or four reach the highest value.
function steps(most) {
  const raw = most / 3;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((n) => n * power >= raw) * power;
  return [0, 1, 2, 3, 4].map((n) => n * step).filter((n) => n < most + step);
}

function redraw(own) {
  const { history, svg, lines, format } = own;
  if (!history) return;
  const { t } = history;
  const shown = lines.filter(([column]) => (history[column] || []).some((n) => known(n) && (n > 0 || !/xx|none/.test(column) || column === '2xx')));
  const all = shown.flatMap(([column]) => history[column].filter(known));
  const width = (own.width = svg.clientWidth || 600);
  const [height, left, bottom] = [190, 58, 20];
  const begin = t[0];
  const end = Math.max(t[t.length - 1], begin + 60000);
  const ticks = steps(Math.max(...all, 1e-9));
  const top = ticks[ticks.length - 1];
  const x = (time) => left + ((time - begin) / (end - begin)) * (width - left - 8);
  const y = (value) => height - bottom - (value / top) * (height - bottom - 12);
  own.time = (at) => begin + ((at - left) / (width - left - 8)) * (end - begin);

  const parts = ticks.flatMap((tick) => [
    draw('line', { class: 'grid', x1: left, x2: width - 8, y1: y(tick), y2: y(tick) }),
    draw('text', { x: left - 6, y: y(tick) + 4, 'text-anchor': 'end' }, format(tick)),
  ]);
  [[begin, 'start'], [end, 'end']].forEach(([time, anchor]) => parts.push(
    draw('text', { x: x(time), y: height - 4, 'text-anchor': anchor }, clock(time))));
  const breaks = (i) => t[i] - t[i - 1] > 70000;
  for (const [column, , style] of shown) {
    const d = path(history[column], (value, i) => [x(t[i]), y(value)], breaks);
    parts.push(draw('path', { class: 'mark ' + style, d }));
  }
  const at = pointed === null ? t.length - 1 : nearest(t, pointed);
  if (pointed !== null) parts.push(draw('line', { class: 'cross', x1: x(t[at]), x2: x(t[at]), y1: 8, y2: height - bottom }));
  svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
  svg.replaceChildren(...parts);

  own.legend.replaceChildren(...shown.map(([column, name, style]) => make('li', { className: style },
    draw('svg', { viewBox: '0 0 26 8', 'aria-hidden': 'true' }, draw('path', { class: 'mark', d: 'M0 4H26' })),
    make('span', { textContent: `${name} ${format(history[column][at])}` }))));
  write(own.words, shown.length === 0 ? 'Nothing yet.' : pointed === null ? `The last ${span((t[t.length - 1] - begin) / 1000)}.` : `At ${clock(t[at])}.`);
  svg.setAttribute('aria-label', `${own.title}. ` + (shown.length === 0 ? 'Nothing yet.' : shown.map(([column, name]) => {
    const values = history[column].filter(known);
    return `${name}: now ${format(history[column][t.length - 1])}, from ${format(Math.min(...values))} to ${format(Math.max(...values))}.`;
  }).join(' ')));
  if (own.details.open) {
    const row = (i) => make('tr', {}, make('th', { scope: 'row', textContent: clock(t[i]) }),
      ...shown.map(([column]) => make('td', { textContent: format(history[column][i]) })));
    own.table.replaceChildren(
      make('thead', {}, make('tr', {}, make('th', { scope: 'col', className: 'words', textContent: 'Time' }),
        ...shown.map(([, name]) => make('th', { scope: 'col', textContent: name })))),
      make('tbody', {}, ...t.map((_, i) => row(t.length - 1 - i))));
  }
}

function nearest(times, time) {
  let best = 0;
  times.forEach((t, i) => { if (Math.abs(t - time) < Math.abs(times[best] - time)) best = i; });
  return best;
}

// ---- Tables that can be sorted and filtered. ----

// A column is [title, value to sort by, text, class]; the first ones are words.
function table(id, columns, sorted) {
  const own = { columns, sorted, down: true, rows: [], kept: new Map(), filter: '', most: Infinity };
  const heads = columns.map(([title, , , style], i) => {
    const button = make('button', { type: 'button', textContent: title });
    button.addEventListener('click', () => {
      own.down = own.sorted === i ? !own.down : style !== 'words';
      own.sorted = i;
      fill(own);
    });
    return make('th', { scope: 'col', className: style || '' }, button);
  });
  own.heads = heads;
  own.body = make('tbody');
  byId(id).append(make('thead', {}, make('tr', {}, ...heads)), own.body);
  return own;
}

function fill(own) {
  const { columns, sorted, down, body, kept } = own;
  own.heads.forEach((head, i) => {
    if (i === sorted) head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
    else head.removeAttribute('aria-sort');
  });
  const value = (row) => {
    const v = columns[sorted][1](row);
    return v && known(v.over) ? v.over * 1.001 : v;
  };
  const order = (a, b) => {
    const [x, y] = [value(a), value(b)];
    if (typeof x === 'string') return x.localeCompare(y) * (down ? -1 : 1);
    if (!known(x) || !known(y)) return known(y) - known(x); // what is not known comes last
    return (x - y) * (down ? -1 : 1);
  };
  const wanted = own.rows.filter((row) => row.key.toLowerCase().includes(own.filter)).sort(order);
  const rows = wanted.slice(0, own.most).map((row) => {
    let line = kept.get(row.key);
    if (!line) {
      line = make('tr', {}, ...columns.map(([, , , style], i) =>
        make(i === own.head ? 'th' : 'td', i === own.head ? { scope: 'row', className: 'words' } : { className: style || '' })));
      kept.set(row.key, line);
    }
    columns.forEach(([, , text, , high], i) => {
      const said = text(row);
      if (typeof said === 'string') write(line.children[i], said);
      else line.children[i].replaceChildren(...said);
      if (high) line.children[i].classList.toggle('high', high(row));
    });
    return line;
  });
  if (kept.size > own.rows.length + 200) kept.clear();
  if (rows.length === 0) rows.push(make('tr', {}, make('td', { className: 'none', colSpan: columns.length, textContent: own.filter ? 'None of these has that in its name.' : 'None yet.' })));
  if (rows.length !== body.children.length || rows.some((row, i) => row !== body.children[i])) body.replaceChildren(...rows);
  return wanted.length;
}

// ---- The parts of the page. ----

const latency = (i) => [['p50', 'p95', 'p99'][i], (r) => r.p[i], (r) => seconds(r.p[i])];

const routes = table('routes', [
  ['Method', (r) => r.method, (r) => r.method, 'words'],
  ['Route', (r) => r.route, (r) => r.route, 'words'],
  ['Rate', (r) => r.rate, (r) => perSecond(r.rate)],
  ['Errors', (r) => r.errors, (r) => percent(r.errors), '', (r) => r.errors > 0.05],
  ['4xx', (r) => r.refused, (r) => percent(r.refused)],
  latency(0), latency(1), latency(2),
  ['In flight', (r) => r.in_flight, (r) => whole(r.in_flight)],
  ['Share of time', (r) => r.share, (r) => percent(r.share)],
  ['Total', (r) => r.total, (r) => whole(r.total)],
], 9);
routes.head = 1;

const price = (m) => (known(m.cost) ? dollars(m.cost) + (m.unpriced ? ` + ${whole(m.unpriced)} unpriced` : '') : m.total ? 'no price known' : NONE);

const models = table('models', [
  ['Provider', (m) => m.provider, (m) => m.provider, 'words'],
  ['Model', (m) => m.model, (m) => m.model, 'words'],
  ['Calls', (m) => m.total, (m) => whole(m.total)],
  ['Rate', (m) => m.rate, (m) => perSecond(m.rate)],
  ['Errors', (m) => m.errors, (m) => percent(m.errors), '', (m) => m.errors > 0.1],
  ['Tokens in', (m) => m.tokens[0], (m) => short(m.tokens[0])],
  ['Tokens out', (m) => m.tokens[1], (m) => short(m.tokens[1])],
  ['Cost', (m) => m.cost, price],
  ['An hour', (m) => m.per_hour, (m) => dollars(m.per_hour)],
  ['First token p95', (m) => m.first_token, (m) => seconds(m.first_token)],
  ['Time p95', (m) => m.p[1], (m) => seconds(m.p[1])],
  ['In flight', (m) => m.in_flight, (m) => whole(m.in_flight)],
  ['Limit left', (m) => m.left, (m) => percent(m.left), '', (m) => m.left < 0.1],
], 2);
models.head = 1;

const spenders = table('spenders', [
  ['Route', (r) => r.route, (r) => r.route, 'words'],
  ['Cost', (r) => r.cost, (r) => dollars(r.cost)],
], 1);
spenders.head = 0;

const metrics = table('metrics', [
  ['Name', (m) => m.name, (m) => m.name, 'words'],
  ['Kind', (m) => m.kind, (m) => m.kind, 'words'],
  ['Series', (m) => m.series, (m) => whole(m.series)],
  ['Value', (m) => m.value, (m) => (m.kind === 'histogram' ? whole(m.value) + ' observed' : short(m.value))],
  ['What it is', (m) => m.help, described, 'words'],
], 0);
metrics.head = 0;
metrics.down = false;
metrics.most = 100;

function described(m) {
  const lines = [];
  for (let i = 0; i < m.told.length; i += 2) lines.push(make('li', { textContent: `{${m.told[i]}} ${short(m.told[i + 1])}` }));
  if (lines.length && m.series > lines.length) lines.push(make('li', { textContent: `and ${m.series - lines.length} more` }));
  return [m.help, make('ul', {}, ...lines)];
}

chart('traffic', 'Requests a second, by status', [
  ['2xx', '2xx', 'good'], ['3xx', '3xx', 'accent'], ['4xx', '4xx', 'warn'], ['5xx', '5xx', 'bad'], ['none', 'no response', 'dim'], ['1xx', '1xx', 'other'],
], perSecond);
chart('latency', 'Time of requests', [['p50', 'p50', 'good'], ['p95', 'p95', 'accent'], ['p99', 'p99', 'bad']], seconds);
chart('tokens', 'Tokens a second', [['input', 'in', 'accent'], ['output', 'out', 'good']], perSecond);
chart('cost', 'Cost an hour', [['cost', 'cost', 'other']], dollars);

function show(view) {
  const { http, llm, process, history } = view;
  document.title = view.title;
  write(byId('title'), view.title);
  write(byId('about'), `process ${view.pid} · ${view.instance.slice(0, 6)} · up ${span(view.uptime)} · ${whole(view.series)} series`);
  write(byId('made'), `tachometer ${view.version}.`);
  const last = view.window ? `over ${span(view.window)}` : 'a rate takes two readings';

  const figures = byId('figures');
  const p = http ? http.p : [];
  figure(figures, 'Requests', perSecond(http && http.rate), http ? last : 'none yet', sum(history));
  figure(figures, 'Errors', percent(http && http.errors), 'of all requests', history.errors);
  figure(figures, 'Time p95', seconds(p[1]), `p50 ${seconds(p[0])} · p99 ${seconds(p[2])}`, history.p95);
  figure(figures, 'In flight', whole(http && http.in_flight), 'requests', history.in_flight);
  if (process) {
    const machine = known(process.machine_cpu) ? `machine ${digits(process.machine_cpu)} %` : '';
    figure(figures, 'CPU', known(process.cpu) ? digits(process.cpu) + ' cores' : NONE, machine, history.cpu);
    const most = known(process.container_most) ? `container ${percent(process.container_memory / process.container_most)}` : known(process.machine_memory) ? `machine ${digits(process.machine_memory)} %` : '';
    figure(figures, 'Memory', bytes(process.memory), most, history.memory);
    figure(figures, 'Open files', whole(process.files), `of ${whole(process.most_files)} · ${whole(process.threads)} threads`);
  }

  byId('http').hidden = !http;
  if (http) {
    routes.rows = http.routes.map((r) => ({ ...r, key: r.method + ' ' + r.route }));
    if (http.others) routes.rows.push({ ...http.others, method: '', route: `${http.left_out} others`, key: 'others' });
    const found = fill(routes);
    write(byId('routes-count'), routes.filter ? `${found} of ${routes.rows.length}` : http.left_out ? `${http.routes.length} that take most of the time, and ${http.left_out} others as one` : `${found}`);
  }
  byId('llm').hidden = !llm;
  if (llm) showCalls(llm, history, last);
  for (const own of charts) {
    own.history = history;
    if (!own.svg.closest('[hidden]')) redraw(own);
  }

  write(byId('metrics-count'), `${view.metrics.rows.length + view.metrics.left_out}`);
  metrics.rows = view.metrics.rows.map(([name, kind, help, series, value, told]) => ({ key: name, name, kind, help, series, value, told }));
  if (byId('all').open) fill(metrics);
}

function showCalls(llm, history, last) {
  const figures = byId('llm-figures');
  figure(figures, 'Calls', perSecond(llm.rate), last, history.calls);
  figure(figures, 'Failed calls', percent(llm.errors), 'of all calls');
  const tokens = known(llm.input) ? llm.input + llm.output + llm.unknown : null;
  figure(figures, 'Tokens', perSecond(tokens), `${short(llm.input)} in · ${short(llm.output)} out`, history.input);
  figure(figures, 'Cost', known(llm.cost) ? dollars(llm.cost) : 'no price known', known(llm.per_hour) ? `${dollars(llm.per_hour)} an hour now` : known(llm.cost) ? 'since it started' : 'give some by LlmLayer::prices', history.cost);
  figure(figures, 'First token p95', seconds(llm.first_token), 'of streamed answers', history.first_token);
  figure(figures, 'Calls in flight', whole(llm.in_flight), llm.unpriced ? `${whole(llm.unpriced)} so far without a price` : '');
  models.rows = llm.models.map((m) => ({ ...m, key: m.provider + ' ' + m.model }));
  const found = fill(models);
  write(byId('models-count'), llm.left_out ? `${found} that are called most, of ${found + llm.left_out}` : `${found}`);
  byId('spenders-part').hidden = llm.routes.length === 0;
  spenders.rows = llm.routes.map((r) => ({ ...r, key: r.route }));
  fill(spenders);
}

function sum(history) {
  const columns = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'].map((c) => history[c]).filter(Boolean);
  return columns.length ? history.t.map((_, i) => columns.reduce((all, c) => (known(c[i]) ? all + c[i] : NaN), 0)) : null;
}

// ---- Asking the server, and what state that is in. ----

let view = null; // the last one
let heard = 0; // when it came
let failures = 0;
let paused = false;
let refused = false;
let timer = 0;
let next = 0; // when it is asked again
let restarted = 0;
let answering = []; // the processes that answered last
let spoken = ['', 0];

function every() { return Number(byId('every').value) * 1000; }

async function ask() {
  clearTimeout(timer);
  if (paused || refused || document.hidden) return state();
  try {
    // A server that does not answer holds up nothing but this.
    const answer = await fetch('view', { cache: 'no-store', signal: AbortSignal.timeout(10000) });
    if (answer.status === 401 || answer.status === 403) {
      refused = true;
      return state();
    }
    if (!answer.ok) throw new Error(answer.statusText);
    take(await answer.json());
    failures = 0;
  } catch {
    failures += 1;
  }
  const wait = failures ? Math.min(1000 * 2 ** (failures - 1), 30000) : every();
  next = Date.now() + wait;
  timer = setTimeout(ask, wait);
  state();
}

function take(answer) {
  const now = Date.now();
  if (view && view.instance !== answer.instance) {
    // One that began after the last answer is the same service anew; another is a replica.
    if (answer.uptime * 1000 < now - heard + 1000) {
      restarted = now;
      answering = [];
    }
  }
  answering = [...answering.slice(-9), answer.instance];
  view = answer;
  heard = now;
  show(view);
}

function notices() {
  const said = [];
  const replicas = new Set(answering).size;
  if (refused) said.push('The server refuses to show its metrics. Sign in, then load this page again.');
  if (failures && view) said.push(`No answer for ${span((Date.now() - heard) / 1000)}. These are the last figures there were; asking again in ${Math.max(Math.ceil((next - Date.now()) / 1000), 0)} s.`);
  if (failures && !view) said.push(`No answer yet. Asking again in ${Math.max(Math.ceil((next - Date.now()) / 1000), 0)} s.`);
  if (!view) return said;
  if (replicas > 1) said.push(`${replicas} processes answer at this address. Figures are of one at a time; Prometheus adds them up.`);
  else if (Date.now() - restarted < 60000) said.push(`The service started anew at ${clock(view.now - view.uptime * 1000)}, and figures begin again.`);
  if (!view.http && !view.llm) said.push(`Nothing was counted yet. Requests for metrics do not count; ask for something else, as by: curl ${location.origin}/. If that does not count either, is MetricsLayer on the router?`);
  else if (view.window === null) said.push('One reading so far: a rate takes two, and the next comes soon.');
  for (const name of view.over) said.push(`A label of ${name} has more values than its limit lets be told apart; the rest is called _overflow.`);
  if (view.metrics.left_out) said.push(`${view.metrics.left_out} metrics are too many to list here; all of them are in the formats for programs.`);
  return said;
}

// Says how things are, once a second, and to a screen reader when that changes.
function state() {
  const name = refused ? 'refused' : failures ? 'lost' : paused ? 'paused' : view ? 'live' : 'loading';
  const age = view ? span((Date.now() - heard) / 1000) + ' ago' : '';
  const words = { refused: 'Refused', lost: 'Not connected', paused: `Paused, ${age}`, live: `Live, ${age}`, loading: 'Loading' };
  const shown = byId('state');
  shown.dataset.state = name;
  write(shown, words[name]);
  document.documentElement.classList.toggle('stale', refused || failures > 0);
  const list = byId('notices');
  const said = notices();
  said.forEach((text, i) => write(list.children[i] || list.appendChild(make('li')), text));
  while (list.children.length > said.length) list.lastChild.remove();
  const summary = view && view.http && known(view.http.rate) ? `${perSecond(view.http.rate)} requests, ${percent(view.http.errors)} errors.` : '';
  const key = name + said.length;
  if (key !== spoken[0] || Date.now() - spoken[1] > 30000) {
    spoken = [key, Date.now()];
    write(byId('said'), [words[name], ...said, summary].join('. '));
  }
}

byId('pause').addEventListener('click', (event) => {
  paused = !paused;
  event.target.setAttribute('aria-pressed', paused);
  ask();
});
byId('every').addEventListener('change', ask);
byId('routes-filter').addEventListener('input', (event) => {
  routes.filter = event.target.value.toLowerCase();
  if (view) show(view);
});
byId('metrics-filter').addEventListener('input', (event) => {
  metrics.filter = event.target.value.toLowerCase();
  fill(metrics);
});
byId('all').addEventListener('toggle', () => fill(metrics));
byId('theme').addEventListener('change', (event) => {
  document.documentElement.dataset.theme = event.target.value;
  try { localStorage.setItem('tachometer-theme', event.target.value); } catch { /* then it is for now */ }
});
try { byId('theme').value = localStorage.getItem('tachometer-theme') || ''; } catch { /* as the system */ }
document.documentElement.dataset.theme = byId('theme').value;
document.addEventListener('visibilitychange', () => { if (!document.hidden) ask(); });
addEventListener('resize', () => charts.forEach(redraw));
byId('text').href = location.pathname.replace(/\/dashboard\/?$/, '') || '/';
setInterval(state, 1000);
ask();
