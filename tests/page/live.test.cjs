'use strict';
// The page of a running service: it shows the values of a scrape, and updates.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { accessibilityViolations, addCleanup, cardValue, horizontalOverflow, startDemo, useBrowser, waitForText } = require('./support.cjs');

const visit = useBrowser();

async function startService(t, options, metricsAddress) {
  const service = await startDemo(options, metricsAddress);
  addCleanup(t, service.stop);
  return service;
}

async function sendRequests(service, path, times = 1, options = {}) {
  for (let i = 0; i < times; i += 1) await (await fetch(service.origin + path, options)).text();
}

const createItems = (service, times) => sendRequests(service, '/api/users/7/items', times, {
  method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"title":"a wrench"}',
});

// Scrapes the service, and sums the samples of a metric by the values of the given labels.
async function scrapeSums(service, name, ...labels) {
  const text = await (await fetch(service.metricsUrl)).text();
  const sums = {};
  for (const [, inner, value] of text.matchAll(new RegExp(`^${name}(?:\\{(.*)\\})? (\\S+)`, 'gm'))) {
    const key = labels.map((label) => new RegExp(`(?:^|,)${label}="([^"]*)"`).exec(inner)[1]).join(' ');
    sums[key] = (sums[key] || 0) + Number(value);
  }
  return sums;
}

// Returns a column of the routes table as an object: numbers by "METHOD route".
const routesColumn = (page, title) => page.evaluate((title) => {
  const column = [...document.querySelectorAll('#routes thead th')].findIndex((head) => head.textContent === title);
  const texts = (row) => [...row.children].map((cell) => cell.textContent);
  const rows = [...document.querySelectorAll('#routes tbody tr')].map(texts);
  return Object.fromEntries(rows.map((row) => [`${row[0]} ${row[1]}`, Number(row[column])]));
}, title);

const waitForTotal = (page, route, total) => page.waitForFunction(
  ([route, total]) => [...document.querySelectorAll('#routes tbody tr')].some((row) => row.children[1].textContent === route && row.lastChild.textContent === total),
  [route, String(total)]);

test('the totals in the table equal those of a scrape, before and after new requests', async (t) => {
  const service = await startService(t, ['--quiet-traffic']);
  await sendRequests(service, '/api/users/7', 7);
  await sendRequests(service, '/api/users/2000', 2);
  await sendRequests(service, '/fail', 3);
  const page = await visit(t, service.pageUrl);
  await waitForTotal(page, '/fail', 3);
  await waitForTotal(page, '/api/users/{id}', 9);
  assert.deepEqual(await routesColumn(page, 'Total'), await scrapeSums(service, 'http_requests_total', 'method', 'route'));

  await sendRequests(service, '/api/users/7', 5);
  await waitForTotal(page, '/api/users/{id}', 14);
  assert.deepEqual(await routesColumn(page, 'Total'), await scrapeSums(service, 'http_requests_total', 'method', 'route'));
  // The page has two samples with requests between them, so it shows a rate.
  await waitForText(page, '[data-card=Requests] .value', /^[^0–].*\/s$/);
  await page.locator('#all summary').click();
  await page.locator('#metrics-filter').fill('items_created');
  await createItems(service, 3);
  const { '': created } = await scrapeSums(service, 'demo_items_created_total');
  assert.equal(created, 3);
  await waitForText(page, '#metrics tbody tr', /^demo_items_created_totalcounter13Items created\.$/);
});

test('a service without requests has a notice, until its first request appears', async (t) => {
  const service = await startService(t, ['--quiet-traffic']);
  const page = await visit(t, service.pageUrl);
  await waitForText(page, '#notices', 'No requests yet');
  assert.equal(await cardValue(page, 'Requests'), '–');
  await sendRequests(service, '/', 1);
  await waitForTotal(page, '/', 1);
  await page.waitForFunction(() => !/No requests yet/.test(document.getElementById('notices').textContent));
});

test('a busy service shows its requests, process and LLM calls, and is accessible', async (t) => {
  const service = await startService(t, []);
  const page = await visit(t, service.pageUrl);
  for (const name of ['Requests', 'Errors', 'Duration p95', 'In flight', 'CPU', 'Memory', 'Open files', 'LLM calls', 'LLM errors', 'Tokens', 'Cost', 'Time to first token p95']) {
    await waitForText(page, `[data-card="${name}"] .value`, /\d/);
  }
  for (const chart of ['traffic', 'latency', 'tokens', 'cost']) {
    await page.waitForFunction((chart) => /now .*, from .* to /.test(document.querySelector(`#${chart} svg`).getAttribute('aria-label')), chart);
  }
  await waitForText(page, '#models tbody', /\d %/); // the remaining rate limit
  const before = await page.locator('#figures').textContent();
  await page.waitForFunction((before) => document.getElementById('figures').textContent !== before, before);
  assert.deepEqual(await accessibilityViolations(page), []);
  assert.equal(await horizontalOverflow(page), 0);
});

test('a restarted service is distinguished from one that kept running', async (t) => {
  const first = await startService(t, ['--quiet-traffic']);
  const page = await visit(t, first.pageUrl, { allowFailedLoads: true });
  await waitForText(page, '#state', /^Live/);
  await first.stop();
  await waitForText(page, '#state', 'Not connected');
  await startService(t, ['--quiet-traffic'], first.metricsAddress);
  await waitForText(page, '#state', /^Live/);
  await waitForText(page, '#notices', 'The service restarted');
});

test('the content security policy allows only resources of the page\'s own server', async (t) => {
  const service = await startService(t, ['--quiet-traffic']);
  const response = await fetch(service.pageUrl);
  const policy = response.headers.get('content-security-policy');
  assert.match(policy, /^default-src 'none';/);
  assert.doesNotMatch(policy, /unsafe|https?:|\*/);
  const page = await visit(t, `${service.pageUrl}/`); // redirects to the path without the slash
  await waitForText(page, '#state', /^Live/);
  assert.equal(page.url(), service.pageUrl);
});
