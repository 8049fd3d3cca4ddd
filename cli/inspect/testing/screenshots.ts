import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { check } from '../../../verification/check.ts';
import copiedToken from '../../../verification/naimi-trehel/copied-token.ts';
import { naimiTrehel } from '../../../verification/naimi-trehel/system.ts';
import { chrome, launch } from '../../testing/browser.ts';
import { takingTurns, writeLines } from '../../testing/recorded.ts';
import { answerExploring } from '../explore.ts';
import { recordSources } from '../from-record.ts';
import { fromReport } from '../from-report.ts';
import { builtPage } from '../page.ts';
import { type Answer, servePage } from '../server.ts';
import { answerWith } from '../sources.ts';

/** Takes the pictures of docs/images from the page itself: `node --import tsx cli/inspect/testing/screenshots.ts`. */
const images = join(import.meta.dirname, '../../../docs/images');

if (chrome === null) process.exit(1);
const files = await builtPage(console.error);
const browser = await launch();
mkdirSync(images, { recursive: true });
try {
  const options = { sites: 3, network: { order: 'fifo' } } as const;
  const mutant = copiedToken(options);
  const report = await check(mutant);
  await shoot(browser, answerWith(fromReport(mutant, report)), [
    ['counterexample.png', 'light', '#source=mutual-exclusion&step=4'],
  ]);
  await shoot(browser, answerExploring(naimiTrehel({ ...options, sites: 4 })), [
    ['exploring.png', 'dark', '#path=1.1.2.0.1.1&step=6'],
  ]);
  const dir = mkdtempSync(join(tmpdir(), 'baton-images-'));
  try {
    writeLines(dir, takingTurns(60), 0);
    const shown = { shown: recordSources(dir), about: { title: 'a run' } };
    await shoot(browser, answerWith(shown), [['run.png', 'dark', '#step=60']]);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
} finally {
  await browser.close();
}

type Shot = readonly [file: string, theme: 'light' | 'dark', hash: string];

async function shoot(on: Browser, answer: Answer, shots: readonly Shot[]): Promise<void> {
  const server = await servePage(files, answer, 0);
  try {
    for (const [file, colorScheme, hash] of shots) {
      const page = await on.newPage({ viewport: { width: 1440, height: 900 }, colorScheme });
      await page.goto(`${server.url}${hash}`);
      await page.waitForSelector('.state.active');
      // Whatever glides has come to rest.
      await page.waitForTimeout(600);
      await page.screenshot({ path: join(images, file) });
      await page.close();
    }
  } finally {
    await server.close();
  }
}
