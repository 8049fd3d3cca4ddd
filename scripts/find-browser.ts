import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

/** Where a Chromium is: `CHROME_PATH`, where systems put it, or where Playwright does. `null`: there is none. */
export function findBrowser(): string | null {
  const places = [
    process.env['CHROME_PATH'],
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/opt/google/chrome/chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    chromium.executablePath(),
  ];
  return places.find((path) => path !== undefined && existsSync(path)) ?? null;
}
