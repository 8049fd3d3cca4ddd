import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { chrome, launch, watchedPage } from '../../cli/testing/browser.ts';
import { directory } from '../../cli/testing/directory.ts';
import { takingTurns, writeLines } from '../../cli/testing/recorded.ts';
import { freePorts } from '../../runtime/testing/free-ports.ts';
import { check } from '../../verification/check/check.ts';
import copiedToken from '../../verification/protocols/naimi-trehel/copied-token.ts';
import { systems } from '../../verification/protocols/systems.ts';
import { liveness } from '../../verification/protocols/token.ts';
import type { SiteState, Timeline } from '../../verification/timeline/format.ts';
import { longRun } from '../page/testing/long-run.ts';
import { answerExploring } from './explore.ts';
import { fromFile } from './from-file.ts';
import { fromReport } from './from-report.ts';
import { openLive } from './live-page.ts';
import { builtPage } from './page.ts';
import { type Answer, servePage } from './server.ts';
import { answerWith } from './sources.ts';
import { clearances, faults } from './testing/faults.ts';

/** The address at which `answer` is served until the test ends. */
async function served(answer: Answer): Promise<string> {
  const server = await servePage(await builtPage(() => undefined), answer, 0);
  onTestFinished(() => server.close());
  return server.url;
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

async function mutantReport() {
  const system = copiedToken({ sites: 3, network: { order: 'fifo' } });
  return { system, report: await check(system) };
}

describe.skipIf(chrome === null)('what can be seen of the page', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser.close());

  it('shows a site that is down, and one that is not watched, at full size', async () => {
    const run = longRun(3);
    const away = (state: Partial<SiteState>): SiteState => ({
      up: true,
      value: { client: 'idle' },
      context: { last: null },
      ...state,
    });
    const sites = {
      ...run.start.sites,
      a: away({}),
      b: away({ up: false, value: null }),
      c: away({ unseen: true }),
    };
    const page = await opened(await served(shown({ ...run, start: { ...run.start, sites } })));
    await page.waitForSelector('.forest .site');
    for (const id of ['a', 'b', 'c', 'd']) {
      const box = await page
        .locator('.forest .site', { has: page.locator(`.id:text-is("${id}")`) })
        .locator('.disc')
        .boundingBox();
      expect(box!.width, id).toBeGreaterThan(20);
      expect(box!.height, id).toBeGreaterThan(20);
    }
    expect(await page.locator('.forest .site.unobserved').textContent()).toContain('not seen');
  });

  it('lets no arrow of the tree pass through a third site, at any moment of a run', async () => {
    const steps = 24;
    // Every site in turn points at every other: all ways past a neighbour are taken.
    const ids = ['a', 'b', 'c', 'd', 'e'];
    const run = longRun(steps, ids);
    const pointing = run.steps.map((step, index) => ({
      ...step,
      sites: Object.fromEntries(
        ids.map((id, at) => {
          const last =
            at === index % ids.length ? null : ids[(at + 1 + (index % (ids.length - 1))) % ids.length];
          return [id, { up: true, value: { client: 'idle' }, context: { last: last === id ? null : last } }];
        }),
      ),
    }));
    const start = { ...run.start, sites: { ...pointing[0]!.sites } };
    const page = await opened(await served(shown({ ...run, start, steps: pointing })));
    for (let step = 1; step <= steps; step++) {
      await page.keyboard.press('ArrowRight');
      await page.waitForSelector(`[data-step="${step}"]`);
      const found = await clearances(page);
      expect(found.length, `step ${step}`).toBeGreaterThan(1);
      expect(Math.min(...found), `step ${step}`).toBeGreaterThan(0);
    }
  });

  it('saves nothing when keys move through an open menu, and closes it with Escape', async () => {
    const page = await opened(await served(shown(longRun(4))));
    let downloads = 0;
    page.on('download', () => downloads++);
    const menu = page.locator('.messages .downloads');
    await menu.locator('summary').focus();
    await page.keyboard.press('Enter');
    for (const key of ['ArrowDown', 'ArrowDown', 'ArrowUp', 's', 'Tab', 'Tab'])
      await page.keyboard.press(key);
    await page.keyboard.press('Escape');
    expect(await menu.getAttribute('open')).toBeNull();
    await page.waitForTimeout(200);
    expect(downloads).toBe(0);
    expect(await page.getAttribute('[data-step]', 'data-step')).toBe('0');
  });

  it('keeps the controls in view, whatever the notes above say', async () => {
    const note = 'The record is refused. '.repeat(120);
    const page = await opened(await served(shown({ ...longRun(4), notes: [note, `${note} again`] })));
    await page.locator('.problem').first().waitFor();
    const { y, height } = (await page.locator('.controls').boundingBox())!;
    expect(y + height).toBeLessThanOrEqual(page.viewportSize()!.height + 1);
  });

  it('says that the server is gone, connects again when it is back, and goes on', async () => {
    const dir = directory();
    const records = takingTurns(20);
    writeLines(dir, records, 0, 11);
    const [port] = await freePorts(1);
    const first = await openLive(dir, port!);
    const page = await opened(first.url);
    await page.locator('[data-connection=connected]').waitFor();
    const steps = page.locator('.now b');
    const before = await steps.innerText();
    await first.close();
    const lost = page.locator('[data-connection=lost]');
    await lost.waitFor();
    expect(await lost.innerText()).toContain('no connection since');
    expect(await lost.getAttribute('class')).not.toContain('on');
    // The last that was seen stays in view.
    expect(await page.locator('.forest .site').count()).toBe(2);
    const second = await openLive(dir, port!);
    onTestFinished(() => second.close());
    await page.locator('[data-connection=connected]').waitFor({ timeout: 15_000 });
    writeLines(dir, records, 11);
    await steps.filter({ hasNotText: before }).waitFor();
  });

  it('tells the page why a live run ended, and does not dial again', async () => {
    const dir = directory();
    const records = takingTurns(4);
    writeLines(dir, records, 0);
    const live = await openLive(dir, 0);
    onTestFinished(() => live.close());
    const page = await opened(live.url);
    await page.waitForSelector('.forest .site');
    writeFileSync(join(dir, 'z.ndjson'), 'no record\n');
    const ended = page.locator('[data-connection=refused]');
    await ended.waitFor();
    expect(await ended.innerText()).toContain('z.ndjson');
  });

  it('says in words what failed and what to do, when the server stops and when its data cannot be drawn', async () => {
    const server = await servePage(await builtPage(() => undefined), shown(longRun(4), longRun(6)), 0);
    const page = await opened(server.url);
    await page.waitForSelector('.forest, .sequence');
    await server.close();
    await page.selectOption('.source select', 'run-1');
    const problem = page.getByRole('alert').first();
    await problem.waitFor();
    expect(await problem.innerText()).toContain('does not answer. Start baton again');
    await problem.getByLabel('Dismiss').click();
    expect(await page.locator('.problem').count()).toBe(0);

    const broken = { ...longRun(4), sites: null } as unknown as Timeline;
    const other = await opened(await served(shown(broken)));
    expect(await other.getByRole('alert').innerText()).toContain('This view cannot be drawn');
  });

  it('shows a report together with a module that exports its system as it is', async () => {
    const dir = directory();
    mkdirSync(dir, { recursive: true });
    const { report } = await mutantReport();
    const path = join(dir, 'report.json');
    writeFileSync(path, JSON.stringify(report));
    const module = join(dir, 'my-system.ts');
    const mutant = JSON.stringify(
      join(import.meta.dirname, '../../verification/protocols/naimi-trehel/copied-token.ts'),
    );
    writeFileSync(
      module,
      `import copied from ${mutant};\nexport default copied({ sites: 3, network: { order: 'fifo' } });\n`,
    );
    const found = await fromFile(path, { system: module }, () => undefined);
    expect(found.shown.map(({ head }) => head.title)).toContain('mutual exclusion');
    expect(found.shown[0]!.timeline().notes).toBeUndefined();
    await expect(fromFile(path, { system: module, sites: 4 }, () => undefined)).rejects.toThrow(
      'have no say in it',
    );
  });

  it('shows two runs side by side, marks the first difference, and goes there', async () => {
    const run = longRun(24);
    const steps = run.steps.map((step, at) => (at === 10 ? { ...step, text: 'd asks', site: 'd' } : step));
    const page = await opened(await served(shown(run, { ...run, steps, title: 'the other' })));
    await page.selectOption('.beside-choice select', 'run-1');
    const bar = page.locator('.beside-bar');
    expect(await bar.innerText()).toContain('first difference: step 11: here b enters; beside, d asks');
    expect(await page.locator('.messages canvas.sequence').count()).toBe(2);
    await bar.getByRole('button', { name: 'to the first difference' }).click();
    await page.waitForSelector('[data-step="11"]');
    await page.waitForURL((address) => address.hash.includes('beside=run-1'));
    await page.getByRole('tab', { name: 'Beside' }).click();
    expect(await page.locator('.beside-tab tbody tr').first().innerText()).toContain('d asks');
    // The same address shows the same.
    await page.reload();
    await page.locator('.beside-bar').waitFor();
    await page.getByRole('button', { name: 'this run alone' }).click();
    await page.locator('.beside-bar').waitFor({ state: 'detached' });
  });

  it('keeps each message in its row, tells values apart, and says that a folded tree hides a change', async () => {
    const run = longRun(2, ['a', 'b']);
    const state = (values: unknown): SiteState => ({
      up: true,
      value: { client: 'idle' },
      context: { deep: { list: [], text: '', none: null, word: 'x', digits: '1', count: 1, values } },
    });
    const message = (type: string, ended: number | null) => ({
      source: 'a',
      target: 'b',
      message: { type },
      sent: 0,
      ended,
      fate: ended === null ? ('under way' as const) : ('received' as const),
    });
    const page = await opened(
      await served(
        shown({
          ...run,
          start: { ...run.start, sites: { a: state(1), b: state(1) } },
          messages: [message('FIRST', 1), message('SECOND', 2), message('THIRD', null)],
          steps: run.steps.map((step, at) => ({ ...step, message: at, sites: { b: state(at + 2) } })),
        }),
      ),
    );
    await page.waitForSelector('.state-table');
    const cells = (name: string) =>
      page
        .locator('.state-table tbody tr', { has: page.locator(`th:text-is("${name}")`) })
        .locator('td')
        .evaluateAll((all) =>
          all.map((cell) => [
            cell.querySelector('span')!.textContent,
            cell.querySelector('del')?.textContent,
          ]),
        );
    await page.keyboard.press('ArrowRight');
    await page.waitForSelector('[data-step="1"]');
    expect((await cells('message 1'))[1]).toEqual(['', 'FIRST ← a']);
    expect((await cells('message 2'))[1]).toEqual(['SECOND ← a', undefined]);
    expect((await cells('message 3'))[1]).toEqual(['THIRD ← a', undefined]);
    expect((await cells('values'))[1]).toEqual(['2', '1']);
    const texts = { list: '[]', text: '""', none: 'null', word: 'x', digits: '"1"', count: '1' };
    for (const [name, text] of Object.entries(texts))
      expect((await cells(name))[0], name).toEqual([text, undefined]);

    const deep = page.locator('.state-table button', { hasText: 'deep' });
    await deep.click();
    expect(await page.locator('.state-table th.changed').allInnerTexts()).toEqual(['▸ deep']);
    await deep.click();
    expect(await page.locator('.state-table th.changed').count()).toBe(0);
    await page.getByLabel('changed only').check();
    const names = () => page.locator('.state-table tbody th').allInnerTexts();
    expect(await names()).toEqual(['▾ deep', 'values', 'message 1']);
    await page.getByLabel('Filter the variables').fill('val');
    expect(await names()).toEqual(['▾ deep', 'values']);

    await page.getByLabel('Pin an expression as a lane').fill('b.deep.values');
    await page.keyboard.press('Enter');
    const pin = page.locator('.pin b');
    for (const [key, value] of [
      ['Home', '1'],
      ['End', '3'],
      ['ArrowLeft', '2'],
    ] as const) {
      await page.keyboard.press('Escape');
      await page.keyboard.press(key);
      await pin.filter({ hasText: value }).waitFor();
    }
  });

  it('finds steps by event and by site, and goes from one to the next', async () => {
    const page = await opened(await served(shown(longRun(40))));
    const search = page.getByLabel('Search the steps');
    const found = page.locator('.steps output');
    await search.waitFor();
    expect(await page.getByLabel('Steps with the event').locator('option').allInnerTexts()).toEqual([
      'all events',
      'TOKEN',
      'release',
    ]);
    await page.getByLabel('Steps with the event').selectOption('release');
    await found.filter({ hasText: /^20$/ }).waitFor();
    await page.getByLabel('Steps of').selectOption('b');
    await found.filter({ hasText: /^5$/ }).waitFor();
    const at = (step: number) => page.waitForSelector(`[data-step="${step}"]`);
    for (const step of [4, 12, 20]) {
      await search.press('Enter');
      await at(step);
    }
    await search.press('Shift+Enter');
    await at(12);
    await page.keyboard.press('Escape');
    await page.keyboard.press('ArrowLeft');
    await at(11);
    await search.press('Shift+Enter');
    await at(4);
    await search.press('Shift+Enter');
    await at(4);
  });

  it('lists the transitions of a statechart one after the other for the keyboard', async () => {
    const { system, report } = await mutantReport();
    const page = await opened(await served(answerWith(fromReport(system, report))));
    await page.click('.charts .tabs button:text-is("b")');
    await page.waitForSelector('.charts .arrow.taken');
    const listed = () => page.locator('.transitions li').allInnerTexts();
    const taken = await listed();
    await page.locator('.charts .cells').focus();
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.matches(".charts .drawing")')).toBe(true);
    const seen: string[] = [];
    for (let press = 0; press < 30; press++) {
      await page.keyboard.press('.');
      await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
      expect(await page.locator('.charts .line .line.pointed').count()).toBe(1);
      seen.push(...(await listed()));
    }
    // After the last that is drawn comes the first: each is listed alone.
    expect(seen).toHaveLength(30);
    expect(seen.indexOf(seen[0]!, 1)).toBeGreaterThan(10);
    expect(seen).toContain('ask [tokenHere] / grant → inCS');
    await page.keyboard.press(',');
    await page.keyboard.press('Tab');
    await expect.poll(listed).toEqual(taken);
    expect(await page.locator('.charts .pointed').count()).toBe(0);
  });

  it('shows rows of the list of steps in every frame, however far the moment jumps', async () => {
    const page = await opened(await served(shown(longRun(3_000))));
    await page.waitForSelector('.steps .step');
    // The browser's own code is text: its types are not Node's.
    const [frames, blank] = (await page.evaluate(`new Promise((done) => {
      const slider = document.querySelector('.track input');
      const { set } = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value');
      const channel = new MessageChannel();
      let [frames, blank] = [0, 0];
      const jump = () => {
        set.call(slider, String((Number(slider.value) + 997) % 3_000));
        slider.dispatchEvent(new Event('input', { bubbles: true }));
        channel.port2.postMessage(null);
      };
      // After the frame was drawn.
      channel.port1.onmessage = () => {
        frames++;
        const list = document.querySelector('.rows').getBoundingClientRect();
        const isSeen = [...document.querySelectorAll('.rows .step')].some((step) => {
          const { top, bottom } = step.getBoundingClientRect();
          return bottom > list.top && top < list.bottom;
        });
        if (!isSeen) blank++;
        if (frames === 60) done([frames, blank]);
        else requestAnimationFrame(jump);
      };
      requestAnimationFrame(jump);
    })`)) as [number, number];
    expect(frames).toBe(60);
    expect(blank).toBe(0);
  });

  it('saves pictures in which every text has room: the violation, the step, and that a lasso goes on for ever', async () => {
    // Where nothing is fair, a request may wait for ever.
    const options = { sites: 3, network: { order: 'fifo' } } as const;
    const unfair = { ...systems['naimi-trehel']!(options), properties: liveness(options, {}) };
    const page = await opened(
      await served(answerWith(fromReport(unfair, await check(unfair, { liveness: true })))),
    );
    await page.waitForSelector('.forest .site');
    await page.click('.charts .tabs button:text-is("a")');
    await page.waitForSelector('.charts .drawing .arrow');
    const saved = await browser.newPage();
    onTestFinished(() => saved.close());
    for (const panel of ['messages', 'tree', 'charts']) {
      const downloaded = page.waitForEvent('download');
      await page.click(`.${panel} .downloads summary`);
      await page.click(`.${panel} .downloads button:text-is("SVG")`);
      await saved.setContent(readFileSync(await (await downloaded).path(), 'utf8'));
      const texts = (await saved.evaluate(`(() => {
        const picture = document.querySelector('svg').getBoundingClientRect();
        return [...document.querySelectorAll('text')].map((text) => {
          const { left, right, top, bottom } = text.getBoundingClientRect();
          const isIn = left >= picture.left && right <= picture.right && top >= picture.top && bottom <= picture.bottom;
          return [text.textContent, isIn];
        });
      })()`)) as [string, boolean][];
      expect(
        texts.filter(([, isIn]) => !isIn),
        panel,
      ).toEqual([]);
      const all = texts.map(([text]) => text).join(' ');
      expect(all, panel).toMatch(/is violated: owed since step \d+, and it never comes, step \d+ of \d+\./);
      expect(all, panel).toContain('for ever');
      if (panel === 'messages') expect(all).toContain('stays so for ever');
    }
  });

  it('draws no less of a run than all of it, however small', async () => {
    const page = await opened(await served(shown(longRun(400))));
    await page.waitForSelector('.sequence');
    await page.keyboard.press('End');
    for (let press = 0; press < 24; press++) await page.keyboard.press('-');
    const share = () =>
      page.evaluate(`(() => {
        const { left, width } = document.querySelector('.sequence').getBoundingClientRect();
        return (document.querySelector('.cursor').getBoundingClientRect().left - left) / width;
      })()`);
    await expect.poll(share).toBeGreaterThan(0.9);
  });

  it('scrolls the lines of many sites to the site that took the step', async () => {
    const ids = Array.from({ length: 16 }, (_, at) => `site ${at + 1}`);
    const page = await opened(await served(shown(longRun(32, ids))));
    await page.waitForSelector('.sequence');
    const scrolled = () => page.evaluate(`document.querySelector('.sequence-canvas').scrollTop`);
    expect(await scrolled()).toBe(0);
    await page.keyboard.press('End');
    await expect.poll(scrolled).toBeGreaterThan(100);
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowRight');
    await expect.poll(scrolled).toBe(0);
  });

  it.each([
    ['naimi-trehel', 3, false],
    ['naimi-trehel', 4, false],
    ['epoch', 4, true],
  ] as const)(
    'draws the charts of %s with %i sites side by side, whole and readable',
    async (name, sites, isLarge) => {
      const system = systems[name]!({ sites, network: { order: 'fifo' } });
      const page = await opened(await served(answerExploring(system)));
      // Regions in which nothing has happened are folded.
      await page.locator('.choice', { hasText: 'b: ask' }).click();
      await page.waitForSelector('[data-step="1"]');
      if (isLarge) {
        await page.getByLabel('Enlarge: Statecharts').click();
        await page.locator('.panel.tree').waitFor({ state: 'hidden' });
      }
      const charts = page.locator('.charts svg.chart');
      await expect.poll(() => charts.count()).toBe(sites);
      expect(await page.locator('.charts .overview').count()).toBe(0);
      const found = (await page.evaluate(`[...document.querySelectorAll('.charts svg.chart')].map((chart) => {
      const view = chart.getBoundingClientRect();
      const isIn = (inner, outer, by) =>
        inner.left >= outer.left - by && inner.right <= outer.right + by && inner.top >= outer.top - by && inner.bottom <= outer.bottom + by;
      const states = [...chart.querySelectorAll('.state')];
      const boxOf = (state, part) => state.querySelector(':scope > ' + part).getBoundingClientRect();
      return {
        outside: states.filter((state) => !isIn(boxOf(state, 'rect'), view, 1)).length,
        cut: states.filter((state) => !isIn(boxOf(state, '.name'), boxOf(state, 'rect'), 0)).map((state) => state.textContent),
        active: chart.querySelectorAll('.state.leaf.active').length,
        arrows: chart.querySelectorAll('.arrow .way').length,
      };
    })`)) as { outside: number; cut: string[]; active: number; arrows: number }[];
      for (const { outside, cut, active, arrows } of found) {
        expect([outside, cut]).toEqual([0, []]);
        expect(active).toBeGreaterThan(1);
        expect(arrows).toBeGreaterThan(10);
      }
      // The tree is behind an enlarged panel.
      const isFault = (fault: string) => !(isLarge && fault.startsWith('a hidden site'));
      expect((await faults(page)).filter(isFault)).toEqual([]);
      if (!isLarge) return;
      await page.keyboard.press('Escape');
      await page.locator('.panel.tree').waitFor();
    },
  );

  it('folds actors that come and go into one line, and unfolds them', async () => {
    const ids = ['app', ...Array.from({ length: 12 }, (_, at) => `todo ${at + 1}`)];
    const run = longRun(40, ids);
    const sites = run.sites.map((site) => (site.id === 'app' ? site : { ...site, group: 'todo' }));
    const page = await opened(await served(shown({ ...run, sites })));
    await page.waitForSelector('.state-table');
    const columns = () => page.locator('.state-table thead th').allInnerTexts();
    expect((await columns()).slice(1)).toEqual(['app', 'todo × 12']);
    expect(await page.locator('.sentence').innerText()).toMatch(/^40 steps of 13 actors/);
    expect(await page.locator('.charts .waiting').last().innerText()).toMatch(
      /^12 actors as one: 12 there, .*\d+ in .*\. Unfold them/,
    );
    await page.getByRole('button', { name: 'unfold todo × 12' }).click();
    expect((await columns()).slice(1)).toEqual(ids);
    await page.getByRole('button', { name: 'fold 12 todo' }).click();
    expect((await columns()).length).toBe(3);
  });

  async function opened(url: string): Promise<Page> {
    const { page } = await watchedPage(browser);
    onTestFinished(() => page.close());
    await page.goto(url);
    await page.waitForSelector('.inspector, [role=alert]');
    return page;
  }
});
