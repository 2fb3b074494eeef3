'use strict';
// Measures the time to redraw a full page: 100 routes, 50 models, 400 metrics, 150 points in
// each chart. Run it by hand on an otherwise idle machine:
//
//     node tests/page/redraw.cjs [redraws, 40 by default]
//
// A redraw should fit into one frame of 16 ms.

const { fullView, launchBrowser, openPage, startMockServer, waitForText } = require('./support.cjs');

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

// Runs in the page, and times each redraw from when the view's text has been read. The page
// parses and draws it in the same task; the next task forces the browser's layout.
function measureRedraws() {
  const text = Response.prototype.text;
  Response.prototype.text = async function timedText() {
    const body = await text.call(this);
    const start = performance.now();
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      const drawEnd = performance.now();
      void document.documentElement.offsetHeight;
      globalThis.redrawTime = [drawEnd - start, performance.now() - drawEnd];
    };
    port2.postMessage(0);
    return body;
  };
}

async function measure(page, server, redraws) {
  const times = [];
  for (let step = 1; step <= redraws; step += 1) {
    const text = JSON.stringify(fullView(step));
    server.respond = () => text;
    // The page sends a request at once when it resumes.
    await page.evaluate(() => {
      globalThis.redrawTime = null;
      const pause = document.getElementById('pause');
      pause.click();
      pause.click();
    });
    await page.waitForFunction(() => globalThis.redrawTime);
    times.push(await page.evaluate(() => globalThis.redrawTime));
  }
  return times;
}

function report(name, times) {
  const totals = times.map(([script, layout]) => script + layout);
  console.log(`${name}: median ${median(totals).toFixed(1)} ms, worst ${Math.max(...totals).toFixed(1)} ms of ${times.length} redraws; ` +
    `script ${median(times.map(([script]) => script)).toFixed(1)} ms, style and layout ${median(times.map(([, layout]) => layout)).toFixed(1)} ms`);
}

(async () => {
  const redraws = Number(process.argv[2] || 40);
  const browser = await launchBrowser();
  const server = await startMockServer(() => fullView());
  try {
    const page = await openPage(browser, server.pageUrl, { initScript: measureRedraws });
    await page.locator('#every').selectOption('30 s');
    await waitForText(page, '#state', 'Live');
    report('details closed', await measure(page, server, redraws));
    await page.evaluate(() => document.querySelectorAll('details').forEach((details) => { details.open = true; }));
    await page.evaluate(() => document.querySelectorAll('.scroll > button:not([hidden])').forEach((button) => button.click()));
    report('details open, all rows shown', await measure(page, server, redraws));
    if (page.problems.length) throw new Error(page.problems.join('\n'));
  } finally {
    await browser.close();
    await server.stop();
  }
})().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
