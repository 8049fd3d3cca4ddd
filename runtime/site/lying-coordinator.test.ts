import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { HostileMember } from '../../harness/chaos/hostile-member.ts';
import type { Message, SiteId } from '../../machines/actor.ts';
import { siteMachine } from '../../machines/epoch/site.ts';
import { voterOf } from '../../machines/members/configuration.ts';
import type { Address } from '../api/peer.ts';
import type { InvariantError } from '../index.ts';
import { openStore } from '../store/store.ts';
import { openMember } from '../testing/cluster.ts';
import { eventually } from '../testing/eventually.ts';
import { foundedBy } from '../testing/founded.ts';
import { freePorts } from '../testing/free-ports.ts';
import { membersLock } from '../wire/frames.ts';
import { configurationOf } from './configuration.ts';
import { siteCodec } from './protocol.ts';

const members = ['a', 'b', 'c'];
const nowhere = { host: '127.0.0.1', port: 1 };
const liar = voterOf('a', 'a');

const configuration = (term: number, version: number, names: readonly SiteId[]) => ({
  ...{ term, version, base: 0 },
  voters: Object.fromEntries(names.map((name) => [voterOf(name, name), true])),
});

test('a coordinator that tells each voter another configuration ends no process, and without it neither of them grants anything', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'baton-liar-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const crashes: InvariantError[] = [];
  let term = 5;
  const votes = new Set<SiteId>();
  const start = async (site: SiteId, listen: Address, peers: Readonly<Record<SiteId, Address>>) => {
    const dataDir = join(dir, site);
    const store = await openStore({ dataDir, site, cluster: 'test', newId: site });
    store.putFounding(foundedBy(members));
    const { cluster } = await openMember(
      {
        ...{ cluster: 'test', site, listen, peers: { a: nowhere, ...peers }, dataDir },
        onCrash: (error) => crashes.push(error),
      },
      siteMachine,
      store,
    );
    onTestFinished(() => cluster.close({ graceful: false }));
    const member = new HostileMember({
      identity: {
        cluster: 'test',
        configuration: configurationOf({ strict: undefined }),
        site: 'a',
        id: 'a',
      },
      target: site,
      dial: () => connect({ ...listen }),
      codec: siteCodec(),
      heard: (_, message) => {
        const { type, term: ofTerm } = message as { readonly type: string; readonly term?: number };
        if (type === 'MEMBERS_VOTE' && ofTerm === term) votes.add(site);
      },
    });
    const say = (type: string, message: object) =>
      member.say(membersLock, { type: `MEMBERS_${type}`, generation: 1, ...message } as unknown as Message);
    return { site, cluster, member, say };
  };
  const [atB, atC] = (await freePorts(2)).map((port) => ({ host: '127.0.0.1', port }));
  const others = [await start('b', atB!, { c: atC! }), await start('c', atC!, { b: atB! })];

  // One of them may have stood by now. The other one has told it the term that it promised to the liar, so that it refuses this term.
  await eventually(async () => {
    votes.clear();
    term += 1;
    for (const { say } of others)
      await say('VOTE_REQUEST', { term, candidate: liar, configuration: configuration(0, 1, members) });
    await vi.waitFor(() => expect([...votes].toSorted()).toEqual(['b', 'c']));
  });
  for (const { site, say } of others)
    for (const told of [configuration(term, 1, members), configuration(term, 2, ['a', site])])
      await say('CONFIGURATION', { configuration: told, origin: liar });
  const votersAt = () => others.map(({ cluster }) => cluster.members().voters.map(({ site }) => site));
  await eventually(() =>
    expect(votersAt()).toEqual([
      ['a', 'b'],
      ['a', 'c'],
    ]),
  );
  for (const { member } of others) member.leave();
  for (const { cluster } of others) {
    await eventually(() => expect(cluster.status().majority).toBe(false));
    expect(cluster.lock('x').tryAcquire()).toBeNull();
    await expect(cluster.lock('x').acquire({ timeoutMs: 50 })).rejects.toThrow('(missing: a)');
    expect(cluster.counters()).toMatchObject({ entered: 0 });
  }
  expect(crashes).toEqual([]);
});
