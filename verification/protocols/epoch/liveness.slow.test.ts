import { expect, test } from 'vitest';
import { possibilities } from './liveness.ts';
import { type EpochOptions, epochStrict } from './system.ts';

test('three sites in strict mode: each that waits can still be served, though leases and promises run out', async () => {
  const options: EpochOptions = { sites: 3, network: { order: 'fifo' }, strict: true, refusals: 'none' };
  const { stuck, from } = await possibilities['a waiting site can still be served'](
    epochStrict(options),
    'b',
    options,
  );
  expect(stuck).toBeNull();
  expect(from).toBeGreaterThan(10_000);
});
