import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { chrome, launch, watchedPage } from '../../cli/testing/browser.ts';
import type { Cluster } from '../../runtime/index.ts';
import { watchedCluster } from '../../runtime/testing/watched-cluster.ts';
import type { Timeline } from '../../verification/timeline/format.ts';
import { Attached } from './attach.ts';
import { layOutKnown, openAttached } from './live-page.ts';
import { builtPage } from './page.ts';
import { serious } from './testing/axe.ts';

function attach(urls: readonly string[], lock?: string) {
  const said: string[] = [];
  const attached = new Attached({
    urls,
    say: (text) => said.push(text),
    ...(lock !== undefined && { lock }),
  });
  onTestFinished(() => attached.close());
  /** Once the timeline is like that. */
  const until = (is: (timeline: Timeline) => boolean) =>
    expect
      .poll(
        () => {
          attached.follow(10_000);
          return attached.telling !== null && is(attached.telling.timeline);
        },
        { timeout: 10_000 },
      )
      .toBe(true);
  const find = (like: string) => attached.find(like);
  return { said, until, find, shown: () => attached.telling!.timeline };
}

async function turns(clusters: readonly Cluster[], lock: string, count: number) {
  for (let turn = 0; turn < count; turn++)
    await clusters[turn % clusters.length]!.lock(lock).run(() => undefined);
}

it('shows a cluster that runs: every event of a calm one, from all sites, in order', async () => {
  const { clusters, urls } = await watchedCluster();
  await turns(clusters, 'main', 3);
  const { until, shown, said } = attach(urls);
  await until(({ steps }) => steps.filter(({ kind }) => kind === 'seen').length === 3);
  expect(said).toEqual(['shows lock main']);
  const entered = (timeline: Timeline) =>
    timeline.steps.filter(({ effects }) => effects.some(({ type }) => type === 'grant')).length;
  const before = clusters.reduce((sum, cluster) => sum + cluster.counters().entered, 0);
  await turns(clusters, 'main', 30);
  await until((timeline) => entered(timeline) === 30);
  expect(clusters.reduce((sum, cluster) => sum + cluster.counters().entered, 0) - before).toBe(30);

  const { messages, steps, properties } = shown();
  expect(messages.length).toBeGreaterThan(30);
  for (const { sent, ended, fate } of messages) {
    expect(fate).toBe('received');
    expect(ended).toBeGreaterThan(sent);
  }
  expect(steps.filter(({ kind }) => kind === 'unseen')).toEqual([]);
  const index = properties.findIndex(({ name }) => name === 'mutual exclusion' || name === 'S1');
  expect(index).toBeGreaterThan(0);
  for (const { verdicts } of steps) expect(verdicts[index]?.verdict ?? 'holds').not.toBe('violated');
});

it('shows one site, another lock, and what that site knows of the others', async () => {
  const { clusters, urls } = await watchedCluster();
  const { until, shown } = attach([urls[1]!], 'jobs');
  await turns(clusters, 'main', 3);
  await turns(clusters, 'jobs', 6);
  await until(({ steps }) => steps.some(({ text }) => text === 'b: release'));
  const { title, steps, messages, start } = shown();
  expect(title).toBe('lock jobs');
  expect(new Set(steps.map(({ site }) => site))).toEqual(new Set(['b']));
  expect(start.sites['c']).toMatchObject({ unseen: true });
  expect(messages.map(({ source, target }) => source === 'b' || target === 'b')).not.toContain(false);
});

it('finds locks by a part of their names, however many there are', async () => {
  const { clusters, urls } = await watchedCluster();
  for (let n = 0; n < 500; n++) clusters[0]!.lock(`invoice ${n}`).tryAcquire()?.release();
  await turns(clusters, 'main', 3);
  const { until, find } = attach(urls, 'main');
  await until(({ steps }) => steps.filter(({ kind }) => kind === 'seen').length === 3);
  expect(await find('invoice 49')).toMatchObject({
    names: expect.arrayContaining(['invoice 49', 'invoice 499']),
  });
  expect((await find('invoice 49')).names).toHaveLength(11);
  const { names, more } = await find('');
  expect([names.length, more]).toEqual([100, true]);
  expect(await find('no such lock')).toEqual({ names: [], more: false });
});

it('says that a site does not answer any more, and goes on with the others', async () => {
  const { clusters, urls } = await watchedCluster();
  await turns(clusters, 'main', 3);
  const { until, said } = attach(urls);
  await until(({ steps }) => steps.filter(({ kind }) => kind === 'seen').length === 3);
  await clusters[2]!.close();
  await until(({ steps }) => steps.some(({ text }) => text === 'c does not answer any more'));
  await turns(clusters.slice(0, 2), 'main', 2);
  await until(({ steps }) => steps.at(-1)!.text === 'b: release');
  expect(said.filter((text) => text.includes('ECONNREFUSED')).length).toBeLessThanOrEqual(1);
});

describe.skipIf(chrome === null)('in the browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
    // Each takes seconds at first, in which the sites of a cluster in this process would believe each other dead.
    await builtPage(() => undefined);
    await layOutKnown();
  });
  afterAll(() => browser.close());
  async function opened() {
    const watched = await watchedPage(browser);
    onTestFinished(() => watched.page.close());
    return watched;
  }

  it('watches a live cluster pass the token, and says what it did not see', async () => {
    const { clusters, urls } = await watchedCluster();
    await turns(clusters, 'main', 3);
    // So few that any machine makes more.
    const live = await openAttached(urls, undefined, 0, 10_000, { all: 40, some: 20 });
    onTestFinished(() => live.close());
    const { page, complaints } = await opened();
    await page.goto(live.url);
    await page.waitForSelector('.forest .site');
    for (const cluster of clusters) {
      const held = await cluster.lock('main').acquire();
      const holder = page.locator('.forest .site', { has: page.locator('.token') });
      await holder.locator('.id', { hasText: cluster.site }).waitFor();
      await page.locator('.forest .site.inside').waitFor();
      held.release();
    }
    expect(await page.locator('.track .gap').count()).toBe(0);

    let isOver = false;
    const busy = clusters.map(async (cluster) => {
      while (!isOver) await cluster.lock('main').run(() => undefined);
    });
    await page.locator('.track .gap').first().waitFor();
    isOver = true;
    await Promise.all(busy);
    expect(complaints).toEqual([]);
  });

  it('tells a late viewer how long a lock is held and waited for, and that the holder does not answer any more', async () => {
    const { clusters, urls } = await watchedCluster();
    const [a, b] = clusters;
    await turns(clusters, 'main', 3);
    await a.lock('main').acquire();
    const waits = b.lock('main').run(() => undefined);
    const heldSince = Date.now();
    const live = await openAttached(urls, 'main', 0);
    onTestFinished(() => live.close());
    const { page, complaints } = await opened();
    await page.goto(live.url);
    const line = page.locator('.lock-line');
    const seconds = async (who: RegExp) => {
      const [, text] = who.exec((await line.textContent({ timeout: 5_000 })) ?? '') ?? [];
      if (text === undefined) return -1;
      const [number, unit] = text.split(' ');
      return Number(number) * (unit === 'ms' ? 0.001 : 1);
    };
    const held = () => seconds(/^a holds the lock for ([\d.]+ m?s); next: b/);
    await expect
      .poll(() => line.textContent(), { timeout: 15_000 })
      .toMatch(/^a holds the lock for [\d.]+ m?s; next: b/);
    const first = await held();
    // No step is taken meanwhile.
    const step = await page.locator('.now b').textContent();
    await expect.poll(held, { timeout: 15_000 }).toBeGreaterThan(first + 1);
    expect(await seconds(/next: b \(([\d.]+ m?s)\)/)).toBeGreaterThan(1);
    expect(await held()).toBeLessThanOrEqual((Date.now() - heldSince) / 1_000 + 1);
    expect(await page.locator('.now b').textContent()).toBe(step);

    const variables = page.locator('.state-table tbody th');
    expect(await variables.allTextContents()).toContainEqual(expect.stringContaining('membership'));
    const cut = `[...document.querySelectorAll('.state-table tbody th')]
      .filter((name) => name.scrollWidth > name.clientWidth)
      .map((name) => name.textContent)`;
    expect(await page.evaluate(cut)).toEqual([]);

    await page.getByRole('tab', { name: 'Epochs' }).click();
    expect(await page.locator('.epochs').innerText()).toMatch(/^epoch 0\n.*\n.*the first epoch/);
    await a.close({ graceful: false });
    await page.locator('button.live.partial', { hasText: 'live, without a' }).waitFor();
    await page
      .locator('.lock-line', { hasText: /a held the lock for [\d.]+ s when its connection ended/ })
      .waitFor();
    await page
      .locator('.epochs', { hasText: /a is down: .*; b stood for election: its callers waited/ })
      .waitFor();
    await waits;
    expect(complaints).toEqual([]);

    // A viewer that comes after the election learns its cause from the site that stood.
    const later = await openAttached(urls.slice(1), 'main', 0);
    onTestFinished(() => later.close());
    const { page: late } = await opened();
    await late.goto(later.url);
    await late.getByRole('tab', { name: 'Epochs' }).click();
    await expect
      .poll(() => late.locator('.epochs').innerText(), { timeout: 10_000 })
      .toMatch(/^epoch \d+\nfrom the start\na is down: .*; b stood for election: its callers waited/);
  });

  it('keeps the newest steps, says so, and keeps a paused reader where it has paused', async () => {
    const { clusters, urls } = await watchedCluster();
    await turns(clusters, 'main', 3);
    const live = await openAttached(urls, 'main', 0, 60);
    onTestFinished(() => live.close());
    const { page, complaints } = await opened();
    await page.goto(live.url);
    await page.waitForSelector('.forest .site');
    await turns(clusters, 'main', 4);
    await page.locator('.step', { hasText: 'release' }).first().waitFor();
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowLeft');
    const shown = page.locator('.now [data-step]');
    const paused = await shown.textContent();
    const newer = async () =>
      Number(/\((\d+) newer\)/.exec((await page.locator('button.live').textContent())!)?.[1]);
    await turns(clusters, 'main', 30);
    await expect.poll(newer, { timeout: 15_000 }).toBeGreaterThan(90);
    expect(await shown.textContent()).toBe(paused);
    await page.click('button.live');
    await page.locator('button.live.on').waitFor();
    expect(await page.locator('.story .sentence').textContent()).toMatch(
      /^\d+ steps of 3 sites \(the newest; \d+ earlier ones are no longer kept\)/,
    );
    expect(Number.parseInt((await page.locator('.now b').textContent())!, 10)).toBeGreaterThan(90);
    expect(complaints).toEqual([]);
  });

  it('shows another lock that is chosen by its name, and the address names it', async () => {
    const { clusters, urls } = await watchedCluster();
    for (let n = 0; n < 300; n++) clusters[0]!.lock(`invoice ${n}`).tryAcquire()?.release();
    await turns(clusters, 'main', 3);
    const live = await openAttached(urls, 'main', 0);
    onTestFinished(() => live.close());
    const { page, complaints } = await opened();
    await page.goto(live.url);
    await page.waitForSelector('.forest .site');
    expect(await page.textContent('.source option:checked')).toContain('live');
    const field = page.getByLabel('Show another lock');
    await field.fill('invoice 29');
    const offered = page.locator('datalist option');
    await expect.poll(() => offered.count()).toBe(11);
    await field.fill('invoice 299');
    await field.press('Enter');
    await page.waitForURL('**/#source=live&lock=invoice%20299');
    await clusters[1]!.lock('invoice 299').run(() => page.locator('.forest .site.inside').waitFor());

    const elsewhere = await opened();
    await elsewhere.page.goto(page.url());
    await elsewhere.page.waitForSelector('.forest .site');
    await clusters[2]!
      .lock('invoice 299')
      .run(() => elsewhere.page.locator('.forest .site.inside').waitFor());
    await page.goBack();
    await page.waitForSelector('.forest .site');
    await clusters[1]!.lock('main').run(() => page.locator('.forest .site.inside').waitFor());

    for (const name of ['invoice 1', 'invoice 2', 'invoice 3']) {
      await page.getByLabel('Show another lock').fill(name);
      await page.getByLabel('Show another lock').press('Enter');
      await page.waitForSelector('.forest .site');
    }
    expect([...complaints, ...elsewhere.complaints]).toEqual([]);
  });

  it('lists all locks with their holders and queues, sorted and filtered, and shows one that is chosen', async () => {
    const { clusters, urls, servers } = await watchedCluster();
    const [a, b, c] = clusters;
    for (let n = 0; n < 200; n++) a.lock(`invoice ${n}`).tryAcquire()?.release();
    const held = await b.lock('orders').acquire();
    const waits = [c, a].map((cluster) => cluster.lock('orders').run(() => undefined));
    const live = await openAttached(urls, 'orders', 0);
    onTestFinished(() => live.close());
    const { page, complaints } = await opened();
    await page.goto(live.url);
    await page.click('button:text-is("all locks")');
    // Locks with waiting callers come first.
    const first = page.locator('.lock-table tbody tr').first();
    await expect
      .poll(() => first.locator('td').allTextContents(), { timeout: 20_000 })
      .toMatchObject([
        'b',
        expect.stringMatching(/ m?s$/),
        expect.stringMatching(/^[ac] .*; [ac] /),
        // A machine that stands still for seconds makes a site stand for election.
        expect.stringMatching(/^\d+$/),
        expect.stringMatching(/ ago$/),
      ]);
    expect(await page.locator('.lock-table output').textContent()).toBe('201');
    const members = page.locator('.members');
    await expect.poll(() => members.locator('.up').allTextContents()).toEqual(['a', 'b', 'c']);
    expect(await members.textContent()).toMatch(/term 0, version 1, generation \d+guestsnone$/);
    for (const width of [390, 1440]) {
      await page.setViewportSize({ width, height: 900 });
      const over = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
      expect(over, `${width} px`).toBeLessThanOrEqual(0);
      for (const theme of ['light', 'dark']) {
        await page.evaluate(`document.documentElement.dataset.theme = ${JSON.stringify(theme)}`);
        expect(await serious(page), `${theme} at ${width} px`).toEqual([]);
      }
    }
    // The columns stay where they are, whatever the values are.
    const columns = () =>
      page.evaluate(`[...document.querySelectorAll('.lock-table thead th')].map((head) => {
        const { left, width } = head.getBoundingClientRect();
        return [left, width];
      })`);
    const placed = await columns();
    expect(placed).toHaveLength(6);
    // The names of the columns stay in view.
    const below = (await page.evaluate(`(() => {
      const rows = document.querySelector('.lock-table .scroll');
      rows.scrollTop = 1_000;
      const top = rows.querySelector('thead th').getBoundingClientRect().top - rows.getBoundingClientRect().top;
      return [rows.scrollTop, top];
    })()`)) as [number, number];
    expect(below[0]).toBe(1_000);
    expect(Math.abs(below[1])).toBeLessThan(2);
    // A second click on a column turns its order round.
    const names = async () => (await page.locator('.lock-table tbody th').allInnerTexts()).slice(0, 3);
    const byName = page.locator('.lock-table thead button', { hasText: 'lock' });
    await byName.click();
    expect(await names()).toEqual(['invoice 0', 'invoice 1', 'invoice 2']);
    await byName.click();
    expect(await names()).toEqual(['orders', 'invoice 199', 'invoice 198']);
    await page.getByLabel('Locks that this site holds or waits for').selectOption('b');
    await expect.poll(names).toEqual(['orders']);
    await page.getByLabel('Locks that this site holds or waits for').selectOption('');
    await page.getByLabel('Locks whose names contain').fill('invoice 19');
    await expect.poll(() => page.locator('.lock-table tbody tr').count()).toBe(11);
    expect(await columns()).toEqual(placed);
    await page.getByLabel('waited for').check();
    await page.getByText('No lock is like that.').waitFor();
    expect(await columns()).toEqual(placed);
    await page.getByLabel('Locks whose names contain').fill('');
    await page.locator('[data-lock="orders"] button').click();
    await page.locator('.forest .site.inside').waitFor();
    await page.waitForURL('**/#source=live&lock=orders');
    held.release();
    await Promise.all(waits);
    // Site a alone knows the invoices. When it does not answer any more, they are shown as they were.
    await Promise.all([a.close({ graceful: false }), servers[0]!.close()]);
    await page.click('button:text-is("all locks")');
    await page.getByLabel('Locks whose names contain').fill('invoice 19');
    const seen = page.locator('.lock-table tr.seen');
    await expect.poll(() => seen.count(), { timeout: 15_000 }).toBe(11);
    expect(await seen.first().innerText()).toMatch(/invoice 19\s+free, at a\s+last seen \d[\d.]* m?s ago/);
    expect(await page.locator('.lock-table output').textContent()).toBe('0, and 11 last seen');
    expect(await columns()).toEqual(placed);
    expect(complaints).toEqual([]);
  });
});
