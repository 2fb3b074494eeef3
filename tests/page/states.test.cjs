'use strict';
// What the page says of each state that a service and its server can be in. The page's time
// stands still, and passes only as a test says.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { browsing, calls, card, cells, endpoint, full, metric, model, NOW, requests, said, standInFor, view } = require('./support.cjs');

const visit = browsing();
const still = { clock: true };
const troubled = { clock: true, troubled: true };

const live = (page) => said(page, '#state', /^Live/);
const lost = (page) => said(page, '#state', 'Not connected');
const notices = (page) => page.locator('#notices li').allTextContents();

// Lets time pass until the server is asked, and waits for that. In one leap, since answers
// take real time, in which the page's must not run out. While an answer is under way the page
// does not know yet when it asks again, and would not notice the leap.
async function poll(page, server, milliseconds = 2000) {
  await page.waitForFunction(() => !polling);
  const before = server.asked;
  await page.clock.fastForward(milliseconds);
  for (const begun = performance.now(); server.asked === before; await new Promise(setImmediate)) {
    assert.ok(performance.now() - begun < 30000, 'the page does not ask');
  }
}

// Unknown is a dash, and a text that begins with 0 would be a claim.
async function nothingIsZero(page, ...names) {
  for (const name of names) assert.equal(await card(page, name), '–', name);
}

test('while the first answer is awaited the page says that it loads', async (t) => {
  const server = await standInFor(t, () => undefined);
  const page = await visit(t, server.page, still);
  await page.clock.runFor(3000);
  await said(page, '#state', /^Loading$/);
  assert.deepEqual(await notices(page), []);
});

test('no traffic yet is said in words, with what to try', async (t) => {
  const server = await standInFor(t, () => view({ http: null, history: { t: [NOW] } }));
  const page = await visit(t, server.page, still);
  await live(page);
  await said(page, '#notices', `No requests yet. Is MetricsLayer on the router? Requests for metrics are not counted. Try: curl ${server.origin}/`);
  await nothingIsZero(page, 'Requests', 'Errors', 'Duration p95', 'In flight');
  assert.ok(await page.locator('#http').isHidden());
});

test('of one sample no rate is told, and the page says why', async (t) => {
  const unknown = { rate: null, errors: null, client_errors: null, time_share: null, p: [null, null, null] };
  const one = view({ window: null, history: { t: [NOW], in_flight: [1] }, http: requests([endpoint(unknown)], unknown) });
  const server = await standInFor(t, () => one);
  const page = await visit(t, server.page, still);
  await said(page, '#notices', 'One sample so far. Rates need two.');
  await nothingIsZero(page, 'Requests', 'Errors', 'Duration p95');
  assert.deepEqual(await cells(page, 'routes', 3), ['–']);
  assert.deepEqual(await cells(page, 'routes', 11), ['40']);
});

test('a server that is gone is said to be, the last figures stay, and it is found again', async (t) => {
  const server = await standInFor(t, (asked) => view({ now: NOW + asked }));
  const page = await visit(t, server.page, troubled);
  await live(page);
  await server.stop();
  await page.clock.runFor(2000);
  await lost(page);
  await said(page, '#notices', 'No response; the values shown are 2 seconds old. Retrying in 1 s.');
  assert.equal(await card(page, 'Requests'), '10/s');
  await page.locator('#routes-filter').fill('orders');
  assert.deepEqual(await cells(page, 'routes', 2), ['/orders']);

  await server.start(server.port);
  await poll(page, server, 30000);
  await live(page);
  assert.deepEqual(await notices(page), []);
});

test('a server that is gone is asked less and less often', async (t) => {
  const server = await standInFor(t, () => 503);
  const page = await visit(t, server.page, troubled);
  for (const seconds of [1, 2, 4, 8, 16, 30, 30]) {
    await said(page, '#notices', `The server responded with status 503. Retrying in ${seconds} s.`);
    const before = server.asked;
    await page.clock.runFor(seconds * 1000 - 1);
    assert.equal(server.asked, before);
    await poll(page, server, 1);
  }
});

test('a browser that is online again asks at once', async (t) => {
  const server = await standInFor(t, () => view());
  const page = await visit(t, server.page, troubled);
  await live(page);
  await page.context().setOffline(true);
  await page.clock.runFor(2000);
  await lost(page);
  await page.context().setOffline(false);
  await live(page);
});

test('a server that never answers holds nothing up, and is given up after ten seconds', async (t) => {
  const server = await standInFor(t, (asked) => (asked === 1 ? view() : undefined));
  const page = await visit(t, server.page, troubled);
  await live(page);
  await poll(page, server);
  await page.clock.runFor(5000);
  await said(page, '#state', 'Live, 7 seconds ago');
  await page.locator('#routes').getByRole('button', { name: 'Total' }).click();
  await page.locator('#routes-filter').fill('orders');
  assert.deepEqual(await cells(page, 'routes', 2), ['/orders']);
  await page.clock.runFor(5000);
  await lost(page);
  await said(page, '#notices', 'No response; the values shown are 12 seconds old.');
});

test('a slow server is asked one thing at a time, whatever is pressed meanwhile', async (t) => {
  const server = await standInFor(t, () => undefined);
  const page = await visit(t, server.page, still);
  await page.waitForFunction(() => document.readyState === 'complete');
  for (const seconds of ['1', '5', '10', '30']) await page.locator('#every').selectOption(seconds + ' s');
  for (let i = 0; i < 6; i += 1) await page.locator('#pause').click();
  await page.evaluate(() => fetch('dashboard.css').then((answer) => answer.text())); // asked after all of them
  assert.equal(server.asked, 1);
});

test('a failing server is quoted', async (t) => {
  const server = await standInFor(t, (asked) => (asked === 1 ? view() : 503));
  const page = await visit(t, server.page, troubled);
  await live(page);
  await page.clock.runFor(2000);
  await said(page, '#notices', 'The server responded with status 503; the values shown are 2 seconds old.');
});

for (const [what, answer] of [['a page to sign in at', '<!doctype html>'], ['another JSON', '{}'], ['null', 'null']]) {
  test(`${what} in place of metrics is said to be none, and does no harm`, async (t) => {
    const server = await standInFor(t, (asked) => (asked === 1 ? answer : view()));
    const page = await visit(t, server.page, still);
    await said(page, '#notices', 'The response is not a metrics view. Retrying in 1 s.');
    await poll(page, server, 1000);
    await live(page);
  });
}

for (const status of [401, 403]) {
  test(`a refusal by ${status} is said, and nothing is asked again`, async (t) => {
    const server = await standInFor(t, (asked) => (asked === 1 ? view() : status));
    const page = await visit(t, server.page, troubled);
    await live(page);
    await poll(page, server);
    await said(page, '#state', /^Access denied$/);
    assert.deepEqual(await notices(page), ['Access denied. Sign in, then reload the page.']);
    await page.clock.runFor(120000);
    await page.evaluate(() => fetch('dashboard.css').then((answer) => answer.text()));
    assert.equal(server.asked, 2);
  });
}

test('a service that was restarted is said to be, for a minute', async (t) => {
  const server = await standInFor(t, (asked) => view(asked === 1 ? {} : { instance: 'bbbb', uptime: 1, now: NOW + asked }));
  const page = await visit(t, server.page, still);
  await live(page);
  await poll(page, server);
  await said(page, '#notices', /The service restarted at .+; values start from 0 again\./);
  await page.clock.fastForward(61000);
  await page.waitForFunction(() => !document.querySelector('#notices li'));
});

test('several replicas behind one address are told apart and counted', async (t) => {
  const server = await standInFor(t, (asked) => view({ instance: `replica ${asked % 3}` }));
  const page = await visit(t, server.page, still);
  await live(page);
  await poll(page, server);
  await said(page, '#notices', '2 processes respond at this address. The page shows one at a time; Prometheus adds them up.');
  await poll(page, server);
  await said(page, '#notices', '3 processes respond at this address.');
  assert.doesNotMatch((await notices(page)).join(), /anew/);
});

test('a table of a course gains new rows alone, and begins anew with another process', async (t) => {
  const server = await standInFor(t, (asked) => ({ ...full(asked * 3), instance: asked < 3 ? 'aaaa' : 'bbbb' }));
  const page = await visit(t, server.page, still);
  await live(page);
  await page.locator('#traffic summary').click();
  const rows = page.locator('#traffic tbody tr');
  await rows.first().evaluate((row) => { row.id = 'marked'; });
  await poll(page, server);
  await page.waitForFunction(() => document.querySelector('#traffic tbody').children[3].id === 'marked');
  assert.equal(await rows.count(), 150);
  await poll(page, server);
  await page.waitForFunction(() => !document.getElementById('marked'));
  assert.equal(await rows.count(), 150);
});

test('a server whose metrics take long to read is said to tell the same', async (t) => {
  const server = await standInFor(t, (asked) => view({ now: asked < 12 ? NOW : NOW + 1 }));
  const page = await visit(t, server.page, still);
  await live(page);
  for (let asked = 2; asked < 12; asked += 1) await poll(page, server);
  await said(page, '#notices', 'The values have not changed for 20 seconds: reading the metrics is slow.');
  await poll(page, server);
  await page.waitForFunction(() => !document.querySelector('#notices li'));
});

test('too many series are said, with no more names than one reads', async (t) => {
  const server = await standInFor(t, () => view({ overflowed: ['a_total', 'b_total', 'c_total', 'd_total'] }));
  const page = await visit(t, server.page, still);
  await live(page);
  await said(page, '#notices', 'Too many series: a label of a_total, b_total, c_total and others has more values than its limit. Further values become _overflow.');
});

test('metrics that are too many to list are counted', async (t) => {
  const server = await standInFor(t, () => view({ metrics: { omitted: 7, rows: [metric('a_total')] } }));
  const page = await visit(t, server.page, still);
  await said(page, '#notices', '7 more metrics are not shown. The Prometheus and JSON formats have them.');
  await said(page, '#metrics-all', /^8$/);
});

test('where no price is known the page says so, and never 0', async (t) => {
  const unknown = { cost: null, cost_per_hour: null, unpriced: 12 };
  const server = await standInFor(t, () => view({ llm: calls([model(unknown)], unknown) }));
  const page = await visit(t, server.page, still);
  await live(page);
  assert.equal(await card(page, 'Cost'), 'no price');
  assert.deepEqual(await cells(page, 'models', 8), ['no price']);
  assert.deepEqual(await cells(page, 'models', 9), ['–']);
  assert.doesNotMatch(await page.locator('#llm').innerText(), /\$/);
});

test('what is not known of process and machine is a dash or left out, and never 0', async (t) => {
  const process = { cpu: null, memory: null, files: null, max_files: null, threads: null, machine_cpu: null, machine_memory: null, container_memory: null, container_memory_limit: 1e9 };
  const server = await standInFor(t, () => view({ process }));
  const page = await visit(t, server.page, still);
  await live(page);
  await nothingIsZero(page, 'CPU', 'Memory', 'Open files');
  assert.doesNotMatch(await page.locator('[data-card=CPU], [data-card=Memory]').evaluateAll((all) => all.map((one) => one.innerText).join()), /\d/);
});

test('where some calls have no price the cost says how many', async (t) => {
  const some = { cost: 1.5, unpriced: 3 };
  const server = await standInFor(t, () => view({ llm: calls([model(some), model({ model: 'free', cost: 0 })], some) }));
  const page = await visit(t, server.page, still);
  await live(page);
  assert.deepEqual(await cells(page, 'models', 8), ['$1.50 + 3 unpriced', '$0.00']);
  await said(page, '[data-card=Cost]', '3 calls without a price');
});

test('a percentile above the last bucket is told as above it', async (t) => {
  const server = await standInFor(t, () => view({ http: requests([endpoint({ p: [1, 4, { over: 10 }] })]) }));
  const page = await visit(t, server.page, still);
  await live(page);
  assert.deepEqual(await cells(page, 'routes', 8), ['> 10 s']);
});

test('a tab that is hidden asks nothing, and asks at once when it is seen again', async (t) => {
  const server = await standInFor(t, () => view());
  const page = await visit(t, server.page, still);
  await live(page);
  await page.evaluate(() => {
    globalThis.hide = (hidden) => {
      for (const [name, value] of [['hidden', hidden], ['visibilityState', hidden ? 'hidden' : 'visible']]) {
        Object.defineProperty(document, name, { configurable: true, get: () => value });
      }
      document.dispatchEvent(new Event('visibilitychange'));
    };
    globalThis.hide(true);
  });
  await page.clock.runFor(600000);
  await page.evaluate(() => fetch('dashboard.css').then((answer) => answer.text()));
  assert.equal(server.asked, 1);
  await page.evaluate(() => globalThis.hide(false));
  await said(page, '#state', 'Live, 0 seconds ago');
  assert.equal(server.asked, 2);
});

test('a page that is paused asks nothing, says so, and goes on', async (t) => {
  const server = await standInFor(t, () => view());
  const page = await visit(t, server.page, still);
  await live(page);
  await page.locator('#pause').click();
  assert.equal(await page.locator('#pause').getAttribute('aria-pressed'), 'true');
  await page.clock.runFor(61000);
  await said(page, '#state', 'Paused, 61 seconds ago');
  assert.equal(server.asked, 1);
  await page.locator('#pause').click();
  await live(page);
  assert.equal(server.asked, 2);
});

test('a page that is paused while no one answers does not claim to ask again', async (t) => {
  const server = await standInFor(t, () => 503);
  const page = await visit(t, server.page, troubled);
  await lost(page);
  await page.locator('#pause').click();
  await said(page, '#notices', 'The server responded with status 503. Paused.');
});

test('how often is asked is chosen', async (t) => {
  const server = await standInFor(t, () => view());
  const page = await visit(t, server.page, still);
  await live(page);
  await page.clock.runFor(1000);
  await page.locator('#every').selectOption('30 s');
  await said(page, '#state', 'Live, 0 seconds ago');
  await page.clock.runFor(29000);
  assert.equal(server.asked, 2); // the choice itself asks
  await poll(page, server, 1001);
});

test('a screen reader is told of a change once, and not of each second', async (t) => {
  const server = await standInFor(t, (asked) => (asked === 1 ? view() : 503));
  const page = await visit(t, server.page, troubled);
  await said(page, '#announcement', 'Live. 10/s requests, 1 % errors.');
  await poll(page, server);
  await said(page, '#announcement', 'Not connected. The server responded with status 503');
  const told = await page.locator('#announcement').textContent();
  await poll(page, server, 1000);
  await said(page, '#notices', '3 seconds old. Retrying in 2 s.');
  assert.equal(await page.locator('#announcement').textContent(), told);
});
