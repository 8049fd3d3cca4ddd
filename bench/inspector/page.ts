import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { launch } from '../../cli/testing/browser.ts';
import { saidEverySecond } from '../../inspector/server/from-record.ts';
import { builtPage } from '../../inspector/server/page.ts';
import { servePage } from '../../inspector/server/server.ts';
import { answerWith } from '../../inspector/server/sources.ts';
import { DrivenMesh } from '../../verification/runs/testing/driven-mesh.ts';
import { type DrivenProtocol, epoch } from '../../verification/runs/testing/driven-protocols.ts';
import type { Timeline } from '../../verification/timeline/format.ts';
import { Recording } from '../../verification/timeline/record.ts';
import { median } from '../columns.ts';

const turns = 5;
const scrubMs = 2_500;
/** The server packs a long run before the page is opened. */
const packMs = 3_000;
/** The steps of a run that are made between two lines about its progress. */
const perPart = 1_000;
const undisturbed: DrivenProtocol = { ...epoch, survives: false, client: ['ask', 'release'] };

/**
 * The time after which the page shows a recorded run, and the frames a second while somebody moves through it: one step a frame, far
 * jumps, and far jumps with nearly the whole run in view. Medians of several turns, each with a new page.
 */
export async function measurePage([given = '100000', keep]: readonly string[]): Promise<void> {
  const isCount = /^\d+$/.test(given);
  if (isCount && keep === undefined) {
    console.error(
      `A run of ${Number(given).toLocaleString('en')} steps is made and judged first: a minute for 100,000. It is kept for the next time with: page ${given} FILE, then page FILE`,
    );
  }
  const timeline = isCount ? randomRun(Number(given)) : (JSON.parse(readFileSync(given, 'utf8')) as Timeline);
  if (keep !== undefined) writeFileSync(keep, JSON.stringify(timeline));
  const head = { id: 'run', title: 'run', about: '', kind: 'timeline' as const };
  const shown = { shown: [{ head, timeline: () => timeline }], about: { title: 'run' } };
  const server = await servePage(await builtPage(console.error), answerWith(shown), 0);
  await sleep(packMs);
  const browser = await launch();
  try {
    const measured: Turn[] = [];
    for (let turn = 0; turn < turns; turn++) measured.push(await turnOf(browser, server.url));
    const middle = (of: keyof Turn) => median(measured.map((turn) => turn[of]));
    console.log(
      `${timeline.steps.length} steps of ${timeline.sites.length} sites, medians of ${turns} turns:`,
    );
    console.log(
      `all views are there ${middle('drawnMs').toFixed(0)} ms after the page is opened, ${middle('receivedMs').toFixed(0)} ms until the run was received`,
    );
    console.log(`one step a frame: ${middle('near').toFixed(1)} frames a second`);
    console.log(`far jumps: ${middle('far').toFixed(1)} frames a second`);
    console.log(`far jumps, nearly all in view: ${middle('whole').toFixed(1)} frames a second`);
  } finally {
    await browser.close();
    await server.close();
  }
}

interface Turn {
  /** From the opening of the page until a frame with all views was drawn. */
  readonly drawnMs: number;
  /** From the opening of the page until the run was received. */
  readonly receivedMs: number;
  /** Frames a second. */
  readonly near: number;
  readonly far: number;
  readonly whole: number;
}

async function turnOf(browser: Browser, url: string): Promise<Turn> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  try {
    await page.addInitScript(drawnScript);
    await page.goto(url);
    const drawnMs = Number(await page.evaluate('window.drawn'));
    const receivedMs = Number(
      await page.evaluate(
        `performance.getEntriesByType('resource').find(({ name }) => name.includes('timeline/')).responseEnd`,
      ),
    );
    const near = await scrub(page, 1);
    const far = await scrub(page, 1_237);
    for (let press = 0; press < 24; press++) await page.keyboard.press('-');
    return { drawnMs, receivedMs, near, far, whole: await scrub(page, 1_237) };
  } finally {
    await page.close();
  }
}

/** `drawn`: the time when a frame has been drawn in which the tree has its sites and the chart of messages its size. */
const drawnScript = `window.drawn = new Promise((resolve) => requestAnimationFrame(function look() {
  const isThere = document.querySelector('.forest .site') !== null && (document.querySelector('.sequence')?.width ?? 0) > 300;
  if (isThere) requestAnimationFrame(() => setTimeout(() => resolve(performance.now())));
  else requestAnimationFrame(look);
}))`;

/** A run of four sites that ask and release; the order is drawn by lot. */
function randomRun(count: number): Timeline {
  let seed = 1;
  const choices = Array.from({ length: count }, () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed;
  });
  const say = saidEverySecond(console.error);
  const mesh = new DrivenMesh(4, {}, undisturbed);
  for (let from = 0; from < count; from += perPart) {
    mesh.random(choices.slice(from, from + perPart));
    say('makes a record', from / count);
  }
  const { records } = mesh;
  const dir = mkdtempSync(join(tmpdir(), 'baton-bench-'));
  try {
    for (const [name, lines] of Object.entries(records)) {
      writeFileSync(join(dir, `${name}.ndjson`), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    }
    return new Recording(dir, say).timeline('main');
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Moves the slider by `by` steps in every frame. The browser's own code is text: its types are not Node's. */
function scrub(page: Page, by: number): Promise<number> {
  return page.evaluate(`new Promise((resolve) => {
    const slider = document.querySelector('.track input');
    const { set } = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value');
    const begun = performance.now();
    let frames = 0;
    let at = 0;
    requestAnimationFrame(function frame() {
      frames++;
      at = (at + ${by}) % (Number(slider.max) + 1);
      set.call(slider, String(at));
      slider.dispatchEvent(new Event('input', { bubbles: true }));
      const elapsed = performance.now() - begun;
      if (elapsed < ${scrubMs}) requestAnimationFrame(frame);
      else resolve((frames * 1000) / elapsed);
    });
  })`);
}
