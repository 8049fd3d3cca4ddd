import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BatonProcess, baton } from '../../cli/testing/baton.ts';
import { chrome, launch, watchedPage } from '../../cli/testing/browser.ts';
import { directory } from '../../cli/testing/directory.ts';
import { takingTurns, writeLines } from '../../cli/testing/recorded.ts';
import { longRun } from '../page/testing/long-run.ts';
import { openLive } from './live-page.ts';
import { builtPage } from './page.ts';
import { servePage } from './server.ts';
import { answerWith } from './sources.ts';

const mutant = 'verification/protocols/naimi-trehel/copied-token.ts';
const property = '[data-property="mutual exclusion"]';

type AtEnd = (end: () => Promise<void>) => void;

/** The address that `baton ARGS` serves. */
function served(args: readonly string[], atEnd?: AtEnd): Promise<string> {
  return new BatonProcess([...args, '--port', '0'], {}, atEnd).hear(/^http:/);
}

async function verdictOf(page: Page): Promise<string | null> {
  return page.getAttribute(property, 'data-verdict');
}

/** Until the page is at this step. */
async function atStep(page: Page, step: number): Promise<void> {
  await page.waitForSelector(`[data-step="${step}"]`);
}

describe.skipIf(chrome === null)('the page, in Chromium', () => {
  let browser: Browser;
  /** Where a report of the mutant is shown. */
  let url: string;
  const ends: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    browser = await launch();
    const dir = mkdtempSync(join(tmpdir(), 'baton-test-'));
    ends.push(async () => rmSync(dir, { recursive: true, force: true }));
    const report = join(dir, 'report.json');
    const atEnd: AtEnd = (end) => ends.push(end);
    const verified = new BatonProcess(['verify', mutant, '--json', report], {}, atEnd);
    expect((await verified.end()).status).toBe(1);
    url = await served(['inspect', report, mutant], atEnd);
  });
  afterAll(async () => {
    await browser.close();
    for (const end of ends) await end();
  });

  it('plays a counterexample by keyboard, and the violated property lights up at its step', async () => {
    const { page, complaints } = await watchedPage(browser);
    await page.goto(url);
    // A counterexample opens where it ends, and says what is broken in one sentence.
    await atStep(page, 4);
    expect(await page.inputValue('.source select')).toBe('mutual-exclusion');
    expect(await page.textContent('.sentence')).toMatch(
      /^mutual exclusion is violated: a, b are in the critical section at once, step 4 of 4\. L3 \(An idle site keeps nothing\) is violated first.*, step \d of 4\.$/,
    );
    await page.click('.reads summary');
    // The property that is violated first is explained first.
    const causes = page.locator('.causes .reads-table');
    expect(await causes.locator('caption').allTextContents()).toEqual([
      'L3 (An idle site keeps nothing): the values that it read',
      'mutual exclusion: the values that it read',
    ]);
    expect(await causes.first().locator('thead').textContent()).toBe('valuestep 1step 2');
    expect(await causes.first().locator('tr.changed').allTextContents()).toContain('a.lastnullb');
    expect(await causes.last().locator('tr.changed').allTextContents()).toEqual([
      expect.stringMatching(/^b in client\.inCSfalsetrue$/),
    ]);
    const why = page.locator('.reads[open]');
    await page.keyboard.press('Escape');
    await why.waitFor({ state: 'detached' });
    await page.click('.reads summary');
    await why.waitFor();
    await page.click('.sentence');
    await why.waitFor({ state: 'detached' });
    // The properties that the run violates come first, the earliest first.
    const firstViolated =
      (await page.evaluate(`[...document.querySelectorAll('.properties li')].map((property) => {
      const jump = property.querySelector('.jump');
      return jump === null ? null : Number(jump.textContent.replace('step ', ''));
    })`)) as (number | null)[];
    const violated = firstViolated.filter((step) => step !== null);
    expect(violated.length).toBeGreaterThan(2);
    expect(firstViolated.slice(0, violated.length)).toEqual(violated.toSorted((one, other) => one - other));
    expect(firstViolated.length).toBeGreaterThan(violated.length);
    await page.click('.ways button:text-is("from the start")');
    for (let step = 0; step < 4; step++) {
      await atStep(page, step);
      expect(await verdictOf(page), `step ${step}`).toBe('holds');
      await page.keyboard.press('ArrowRight');
    }
    await atStep(page, 4);
    expect(await verdictOf(page)).toBe('violated');
    expect(await page.textContent(property)).toContain('a, b are in the critical section at once');
    expect(await page.locator('.forest .site.broken .token').count()).toBe(2);
    await page.waitForURL('**/#source=mutual-exclusion&step=4');

    await page.keyboard.press('Home');
    await atStep(page, 0);
    await page.keyboard.press('n');
    await atStep(page, 2);
    await page.keyboard.press('Space');
    await atStep(page, 4);
    await page.click('.charts .tabs button:text-is("b")');
    await page.waitForSelector('.arrow.taken');
    expect(await page.textContent('.arrow.taken .line.taken')).toContain('TOKEN');
    expect(complaints).toEqual([]);
  });

  it('shows the same in every browser that opens an address, and goes back with the browser', async () => {
    const { page, complaints } = await watchedPage(browser);
    await page.goto(`${url}#source=l3&step=1`);
    await atStep(page, 1);
    expect(await page.inputValue('.source select')).toBe('l3');
    await page.selectOption('.source select', 'exactly-one-token');
    await atStep(page, 2);
    await page.waitForURL('**/#source=exactly-one-token&step=2');
    await page.goBack();
    await atStep(page, 1);
    expect(await page.inputValue('.source select')).toBe('l3');
    expect(complaints).toEqual([]);
  });

  // A browser asks before a page saves many files by itself.
  it.each(['charts', 'tree', 'messages'])(
    'saves %s as a file, for people and for other tools',
    async (panel) => {
      const { page, complaints } = await watchedPage(browser);
      await page.goto(`${url}#source=mutual-exclusion&step=4`);
      await page.click('.charts .tabs button:text-is("b")');
      await page.waitForSelector('.state.active');
      const texts: Readonly<Record<string, Readonly<Record<string, RegExp>>>> = {
        charts: { Mermaid: /^stateDiagram-v2\n/, Graphviz: /^digraph / },
        messages: { Mermaid: /^sequenceDiagram\n/, ShiViz: /^\(\?<event>/, JSON: /^\{"version":1,/ },
      };
      const expected = {
        SVG: /^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/,
        PNG: /^.PNG/,
        ...texts[panel],
      };
      for (const [kind, begins] of Object.entries(expected)) {
        const downloaded = page.waitForEvent('download');
        await page.click(`.${panel} .downloads summary`);
        await page.click(`.${panel} .downloads button:text-is("${kind}")`);
        const download = await downloaded;
        expect(download.suggestedFilename()).toMatch(/^mutual-exclusion-4-[\w.-]+$/);
        expect(readFileSync(await download.path(), 'latin1'), kind).toMatch(begins);
      }
      expect(complaints).toEqual([]);
    },
  );

  it('explores: takes steps, goes back, jumps to a state, and its address is the path', async () => {
    const explored = await served(['explore', 'naimi-trehel', '--sites', '3']);
    const { page, complaints } = await watchedPage(browser);
    await page.goto(explored);
    await atStep(page, 0);
    const first = await page.textContent('.choice >> nth=1');
    await page.keyboard.press('2');
    await atStep(page, 1);
    expect(first).toContain((await page.textContent('[data-step]'))!.split(',')[0]);
    await page.keyboard.press('1');
    await atStep(page, 2);
    await page.keyboard.press('ArrowLeft');
    await atStep(page, 1);
    await page.keyboard.press('3');
    await atStep(page, 2);
    await page.waitForURL('**/#source=explore&step=2&path=1.2');

    await page.fill('[aria-label="Jump to a state"]', 'c in client.inCS and a.next = b');
    await page.keyboard.press('Enter');
    await page.locator('output', { hasText: 'is reached' }).waitFor();
    await page.waitForURL((address) => {
      const named = new URLSearchParams(address.hash.slice(1));
      return (
        Number(named.get('step')) > 2 && named.get('path')!.split('.').length === Number(named.get('step'))
      );
    });
    const found = page.url();
    const { page: other } = await watchedPage(browser);
    await other.goto(found);
    await other.waitForSelector('[data-step]');
    expect(await other.textContent('.state-table')).toBe(await page.textContent('.state-table'));

    await page.fill('[aria-label="Jump to a state"]', 'nobody in client.inCS');
    await page.keyboard.press('Enter');
    await page.locator('output', { hasText: 'expected one of' }).waitFor();
    // The browser itself reports the refusal.
    expect(complaints.filter((text) => !text.includes('400'))).toEqual([]);
  });

  it('is one file that needs nobody', async () => {
    const file = join(directory(), 'report.html');
    expect((await baton('verify', mutant, '--html', file)).status).toBe(1);
    const { page, complaints } = await watchedPage(browser);
    await page.goto(`${pathToFileURL(file).href}#source=mutual-exclusion&step=4`);
    await atStep(page, 4);
    expect(await verdictOf(page)).toBe('violated');
    await page.click('.charts .tabs button:text-is("b")');
    await page.waitForSelector('.arrow.never');
    expect(complaints).toEqual([]);
  });

  it('watches a run while it is recorded: at the end it goes with it, elsewhere it stays', async () => {
    const dir = directory();
    // So few that the first steps are forgotten when more comes.
    const live = await openLive(dir, 0, 50);
    try {
      const { page, complaints } = await watchedPage(browser);
      await page.goto(live.url);
      await page.getByText('No site has begun yet').waitFor();
      const records = takingTurns(40);
      writeLines(dir, records, 0, 11);
      await page.waitForSelector('.forest .site');
      const steps = () => page.locator('.now b').innerText();
      const seen = await steps();
      expect(await page.locator('.forest .token').count()).toBe(1);
      writeLines(dir, records, 11, 31);
      await page.locator('.now b').filter({ hasNotText: seen }).waitFor();
      const [now, last] = (await steps()).split(' / ');
      expect(now).toBe(last);
      await page.keyboard.press('Home');
      await atStep(page, 0);
      const [paused] = (await steps()).split(' / ');
      writeLines(dir, records, 31);
      const newer = async () => {
        const [, text] = /\((\d+) newer\)/.exec(await page.locator('button.live').innerText()) ?? [];
        return Number(text);
      };
      await expect.poll(newer, { timeout: 15_000 }).toBeGreaterThan(Number(last) + 50);
      expect((await steps()).split(' / ')[0]).toBe(paused);
      await page.keyboard.press('End');
      await page.locator('button.live.on').waitFor();
      for (const name of ['mutual exclusion', 'L1', 'T']) {
        expect(await page.getAttribute(`[data-property="${name}"]`, 'data-verdict'), name).toBe('holds');
      }
      expect(complaints).toEqual([]);
    } finally {
      await live.close();
    }
  });

  it('draws no more of 10,000 steps than of 100, and nothing of a run is markup', async () => {
    const sizes = [100, 10_000].map((steps) => longRun(steps));
    const evil = longRun(4, ['<img src=x onerror=alert(1)>', 'b']);
    const shown = [...sizes, evil].map((timeline, index) => ({
      head: { id: `run-${index}`, title: timeline.title, about: '', kind: 'timeline' as const },
      timeline: () => timeline,
    }));
    const files = await builtPage(() => undefined);
    const server = await servePage(files, answerWith({ shown, about: { title: 'runs' } }), 0);
    try {
      const { page, complaints } = await watchedPage(browser);
      const elements: number[] = [];
      for (const [index, { steps }] of sizes.entries()) {
        await page.goto(`${server.url}#source=run-${index}&step=50`);
        // The step is that of the run before until this one is there.
        await page
          .getByRole('status')
          .getByText(steps.length.toLocaleString('en'), { exact: true })
          .waitFor();
        await atStep(page, 50);
        // The list of steps knows its height one frame after it is drawn, and scrolls to its step after that.
        await page.waitForSelector('.rows [aria-current="step"]');
        elements.push(await page.locator('*').count());
      }
      expect(elements[1]).toBeLessThan(elements[0]! * 1.1);
      // A run that loads longer than the one after it is not shown.
      let load = () => {};
      const held = new Promise<void>((resolve) => {
        load = resolve;
      });
      await page.route(/run-0/, (route) => held.then(() => route.continue()));
      const late = page.waitForResponse(/run-0/);
      const asked = page.waitForRequest(/run-0/);
      await page.goto(`${server.url}#source=run-0&step=50`);
      // The page hears of an address after `goto` has returned, and asks for the address that it finds then.
      await asked;
      await page.goto(`${server.url}#source=run-2&step=4`);
      await atStep(page, 4);
      load();
      await (await late).finished();
      await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 0)));
      await atStep(page, 4);
      expect(await page.locator('img').count()).toBe(0);
      expect(complaints).toEqual([]);
    } finally {
      await server.close();
    }
  });
});
