'use strict';
// The page itself: its tables and charts, who can use them, and what hostile names do to it.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const zlib = require('node:zlib');
const {
  FILES, PAGE, broken, browsing, calls, cells, endpoint, full, metric, model, overflow, requests, said, standInFor, view,
} = require('./support.cjs');

const visit = browsing();
const live = (page) => said(page, '#state', /^Live/);

async function shown(t, answer, options) {
  const server = await standInFor(t, () => answer);
  const page = await visit(t, server.page, { clock: true, ...options });
  await live(page);
  return page;
}

const unfold = (page) => page.evaluate(() => document.querySelectorAll('details').forEach((part) => { part.open = true; }));
const sorting = (page, table) => page.evaluate((table) => [...document.querySelectorAll(`#${table} th[aria-sort]`)].map((head) => `${head.textContent} ${head.ariaSort}`), table);

const three = () => view({
  http: requests([
    endpoint({ route: '/b', rate: 3, total: 10, time_share: 0.2, p: [0.1, 0.2, null] }),
    endpoint({ route: '/a', rate: 20, total: 9, time_share: 0.7, p: [0.1, 0.2, { over: 10 }] }),
    endpoint({ route: '/c', method: 'POST', rate: 1, total: 100, time_share: 0.1, p: [0.1, 0.2, 10] }),
  ]),
});

test('the files are as small as promised', () => {
  const files = FILES.map((name) => fs.readFileSync(path.join(PAGE, name)));
  const sum = (sizes) => sizes.reduce((all, size) => all + size, 0);
  assert.ok(sum(files.map((file) => file.length)) <= 40 * 1024);
  assert.ok(sum(files.map((file) => zlib.gzipSync(file, { level: 9 }).length)) <= 12 * 1024);
});

test('a table is sorted by any column, in both directions, and says by which', async (t) => {
  const page = await shown(t, three());
  assert.deepEqual(await sorting(page, 'routes'), ['Share of time descending']);
  assert.deepEqual(await cells(page, 'routes', 2), ['/a', '/b', '/c']);
  const press = (name) => page.locator('#routes thead').getByRole('button', { name, exact: true }).click();
  await press('Total'); // as numbers, and not as texts
  assert.deepEqual(await cells(page, 'routes', 11), ['100', '10', '9']);
  assert.deepEqual(await sorting(page, 'routes'), ['Total descending']);
  await press('Total');
  assert.deepEqual(await cells(page, 'routes', 11), ['9', '10', '100']);
  assert.deepEqual(await sorting(page, 'routes'), ['Total ascending']);
  await press('Route');
  assert.deepEqual(await cells(page, 'routes', 2), ['/a', '/b', '/c']);
  assert.deepEqual(await sorting(page, 'routes'), ['Route ascending']);
});

test('what is not known is sorted last, and what is above a bound after the bound', async (t) => {
  const page = await shown(t, three());
  const p99 = page.locator('#routes thead').getByRole('button', { name: 'p99' });
  await p99.click();
  assert.deepEqual(await cells(page, 'routes', 8), ['> 10 s', '10 s', '–']);
  await p99.click();
  assert.deepEqual(await cells(page, 'routes', 8), ['10 s', '> 10 s', '–']);
});

test('a table is filtered by what its rows are called, and says how many are left', async (t) => {
  const page = await shown(t, three());
  await page.locator('#routes-filter').fill('POST');
  assert.deepEqual(await cells(page, 'routes', 2), ['/c']);
  await said(page, '#routes-count', '1 of 3 shown');
  await page.clock.runFor(2000); // a redraw keeps it
  assert.deepEqual(await cells(page, 'routes', 2), ['/c']);
  await page.locator('#routes-filter').fill('nothing of the kind');
  assert.deepEqual(await cells(page, 'routes', 1), ['No matches.']);
});

test('of many rows the first are shown, and all on demand', async (t) => {
  const page = await shown(t, full());
  await said(page, '#routes-count', '20 of 101 shown');
  await page.getByRole('button', { name: 'Show all 101' }).click();
  assert.equal((await cells(page, 'routes', 1)).length, 101);
  await said(page, '#routes-count', '101 of 101 shown');
  await page.locator('#routes-filter').fill('34 others');
  assert.deepEqual(await cells(page, 'routes', 2), ['34 others']);
  await said(page, '#models-count', '20 of 50 shown; 3 more not shown');
});

test('every metric is found by its name, with what it is and what its series hold', async (t) => {
  const page = await shown(t, full());
  await page.locator('#all summary').click();
  await page.locator('#metrics-filter').fill('METRIC_77_');
  assert.deepEqual(await cells(page, 'metrics', 1), ['metric_77_total']);
  await said(page, '#metrics', 'What number 77 counts.{label="0"} 77');
});

test('names that the server cut alike keep a row each', async (t) => {
  const same = 'x'.repeat(200) + '…';
  const page = await shown(t, view({
    http: requests([endpoint({ route: same, total: 1 }), endpoint({ route: same, total: 2 })]),
    llm: calls([model({ provider: 'a b', model: 'c' }), model({ provider: 'a', model: 'b c' })]),
  }));
  assert.deepEqual((await cells(page, 'routes', 11)).sort(), ['1', '2']);
  assert.equal((await cells(page, 'models', 1)).length, 2);
});

test('the keyboard reaches and works everything', async (t) => {
  const page = await shown(t, three());
  const reached = [];
  for (let i = 0; i < 30; i += 1) {
    await page.keyboard.press('Tab');
    const name = await page.evaluate(() => {
      const { activeElement: at } = document;
      const { outlineStyle, outlineWidth } = getComputedStyle(at);
      const outlined = outlineStyle !== 'none' && outlineWidth !== '0px';
      return at === document.body ? '' : `${at.id || at.textContent}${outlined ? '' : ' without an outline'}`;
    });
    if (name === 'Total') {
      await page.keyboard.press('Enter');
      assert.deepEqual(await sorting(page, 'routes'), ['Total descending']);
      await page.keyboard.press('Space');
      assert.deepEqual(await sorting(page, 'routes'), ['Total ascending']);
    }
    reached.push(name);
  }
  for (const name of ['pause', 'every', 'theme', 'routes-filter', 'Route', 'Total', 'Show as table', 'text', 'JSON']) {
    assert.ok(reached.includes(name), `${name} is not among ${reached}`);
  }
  assert.deepEqual(reached.filter((name) => name.endsWith('without an outline')), []);
});

test('every chart and every figure has its course in words and in a table', async (t) => {
  const page = await shown(t, full());
  for (const [chart, words] of [
    ['traffic', /^Requests\/s by status\. 2xx: now .+\/s, from .+ to .+\/s\./],
    ['latency', /p50: now .+ms, from .+ms\. p95: .+ p99: /],
    ['tokens', /input: now .+\/s, .+ output: /],
    ['cost', /cost: now \$1\.66, from \$0\.00 to \$1\.66\./],
  ]) assert.match(await page.locator(`#${chart} > svg`).getAttribute('aria-label'), words);
  assert.match(await page.locator('[data-card=Memory] svg').getAttribute('aria-label'), /^Memory, recent values: from .+ to 64 MiB\.$/);

  await unfold(page);
  for (const box of ['#traffic', '#latency', '#tokens', '#cost', '#figures + details', '#llm-figures + details']) {
    const table = page.locator(`${box} table`);
    await table.locator('tbody tr').nth(149).waitFor({ state: 'attached' });
    assert.equal(await table.locator('tbody tr').count(), 150, box);
  }
  const heads = await page.locator('#figures + details thead th').allTextContents();
  assert.deepEqual(heads, ['Time', 'Requests', 'Errors', 'Duration p95', 'In flight', 'CPU', 'Memory']);
});

test('a line breaks where nothing is known', async (t) => {
  const answer = full();
  answer.history['2xx'][70] = null;
  const page = await shown(t, answer);
  const line = await page.locator('#traffic > svg path.good').getAttribute('d');
  assert.equal(line.match(/M/g).length, 2);
  assert.doesNotMatch(line, /NaN/);
});

for (const scheme of ['light', 'dark']) {
  test(`no rule of accessibility is broken in ${scheme}, folded or not`, async (t) => {
    const page = await shown(t, full(), { colorScheme: scheme });
    assert.deepEqual(await broken(page), []);
    await unfold(page);
    assert.deepEqual(await broken(page), []);
  });

  test(`no rule of accessibility is broken in ${scheme} while no one answers`, async (t) => {
    const server = await standInFor(t, (asked) => (asked === 1 ? full() : 503));
    const page = await visit(t, server.page, { clock: true, troubled: true, colorScheme: scheme });
    await live(page);
    await page.clock.runFor(2000);
    await said(page, '#state', 'Not connected');
    assert.deepEqual(await broken(page), []);
  });
}

test('light and dark are the system\'s until one is chosen', async (t) => {
  const page = await shown(t, view(), { colorScheme: 'dark' });
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

test('a phone shows all of it, no wider than its screen', async (t) => {
  const page = await shown(t, full(), { viewport: { width: 360, height: 740 } });
  assert.equal(await overflow(page), 0);
  await unfold(page);
  assert.equal(await overflow(page), 0);
  assert.deepEqual(await broken(page), []);
});

const MARKUP = '<img src=x onerror="alert(1)"><script>alert(2)</script><a href="javascript:alert(3)">"\'&amp;';

const hostile = (name) => view({
  title: name, version: name, instance: name, overflowed: [name],
  http: requests([endpoint({ method: name, route: name })]),
  llm: calls([model({ provider: name, model: name })], { routes: [{ route: name, cost: 1 }] }),
  metrics: { omitted: 0, rows: [metric(name, name, name, 1, 1, [name, 1])] },
});

test('markup in names is shown as text, and none of it becomes part of the page', async (t) => {
  const page = await shown(t, hostile(MARKUP));
  await unfold(page);
  await said(page, '#metrics', MARKUP);
  assert.equal(await page.title(), MARKUP);
  assert.deepEqual(await cells(page, 'routes', 2), [MARKUP]);
  assert.deepEqual(await cells(page, 'models', 1), [MARKUP]);
  assert.deepEqual(await cells(page, 'cost-routes', 1), [MARKUP]);
  assert.equal(await page.locator('img, a[href^=javascript], script:not([src])').count(), 0);
  assert.deepEqual(await broken(page), []);
});

test('marks that turn text around are spelled out, so that no name looks like another', async (t) => {
  const page = await shown(t, hostile('invoice\u202egnp.exe\u2066'));
  assert.deepEqual(await cells(page, 'routes', 2), ['invoice[U+202E]gnp.exe[U+2066]']);
  await said(page, '#notices', 'a label of invoice[U+202E]gnp.exe[U+2066] has more values');
  assert.doesNotMatch(await page.content(), /[\u202a-\u202e\u2066-\u2069]/);
});

test('a megabyte of text is cut, and the page stays as narrow and as quick as it was', async (t) => {
  const page = await shown(t, hostile('x'.repeat(1e6)));
  await unfold(page);
  const longest = await page.evaluate(() => Math.max(...[...document.querySelectorAll('td, th, li, h1, p')].map((part) => part.textContent.length)));
  assert.ok(longest < 3000, `${longest}`);
  assert.equal(await overflow(page), 0);
  await page.locator('#routes').getByRole('button', { name: 'Total' }).click();
  assert.deepEqual(await sorting(page, 'routes'), ['Total descending']);
});

test('a name like a property of every object is a name like any other', async (t) => {
  const page = await shown(t, hostile('__proto__'));
  assert.deepEqual(await cells(page, 'routes', 2), ['__proto__']);
  assert.deepEqual(await cells(page, 'cost-routes', 1), ['__proto__']);
});

test('the page works wherever it is put', async (t) => {
  const server = await standInFor(t, () => view(), '/a/b/metrics');
  const page = await visit(t, server.page, { clock: true });
  await live(page);
  const links = await page.locator('footer a').evaluateAll((all) => all.map((link) => new URL(link.href).pathname));
  assert.deepEqual(links, ['/a/b/metrics', '/a/b/metrics/json', '/a/b/metrics/grafana.json', '/a/b/metrics/rules.yml']);
});

test('numbers are written short and with a unit', async (t) => {
  const page = await shown(t, view({
    uptime: 1, llm: calls([model({ tokens: [12345678, 999, 0], cost: 0.00123, first_token: 0.0000005, rate_limit_remaining: 0.05 })]),
  }));
  await said(page, '#about', 'up 1 second ·');
  const texts = await page.locator('#models tbody tr > *').allTextContents();
  assert.deepEqual(texts.slice(5, 10), ['12.3 M', '999', '$0.0012', '$0.40', '0.5 µs']);
  assert.equal(await page.locator('#models td.high').last().textContent(), '5 %');
});
