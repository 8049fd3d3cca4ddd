import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { chrome, launch } from '../../../cli/testing/browser.ts';
import { type Cluster, joinCluster, serveWatch } from '../../../runtime/index.ts';
import { freePorts } from '../../../runtime/testing/free-ports.ts';
import { check } from '../../../verification/check/check.ts';
import copiedToken from '../../../verification/protocols/naimi-trehel/copied-token.ts';
import { systems } from '../../../verification/protocols/systems.ts';
import { liveness } from '../../../verification/protocols/token.ts';
import { answerExploring } from '../explore.ts';
import { fromReport } from '../from-report.ts';
import { openAttached } from '../live-page.ts';
import { builtPage } from '../page.ts';
import { type Answer, servePage } from '../server.ts';
import { answerWith } from '../sources.ts';

/** Takes the pictures of docs/images from the page itself: `npm run screenshots`. */
const images = join(import.meta.dirname, '../../../docs/images');
const whole = { width: 1440, height: 900 };

type Theme = 'light' | 'dark';

if (chrome === null) process.exit(1);
const files = await builtPage(console.error);
const browser = await launch();
mkdirSync(images, { recursive: true });
try {
  await counterexample(browser);
  await exploring(browser);
  await live(browser);
} finally {
  await browser.close();
}

async function counterexample(on: Browser): Promise<void> {
  const options = { sites: 3, network: { order: 'fifo' } } as const;
  const mutant = copiedToken(options);
  const report = await check(mutant);
  await shown(answerWith(fromReport(mutant, report)), async (url) => {
    const page = await opened(on, `${url}#source=mutual-exclusion&step=4`, 'light');
    await shoot(page, 'counterexample.png');
    await shoot(page, 'state.png', '.values');
    await page.getByRole('tab', { name: 'Properties' }).click();
    await shoot(page, 'properties.png', '.side');
    await page.close();
  });
  // Where nothing is fair, a request may wait for ever.
  const unfair = { ...systems['naimi-trehel']!(options), properties: liveness(options, {}) };
  const lasso = await check(unfair, { liveness: true });
  const shownLasso = fromReport(unfair, lasso);
  const first = shownLasso.shown.find(({ head }) => head.verdict === 'violated')!;
  await shown(answerWith(shownLasso), async (url) => {
    const page = await opened(on, `${url}#source=${first.head.id}&step=99`, 'dark');
    await shoot(page, 'lasso.png');
    await page.close();
  });
}

async function exploring(on: Browser): Promise<void> {
  const { epoch } = systems as Readonly<Record<string, (typeof systems)[string]>>;
  await shown(answerExploring(epoch!({ sites: 4, network: { order: 'fifo' } })), async (url) => {
    const page = await opened(on, url, 'dark');
    // Two sites ask, and a third suspects: requests, votes and the token are on their way.
    for (const wanted of [
      'b: ask',
      'c: ask',
      'a receives REQUEST',
      'd: suspect',
      'c receives VOTE_REQUEST',
    ]) {
      await page.locator('.choice', { hasText: wanted }).first().click();
      await page.waitForTimeout(250);
    }
    await shoot(page, 'exploring.png');
    await shoot(page, 'tree.png', '.tree');
    await shoot(page, 'messages.png', '.messages');
    await page.setViewportSize({ width: 1440, height: 1300 });
    await page.click('.charts .tabs button:text-is("c")');
    await shoot(page, 'statechart.png', '.charts');
    await page.close();
  });
}

/** Three sites that run: at leisure, then at full load, when not everything is seen. */
async function live(on: Browser): Promise<void> {
  const { clusters, urls, close } = await running(['a', 'b', 'c', 'd']);
  const page = await openAttached(urls, undefined, 0);
  let pace: 'leisure' | 'full load' | 'over' = 'leisure';
  const busy = async (cluster: Cluster, restMs: number) => {
    while (pace !== 'over') {
      const isAtLeisure = pace === 'leisure';
      await cluster.lock('orders').run(() => (isAtLeisure ? sleep(25) : undefined));
      if (isAtLeisure) await sleep(restMs);
    }
  };
  let work: Promise<void>[] = [];
  try {
    // Each has used it.
    for (const cluster of clusters) await cluster.lock('orders').run(() => undefined);
    const view = await opened(on, page.url, 'dark');
    work = clusters.map((cluster, index) => busy(cluster, 60 + 7 * index));
    await view.waitForTimeout(3_500);
    await shoot(view, 'live.png');
    pace = 'full load';
    await view.locator('.track .gap').first().waitFor();
    await view.waitForTimeout(1_500);
    // The reader goes to the end of the last gap.
    await view.waitForFunction(`(() => {
      const slider = document.querySelector('.track input');
      const gap = [...document.querySelectorAll('.track .gap')].at(-1);
      if (gap === undefined) return false;
      const share = (parseFloat(gap.style.left) + parseFloat(gap.style.width)) / 100;
      const { set } = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value');
      set.call(slider, String(Math.round(share * Number(slider.max)) - 20));
      return slider.dispatchEvent(new Event('input', { bubbles: true }));
    })()`);
    for (let press = 0; press < 5; press++) await view.keyboard.press('-');
    await shoot(view, 'live-gaps.png', '.messages');
  } finally {
    pace = 'over';
    await Promise.all(work);
    await page.close();
    await close();
  }
}

async function running(sites: readonly string[]) {
  const ports = await freePorts(sites.length);
  const address = (site: string) => ({ host: '127.0.0.1', port: ports[sites.indexOf(site)]! });
  const clusters: Cluster[] = [];
  const ends: (() => Promise<void>)[] = [];
  const urls: string[] = [];
  for (const site of sites) {
    const peers = Object.fromEntries(sites.filter((one) => one !== site).map((one) => [one, address(one)]));
    const cluster = await joinCluster({ cluster: 'shop', site, root: 'a', listen: address(site), peers });
    const server = await serveWatch(cluster);
    clusters.push(cluster);
    urls.push(server.url);
    ends.push(() => cluster.close({ graceful: false }), server.close);
  }
  await Promise.all(clusters.map((cluster) => cluster.ready()));
  return { clusters, urls, close: async () => void (await Promise.all(ends.map((end) => end()))) };
}

async function shown(answer: Answer, look: (url: string) => Promise<void>): Promise<void> {
  const server = await servePage(files, answer, 0);
  try {
    await look(server.url);
  } finally {
    await server.close();
  }
}

async function opened(on: Browser, url: string, colorScheme: Theme): Promise<Page> {
  const page = await on.newPage({ viewport: whole, colorScheme, deviceScaleFactor: 1 });
  await page.goto(url);
  await page.waitForSelector('.forest .site');
  return page;
}

/** All of the page, or one part of it, once whatever glides has come to rest. */
async function shoot(page: Page, file: string, part?: string): Promise<void> {
  await page.waitForTimeout(600);
  const path = join(images, file);
  if (part === undefined) await page.screenshot({ path });
  else await page.locator(part).screenshot({ path });
}
