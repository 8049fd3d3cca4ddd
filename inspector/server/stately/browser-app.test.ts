import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import type { Browser, FrameLocator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { chrome, launch, watchedPage } from '../../../cli/testing/browser.ts';
import { openStately } from './listen.ts';

/*
 * It tells what happens by requestIdleCallback, for which headless Chromium finds no time in a page that draws nothing:
 * this one always does.
 */
const draws = '<script>requestAnimationFrame(function draw() { requestAnimationFrame(draw); });</script>';

const html = (script: string) =>
  '<!doctype html><title>light</title><link rel="icon" href="data:,"><button>switch</button><output></output>' +
  `<iframe width="1200" height="700"></iframe>${draws}<script type="module">${script}</script>`;

/** The app with all that it imports, as it would be published. */
async function bundle(): Promise<string> {
  const { build } = await import('vite');
  const built = await build({
    configFile: false,
    logLevel: 'error',
    define: { 'process.env.NODE_ENV': '"production"' },
    build: {
      write: false,
      lib: { entry: join(import.meta.dirname, 'testing/app.ts'), formats: ['es'], fileName: 'app' },
    },
  });
  const [{ output }] = built as unknown as readonly [{ output: readonly [{ code: string }] }];
  return output[0].code.replaceAll('</script', '<\\/script');
}

describe.skipIf(chrome === null)('an app in a browser', () => {
  let browser: Browser;
  let page: string;
  beforeAll(async () => {
    [browser, page] = await Promise.all([launch(), bundle().then(html)]);
  });
  afterAll(() => browser.close());

  /** Serves the app, which names our page; whose address that is. */
  async function served(): Promise<{ readonly app: string; readonly inspector: string }> {
    const server = createServer((_, response) => response.setHeader('content-type', 'text/html').end(page));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => {
      server.close();
      server.closeAllConnections();
    });
    const inspector = await openStately(0);
    onTestFinished(() => inspector.close());
    const { port } = server.address() as { port: number };
    return {
      app: `http://127.0.0.1:${port}/?url=${encodeURIComponent(inspector.url)}`,
      inspector: inspector.url,
    };
  }

  async function isShown(app: Page, shown: Page | FrameLocator) {
    await shown.locator('.state.leaf.active', { hasText: 'off' }).waitFor();
    await app.click('button');
    expect(await app.textContent('output')).toBe('on');
    await shown.locator('.state.leaf.active', { hasText: /^on/ }).waitFor();
    await shown.locator('[data-step]', { hasText: 'toggle' }).waitFor();
    await shown.locator('.state-table td.changed', { hasText: '1' }).waitFor();
  }

  it('that opens the page in a window is shown there', async () => {
    const { app, inspector } = await served();
    const { page: opener, complaints } = await watchedPage(browser);
    const opened = opener.waitForEvent('popup');
    await opener.goto(app);
    const popup = await opened;
    expect(popup.url()).toBe(inspector);
    await isShown(opener, popup);
    expect(complaints).toEqual([]);
  });

  it('that has the page in a frame is shown there', async () => {
    const { app } = await served();
    const { page: outer, complaints } = await watchedPage(browser);
    await outer.goto(`${app}&frame`);
    await isShown(outer, outer.frameLocator('iframe'));
    expect(complaints).toEqual([]);
  });

  it('may frame no other page of ours', async () => {
    const { servePage } = await import('../server.ts');
    const files = new Map([['/index.html', { type: 'text/html', body: Buffer.from('<p>ours</p>') }]]);
    const ours = await servePage(files, () => null, 0);
    onTestFinished(() => ours.close());
    const { headers } = await fetch(ours.url);
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
  });
});
