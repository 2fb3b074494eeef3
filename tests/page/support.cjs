'use strict';
// What the tests of the page share: a browser, the demo, and a server that stands in for
// the real one where a test wants an answer that the demo would not give.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { after, before } = require('node:test');
const { chromium } = require('playwright-core');

const ROOT = path.join(__dirname, '../..');
const PAGE = path.join(ROOT, 'src/dashboards/page');
const FILES = ['dashboard.html', 'dashboard.css', 'dashboard.js'];
const AXE = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

// ---- The browser. ----

const launch = () => chromium.launch({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  args: ['--no-sandbox'],
});

// What a test undoes when it ends, the last first: a page closes before its server.
const undone = new WeakMap();
function later(t, action) {
  if (!undone.has(t)) {
    undone.set(t, []);
    t.after(async () => { for (const undo of undone.get(t).reverse()) await undo(); });
  }
  undone.get(t).push(action);
}

// Gives the tests of a file one browser, and a way to open a page in it for a test, which
// fails where the page did what it must not.
function browsing() {
  let browser;
  before(async () => { browser = await launch(); });
  after(() => browser.close());
  return async (t, url, options) => {
    const page = await open(browser, url, options);
    later(t, async () => {
      await page.context().close();
      assert.deepEqual(page.faults, []);
    });
    return page;
  };
}

// Opens a page that notes what must not happen; `faults` lists that. A browser writes to its
// console itself that a server is away or refuses, which a page cannot prevent: where a test
// has such a server, it says `troubled`.
async function open(browser, url, { troubled = false, clock = false, before, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const faults = [];
  const { origin } = new URL(url);
  page.on('pageerror', (error) => faults.push(`thrown: ${error}`));
  page.on('console', (message) => {
    const known = troubled && /^Failed to load resource/.test(message.text());
    if (['error', 'warning'].includes(message.type()) && !known) faults.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    const asked = new URL(request.url());
    if (asked.origin !== origin && asked.protocol !== 'data:') faults.push(`asked ${asked.href}`);
  });
  page.on('dialog', (dialog) => { faults.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  if (clock) await stopClock(page);
  if (before) await page.addInitScript(before);
  await page.goto(url);
  return Object.assign(page, { faults, still: clock });
}

// Stops the page's time, which then passes only as `page.clock.runFor` says.
async function stopClock(page) {
  const start = Date.UTC(2030, 0, 1, 12);
  await page.clock.install({ time: start });
  await page.clock.pauseAt(start + 1000);
}

// Waits until an element has such a text. A text is looked for in it, a pattern must match.
async function said(page, selector, text) {
  const [source, flags] = text instanceof RegExp ? [text.source, text.flags] : [text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), ''];
  try {
    await page.waitForFunction(
      ([selector, source, flags]) => [...document.querySelectorAll(selector)].some((e) => new RegExp(source, flags).test(e.textContent)),
      [selector, source, flags], { timeout: 15000 });
  } catch {
    assert.fail(`${selector} does not say ${text}, but: ${await page.locator(selector).allTextContents()}`);
  }
}

// Returns the rules of accessibility that the page breaks, each with where.
async function broken(page) {
  if (page.still) await page.clock.resume(); // axe waits now and then
  await page.evaluate(AXE); // by the debugger, which the page's own policy does not bind
  return page.evaluate(async () => {
    const { violations } = await globalThis.axe.run();
    return violations.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.target.join(' ')).join(', ')}`);
  });
}

const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

const cells = (page, table, column) => page.locator(`#${table} tbody tr > :nth-child(${column})`).allTextContents();

const card = (page, name) => page.locator(`[data-card="${name}"] .value`).textContent();

// ---- The demo. ----

const DEMO = process.env.TACHOMETER_DEMO || path.join(ROOT, 'target/release/examples/demo');

// Starts the demo, where a port is free if none is named, and returns its origin and how to
// stop it.
function demo(options = [], address = '127.0.0.1:0') {
  const child = spawn(DEMO, [address, ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.on('close', resolve));
  const stop = () => { child.kill('SIGKILL'); return ended; };
  return new Promise((resolve, reject) => {
    let heard = '';
    child.on('error', reject);
    child.on('close', () => reject(new Error(`the demo ended: ${heard}`)));
    child.stdout.on('data', (bytes) => {
      heard += bytes;
      const line = /listening on (http:\/\/\S+)/.exec(heard);
      if (line) resolve({ origin: line[1], address: new URL(line[1]).host, page: `${line[1]}/metrics/dashboard`, stop });
    });
  });
}

// ---- The server that stands in. ----

// The page's policy, as the router has it.
const POLICY = /const POLICY: &str = "([^"]*)"/
  .exec(fs.readFileSync(path.join(ROOT, 'src/router/html_page.rs'), 'utf8'))[1].replace(/\\\n\s*/g, '');

const KINDS = { '.html': 'text/html; charset=utf-8', '.css': 'text/css', '.js': 'text/javascript' };

// Serves the page's real files below `place`, and as the view what `says` returns: an object,
// a text as it stands, a number as a status, or nothing for an answer that never comes.
async function standIn(says, place = '/metrics') {
  const own = { says, asked: 0, open: 0 };
  const answer = (request, response) => {
    const { pathname } = new URL(request.url, 'http://local');
    const name = pathname.slice(place.length + 1);
    if (!pathname.startsWith(place + '/')) return response.writeHead(404).end();
    if (name === 'view') return tell(response);
    const file = name === 'dashboard' ? 'dashboard.html' : name;
    if (!FILES.includes(file)) return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': KINDS[path.extname(file)], 'content-security-policy': POLICY });
    return response.end(fs.readFileSync(path.join(PAGE, file)));
  };
  const tell = (response) => {
    own.asked += 1;
    own.open += 1;
    response.on('close', () => { own.open -= 1; });
    const said = own.says(own.asked);
    if (said === undefined) return undefined;
    if (typeof said === 'number') return response.writeHead(said).end();
    return response.writeHead(200, { 'content-type': 'application/json' })
      .end(typeof said === 'string' ? said : JSON.stringify(said));
  };
  let server;
  own.start = (port = 0) => new Promise((resolve) => {
    server = http.createServer(answer).listen(port, '127.0.0.1', () => resolve(server.address().port));
  });
  own.stop = () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); });
  own.port = await own.start();
  own.origin = `http://127.0.0.1:${own.port}`;
  own.page = `${own.origin}${place}/dashboard`;
  return own;
}

// The same, for as long as a test takes.
async function standInFor(t, says, place) {
  const own = await standIn(says, place);
  later(t, own.stop);
  return own;
}

// ---- Views. ----

const NOW = Date.UTC(2030, 0, 1, 12);

// What a quiet service shows: two routes, and no calls of LLMs.
function view(changes = {}) {
  return {
    title: 'shop', version: '1.0.0', instance: 'aaaaaaaaaaaaaaaa', pid: 7, now: NOW, uptime: 300, series: 20, overflowed: [],
    window: 60, history: history(30), http: requests([endpoint(), endpoint({ method: 'POST', route: '/orders', rate: 2, time_share: 0.1 })]),
    llm: null, process: { cpu: 0.5, memory: 64 * 2 ** 20, files: 12, max_files: 1024, threads: 9, machine_cpu: 40, machine_memory: 50, container_memory: null, container_memory_limit: null },
    metrics: { omitted: 0, rows: [metric('http_requests_total', 'counter', 'Requests.', 2, 40, ['route="/"', 30, 'route="/orders"', 10])] },
    ...changes,
  };
}

function history(points, more = {}) {
  const wave = (most, phase) => Array.from({ length: points }, (_, i) => most * (1 + Math.sin(i / 3 + phase)) / 2);
  return {
    t: Array.from({ length: points }, (_, i) => NOW - (points - 1 - i) * 2000),
    '2xx': wave(40, 0), '4xx': wave(4, 1), '5xx': wave(2, 2), errors: wave(0.05, 2),
    p50: wave(0.01, 0), p95: wave(0.1, 1), p99: wave(0.4, 2), in_flight: wave(9, 0), cpu: wave(1, 0), memory: wave(2 ** 26, 0), ...more,
  };
}

const endpoint = (changes = {}) => ({
  method: 'GET', route: '/', total: 40, rate: 10, errors: 0.01, client_errors: 0.02, p: [0.01, 0.1, 0.4], in_flight: 1, time_share: 0.9, ...changes,
});

const requests = (routes, changes = {}) => ({ ...endpoint({ time_share: 1 }), routes, omitted: 0, ...changes });

const model = (changes = {}) => ({
  provider: 'acme', model: 'small', total: 12, rate: 0.5, errors: 0.1, tokens: [1000, 200, 0], input: 50, output: 10, unknown: 0,
  cost: 1.5, cost_per_hour: 0.4, unpriced: 0, p: [0.5, 1, 2], first_token: 0.2, in_flight: 1, rate_limit_remaining: 0.5, ...changes,
});

const calls = (models, changes = {}) => ({ ...model(), models, omitted: 0, routes: [], ...changes });

const metric = (name, kind = 'counter', help = 'Some help.', series = 1, value = 1, told = []) => [name, kind, help, series, value, told];

// As much as a view may hold.
function full(turn = 0) {
  const many = (n, make) => Array.from({ length: n }, (_, i) => make(i));
  return view({
    now: NOW + turn * 2000,
    history: history(150, { t: many(150, (i) => NOW + (turn + i - 149) * 2000), input: many(150, (i) => i), output: many(150, (i) => i / 3), cost: many(150, (i) => i / 90), calls: many(150, (i) => i), first_token: many(150, () => 0.2) }),
    http: requests(many(100, (i) => endpoint({ route: `/shops/{shop}/orders/${i}`, rate: i + turn, total: i * 100 + turn, time_share: ((i * 7 + turn) % 100) / 100 })), { omitted: 34, others: endpoint() }),
    llm: calls(many(50, (i) => model({ model: `model-${i}`, total: i * 10 + turn, cost: i % 3 ? i : null })), { omitted: 3, routes: many(20, (i) => ({ route: `/ask/${i}`, cost: 20 - i })) }),
    metrics: { omitted: 5, rows: many(400, (i) => metric(`metric_${i}_total`, 'counter', `What number ${i} counts.`, 3, i + turn, i < 100 ? many(8, (k) => [`label="${k}"`, i + k + turn]).flat() : [])) },
  });
}

module.exports = {
  ROOT, PAGE, FILES, NOW, later, browsing, launch, open, said, broken, overflow, cells, card, demo, standIn, standInFor,
  view, history, endpoint, requests, model, calls, metric, full,
};
