'use strict';
// Makes docs/dashboard-light.png and docs/dashboard-dark.png of a running demo, once people
// would have looked at it for a while:
//
//     node tests/page/screenshots.cjs [seconds, 120 by default] [folder, docs by default]
//
// It wants playwright-core and axe-core where node finds them, and the demo in
// target/release/examples, or where TACHOMETER_DEMO says.

const fs = require('node:fs');
const path = require('node:path');
const { ROOT, demo, launch, open } = require('./support.cjs');

const [seconds = '120', folder = path.join(ROOT, 'docs')] = process.argv.slice(2);
const SHOWN = { x: 0, y: 0, width: 1280, height: 1190 }; // the figures, charts and tables
const MOST = 300_000; // what a picture of a README may weigh

(async () => {
  const service = await demo();
  const browser = await launch();
  try {
    const page = await open(browser, service.page, { viewport: { width: SHOWN.width, height: SHOWN.height }, deviceScaleFactor: 1 });
    await page.waitForTimeout(Number(seconds) * 1000);
    for (const scheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme: scheme });
      const file = path.join(folder, `dashboard-${scheme}.png`);
      await page.screenshot({ path: file, clip: SHOWN });
      const { size } = fs.statSync(file);
      console.log(`${file}: ${size} bytes`);
      if (size > MOST) throw new Error(`more than ${MOST} bytes`);
    }
    if (page.faults.length) throw new Error(page.faults.join('\n'));
  } finally {
    await browser.close();
    await service.stop();
  }
})().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
