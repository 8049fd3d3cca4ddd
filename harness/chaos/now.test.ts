import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { afterRunning, now } from './now.ts';

const stand = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

test('time in which the process was stopped is not counted', async () => {
  let isOver = false;
  const begunAt = now();
  const over = new Promise<void>((resolve) => {
    afterRunning(600, () => {
      isOver = true;
      resolve();
    });
  });
  stand(1_000);
  await sleep(1);
  expect(isOver).toBe(false);
  await over;
  expect(now() - begunAt).toBeGreaterThan(1_300);
});
