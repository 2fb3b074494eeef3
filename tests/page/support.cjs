'use strict';
// Shared by the page tests: a browser, the demo, and a mock server for the responses that
// the demo does not give.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { after, before } = require('node:test');
const { chromium } = require('playwright-core');

const ROOT = path.join(__dirname, '../..');
const PAGE_DIR = path.join(ROOT, 'src/dashboards/page');
const PAGE_FILES = ['dashboard.html', 'dashboard.css', 'dashboard.js'];
const AXE = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

// ---- Browser ----

const launchBrowser = () => chromium.launch({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  args: ['--no-sandbox'],
});

// Runs `cleanup` when the test ends. Cleanups run in reverse order: a page closes before its
// server.
const cleanups = new WeakMap();
function addCleanup(t, cleanup) {
  if (!cleanups.has(t)) {
    cleanups.set(t, []);
    t.after(async () => { for (const run of cleanups.get(t).reverse()) await run(); });
  }
  cleanups.get(t).push(cleanup);
}

// Launches one browser for all tests of a file. Returns a function that opens a page for a
// test. The test fails if its page had problems.
function useBrowser() {
  let browser;
  before(async () => { browser = await launchBrowser(); });
  after(() => browser.close());
  return async (t, url, options) => {
    const page = await openPage(browser, url, options);
    addCleanup(t, async () => {
      await page.context().close();
      assert.deepEqual(page.problems, []);
    });
    return page;
  };
}

// Opens a page and collects its problems: exceptions, console errors and warnings, dialogs,
// and requests to other origins. The browser itself logs an error if the server is
// unreachable or responds with an error status. A page cannot prevent that, so a test of such
// a server sets `allowFailedLoads`.
async function openPage(browser, url, { allowFailedLoads = false, fakeClock = false, initScript, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const problems = [];
  const { origin } = new URL(url);
  page.on('pageerror', (error) => problems.push(`exception: ${error}`));
  page.on('console', (message) => {
    const isAllowed = allowFailedLoads && /^Failed to load resource/.test(message.text());
    if (['error', 'warning'].includes(message.type()) && !isAllowed) problems.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    const requested = new URL(request.url());
    if (requested.origin !== origin && requested.protocol !== 'data:') problems.push(`request to ${requested.href}`);
  });
  page.on('dialog', (dialog) => { problems.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  if (fakeClock) await installFakeClock(page);
  if (initScript) await page.addInitScript(initScript);
  await page.goto(url);
  return Object.assign(page, { problems, hasFakeClock: fakeClock });
}

// Stops the page's clock. From then on only `page.clock` advances it.
async function installFakeClock(page) {
  const start = Date.UTC(2030, 0, 1, 12);
  await page.clock.install({ time: start });
  await page.clock.pauseAt(start + 1000);
}

// Waits until an element that matches `selector` contains the string, or matches the pattern.
async function waitForText(page, selector, text) {
  const [source, flags] = text instanceof RegExp ? [text.source, text.flags] : [text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), ''];
  try {
    await page.waitForFunction(
      ([selector, source, flags]) => [...document.querySelectorAll(selector)].some((e) => new RegExp(source, flags).test(e.textContent)),
      [selector, source, flags], { timeout: 15000 });
  } catch {
    assert.fail(`no text of ${selector} matches ${text}: ${await page.locator(selector).allTextContents()}`);
  }
}

// Returns the accessibility rules that the page violates, each with the elements.
async function accessibilityViolations(page) {
  if (page.hasFakeClock) await page.clock.resume(); // axe uses timers
  await page.evaluate(AXE); // runs through the debugger, to which the page's CSP does not apply
  return page.evaluate(async () => {
    const { violations } = await globalThis.axe.run();
    return violations.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.target.join(' ')).join(', ')}`);
  });
}

// Returns by how many pixels the page is wider than its window.
const horizontalOverflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

const columnTexts = (page, table, column) => page.locator(`#${table} tbody tr > :nth-child(${column})`).allTextContents();

const cardValue = (page, name) => page.locator(`[data-card="${name}"] .value`).textContent();

// ---- Demo ----

const DEMO = process.env.TACHOMETER_DEMO || path.join(ROOT, 'target/release/demo');

// Starts the demo on a free port, and its metrics by default on another one. Resolves once it
// listens, with its addresses and a function that stops it.
function startDemo(options = [], metricsAddress = '127.0.0.1:0') {
  const child = spawn(DEMO, ['127.0.0.1:0', '--metrics', metricsAddress, ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise((resolve) => child.on('close', resolve));
  const stop = () => { child.kill('SIGKILL'); return exited; };
  return new Promise((resolve, reject) => {
    let output = '';
    child.on('error', reject);
    child.on('close', () => reject(new Error(`the demo exited: ${output}`)));
    child.stdout.on('data', (bytes) => {
      output += bytes;
      const lines = /listening on (\S+)\s+dashboard: (\S+)\n/.exec(output);
      if (!lines) return;
      const [, origin, pageUrl] = lines;
      resolve({ origin, pageUrl, metricsUrl: new URL('/metrics', pageUrl).href, metricsAddress: new URL(pageUrl).host, stop });
    });
  });
}

// ---- Mock server ----

// The page's Content-Security-Policy, read from the router's source.
const POLICY = /const POLICY: &str = "([^"]*)"/
  .exec(fs.readFileSync(path.join(ROOT, 'src/router/html_page.rs'), 'utf8'))[1].replace(/\\\n\s*/g, '');

const CONTENT_TYPES = { '.html': 'text/html; charset=utf-8', '.css': 'text/css', '.js': 'text/javascript' };

// Serves the page's real files under `prefix`. `respond` gets the number of view requests so
// far, including this one, and returns the response: an object (sent as JSON), a string (sent
// as it is), a number (a status code), or undefined (no response).
async function startMockServer(respond, prefix = '/metrics') {
  const mock = { respond, viewRequests: 0 };
  const handle = (request, response) => {
    const { pathname } = new URL(request.url, 'http://local');
    const name = pathname.slice(prefix.length + 1);
    if (!pathname.startsWith(prefix + '/')) return response.writeHead(404).end();
    if (name === 'view') return sendView(response);
    const file = name === 'dashboard' ? 'dashboard.html' : name;
    if (!PAGE_FILES.includes(file)) return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': CONTENT_TYPES[path.extname(file)], 'content-security-policy': POLICY });
    return response.end(fs.readFileSync(path.join(PAGE_DIR, file)));
  };
  const sendView = (response) => {
    mock.viewRequests += 1;
    const answer = mock.respond(mock.viewRequests);
    if (answer === undefined) return undefined;
    if (typeof answer === 'number') return response.writeHead(answer).end();
    return response.writeHead(200, { 'content-type': 'application/json' })
      .end(typeof answer === 'string' ? answer : JSON.stringify(answer));
  };
  let server;
  mock.start = (port = 0) => new Promise((resolve) => {
    server = http.createServer(handle).listen(port, '127.0.0.1', () => resolve(server.address().port));
  });
  mock.stop = () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); });
  mock.port = await mock.start();
  mock.origin = `http://127.0.0.1:${mock.port}`;
  mock.pageUrl = `${mock.origin}${prefix}/dashboard`;
  return mock;
}

// Starts a mock server that stops when the test ends.
async function useMockServer(t, respond, prefix) {
  const mock = await startMockServer(respond, prefix);
  addCleanup(t, mock.stop);
  return mock;
}

// ---- Views ----

const NOW = Date.UTC(2030, 0, 1, 12);

// The view of a service with little traffic: two routes, no LLM calls.
function view(changes = {}) {
  return {
    title: 'shop', version: '1.0.0', instance: 'aaaaaaaaaaaaaaaa', pid: 7, now: NOW, uptime: 300, series: 20, overflowed: [],
    window: 60, history: history(30), http: httpView([endpoint(), endpoint({ method: 'POST', route: '/orders', rate: 2, time_share: 0.1 })]),
    llm: null, process: { cpu: 0.5, memory: 64 * 2 ** 20, files: 12, max_files: 1024, threads: 9, machine_cpu: 40, machine_memory: 50, container_memory: null, container_memory_limit: null },
    otlp: null,
    metrics: { omitted: 0, rows: [metric('http_requests_total', 'counter', 'Requests.', 2, 40, ['route="/"', 30, 'route="/orders"', 10])] },
    ...changes,
  };
}

function history(points, changes = {}) {
  const wave = (max, phase) => Array.from({ length: points }, (_, i) => max * (1 + Math.sin(i / 3 + phase)) / 2);
  return {
    t: Array.from({ length: points }, (_, i) => NOW - (points - 1 - i) * 2000),
    '2xx': wave(40, 0), '4xx': wave(4, 1), '5xx': wave(2, 2), errors: wave(0.05, 2),
    p50: wave(0.01, 0), p95: wave(0.1, 1), p99: wave(0.4, 2), in_flight: wave(9, 0), cpu: wave(1, 0), memory: wave(2 ** 26, 0), ...changes,
  };
}

const endpoint = (changes = {}) => ({
  method: 'GET', route: '/', total: 40, rate: 10, errors: 0.01, client_errors: 0.02, p: [0.01, 0.1, 0.4], in_flight: 1, time_share: 0.9, ...changes,
});

const httpView = (routes, changes = {}) => ({ ...endpoint({ time_share: 1 }), routes, omitted: 0, ...changes });

const model = (changes = {}) => ({
  provider: 'acme', model: 'small', total: 12, rate: 0.5, errors: 0.1, tokens: [1000, 200, 0], input: 50, output: 10, unknown: 0,
  cost: 1.5, cost_per_hour: 0.4, unpriced: 0, p: [0.5, 1, 2], first_token: 0.2, in_flight: 1, rate_limit_remaining: 0.5, ...changes,
});

const llmView = (models, changes = {}) => ({ ...model(), models, omitted: 0, routes: [], ...changes });

const metric = (name, kind = 'counter', help = 'Some help.', series = 1, value = 1, samples = []) => [name, kind, help, series, value, samples];

// A view with the most rows and points that the server sends. `step` changes its values.
function fullView(step = 0) {
  const repeat = (n, make) => Array.from({ length: n }, (_, i) => make(i));
  return view({
    now: NOW + step * 2000,
    history: history(150, { t: repeat(150, (i) => NOW + (step + i - 149) * 2000), input: repeat(150, (i) => i), output: repeat(150, (i) => i / 3), cost: repeat(150, (i) => i / 90), calls: repeat(150, (i) => i), first_token: repeat(150, () => 0.2) }),
    http: httpView(repeat(100, (i) => endpoint({ route: `/shops/{shop}/orders/${i}`, rate: i + step, total: i * 100 + step, time_share: ((i * 7 + step) % 100) / 100 })), { omitted: 34, others: endpoint() }),
    llm: llmView(repeat(50, (i) => model({ model: `model-${i}`, total: i * 10 + step, cost: i % 3 ? i : null })), { omitted: 3, routes: repeat(20, (i) => ({ route: `/ask/${i}`, cost: 20 - i })) }),
    metrics: { omitted: 5, rows: repeat(400, (i) => metric(`metric_${i}_total`, 'counter', `What number ${i} counts.`, 3, i + step, i < 100 ? repeat(8, (k) => [`label="${k}"`, i + k + step]).flat() : [])) },
  });
}

module.exports = {
  ROOT, PAGE_DIR, PAGE_FILES, NOW, addCleanup, useBrowser, launchBrowser, openPage, waitForText, accessibilityViolations, horizontalOverflow,
  columnTexts, cardValue, startDemo, startMockServer, useMockServer,
  view, history, endpoint, httpView, model, llmView, metric, fullView,
};
