'use strict';
// Measures what a redraw of a full page costs: 100 routes, 50 models, 400 metrics, 150 points
// in each chart. To be run by hand, on a machine that does little else:
//
//     node tests/page/redraw.cjs [redraws, 40 by default]
//
// A redraw should fit between two frames, which are 16 ms apart.

const { full, launch, open, said, standIn } = require('./support.cjs');

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

// Takes the time from when the view's text is there, which the page reads and draws in one
// go; the next task then makes the browser lay out what was drawn.
function timed() {
  const text = Response.prototype.text;
  Response.prototype.text = async function read() {
    const said = await text.call(this);
    const begin = performance.now();
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      const drawn = performance.now();
      void document.documentElement.offsetHeight;
      globalThis.took = [drawn - begin, performance.now() - drawn];
    };
    port2.postMessage(0);
    return said;
  };
}

async function measure(page, server, times) {
  const costs = [];
  for (let turn = 1; turn <= times; turn += 1) {
    const text = JSON.stringify(full(turn));
    server.says = () => text;
    // Going on after a pause asks at once.
    await page.evaluate(() => {
      globalThis.took = null;
      const pause = document.getElementById('pause');
      pause.click();
      pause.click();
    });
    await page.waitForFunction(() => globalThis.took);
    costs.push(await page.evaluate(() => globalThis.took));
  }
  return costs;
}

function tell(name, costs) {
  const redraws = costs.map(([script, layout]) => script + layout);
  console.log(`${name}: median ${median(redraws).toFixed(1)} ms, worst ${Math.max(...redraws).toFixed(1)} ms of ${costs.length} redraws; ` +
    `script ${median(costs.map(([script]) => script)).toFixed(1)} ms, style and layout ${median(costs.map(([, layout]) => layout)).toFixed(1)} ms`);
}

(async () => {
  const times = Number(process.argv[2] || 40);
  const browser = await launch();
  const server = await standIn(() => full());
  try {
    const page = await open(browser, server.page, { before: timed });
    await page.locator('#every').selectOption('30 s');
    await said(page, '#state', 'Live');
    tell('as it opens', await measure(page, server, times));
    await page.evaluate(() => document.querySelectorAll('details').forEach((part) => { part.open = true; }));
    await page.evaluate(() => document.querySelectorAll('.scroll > button:not([hidden])').forEach((button) => button.click()));
    tell('all unfolded, and all rows shown', await measure(page, server, times));
    if (page.faults.length) throw new Error(page.faults.join('\n'));
  } finally {
    await browser.close();
    await server.stop();
  }
})().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
