import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { sample } from 'fast-check';
import { HostileMember } from '../../harness/chaos/hostile-member.ts';
import type { SiteId } from '../../machines/actor.ts';
import type { SiteMessage } from '../../machines/epoch/messages.ts';
import { siteMachine } from '../../machines/epoch/site.ts';
import type { RecordLine } from '../../machines/record.ts';
import type { Address } from '../api/peer.ts';
import type { InvariantError, Lock } from '../index.ts';
import { configurationOf } from '../site/configuration.ts';
import { foundingLayout, messageLayout, siteCodec, vocabulary } from '../site/protocol.ts';
import { openStore } from '../store/store.ts';
import { membersLock } from '../wire/frames.ts';
import type { Layout } from '../wire/layout.ts';
import { anyMessage, someMessages } from './any-message.ts';
import { anyPort, type Member, openMember } from './cluster.ts';
import { foundedBy } from './founded.ts';

const members = ['a', 'b', 'c'];
const honest = ['b', 'c'] as const;
const locks = ['x', 'y', 'z'];

export interface FuzzResult {
  readonly said: number;
  readonly refused: number;
  /** Grants to callers of the two honest sites, while the hostile one spoke. */
  readonly grants: number;
  readonly elections: number;
  readonly crashes: readonly InvariantError[];
  /** Entries on the disks that no honest election and no step of the hostile member within bounds explains. */
  readonly poisoned: readonly string[];
  /** Elections that were won by a vote that nobody gave. */
  readonly forged: readonly string[];
  /** Locks that the two cannot get any more when the third is gone. */
  readonly lost: readonly string[];
  /** Sites that a made-up configuration has removed. */
  readonly removed: readonly SiteId[];
  /** How often the two believed each other down, on a busy machine. Then the hostile one alone is believed (M6), and may remove them. */
  readonly apart: number;
  /** How often a site voted for the hostile one as a coordinator, which may change the members, one at a time (SECURITY.md). */
  readonly coordinated: number;
}

/**
 * Two sites with disks and records that use three locks, and a third member that says well-formed messages by chance for
 * so long. The same seed draws the same messages; when they arrive is the machine's.
 */
export async function fuzzMessages(seed: number, forMs: number): Promise<FuzzResult> {
  const dir = mkdtempSync(join(tmpdir(), 'baton-fuzz-'));
  const crashes: InvariantError[] = [];
  const open = async (site: SiteId, peers: Record<SiteId, Address>, listen: Address = anyPort) => {
    const dataDir = join(dir, site);
    const store = await openStore({ dataDir, site, cluster: 'fuzz', newId: site });
    if (store.founding === null) store.putFounding(foundedBy(members));
    return openMember(
      {
        ...{ cluster: 'fuzz', site, listen, peers, dataDir },
        traceDir: join(dir, 'trace'),
        limits: { closeTimeoutMs: 100 },
        timing: { suspectMinMs: 5, suspectMaxMs: 20, electionMinMs: 20, electionMaxMs: 100 },
        onCrash: (error) => crashes.push(error),
      },
      siteMachine,
      store,
    );
  };
  const nowhere = { host: '127.0.0.1', port: 1 };
  const before = await open('c', { a: nowhere, b: nowhere });
  const { address: addressOfC } = before.cluster;
  await before.cluster.close();
  const b = await open('b', { a: nowhere, c: addressOfC });
  let apart = 0;
  const sites = new Map<SiteId, Member>([['b', b]]);
  const configuration = configurationOf({ strict: undefined });
  const codec = siteCodec();
  const given = new Set<string>();
  let said = 0;
  let grants = 0;
  let coordinated = 0;
  let working = true;
  const hostileTo = (target: SiteId): HostileMember => {
    const vote = (lock: string, epoch: number, voter: SiteId) => {
      if (voter === 'a') given.add(`${lock} ${epoch} a ${target}`);
      void member.say(lock, { type: 'VOTE', epoch, voter, holds: null } as SiteMessage);
    };
    const member: HostileMember = new HostileMember({
      identity: { cluster: 'fuzz', configuration, site: 'a', id: 'a' },
      target,
      dial: () => connect({ ...sites.get(target)!.cluster.address }),
      codec,
      // A candidate is answered as a voter would, in another's name.
      heard: (lock, message) => {
        if ((message.type as string) === 'MEMBERS_VOTE') coordinated += 1;
        if (message.type === 'VOTE_REQUEST' && said % 2 === 0)
          vote(lock, (message as SiteMessage).epoch, target === 'b' ? 'c' : 'b');
      },
    });
    return member;
  };
  const removed = new Set<SiteId>();
  /** `null`: the site is a member no more. */
  const epochAt = (site: SiteId, lock: string): number | null => {
    try {
      return sites.get(site)!.cluster.lock(lock).status().epoch;
    } catch (error) {
      if ((error as { code?: string }).code !== 'NOT_A_MEMBER') throw error;
      removed.add(site);
      return null;
    }
  };
  const use = async ({ cluster }: Member, lock: string) => {
    while (working && crashes.length === 0 && epochAt(cluster.site, lock) !== null)
      await cluster
        .lock(lock)
        .run(() => new Promise((done) => setTimeout(done, 1)), { timeoutMs: 100 })
        .then(() => grants++)
        // An error that comes at once must not keep this process from everything else.
        .catch(() => new Promise((done) => setTimeout(done, 1)));
  };
  const attack = async (target: SiteId, until: number, of: number, spoken: Layout) => {
    const member = hostileTo(target);
    for (let round = 0; performance.now() < until && crashes.length === 0; round++) {
      const [drafts] = sample(someMessages(anyMessage(spoken, members, 'a')), {
        seed: of + round,
        numRuns: 1,
      });
      for (const [at, draft] of drafts!.entries()) {
        // Messages about the cluster itself are sent about a lock too, and the other way round.
        const about = (round + at) % (locks.length + 1);
        const lock = locks[about] ?? membersLock;
        const known = epochAt(target, locks[about % locks.length]!);
        if (known === null) return member.leave();
        const message = draft(known) as SiteMessage;
        if (message.type === 'VOTE') given.add(`${lock} ${message.epoch} a ${target}`);
        if (await member.say(lock, message)) said += 1;
      }
      await member.settle();
    }
    member.leave();
  };
  // At first the hostile member is the only other one there, so that a majority takes its vote or a forged one. The two are also a majority that
  // may remove the third: of the members it speaks only when all are there.
  const users = locks.map((lock) => use(b, lock));
  await attack('b', performance.now() + forMs / 2, seed, { ...messageLayout, ...foundingLayout });
  const c = await open('c', { a: nowhere, b: nowhere }, addressOfC);
  sites.set('c', c);
  for (const { cluster } of sites.values())
    cluster.on('notice', ({ type, ...notice }) => {
      if (type === 'down' && 'peer' in notice && notice.peer !== 'a') apart += 1;
    });
  users.push(...locks.map((lock) => use(c, lock)));
  await isGranted(c.cluster.lock(locks[0]!));
  const until = performance.now() + forMs / 2;
  await Promise.all(
    honest.map((target, at) => attack(target, until, seed + (at + 1) * 1_000_000, vocabulary)),
  );
  working = false;
  await Promise.all(users);
  const lost: string[] = [];
  for (const [site, { cluster }] of sites)
    for (const lock of locks)
      if (
        crashes.length === 0 &&
        epochAt(site, lock) !== null &&
        removed.size === 0 &&
        !(await isGranted(cluster.lock(lock)))
      )
        lost.push(`${lock} at ${site}: ${JSON.stringify([cluster.lock(lock).status(), cluster.status()])}`);
  const opened = [...sites.values()];
  const counts = opened.map(({ cluster }) => cluster.counters());
  for (const { cluster } of opened) await cluster.close({ graceful: false });
  const poisoned: string[] = [];
  for (const site of honest) {
    const store = await openStore({ dataDir: join(dir, site), site, cluster: 'fuzz', newId: site });
    for (const lock of store.locks()) {
      const kept = store.read(lock, 'a');
      // Every step of the hostile member is of at most 8 epochs.
      if (kept !== 'none' && kept.promised > 8 * (said + 1))
        poisoned.push(`${lock} at ${site}: ${kept.promised}`);
    }
    store.close();
  }
  const forged = forgedIn(join(dir, 'trace'), given);
  rmSync(dir, { recursive: true });
  return {
    said,
    refused: counts.reduce((sum, { refused }) => sum + (refused['PROTOCOL_BREACH'] ?? 0), 0),
    grants,
    elections: counts.reduce((sum, { elections }) => sum + elections, 0),
    crashes,
    poisoned,
    forged,
    lost,
    removed: [...removed],
    apart,
    coordinated,
  };
}

/**
 * One try of 20 seconds. Another one is made only if the process itself stood still for over a second of them (its
 * machine was suspended, or busy): a timer that is due is then fired before the messages that came meanwhile are read.
 */
async function isGranted(lock: Lock): Promise<boolean> {
  for (;;) {
    const delay = monitorEventLoopDelay({ resolution: 20 });
    delay.enable();
    const granted = await lock.run(() => true, { timeoutMs: 20_000 }).catch(() => false);
    delay.disable();
    if (granted || delay.max < 1e9) return granted;
  }
}

/** The recorded elections with a voter that has not voted. `given`: the votes of sites that record nothing. */
function forgedIn(dir: string, given: ReadonlySet<string>): string[] {
  const votes = new Set(given);
  const elections: {
    readonly lock: string;
    readonly epoch: number;
    readonly by: SiteId;
    readonly voters: SiteId[];
  }[] = [];
  for (const file of readdirSync(dir))
    for (const text of readFileSync(join(dir, file), 'utf8').split('\n')) {
      if (text === '') continue;
      const line = JSON.parse(text) as RecordLine;
      if (line.kind !== 'event') continue;
      for (const effect of line.effects) {
        const message = effect['message'] as SiteMessage | undefined;
        if (effect.type === 'send' && message?.type === 'VOTE')
          votes.add(`${line.lock} ${message.epoch} ${line.site} ${effect['target']}`);
        if (effect.type === 'elected')
          elections.push({
            lock: line.lock,
            epoch: effect['epoch'] as number,
            by: line.site,
            voters: Object.keys(effect['voters'] as object),
          });
      }
    }
  return elections.flatMap(({ lock, epoch, by, voters }) =>
    voters
      .filter((voter) => voter !== by && !votes.has(`${lock} ${epoch} ${voter} ${by}`))
      .map((voter) => `${by} won epoch ${epoch} of ${lock} by a vote of ${voter} that it did not give`),
  );
}
