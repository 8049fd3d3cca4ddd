import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { chrome, launch } from '../../../cli/testing/browser.ts';
import { DrivenMesh } from '../../../verification/runs/testing/driven-mesh.ts';
import { type DrivenProtocol, epoch } from '../../../verification/runs/testing/driven-protocols.ts';
import type { Timeline } from '../../../verification/timeline/format.ts';
import { Recording } from '../../../verification/timeline/record.ts';
import { builtPage } from '../page.ts';
import { servePage } from '../server.ts';
import { answerWith } from '../sources.ts';

/**
 * How soon the page shows a recorded run, and at how many frames a second one can scrub through it.
 *
 *     node --import tsx inspector/server/testing/frames.ts [EVENTS | TIMELINE.json]
 */
const given = process.argv[2] ?? '10000';
const scrubMs = 4_000;
const undisturbed: DrivenProtocol = { ...epoch, survives: false, client: ['ask', 'release'] };

if (chrome === null) process.exit(1);
const timeline = /^\d+$/.test(given)
  ? randomRun(Number(given))
  : (JSON.parse(readFileSync(given, 'utf8')) as Timeline);
const head = { id: 'run', title: 'run', about: '', kind: 'timeline' as const };
const shown = { shown: [{ head, timeline: () => timeline }], about: { title: 'run' } };
const server = await servePage(await builtPage(console.error), answerWith(shown), 0);
const browser = await launch();
try {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(server.url);
  await page.waitForSelector('.forest .site');
  const painted = await page.evaluate(() => performance.now());
  const received = (await page.evaluate(
    `performance.getEntriesByType('resource').find(({ name }) => name.includes('timeline/')).responseEnd`,
  )) as number;
  const megabytes = JSON.stringify(timeline).length / 1e6;
  console.log(`${timeline.steps.length} steps, ${timeline.sites.length} sites, ${megabytes.toFixed(1)} MB`);
  console.log(
    `all views are there after ${Math.round(painted)} ms, ${Math.round(painted - received)} ms of them to draw`,
  );
  console.log(`one step a frame: ${(await scrub(page, 1)).toFixed(1)} frames a second`);
  console.log(`far jumps: ${(await scrub(page, 1_237)).toFixed(1)} frames a second`);
  for (let press = 0; press < 24; press++) await page.keyboard.press('-');
  console.log(`far jumps, nearly all in view: ${(await scrub(page, 1_237)).toFixed(1)} frames a second`);
} finally {
  await browser.close();
  await server.close();
}

/** A run of four sites that ask and release, what happens next is drawn by lot. */
function randomRun(count: number): Timeline {
  let seed = 1;
  const choices = Array.from({ length: count }, () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed;
  });
  const { records } = new DrivenMesh(4, {}, undisturbed).random(choices);
  const dir = mkdtempSync(join(tmpdir(), 'baton-bench-'));
  try {
    for (const [name, lines] of Object.entries(records)) {
      writeFileSync(join(dir, `${name}.ndjson`), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    }
    return new Recording(dir).timeline('main');
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
