import { afterEach, test } from 'vitest';
import { endFleets } from './testing/fleet.ts';
import { growAndShrink } from './testing/grow-and-shrink.ts';

afterEach(endFleets);

test('a fleet in strict mode grows from one to four and shrinks to one, and is one cluster throughout', async () => {
  await growAndShrink({ strict: { leaseMs: 500 } });
}, 60_000);
