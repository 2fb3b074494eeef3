'use strict';
// What the page shows for each state of the service and the server. The page's clock is
// stopped; the tests advance it.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const {
  NOW, cardValue, columnTexts, endpoint, fullView, httpView, llmView, metric, model, useBrowser, useMockServer, view, waitForText,
} = require('./support.cjs');

const visit = useBrowser();
const fakeClock = { fakeClock: true };
const allowFailedLoads = { fakeClock: true, allowFailedLoads: true };

const waitForLive = (page) => waitForText(page, '#state', /^Live/);
const waitForDisconnected = (page) => waitForText(page, '#state', 'Not connected');
const notices = (page) => page.locator('#notices li').allTextContents();

// Advances the page's clock to its next request for the view, and waits until the server
// receives it. The clock jumps instead of running, because a response takes real time and must
// not time out meanwhile. The page schedules the next request only after a response, so a jump
// during a request would have no effect.
async function advanceToPoll(page, server, milliseconds = 2000) {
  await page.waitForFunction(() => !polling);
  const previous = server.viewRequests;
  await page.clock.fastForward(milliseconds);
  for (const start = performance.now(); server.viewRequests === previous; await new Promise(setImmediate)) {
    assert.ok(performance.now() - start < 30000, 'the page sent no request');
  }
}

// Asserts that the cards show their value as unknown, and not as 0.
async function assertUnknown(page, ...names) {
  for (const name of names) assert.equal(await cardValue(page, name), '–', name);
}

test('the page shows that it is loading until the first response', async (t) => {
  const server = await useMockServer(t, () => undefined);
  const page = await visit(t, server.pageUrl, fakeClock);
  await page.clock.runFor(3000);
  await waitForText(page, '#state', /^Loading$/);
  assert.deepEqual(await notices(page), []);
});

test('a service without traffic has a notice with a command to try', async (t) => {
  const server = await useMockServer(t, () => view({ http: null, history: { t: [NOW] } }));
  const page = await visit(t, server.pageUrl, fakeClock);
  await waitForLive(page);
  await waitForText(page, '#notices', `No requests yet. Is MetricsLayer on the router? Requests for metrics are not counted. Try: curl ${server.origin}/`);
  await assertUnknown(page, 'Requests', 'Errors', 'Duration p95', 'In flight');
  assert.ok(await page.locator('#http').isHidden());
});

test('with one sample no rates are shown, and a notice says why', async (t) => {
  const unknown = { rate: null, errors: null, client_errors: null, time_share: null, p: [null, null, null] };
  const oneSample = view({ window: null, history: { t: [NOW], in_flight: [1] }, http: httpView([endpoint(unknown)], unknown) });
  const server = await useMockServer(t, () => oneSample);
  const page = await visit(t, server.pageUrl, fakeClock);
  await waitForText(page, '#notices', 'One sample so far. Rates need two.');
  await assertUnknown(page, 'Requests', 'Errors', 'Duration p95');
  assert.deepEqual(await columnTexts(page, 'routes', 3), ['–']);
  assert.deepEqual(await columnTexts(page, 'routes', 11), ['40']);
});

test('if the server stops, a notice says so, the last values stay, and the page reconnects', async (t) => {
  const server = await useMockServer(t, (n) => view({ now: NOW + n }));
  const page = await visit(t, server.pageUrl, allowFailedLoads);
  await waitForLive(page);
  await server.stop();
  await page.clock.runFor(2000);
  await waitForDisconnected(page);
  await waitForText(page, '#notices', 'No response; the values shown are 2 seconds old. Retrying in 1 s.');
  assert.equal(await cardValue(page, 'Requests'), '10/s');
  await page.locator('#routes-filter').fill('orders');
  assert.deepEqual(await columnTexts(page, 'routes', 2), ['/orders']);

  await server.start(server.port);
  await advanceToPoll(page, server, 30000);
  await waitForLive(page);
  assert.deepEqual(await notices(page), []);
});

test('retries of an unavailable server back off, up to 30 seconds', async (t) => {
  const server = await useMockServer(t, () => 503);
  const page = await visit(t, server.pageUrl, allowFailedLoads);
  for (const seconds of [1, 2, 4, 8, 16, 30, 30]) {
    await waitForText(page, '#notices', `The server responded with status 503. Retrying in ${seconds} s.`);
    const previous = server.viewRequests;
    await page.clock.runFor(seconds * 1000 - 1);
    assert.equal(server.viewRequests, previous);
    await advanceToPoll(page, server, 1);
  }
});

test('the page retries at once if the browser is online again', async (t) => {
  const server = await useMockServer(t, () => view());
  const page = await visit(t, server.pageUrl, allowFailedLoads);
  await waitForLive(page);
  await page.context().setOffline(true);
  await page.clock.runFor(2000);
  await waitForDisconnected(page);
  await page.context().setOffline(false);
  await waitForLive(page);
});

test('the page stays usable during a pending request, which times out after ten seconds', async (t) => {
  const server = await useMockServer(t, (n) => (n === 1 ? view() : undefined));
  const page = await visit(t, server.pageUrl, allowFailedLoads);
  await waitForLive(page);
  await advanceToPoll(page, server);
  await page.clock.runFor(5000);
  await waitForText(page, '#state', 'Live, 7 seconds ago');
  await page.locator('#routes').getByRole('button', { name: 'Total' }).click();
  await page.locator('#routes-filter').fill('orders');
  assert.deepEqual(await columnTexts(page, 'routes', 2), ['/orders']);
  await page.clock.runFor(5000);
  await waitForDisconnected(page);
  await waitForText(page, '#notices', 'No response; the values shown are 12 seconds old.');
});

test('at most one request is in flight, whatever the user clicks meanwhile', async (t) => {
  const server = await useMockServer(t, () => undefined);
  const page = await visit(t, server.pageUrl, fakeClock);
  await page.waitForFunction(() => document.readyState === 'complete');
  for (const seconds of ['1', '5', '10', '30']) await page.locator('#every').selectOption(seconds + ' s');
  for (let i = 0; i < 6; i += 1) await page.locator('#pause').click();
  await page.evaluate(() => fetch('dashboard.css').then((response) => response.text())); // sent after any request the clicks caused
  assert.equal(server.viewRequests, 1);
});

test('the status of a failing server is shown', async (t) => {
  const server = await useMockServer(t, (n) => (n === 1 ? view() : 503));
  const page = await visit(t, server.pageUrl, allowFailedLoads);
  await waitForLive(page);
  await page.clock.runFor(2000);
  await waitForText(page, '#notices', 'The server responded with status 503; the values shown are 2 seconds old.');
});

for (const [name, body] of [['a login page', '<!doctype html>'], ['other JSON', '{}'], ['null', 'null']]) {
  test(`a response with ${name} instead of a view is reported, and the page recovers`, async (t) => {
    const server = await useMockServer(t, (n) => (n === 1 ? body : view()));
    const page = await visit(t, server.pageUrl, fakeClock);
    await waitForText(page, '#notices', 'The response is not a metrics view. Retrying in 1 s.');
    await advanceToPoll(page, server, 1000);
    await waitForLive(page);
  });
}

for (const status of [401, 403]) {
  test(`status ${status} is shown as access denied, and stops the requests`, async (t) => {
    const server = await useMockServer(t, (n) => (n === 1 ? view() : status));
    const page = await visit(t, server.pageUrl, allowFailedLoads);
    await waitForLive(page);
    await advanceToPoll(page, server);
    await waitForText(page, '#state', /^Access denied$/);
    assert.deepEqual(await notices(page), ['Access denied. Sign in, then reload the page.']);
    await page.clock.runFor(120000);
    await page.evaluate(() => fetch('dashboard.css').then((response) => response.text()));
    assert.equal(server.viewRequests, 2);
  });
}

test('a restart of the service is shown for a minute', async (t) => {
  const server = await useMockServer(t, (n) => view(n === 1 ? {} : { instance: 'bbbb', uptime: 1, now: NOW + n }));
  const page = await visit(t, server.pageUrl, fakeClock);
  await waitForLive(page);
  await advanceToPoll(page, server);
  await waitForText(page, '#notices', /The service restarted at .+; values start from 0 again\./);
  await page.clock.fastForward(61000);
  await page.waitForFunction(() => !document.querySelector('#notices li'));
});

test('replicas behind one address are distinguished from a restart, and counted', async (t) => {
  const server = await useMockServer(t, (n) => view({ instance: `replica ${n % 3}` }));
  const page = await visit(t, server.pageUrl, fakeClock);
  await waitForLive(page);
  await advanceToPoll(page, server);
  await waitForText(page, '#notices', '2 processes respond at this address. The page shows one at a time; Prometheus adds them up.');
  await advanceToPoll(page, server);
  await waitForText(page, '#notices', '3 processes respond at this address.');
  assert.doesNotMatch((await notices(page)).join(), /restarted/);
});

test('a chart\'s table keeps its rows and adds new ones, and is rebuilt for another process', async (t) => {
  const server = await useMockServer(t, (n) => ({ ...fullView(n * 3), instance: n < 3 ? 'aaaa' : 'bbbb' }));
  const page = await visit(t, server.pageUrl, fakeClock);
  await waitForLive(page);
  await page.locator('#traffic summary').click();
  const rows = page.locator('#traffic tbody tr');
  await rows.first().evaluate((row) => { row.id = 'marked'; });
  await advanceToPoll(page, server);
  await page.waitForFunction(() => document.querySelector('#traffic tbody').children[3].id === 'marked');
  assert.equal(await rows.count(), 150);
  await advanceToPoll(page, server);
  await page.waitForFunction(() => !document.getElementById('marked'));
  assert.equal(await rows.count(), 150);
});

test('a notice says if the values have not changed for long', async (t) => {
  const server = await useMockServer(t, (n) => view({ now: n < 12 ? NOW : NOW + 1 }));
  const page = await visit(t, server.pageUrl, fakeClock);
  await waitForLive(page);
  for (let n = 2; n < 12; n += 1) await advanceToPoll(page, server);
  await waitForText(page, '#notices', 'The values have not changed for 20 seconds: reading the metrics is slow.');
  await advanceToPoll(page, server);
  await page.waitForFunction(() => !document.querySelector('#notices li'));
});

test('the notice about too many series lists at most three metrics', async (t) => {
  const server = await useMockServer(t, () => view({ overflowed: ['a_total', 'b_total', 'c_total', 'd_total'] }));
  const page = await visit(t, server.pageUrl, fakeClock);
  await waitForLive(page);
  await waitForText(page, '#notices', 'Too many series: a label of a_total, b_total, c_total and others has more values than its limit. Further values become _overflow.');
});

test('metrics beyond the listed ones are counted', async (t) => {
  const server = await useMockServer(t, () => view({ metrics: { omitted: 7, rows: [metric('a_total')] } }));
  const page = await visit(t, server.pageUrl, fakeClock);
  await waitForText(page, '#notices', '7 more metrics are not shown. The Prometheus and JSON formats have them.');
  await waitForText(page, '#metrics-all', /^8$/);
});

test('a model without a price is shown as such, and not with a cost of 0', async (t) => {
  const unknown = { cost: null, cost_per_hour: null, unpriced: 12 };
  const server = await useMockServer(t, () => view({ llm: llmView([model(unknown)], unknown) }));
  const page = await visit(t, server.pageUrl, fakeClock);
  await waitForLive(page);
  assert.equal(await cardValue(page, 'Cost'), 'no price');
  assert.deepEqual(await columnTexts(page, 'models', 8), ['no price']);
  assert.deepEqual(await columnTexts(page, 'models', 9), ['–']);
  assert.doesNotMatch(await page.locator('#llm').innerText(), /\$/);
});

test('unknown process and machine values are shown as dashes or omitted, not as 0', async (t) => {
  const process = { cpu: null, memory: null, files: null, max_files: null, threads: null, machine_cpu: null, machine_memory: null, container_memory: null, container_memory_limit: 1e9 };
  const server = await useMockServer(t, () => view({ process }));
  const page = await visit(t, server.pageUrl, fakeClock);
  await waitForLive(page);
  await assertUnknown(page, 'CPU', 'Memory', 'Open files');
  assert.doesNotMatch(await page.locator('[data-card=CPU], [data-card=Memory]').evaluateAll((cards) => cards.map((card) => card.innerText).join()), /\d/);
});

test('a card shows the last OTLP export, and a notice says if none has succeeded', async (t) => {
  let otlp = { accepted: 0, failed: 2, rejected_points: 0, since_success: null };
  const server = await useMockServer(t, () => view({ otlp }));
  const page = await visit(t, server.pageUrl, fakeClock);
  await waitForLive(page);
  assert.equal(await cardValue(page, 'Last OTLP export'), 'none yet');
  await waitForText(page, '#notices', 'No OTLP export has succeeded yet.');
  otlp = { accepted: 1, failed: 2, rejected_points: 7, since_success: 12 };
  await page.clock.runFor(2500);
  await waitForText(page, '[data-card="Last OTLP export"]', '12 seconds ago');
  await waitForText(page, '[data-card="Last OTLP export"]', '2 failed · 7 points rejected');
  assert.doesNotMatch(await page.locator('#notices').innerText(), /OTLP/);
});

test('the cost shows how many calls have no price', async (t) => {
  const partlyPriced = { cost: 1.5, unpriced: 3 };
  const server = await useMockServer(t, () => view({ llm: llmView([model(partlyPriced), model({ model: 'free', cost: 0 })], partlyPriced) }));
  const page = await visit(t, server.pageUrl, fakeClock);
  await waitForLive(page);
  assert.deepEqual(await columnTexts(page, 'models', 8), ['$1.50 + 3 unpriced', '$0.00']);
  await waitForText(page, '[data-card=Cost]', '3 calls without a price');
});

test('a percentile above the last bucket is shown as above its bound', async (t) => {
  const server = await useMockServer(t, () => view({ http: httpView([endpoint({ p: [1, 4, { over: 10 }] })]) }));
  const page = await visit(t, server.pageUrl, fakeClock);
  await waitForLive(page);
  assert.deepEqual(await columnTexts(page, 'routes', 8), ['> 10 s']);
});

test('a hidden tab sends no requests, and sends one at once when it is visible again', async (t) => {
  const server = await useMockServer(t, () => view());
  const page = await visit(t, server.pageUrl, fakeClock);
  await waitForLive(page);
  await page.evaluate(() => {
    globalThis.setHidden = (hidden) => {
      for (const [name, value] of [['hidden', hidden], ['visibilityState', hidden ? 'hidden' : 'visible']]) {
        Object.defineProperty(document, name, { configurable: true, get: () => value });
      }
      document.dispatchEvent(new Event('visibilitychange'));
    };
    globalThis.setHidden(true);
  });
  await page.clock.runFor(600000);
  await page.evaluate(() => fetch('dashboard.css').then((response) => response.text()));
  assert.equal(server.viewRequests, 1);
  await page.evaluate(() => globalThis.setHidden(false));
  await waitForText(page, '#state', 'Live, 0 seconds ago');
  assert.equal(server.viewRequests, 2);
});

test('a paused page sends no requests, shows that it is paused, and resumes', async (t) => {
  const server = await useMockServer(t, () => view());
  const page = await visit(t, server.pageUrl, fakeClock);
  await waitForLive(page);
  await page.locator('#pause').click();
  assert.equal(await page.locator('#pause').getAttribute('aria-pressed'), 'true');
  await page.clock.runFor(61000);
  await waitForText(page, '#state', 'Paused, 61 seconds ago');
  assert.equal(server.viewRequests, 1);
  await page.locator('#pause').click();
  await waitForLive(page);
  assert.equal(server.viewRequests, 2);
});

test('a page paused while the server is unavailable announces no retry', async (t) => {
  const server = await useMockServer(t, () => 503);
  const page = await visit(t, server.pageUrl, allowFailedLoads);
  await waitForDisconnected(page);
  await page.locator('#pause').click();
  await waitForText(page, '#notices', 'The server responded with status 503. Paused.');
});

test('the user chooses the interval between requests', async (t) => {
  const server = await useMockServer(t, () => view());
  const page = await visit(t, server.pageUrl, fakeClock);
  await waitForLive(page);
  await page.clock.runFor(1000);
  await page.locator('#every').selectOption('30 s');
  await waitForText(page, '#state', 'Live, 0 seconds ago');
  await page.clock.runFor(29000);
  assert.equal(server.viewRequests, 2); // the choice itself sends a request
  await advanceToPoll(page, server, 1001);
});

test('a change of state is announced to screen readers once, and not every second', async (t) => {
  const server = await useMockServer(t, (n) => (n === 1 ? view() : 503));
  const page = await visit(t, server.pageUrl, allowFailedLoads);
  await waitForText(page, '#announcement', 'Live. 10/s requests, 1 % errors.');
  await advanceToPoll(page, server);
  await waitForText(page, '#announcement', 'Not connected. The server responded with status 503');
  const announcement = await page.locator('#announcement').textContent();
  await advanceToPoll(page, server, 1000);
  await waitForText(page, '#notices', '3 seconds old. Retrying in 2 s.');
  assert.equal(await page.locator('#announcement').textContent(), announcement);
});
