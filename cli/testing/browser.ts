import { type Browser, chromium, type Page } from 'playwright-core';
import { findBrowser } from '../../scripts/find-browser.ts';

/**
 * The path of a Chromium. `null`: there is none, and the tests that need one are skipped; `npm test` installs
 * one before.
 */
export const chrome: string | null = findBrowser();

export function launch(): Promise<Browser> {
  const asRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ executablePath: chrome!, args: asRoot });
}

/** Acts that a page must not do: write to the console, throw, ask a host off loopback. */
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
