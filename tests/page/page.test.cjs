'use strict';
// The page's tables and charts, their accessibility, and names with hostile content.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const zlib = require('node:zlib');
const {
  PAGE_DIR, PAGE_FILES, accessibilityViolations, columnTexts, endpoint, fullView, horizontalOverflow, httpView, llmView, metric, model, useBrowser,
  useMockServer, view, waitForText,
} = require('./support.cjs');

const visit = useBrowser();
const waitForLive = (page) => waitForText(page, '#state', /^Live/);

async function openWithView(t, response, options) {
  const server = await useMockServer(t, () => response);
  const page = await visit(t, server.pageUrl, { fakeClock: true, ...options });
  await waitForLive(page);
  return page;
}

const openAllDetails = (page) => page.evaluate(() => document.querySelectorAll('details').forEach((details) => { details.open = true; }));
const sortedColumns = (page, table) => page.evaluate((table) => [...document.querySelectorAll(`#${table} th[aria-sort]`)].map((head) => `${head.textContent} ${head.ariaSort}`), table);

const threeRoutes = () => view({
  http: httpView([
    endpoint({ route: '/b', rate: 3, total: 10, time_share: 0.2, p: [0.1, 0.2, null] }),
    endpoint({ route: '/a', rate: 20, total: 9, time_share: 0.7, p: [0.1, 0.2, { over: 10 }] }),
    endpoint({ route: '/c', method: 'POST', rate: 1, total: 100, time_share: 0.1, p: [0.1, 0.2, 10] }),
  ]),
});

test('the page files are at most 40 KiB, and 12.5 KiB compressed', () => {
  const files = PAGE_FILES.map((name) => fs.readFileSync(path.join(PAGE_DIR, name)));
  const sum = (sizes) => sizes.reduce((total, size) => total + size, 0);
  assert.ok(sum(files.map((file) => file.length)) <= 40 * 1024);
  assert.ok(sum(files.map((file) => zlib.gzipSync(file, { level: 9 }).length)) <= 12.5 * 1024);
});

test('a table sorts by any column, in both directions, and marks the sorted column', async (t) => {
  const page = await openWithView(t, threeRoutes());
  assert.deepEqual(await sortedColumns(page, 'routes'), ['Share of time descending']);
  assert.deepEqual(await columnTexts(page, 'routes', 2), ['/a', '/b', '/c']);
  const clickHeader = (name) => page.locator('#routes thead').getByRole('button', { name, exact: true }).click();
  await clickHeader('Total'); // sorts as numbers, not as strings
  assert.deepEqual(await columnTexts(page, 'routes', 11), ['100', '10', '9']);
  assert.deepEqual(await sortedColumns(page, 'routes'), ['Total descending']);
  await clickHeader('Total');
  assert.deepEqual(await columnTexts(page, 'routes', 11), ['9', '10', '100']);
  assert.deepEqual(await sortedColumns(page, 'routes'), ['Total ascending']);
  await clickHeader('Route');
  assert.deepEqual(await columnTexts(page, 'routes', 2), ['/a', '/b', '/c']);
  assert.deepEqual(await sortedColumns(page, 'routes'), ['Route ascending']);
});

test('unknown values sort last, and values above the last bucket sort above its bound', async (t) => {
  const page = await openWithView(t, threeRoutes());
  const p99 = page.locator('#routes thead').getByRole('button', { name: 'p99' });
  await p99.click();
  assert.deepEqual(await columnTexts(page, 'routes', 8), ['> 10 s', '10 s', '–']);
  await p99.click();
  assert.deepEqual(await columnTexts(page, 'routes', 8), ['10 s', '> 10 s', '–']);
});

test('a table filters by the names of its rows, and shows how many match', async (t) => {
  const page = await openWithView(t, threeRoutes());
  await page.locator('#routes-filter').fill('POST');
  assert.deepEqual(await columnTexts(page, 'routes', 2), ['/c']);
  await waitForText(page, '#routes-count', '1 of 3 shown');
  await page.clock.runFor(2000); // a redraw keeps the filter
  assert.deepEqual(await columnTexts(page, 'routes', 2), ['/c']);
  await page.locator('#routes-filter').fill('no such route');
  assert.deepEqual(await columnTexts(page, 'routes', 1), ['No matches.']);
});

test('a long table shows its first 20 rows, and all rows on request', async (t) => {
  const page = await openWithView(t, fullView());
  await waitForText(page, '#routes-count', '20 of 101 shown');
  await page.getByRole('button', { name: 'Show all 101' }).click();
  assert.equal((await columnTexts(page, 'routes', 1)).length, 101);
  await waitForText(page, '#routes-count', '101 of 101 shown');
  await page.locator('#routes-filter').fill('34 others');
  assert.deepEqual(await columnTexts(page, 'routes', 2), ['34 others']);
  await waitForText(page, '#models-count', '20 of 50 shown; 3 more not shown');
});

test('every metric is found by name, with its help text and its series', async (t) => {
  const page = await openWithView(t, fullView());
  await page.locator('#all summary').click();
  await page.locator('#metrics-filter').fill('METRIC_77_');
  assert.deepEqual(await columnTexts(page, 'metrics', 1), ['metric_77_total']);
  await waitForText(page, '#metrics', 'What number 77 counts.{label="0"} 77');
});

test('rows whose truncated names are equal stay separate', async (t) => {
  const truncated = 'x'.repeat(200) + '…';
  const page = await openWithView(t, view({
    http: httpView([endpoint({ route: truncated, total: 1 }), endpoint({ route: truncated, total: 2 })]),
    llm: llmView([model({ provider: 'a b', model: 'c' }), model({ provider: 'a', model: 'b c' })]),
  }));
  assert.deepEqual((await columnTexts(page, 'routes', 11)).sort(), ['1', '2']);
  assert.equal((await columnTexts(page, 'models', 1)).length, 2);
});

test('every control can be reached and used with the keyboard', async (t) => {
  const page = await openWithView(t, threeRoutes());
  const focused = [];
  for (let i = 0; i < 30; i += 1) {
    await page.keyboard.press('Tab');
    const name = await page.evaluate(() => {
      const { activeElement } = document;
      const { outlineStyle, outlineWidth } = getComputedStyle(activeElement);
      const hasOutline = outlineStyle !== 'none' && outlineWidth !== '0px';
      return activeElement === document.body ? '' : `${activeElement.id || activeElement.textContent}${hasOutline ? '' : ' without an outline'}`;
    });
    if (name === 'Total') {
      await page.keyboard.press('Enter');
      assert.deepEqual(await sortedColumns(page, 'routes'), ['Total descending']);
      await page.keyboard.press('Space');
      assert.deepEqual(await sortedColumns(page, 'routes'), ['Total ascending']);
    }
    focused.push(name);
  }
  for (const name of ['pause', 'every', 'theme', 'routes-filter', 'Route', 'Total', 'Show as table', 'text', 'JSON']) {
    assert.ok(focused.includes(name), `${name} is not among ${focused}`);
  }
  assert.deepEqual(focused.filter((name) => name.endsWith('without an outline')), []);
});

test('every chart and sparkline has a text description and a table of its values', async (t) => {
  const page = await openWithView(t, fullView());
  for (const [chart, description] of [
    ['traffic', /^Requests\/s by status\. 2xx: now .+\/s, from .+ to .+\/s\./],
    ['latency', /p50: now .+ms, from .+ms\. p95: .+ p99: /],
    ['tokens', /input: now .+\/s, .+ output: /],
    ['cost', /cost: now \$1\.66, from \$0\.00 to \$1\.66\./],
  ]) assert.match(await page.locator(`#${chart} > svg`).getAttribute('aria-label'), description);
  assert.match(await page.locator('[data-card=Memory] svg').getAttribute('aria-label'), /^Memory, recent values: from .+ to 64 MiB\.$/);

  await openAllDetails(page);
  for (const selector of ['#traffic', '#latency', '#tokens', '#cost', '#figures + details', '#llm-figures + details']) {
    const table = page.locator(`${selector} table`);
    await table.locator('tbody tr').nth(149).waitFor({ state: 'attached' });
    assert.equal(await table.locator('tbody tr').count(), 150, selector);
  }
  const heads = await page.locator('#figures + details thead th').allTextContents();
  assert.deepEqual(heads, ['Time', 'Requests', 'Errors', 'Duration p95', 'In flight', 'CPU', 'Memory']);
});

test('a chart line has a gap at an unknown value', async (t) => {
  const response = fullView();
  response.history['2xx'][70] = null;
  const page = await openWithView(t, response);
  const line = await page.locator('#traffic > svg path.good').getAttribute('d');
  assert.equal(line.match(/M/g).length, 2);
  assert.doesNotMatch(line, /NaN/);
});

for (const scheme of ['light', 'dark']) {
  test(`no accessibility rule is violated in ${scheme} mode, with details closed or open`, async (t) => {
    const page = await openWithView(t, fullView(), { colorScheme: scheme });
    assert.deepEqual(await accessibilityViolations(page), []);
    await openAllDetails(page);
    assert.deepEqual(await accessibilityViolations(page), []);
  });

  test(`no accessibility rule is violated in ${scheme} mode while the server is unavailable`, async (t) => {
    const server = await useMockServer(t, (n) => (n === 1 ? fullView() : 503));
    const page = await visit(t, server.pageUrl, { fakeClock: true, allowFailedLoads: true, colorScheme: scheme });
    await waitForLive(page);
    await page.clock.runFor(2000);
    await waitForText(page, '#state', 'Not connected');
    assert.deepEqual(await accessibilityViolations(page), []);
  });
}

test('the colour scheme follows the system until the user chooses one', async (t) => {
  const page = await openWithView(t, view(), { colorScheme: 'dark' });
  const colour = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await colour();
  await page.emulateMedia({ colorScheme: 'light' });
  const light = await colour();
  assert.notEqual(light, dark);
  await page.getByRole('button', { name: 'Toggle dark mode' }).click();
  assert.equal(await colour(), dark);
  await page.getByRole('button', { name: 'Toggle dark mode' }).click();
  assert.equal(await colour(), light);
});

test('on a phone the page is no wider than the screen', async (t) => {
  const page = await openWithView(t, fullView(), { viewport: { width: 360, height: 740 } });
  assert.equal(await horizontalOverflow(page), 0);
  await openAllDetails(page);
  assert.equal(await horizontalOverflow(page), 0);
  assert.deepEqual(await accessibilityViolations(page), []);
});

const MARKUP = '<img src=x onerror="alert(1)"><script>alert(2)</script><a href="javascript:alert(3)">"\'&amp;';

const viewWithName = (name) => view({
  title: name, version: name, instance: name, overflowed: [name],
  http: httpView([endpoint({ method: name, route: name })]),
  llm: llmView([model({ provider: name, model: name })], { routes: [{ route: name, cost: 1 }] }),
  metrics: { omitted: 0, rows: [metric(name, name, name, 1, 1, [name, 1])] },
});

test('markup in names is shown as text, and adds no elements to the page', async (t) => {
  const page = await openWithView(t, viewWithName(MARKUP));
  await openAllDetails(page);
  await waitForText(page, '#metrics', MARKUP);
  assert.equal(await page.title(), MARKUP);
  assert.deepEqual(await columnTexts(page, 'routes', 2), [MARKUP]);
  assert.deepEqual(await columnTexts(page, 'models', 1), [MARKUP]);
  assert.deepEqual(await columnTexts(page, 'cost-routes', 1), [MARKUP]);
  assert.equal(await page.locator('img, a[href^=javascript], script:not([src])').count(), 0);
  assert.deepEqual(await accessibilityViolations(page), []);
});

test('bidirectional control characters are shown as code points, so that they cannot disguise a name', async (t) => {
  const page = await openWithView(t, viewWithName('invoice\u202egnp.exe\u2066'));
  assert.deepEqual(await columnTexts(page, 'routes', 2), ['invoice[U+202E]gnp.exe[U+2066]']);
  await waitForText(page, '#notices', 'a label of invoice[U+202E]gnp.exe[U+2066] has more values');
  assert.doesNotMatch(await page.content(), /[\u202a-\u202e\u2066-\u2069]/);
});

test('a name of a megabyte is truncated, and the page stays narrow and usable', async (t) => {
  const page = await openWithView(t, viewWithName('x'.repeat(1e6)));
  await openAllDetails(page);
  const longest = await page.evaluate(() => Math.max(...[...document.querySelectorAll('td, th, li, h1, p')].map((element) => element.textContent.length)));
  assert.ok(longest < 3000, `${longest}`);
  assert.equal(await horizontalOverflow(page), 0);
  await page.locator('#routes').getByRole('button', { name: 'Total' }).click();
  assert.deepEqual(await sortedColumns(page, 'routes'), ['Total descending']);
});

test('__proto__ is shown like any other name', async (t) => {
  const page = await openWithView(t, viewWithName('__proto__'));
  assert.deepEqual(await columnTexts(page, 'routes', 2), ['__proto__']);
  assert.deepEqual(await columnTexts(page, 'cost-routes', 1), ['__proto__']);
});

test('the page works under any path', async (t) => {
  const server = await useMockServer(t, () => view(), '/a/b/metrics');
  const page = await visit(t, server.pageUrl, { fakeClock: true });
  await waitForLive(page);
  const links = await page.locator('footer a').evaluateAll((links) => links.map((link) => new URL(link.href).pathname));
  assert.deepEqual(links, ['/a/b/metrics', '/a/b/metrics/json', '/a/b/metrics/grafana.json', '/a/b/metrics/rules.yml']);
});

test('numbers are abbreviated and have units', async (t) => {
  const page = await openWithView(t, view({
    uptime: 1, llm: llmView([model({ tokens: [12345678, 999, 0], cost: 0.00123, first_token: 0.0000005, rate_limit_remaining: 0.05 })]),
  }));
  await waitForText(page, '#about', 'up 1 second ·');
  const texts = await page.locator('#models tbody tr > *').allTextContents();
  assert.deepEqual(texts.slice(5, 10), ['12.3 M', '999', '$0.0012', '$0.40', '0.5 µs']);
  assert.equal(await page.locator('#models td.high').last().textContent(), '5 %');
});
