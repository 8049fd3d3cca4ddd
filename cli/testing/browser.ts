import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

/** Where a Chromium is: `CHROME_PATH`, or where systems put it. `null`: there is none. */
export const chrome: string | null =
  [
    process.env['CHROME_PATH'],
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/opt/google/chrome/chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ].find((path) => path !== undefined && existsSync(path)) ?? null;

if (chrome === null) {
  process.stderr.write(
    '\n!! NO BROWSER: the tests of the page are skipped. Install Chromium (apt-get install chromium) or say where ' +
      'one is in CHROME_PATH.\n\n',
  );
}

export function launch(): Promise<Browser> {
  const asRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ executablePath: chrome!, args: asRoot });
}

/** What a page must not do: say something in the console, throw, ask anybody off loopback. */
export interface Watched {
  readonly page: Page;
  readonly complaints: readonly string[];
}

export async function watchedPage(browser: Browser): Promise<Watched> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    const { protocol, hostname } = new URL(request.url());
    const isOwn = hostname === '127.0.0.1' || ['data:', 'blob:', 'file:'].includes(protocol);
    if (!isOwn) complaints.push(`asks ${request.url()}`);
  });
  return { page, complaints };
}
