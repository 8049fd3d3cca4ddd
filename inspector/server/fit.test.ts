import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chrome, launch, watchedPage } from '../../cli/testing/browser.ts';
import { check } from '../../verification/check/check.ts';
import dining from '../../verification/examples/dining-philosophers.ts';
import copiedToken from '../../verification/protocols/naimi-trehel/copied-token.ts';
import { systems } from '../../verification/protocols/systems.ts';
import { longRun } from '../page/testing/long-run.ts';
import { answerExploring } from './explore.ts';
import { fromReport } from './from-report.ts';
import { builtPage } from './page.ts';
import { type Answer, type PageServer, servePage } from './server.ts';
import { answerWith } from './sources.ts';
import { serious } from './testing/axe.ts';

/** 720: a window of 1440 px whose page is enlarged to 200 %. */
const widths = [390, 720, 1024, 1440] as const;
const heights = { 390: 844, 720: 450, 1024: 768, 1440: 768 } as const;
const themes = ['light', 'dark'] as const;
const leastPx = 10.95;

/** The views that are tested: a counterexample, a walk through a large system, a system that is no lock, a long run. */
const views = ['counterexample', 'exploring', 'no lock', 'long run'] as const;
type View = (typeof views)[number];

async function answerOf(view: View): Promise<Answer> {
  const options = { sites: 3, network: { order: 'fifo' } } as const;
  switch (view) {
    case 'counterexample': {
      const system = copiedToken(options);
      return answerWith(fromReport(system, await check(system)));
    }
    case 'exploring':
      return answerExploring(systems['epoch']!({ ...options, sites: 4 }));
    case 'no lock':
      return answerExploring(dining);
    case 'long run': {
      const run = longRun(3_000);
      const head = { id: 'run', title: 'run', about: '', kind: 'timeline' as const };
      return answerWith({ shown: [{ head, timeline: () => run }], about: { title: 'run' } });
    }
  }
}

/** Texts of drawings smaller than they may be, panels without content, and parts that stick out of the page. */
async function faults(page: Page): Promise<readonly string[]> {
  return page.evaluate(`(() => {
    const found = [];
    for (const text of document.querySelectorAll('.drawing text')) {
      if (text.textContent.trim() === '') continue;
      const { a, b } = text.getScreenCTM();
      const size = parseFloat(getComputedStyle(text).fontSize) * Math.hypot(a, b);
      if (size < ${leastPx}) found.push('a text of ' + size.toFixed(1) + ' px: ' + text.textContent);
    }
    for (const element of document.querySelectorAll('body *')) {
      if (element.closest('svg') !== null || element.children.length > 0 || element.textContent.trim() === '') continue;
      const { width, height } = element.getBoundingClientRect();
      if (width <= 1 || height <= 1) continue;
      const size = parseFloat(getComputedStyle(element).fontSize);
      if (size < ${leastPx}) found.push('a text of ' + size + ' px: ' + element.textContent);
    }
    for (const panel of document.querySelectorAll('.panel')) {
      const { width, height } = panel.getBoundingClientRect();
      if (width < 150 || height < 120) found.push('a panel of ' + width + ' x ' + height + ': ' + panel.ariaLabel);
      const body = [...panel.querySelectorAll('.body')].find((one) => !one.hidden);
      if (body.textContent.trim() === '' && body.querySelector('canvas') === null) found.push('an empty panel: ' + panel.ariaLabel);
    }
    const over = document.documentElement.scrollWidth - innerWidth;
    if (over > 0) found.push('the page is ' + over + ' px wider than the window');
    for (const name of ['.top', '.story', '.controls', '.panel > header']) {
      for (const element of document.querySelectorAll(name)) {
        for (const child of element.children) {
          if (child.getBoundingClientRect().right > innerWidth + 1) found.push(name + ' sticks out: ' + child.textContent);
        }
      }
    }
    return found;
  })()`);
}

/** Is anything drawn on the canvas of the messages but its background? */
function drawnShare(page: Page): Promise<number> {
  return page.evaluate(`(() => {
    const shown = document.querySelector('.sequence');
    const canvas = Object.assign(document.createElement('canvas'), { width: shown.width, height: shown.height });
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.drawImage(shown, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    let drawn = 0;
    for (let at = 3; at < data.length; at += 4) if (data[at] > 0) drawn++;
    return drawn / (data.length / 4);
  })()`);
}

it('is small: less than 300 kB for the whole page as it is sent', async () => {
  const files = await builtPage(() => undefined);
  const sent = [...files.values()].reduce((sum, { body }) => sum + gzipSync(body).length, 0);
  expect(sent).toBeLessThan(300_000);
  const server = await servePage(files, () => ({}), 0);
  try {
    const response = await fetch(`${server.url}page.js`, { headers: { 'accept-encoding': 'gzip' } });
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect(Number(response.headers.get('content-length'))).toBeLessThan(sent * 1.2);
  } finally {
    await server.close();
  }
});

describe.skipIf(chrome === null).each(views)('the page fits: %s', (view) => {
  let browser: Browser;
  let server: PageServer;
  beforeAll(async () => {
    browser = await launch();
    server = await servePage(await builtPage(() => undefined), await answerOf(view), 0);
  });
  afterAll(async () => {
    await browser.close();
    await server.close();
  });

  it.each(widths)('at %i px, light and dark', async (width) => {
    const { page, complaints } = await watchedPage(browser);
    try {
      await page.setViewportSize({ width, height: heights[width] });
      await page.goto(server.url);
      await page.waitForSelector('.inspector');
      if (view === 'exploring' || view === 'no lock') {
        for (let step = 1; step <= 3; step++) {
          await page.keyboard.press('1');
          await page.waitForSelector(`[data-step="${step}"]`);
        }
      }
      for (const theme of themes) {
        await page.emulateMedia({ colorScheme: theme });
        await page.evaluate(`document.documentElement.dataset.theme = ${JSON.stringify(theme)}`);
        // Sites glide to their places.
        await page.waitForTimeout(400);
        expect.soft(await faults(page), theme).toEqual([]);
        expect.soft(await drawnShare(page), theme).toBeGreaterThan(0.004);
        // Everything is there at every width: axe is asked at the smallest and the largest.
        if (width === 390 || width === 1440) expect(await serious(page), theme).toEqual([]);
      }
      for (const tab of await page.getByRole('tab').all()) {
        await tab.click();
        expect.soft(await faults(page), `tab ${await tab.textContent()}`).toEqual([]);
        if (width === 1440) expect(await serious(page)).toEqual([]);
      }
      expect(complaints).toEqual([]);
    } finally {
      await page.close();
    }
  });
});
