import { gzipSync } from 'node:zlib';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { chrome, launch, watchedPage } from '../../cli/testing/browser.ts';
import { check } from '../../verification/check/check.ts';
import dining from '../../verification/examples/dining-philosophers.ts';
import copiedToken from '../../verification/protocols/naimi-trehel/copied-token.ts';
import { systems } from '../../verification/protocols/systems.ts';
import type { Timeline } from '../../verification/timeline/format.ts';
import { longRun } from '../page/testing/long-run.ts';
import { answerExploring } from './explore.ts';
import { fromReport } from './from-report.ts';
import { builtPage } from './page.ts';
import { type Answer, type PageServer, servePage } from './server.ts';
import { answerWith } from './sources.ts';
import { serious } from './testing/axe.ts';
import { clearances, drawnShare, faults } from './testing/faults.ts';

/** 720: a window of 1440 px whose page is enlarged to 200 %. */
const widths = [390, 720, 1024, 1440] as const;
const heights = { 390: 844, 720: 450, 1024: 768, 1440: 768 } as const;
const themes = ['light', 'dark'] as const;

/**
 * The views that are tested: a counterexample, a walk through a large system, a system that is no lock, a long run of more sites than
 * have room, two runs side by side with a pinned expression.
 */
const views = ['counterexample', 'exploring', 'no lock', 'long run', 'two runs'] as const;
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
    case 'long run':
      return shown(longRun(3_000, sites));
    case 'two runs': {
      const run = longRun(300, sites.slice(0, 5));
      const steps = run.steps.map((step, at) =>
        at === 10
          ? { ...step, text: 'd receives VOTE_REQUEST(epoch=48, candidate=b, term=0, version=1)' }
          : step,
      );
      return shown(run, { ...run, steps, title: 'the other' });
    }
  }
}

function shown(...timelines: readonly Timeline[]): Answer {
  return answerWith({
    shown: timelines.map((timeline, index) => ({
      head: { id: `run-${index}`, title: timeline.title, about: '', kind: 'timeline' as const },
      timeline: () => timeline,
    })),
    about: { title: 'runs' },
  });
}

const sites = Array.from({ length: 12 }, (_, index) => String.fromCharCode(97 + index));

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

let browser: Browser;
beforeAll(async () => {
  if (chrome !== null) browser = await launch();
});
afterAll(() => browser?.close());

describe.skipIf(chrome === null).each(views)('the page fits: %s', (view) => {
  let server: PageServer;
  beforeAll(async () => {
    server = await servePage(await builtPage(() => undefined), await answerOf(view), 0);
  });
  afterAll(() => server.close());

  it.each(widths)('at %i px, light and dark', async (width) => {
    const { page, complaints } = await watchedPage(browser);
    try {
      await page.setViewportSize({ width, height: heights[width] });
      await page.goto(view === 'two runs' ? `${server.url}#source=run-0&step=11&beside=run-1` : server.url);
      await page.waitForSelector('.inspector');
      if (view === 'two runs') {
        const pin = page.getByLabel('Pin an expression as a lane');
        await pin.fill('b in client.inCS');
        await pin.press('Enter');
        await pin.fill('nothing');
        await page.locator('.pins output').waitFor();
      }
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
        await page.evaluate(
          'Promise.all(document.getAnimations().map(({ finished }) => finished.catch(() => undefined)))',
        );
        await expect.poll(() => faults(page), { message: theme, timeout: 5_000 }).toEqual([]);
        await expect.poll(() => drawnShare(page), { timeout: 5_000 }).toBeGreaterThan(0.004);
        await expect
          .poll(async () => Math.min(...(await clearances(page))), { message: theme, timeout: 5_000 })
          .toBeGreaterThan(0);
        // Everything is there at every width: axe is asked at the smallest and the largest.
        if (width === 390 || width === 1440) expect(await serious(page), theme).toEqual([]);
      }
      for (const tab of await page.getByRole('tab').all()) {
        await tab.click();
        await expect
          .poll(() => faults(page), { message: `tab ${await tab.textContent()}`, timeout: 5_000 })
          .toEqual([]);
        if (width === 1440) expect(await serious(page)).toEqual([]);
      }
      // The parts that lie over the page: menus, the values that a property read, the list of keys.
      const openers = ['.messages .downloads summary', '.charts .downloads summary', '.reads summary'];
      for (const opener of openers) {
        if ((await page.locator(opener).count()) === 0) continue;
        await page.locator(opener).click();
        expect(await faults(page), opener).toEqual([]);
        if (width === 1440) expect(await serious(page), opener).toEqual([]);
        await page.keyboard.press('Escape');
      }
      await page.getByRole('button', { name: 'Keys' }).click();
      expect(await faults(page), 'the keys').toEqual([]);
      if (width === 1440) expect(await serious(page), 'the keys').toEqual([]);
      expect(complaints).toEqual([]);
    } finally {
      await page.close();
    }
  });
});

/** Faults by a style of one element, each with the finding that must come of it. */
const styled: readonly (readonly [selector: string, style: string, found: RegExp])[] = [
  ['.messages', 'max-height: 60px', /^a panel of \d+.* x 60: Messages$/],
  ['.forest .site', 'visibility: hidden', /^a hidden site: a$/],
  ['.forest .site', 'opacity: 0; transition: none', /^a hidden site: a$/],
  ['.forest .site', 'display: none', /^a hidden site: a$/],
  [
    '.forest .site',
    'transform: translate(-90px, 60px) !important; transition: none',
    /^a site out of view: a$/,
  ],
  ['.forest .id', 'font-size: 8px !important', /^a text of [\d.]+ px: a$/],
  ['.sentence b', 'font-size: 10px', /^a text of 10 px: mutual exclusion$/],
  ['.controls', 'width: 1600px', /^the page is \d+ px wider than the window$/],
  ['.ways', 'transform: translateX(1300px)', /^\.story sticks out: /],
];

it.skipIf(chrome === null)('each fault that is put into a page that fits is found', async () => {
  const server = await servePage(await builtPage(() => undefined), await answerOf('counterexample'), 0);
  onTestFinished(() => server.close());
  const { page } = await watchedPage(browser);
  await page.goto(server.url);
  await page.waitForSelector('.forest .site');
  // The drawing has its place once the size of its panel is known.
  await expect.poll(() => faults(page), { timeout: 5_000 }).toEqual([]);
  for (const [selector, style, found] of styled) {
    // The browser's own code is text: its types are not Node's.
    const put = (css: string) =>
      page.evaluate(`(() => {
        const element = document.querySelector(${JSON.stringify(selector)});
        const before = element.style.cssText;
        element.style.cssText = ${css};
        return before;
      })()`) as Promise<string>;
    const before = await put(`element.style.cssText + ${JSON.stringify(`; ${style}`)}`);
    await expect
      .poll(() => faults(page), { message: style, timeout: 5_000 })
      .toContainEqual(expect.stringMatching(found));
    await put(JSON.stringify(before));
  }
  await expect.poll(() => faults(page)).toEqual([]);

  expect(Math.min(...(await clearances(page)))).toBeGreaterThan(0);
  await page.evaluate(`(() => {
    const [a, b, c] = [...document.querySelectorAll('.forest .site')].map((site) => new DOMMatrix(site.style.transform));
    document.querySelector('.forest .last').setAttribute('d', 'M' + [a.e, a.f] + ' L' + [b.e, b.f] + ' L' + [c.e, c.f]);
  })()`);
  expect(Math.min(...(await clearances(page)))).toBeLessThan(0);

  expect(await drawnShare(page)).toBeGreaterThan(0.004);
  const context = `document.querySelector('.sequence').getContext('2d')`;
  // The names of two sites that touch, and one that is not there.
  await page.evaluate(`${context}.fillRect(20, 40, 9, 30)`);
  expect(await faults(page)).toContain('3 names in the sequence chart of a,b,c');
  await page.evaluate(`${context}.clearRect(0, 0, 60, 100)`);
  expect(await faults(page)).toContain('1 names in the sequence chart of a,b,c');
  await page.evaluate(`void (document.querySelector('.sequence').width += 0)`);
  expect(await drawnShare(page)).toBe(0);

  await page.evaluate(`document.querySelector('.side .body').insertAdjacentHTML('beforeend',
    '<div class="scroll"><table><tr><td>' + 'word'.repeat(200) + '</td></tr></table></div>')`);
  expect(await faults(page)).toContainEqual(
    expect.stringMatching(/^a table is \d{3,} px wider than its panel$/),
  );
  await page.evaluate(
    `Object.assign(document.querySelector('.side table').style, { width: '90px', tableLayout: 'fixed' })`,
  );
  expect(await faults(page)).toContainEqual(
    expect.stringMatching(/^a text sticks out of its cell: (word){200}$/),
  );
  await page.evaluate(`document.querySelector('.values .body').replaceChildren()`);
  expect(await faults(page)).toContain('an empty panel: State');
});
