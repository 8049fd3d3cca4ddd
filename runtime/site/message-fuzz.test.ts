import { expect, test } from 'vitest';
import { fuzzMessages } from '../testing/message-fuzz.ts';

test('a member that says well-formed messages by chance ends no site, poisons no disk and wins no election by others', async () => {
  const { said, refused, grants, ...harm } = await fuzzMessages(7, 4_000);
  expect(harm).toMatchObject({ crashes: [], poisoned: [], forged: [], lost: [] });
  expect(said).toBeGreaterThan(50);
  expect(refused).toBeGreaterThan(10);
  expect(grants).toBeGreaterThan(0);
}, 60_000);
