import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { RecordLine } from '../../machines/record.ts';
import { replay } from '../../verification/runs/replay.ts';
import { ordeal } from './ordeal.ts';
import { writeRecordedRun } from './recorded-run.ts';

test('a simulated run with crashes and restarts is a record that the model accepts', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'baton-simulated-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const lines: RecordLine[] = [];
  const { granted } = await ordeal({ sites: 3, seed: 3, witness: (line) => void lines.push(line) }, 1_000);
  writeRecordedRun(dir, lines);
  const { accepted, refusal, locks } = replay(dir);
  expect(refusal).toBeUndefined();
  expect(accepted).toBe(true);
  expect(locks[0]!.lives).toBeGreaterThan(3);
  expect(locks[0]!.criticalSections).toBe(granted.length);
});
