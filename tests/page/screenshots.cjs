'use strict';
// Makes docs/dashboard-light.png and docs/dashboard-dark.png from a demo that has run for some
// time, so that its charts have data:
//
//     node tests/page/screenshots.cjs [seconds, 120 by default] [folder, docs by default]
//
// Node must find playwright-core and axe-core. The demo is target/release/demo, or the
// path in TACHOMETER_DEMO.

const fs = require('node:fs');
const path = require('node:path');
const { ROOT, launchBrowser, openPage, startDemo } = require('./support.cjs');

const [seconds = '120', folder = path.join(ROOT, 'docs')] = process.argv.slice(2);
const CLIP = { x: 0, y: 0, width: 1280, height: 1190 }; // the cards, charts and tables
const MAX_BYTES = 300_000; // size limit for an image in the README

(async () => {
  const service = await startDemo();
  const browser = await launchBrowser();
  try {
    const page = await openPage(browser, service.pageUrl, { viewport: { width: CLIP.width, height: CLIP.height }, deviceScaleFactor: 1 });
    await page.waitForTimeout(Number(seconds) * 1000);
    // The LLM part must fit below the table of routes.
    await page.locator('#routes-filter').fill('/api');
    for (const scheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme: scheme });
      const file = path.join(folder, `dashboard-${scheme}.png`);
      await page.screenshot({ path: file, clip: CLIP });
      const { size } = fs.statSync(file);
      console.log(`${file}: ${size} bytes`);
      if (size > MAX_BYTES) throw new Error(`${file} is larger than ${MAX_BYTES} bytes`);
    }
    if (page.problems.length) throw new Error(page.problems.join('\n'));
  } finally {
    await browser.close();
    await service.stop();
  }
})().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
