'use strict';
// The page of a real service: what it shows is what a scrape says, and it follows.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { broken, browsing, card, demo, later, overflow, said } = require('./support.cjs');

const visit = browsing();

async function started(t, options, address) {
  const service = await demo(options, address);
  later(t, service.stop);
  return service;
}

async function get(service, path, times = 1) {
  for (let i = 0; i < times; i += 1) await (await fetch(service.origin + path)).text();
}

// The sum of a scrape's samples of a name, by the values of two labels.
async function scraped(service, name, ...labels) {
  const text = await (await fetch(`${service.origin}/metrics`)).text();
  const sums = {};
  for (const [, inner, value] of text.matchAll(new RegExp(`^${name}(?:\\{(.*)\\})? (\\S+)`, 'gm'))) {
    const key = labels.map((label) => new RegExp(`(?:^|,)${label}="([^"]*)"`).exec(inner)[1]).join(' ');
    sums[key] = (sums[key] || 0) + Number(value);
  }
  return sums;
}

// What the table of routes says, by method and route, in the column of that title.
const shown = (page, title) => page.evaluate((title) => {
  const column = [...document.querySelectorAll('#routes thead th')].findIndex((head) => head.textContent === title);
  const texts = (row) => [...row.children].map((cell) => cell.textContent);
  const rows = [...document.querySelectorAll('#routes tbody tr')].map(texts);
  return Object.fromEntries(rows.map((row) => [`${row[0]} ${row[1]}`, Number(row[column])]));
}, title);

const until = (page, route, total) => page.waitForFunction(
  ([route, total]) => [...document.querySelectorAll('#routes tbody tr')].some((row) => row.children[1].textContent === route && row.lastChild.textContent === total),
  [route, String(total)]);

test('the totals of a quiet service are those of its scrape, and follow each request', async (t) => {
  const service = await started(t, ['--quiet-traffic']);
  await get(service, '/users/7', 7);
  await get(service, '/users/2000', 2);
  await get(service, '/fail', 3);
  const page = await visit(t, service.page);
  await until(page, '/fail', 3);
  await until(page, '/users/{id}', 9);
  assert.deepEqual(await shown(page, 'Total'), await scraped(service, 'http_requests_total', 'method', 'route'));

  await get(service, '/users/7', 5);
  await until(page, '/users/{id}', 14);
  assert.deepEqual(await shown(page, 'Total'), await scraped(service, 'http_requests_total', 'method', 'route'));
  // By now there were two readings, between which there were requests.
  await said(page, '[data-card=Requests] .value', /^[^0–].*\/s$/);
  await page.locator('#all summary').click();
  await page.locator('#metrics-filter').fill('greetings');
  const { '': greeted } = await scraped(service, 'demo_greetings_total');
  assert.equal(greeted, 12);
  await said(page, '#metrics tbody tr', /^demo_greetings_totalcounter112Users greeted\.$/);
});

test('a service that no one has asked shows so, and its first requests appear', async (t) => {
  const service = await started(t, ['--quiet-traffic']);
  const page = await visit(t, service.page);
  await said(page, '#notices', 'No requests yet');
  assert.equal(await card(page, 'Requests'), '–');
  await get(service, '/', 1);
  await until(page, '/', 1);
  await page.waitForFunction(() => !/Nothing/.test(document.getElementById('notices').textContent));
});

test('a busy service shows its requests, its process and its calls of LLMs, and breaks no rule', async (t) => {
  const service = await started(t, []);
  const page = await visit(t, service.page);
  for (const name of ['Requests', 'Errors', 'Duration p95', 'In flight', 'CPU', 'Memory', 'Open files', 'LLM calls', 'LLM errors', 'Tokens', 'Cost', 'Time to first token p95']) {
    await said(page, `[data-card="${name}"] .value`, /\d/);
  }
  for (const chart of ['traffic', 'latency', 'tokens', 'cost']) {
    await page.waitForFunction((chart) => /now .*, from .* to /.test(document.querySelector(`#${chart} svg`).getAttribute('aria-label')), chart);
  }
  await said(page, '#models tbody', /\d %/); // what a rate limit leaves
  const before = await page.locator('#figures').textContent();
  await page.waitForFunction((before) => document.getElementById('figures').textContent !== before, before);
  assert.deepEqual(await broken(page), []);
  assert.equal(await overflow(page), 0);
});

test('a service that ends and starts again is told from one that never ended', async (t) => {
  const first = await started(t, ['--quiet-traffic']);
  const page = await visit(t, first.page, { troubled: true });
  await said(page, '#state', /^Live/);
  await first.stop();
  await said(page, '#state', 'Not connected');
  await started(t, ['--quiet-traffic'], first.address);
  await said(page, '#state', /^Live/);
  await said(page, '#notices', 'The service restarted');
});

test('the page is let nothing but what its own server serves', async (t) => {
  const service = await started(t, ['--quiet-traffic']);
  const answer = await fetch(service.page);
  const policy = answer.headers.get('content-security-policy');
  assert.match(policy, /^default-src 'none';/);
  assert.doesNotMatch(policy, /unsafe|https?:|\*/);
  const page = await visit(t, `${service.page}/`); // the slash leads to the same page
  await said(page, '#state', /^Live/);
  assert.equal(page.url(), service.page);
});
