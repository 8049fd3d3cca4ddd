import { expect, test } from 'vitest';
import { OperatingError } from '../../runtime/api/errors.ts';
import type { Cluster } from '../../runtime/index.ts';
import { Session } from './session.ts';

test('status at a site that was removed says so, and the commands go on', async () => {
  const said: string[] = [];
  const lock = {
    status: () => {
      throw new OperatingError('NOT_A_MEMBER', 'c was removed');
    },
  };
  const cluster = { lock: () => lock, close: async () => undefined } as unknown as Cluster;
  const lines = ['status', 'help', null];
  const session = new Session(
    cluster,
    () => undefined,
    (text) => said.push(text),
  );
  await session.run(async () => lines.shift()!);
  expect(said[0]).toBe('no status: NOT_A_MEMBER: c was removed');
  expect(said).toHaveLength(4);
});
