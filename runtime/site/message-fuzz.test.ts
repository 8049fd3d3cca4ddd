import { expect, test } from 'vitest';
import { fuzzMessages } from '../testing/message-fuzz.ts';

test('a member that says well-formed messages by chance ends no site, poisons no disk, removes no other and wins no election by others', async () => {
  const { said, refused, grants, ...harm } = await fuzzMessages(7, 3_000);
  expect(harm).toMatchObject({ crashes: [], poisoned: [], forged: [], lost: [], removed: [] });
  expect(said).toBeGreaterThan(50);
  expect(refused).toBeGreaterThan(10);
  expect(grants).toBeGreaterThan(0);
}, 60_000);
