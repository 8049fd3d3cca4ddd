import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { SiteMessage } from '../../machines/epoch/messages.ts';
import { siteMachine } from '../../machines/epoch/site.ts';
import type { InvariantError, Notice } from '../index.ts';
import { openStore } from '../store/store.ts';
import { anyPort, codes, openMember } from '../testing/cluster.ts';
import { eventually } from '../testing/eventually.ts';
import { foundedBy } from '../testing/founded.ts';
import { data, hello, RawPeer, welcome } from '../testing/peer.ts';
import { configurationOf } from './configuration.ts';
import { siteCodec } from './protocol.ts';

const members = ['a', 'b', 'c', 'd', 'e'];
const nowhere = { host: '127.0.0.1', port: 1 };
const codec = siteCodec();
const configuration = configurationOf({ strict: undefined });

const ends: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** Site e with its disk, and a member a that sends any message; the others are absent. */
async function openAttacked() {
  const dataDir = mkdtempSync(join(tmpdir(), 'baton-breach-'));
  const crashes: InvariantError[] = [];
  const notices: Notice[] = [];
  const store = await openStore({ dataDir, site: 'e', cluster: 'test', newId: 'e' });
  store.putFounding(foundedBy(members));
  const e = await openMember(
    {
      cluster: 'test',
      site: 'e',
      listen: anyPort,
      peers: { a: nowhere, b: nowhere, c: nowhere, d: nowhere },
      root: 'a',
      limits: { closeTimeoutMs: 50 },
      dataDir,
      onCrash: (error) => crashes.push(error),
    },
    siteMachine,
    store,
  );
  e.cluster.on('notice', (notice) => notices.push(notice));
  ends.push(async () => {
    await e.cluster.close({ graceful: false });
    rmSync(dataDir, { recursive: true });
  });
  const meet = async (as = 'a') => {
    const a = await RawPeer.dial(e.cluster.address, codec);
    ends.push(() => void a.socket.destroy());
    // A new incarnation each time, so that its messages are not taken for repeated ones.
    const life = { configuration, incarnation: `${as}-${ends.length}` };
    a.say(hello(as, 'e', life));
    a.say(welcome(as, 'e', life));
    await eventually(() => expect(e.cluster.status().connected).toContain(as));
    return a;
  };
  /** The entry of `lock` on the disk, as the next run would read it. */
  const stored = async () => {
    await e.cluster.close({ graceful: false });
    const store = await openStore({ dataDir, site: 'e', cluster: 'test', newId: 'e' });
    const kept = store.locks().map((lock) => store.read(lock, 'a'));
    store.close();
    return kept;
  };
  return { e, meet, crashes, notices, stored };
}

const most = Number.MAX_SAFE_INTEGER;
const attacks: readonly (readonly [string, SiteMessage])[] = [
  ['a token that was not asked for', { type: 'TOKEN', epoch: 0, root: 'a', k: 1, line: [] }],
  ['a token of another root', { type: 'TOKEN', epoch: 0, root: 'e', k: most, line: [] }],
  [
    'a candidacy for the last epoch there is',
    { type: 'VOTE_REQUEST', epoch: most, candidate: 'a', term: 0, version: 1 },
  ],
  [
    'a candidacy in the name of another',
    { type: 'VOTE_REQUEST', epoch: 9, candidate: 'c', term: 0, version: 1 },
  ],
  ['the last epoch there is', { type: 'NEW', epoch: most, root: 'a' }],
  ['the last epoch there is, of its receiver', { type: 'NEW', epoch: most, root: 'e' }],
  ['a refusal by the last epoch there is', { type: 'REFUSE', epoch: 0, root: 'a', promise: most }],
  ['a request of its receiver', { type: 'REQUEST', epoch: 0, root: 'e', origin: 'e' }],
  ['a vote in the name of another', { type: 'VOTE', epoch: 1, voter: 'c', holds: null }],
  ['a promise in the name of another', { type: 'PROMISE', epoch: 0, root: 'a', voter: 'c', round: 1 }],
];

describe('a member that breaks the protocol by one message loses its connection, and nothing else happens', () => {
  test.each(attacks)('%s', async (_, message) => {
    const { e, meet, crashes, notices, stored } = await openAttacked();
    const a = await meet();
    a.say(data('a', 'e', message));
    await a.closed();
    expect(codes(notices)).toEqual(['PROTOCOL_BREACH']);
    expect(e.cluster.counters()).toMatchObject({ refused: { PROTOCOL_BREACH: 1 }, received: {} });
    // It may come back as a correct member.
    const again = await meet();
    again.say(data('a', 'e', { type: 'VOTE_REQUEST', epoch: 1, candidate: 'a', term: 0, version: 1 }));
    await eventually(() => expect(e.cluster.counters().received).toEqual({ VOTE_REQUEST: 1 }));
    expect(crashes).toEqual([]);
    expect(await stored()).toMatchObject([{ promised: 1, epoch: 0 }]);
  });
});

test('votes that one member gives for others are no majority', async () => {
  const { e, meet, notices } = await openAttacked();
  await meet('a');
  await meet('b');
  const waiting = e.cluster.lock('main').acquire({ timeoutMs: 1_500 });
  waiting.catch(() => undefined);
  // Another life of b: e, which waits, suspects the lock and stands.
  await meet('b');
  await eventually(() => expect(e.cluster.counters().suspicions).toBeGreaterThan(0));
  for (const voter of ['b', 'c', 'd']) {
    const forger = await meet();
    for (const [at, epoch] of [1, 2, 3].entries())
      forger.say(data('a', 'e', { type: 'VOTE', epoch, voter, holds: null }, at + 1));
    await forger.closed();
  }
  await expect(waiting).rejects.toMatchObject({ code: 'ACQUIRE_TIMEOUT' });
  expect(e.cluster.counters()).toMatchObject({ elections: 0, entered: 0 });
  expect(codes(notices)).toEqual(expect.arrayContaining(['PROTOCOL_BREACH']));
});

test('an answer to a message of an epoch that was never sent is none', async () => {
  const { e, meet, notices } = await openAttacked();
  const a = await meet();
  e.cluster.lock('main').status();
  a.say(data('a', 'e', { type: 'OVER', epoch: most, from: 'a', full: true }));
  await a.closed();
  expect(codes(notices)).toEqual(['PROTOCOL_BREACH']);
});
