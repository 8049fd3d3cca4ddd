import { expect, test } from 'vitest';
import { fuzzMessages } from '../testing/message-fuzz.ts';

/** `FUZZ_SECONDS=3600 npx vitest run --config vitest.slow.config.ts message-fuzz` goes on for an hour. */
const seconds = Number(process.env['FUZZ_SECONDS'] ?? 120);
/** Time for one cluster: its record is read whole. */
const perClusterMs = 30_000;

test('members that say well-formed messages by chance, for long', async () => {
  const totals = { clusters: 0, said: 0, refused: 0, grants: 0, elections: 0, coordinated: 0, apart: 0 };
  const until = performance.now() + seconds * 1_000;
  for (let seed = 1; performance.now() < until; seed++) {
    const { said, refused, grants, elections, ...harm } = await fuzzMessages(seed * 10_000_000, perClusterMs);
    expect(harm, `seed ${seed}`).toMatchObject({
      crashes: [],
      poisoned: [],
      forged: [],
      lost: [],
      removed: harm.apart === 0 ? [] : expect.any(Array),
    });
    totals.clusters += 1;
    totals.said += said;
    totals.refused += refused;
    totals.grants += grants;
    totals.elections += elections;
    totals.coordinated += harm.coordinated;
    totals.apart += harm.apart;
  }
  console.log(JSON.stringify(totals));
});
