import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SiteMessage } from '../../machines/epoch/messages.ts';
import { transportOf } from '../../runtime/mailbox/tcp/transport.ts';
import { configurationOf } from '../../runtime/site/configuration.ts';
import { siteCodec } from '../../runtime/site/protocol.ts';
import { readStore } from '../../runtime/store/store.ts';
import { membersLock } from '../../runtime/wire/frames.ts';
import type { Judgement } from '../../verification/runs/histories/judge.ts';
import type { ChaosCluster } from './cluster.ts';
import { Draws } from './draws.ts';
import { HostileMember } from './hostile-member.ts';

const pauseMs = 4;
/** Pause in ms before it dials an unreachable site again. */
const notMetMs = 25;
/** Number of messages in one flood. */
const floodOf = 500;
/** Distance of a lie's epoch from the epochs that were heard; beyond 8 it is refused. */
const leastAhead = -2;
const mostAhead = 12;

/** Figures of the hostile site. */
export interface HostileFigures {
  readonly said: number;
  /** Number of its connections that the others ended. */
  readonly closed: number;
}

/**
 * The first site of a cluster, which dials all others, as a liar: its process is killed, and its name, its id and its credentials pass to this
 * one, which says forged messages to all others: tokens that it does not have, votes of its own and in the names of others, epochs far away, and floods
 * of one message. The seed chooses its messages.
 */
export class HostileSite {
  readonly site: string;
  readonly #cluster: ChaosCluster;
  readonly #draws: Draws;
  readonly #stopped = new AbortController();
  readonly #members: HostileMember[] = [];
  readonly #speaking: Promise<unknown>;
  /** The newest epoch of each lock that any site told it. */
  readonly #epochs = new Map<string, number>();
  #said = 0;

  private constructor(cluster: ChaosCluster, site: string, seed: number, id: string) {
    this.site = site;
    this.#cluster = cluster;
    this.#draws = new Draws(seed);
    const { cluster: name, listen, peers, credentials } = cluster.member(site).options;
    const transport = transportOf({ cluster: name, site, listen, peers, ...credentials });
    const codec = siteCodec();
    const others = Object.entries(peers);
    this.#speaking = Promise.all(
      others.map(([target, address]) => {
        const member = new HostileMember({
          identity: { cluster: name, configuration: configurationOf({ strict: undefined }), site, id },
          target,
          dial: () => transport.call(address, target, () => undefined),
          codec,
          heard: (lock, message) => this.#heard(member, target, lock, message as SiteMessage),
        });
        this.#members.push(member);
        return this.#speak(member, target);
      }),
    );
    // `end` reports its errors.
    this.#speaking.catch(() => undefined);
  }

  /** Kills the process of `site` and sends in its place. */
  static async begin(cluster: ChaosCluster, site: string, seed: number): Promise<HostileSite> {
    const member = cluster.member(site);
    await member.kill();
    const { cluster: name } = member.options;
    const { id } = readStore({ dataDir: join(cluster.dir, site), site, cluster: name, newId: '' });
    cluster.fault(`${site} lies from now on`);
    return new HostileSite(cluster, site, seed, id);
  }

  /**
   * Falls silent, and its data are taken away: the others have met later runs of them than there were, and take what is on the disk
   * for an old copy. The site may start again: it takes its old place under a new id.
   */
  async end(): Promise<HostileFigures> {
    this.#stopped.abort();
    for (const member of this.#members) member.leave();
    await this.#speaking;
    const data = join(this.#cluster.dir, this.site);
    rmSync(data, { recursive: true });
    mkdirSync(data);
    this.#cluster.fault(`${this.site} lies no more`);
    return { said: this.#said, closed: this.#members.reduce((sum, { closed }) => sum + closed, 0) };
  }

  async #speak(member: HostileMember, target: string): Promise<void> {
    const locks = [...this.#cluster.resources.keys()];
    while (!this.#stopped.signal.aborted) {
      const lock = this.#draws.percent(95) ? this.#draws.oneOf(locks) : membersLock;
      const lie = this.#lie(lock, target);
      const times = this.#draws.percent(2) ? floodOf : 1;
      for (let time = 0; time < times && !this.#stopped.signal.aborted; time++)
        if (await member.say(lock, lie)) this.#said += 1;
        else await sleep(notMetMs);
      await sleep(pauseMs);
    }
  }

  /** Answers a message if it can: a candidate gets votes that no site gave, and a waiting site a token. */
  #heard(member: HostileMember, target: string, lock: string, message: SiteMessage): void {
    if ('epoch' in message) this.#epochs.set(lock, Math.max(this.#epochs.get(lock) ?? 0, message.epoch));
    if (this.#stopped.signal.aborted || !this.#draws.percent(50)) return;
    if (message.type === 'VOTE_REQUEST') {
      const voter = this.#draws.oneOf([...this.#cluster.members.keys()]);
      this.#tell(member, lock, { type: 'VOTE', epoch: message.epoch, voter, holds: null });
    } else if (message.type === 'REQUEST') {
      const { epoch, root } = message;
      this.#tell(member, lock, { type: 'TOKEN', epoch, root, k: this.#draws.whole(0, 1_000), line: [] });
    } else if (message.type === 'TOKEN') {
      // The token was sent to it: it is kept, and sent back twice.
      for (const k of [message.k, message.k + 1]) this.#tell(member, lock, { ...message, k });
    } else if (this.#draws.percent(20)) this.#tell(member, lock, this.#lie(lock, target));
  }

  #tell(member: HostileMember, lock: string, message: SiteMessage): void {
    void member.say(lock, message).then((said) => {
      if (said) this.#said += 1;
    });
  }

  #lie(lock: string, target: string): SiteMessage {
    const draws = this.#draws;
    const sites = [...this.#cluster.members.keys()];
    const known = this.#epochs.get(lock) ?? 0;
    const epoch = draws.percent(5)
      ? draws.oneOf([2 ** 32, Number.MAX_SAFE_INTEGER])
      : Math.max(0, known + draws.whole(leastAhead, mostAhead));
    const site = () => (draws.percent(60) ? this.site : draws.oneOf(sites));
    const [term, version] = [0, draws.whole(0, 3)];
    switch (draws.whole(0, 6)) {
      case 0:
        return {
          ...{ type: 'TOKEN', epoch: known, root: draws.oneOf(sites), k: draws.whole(0, 1_000_000) },
          line: sites.filter(() => draws.percent(40)),
        };
      case 1:
        return { type: 'VOTE', epoch, voter: site(), holds: draws.percent(50) ? null : known };
      case 2:
        return { type: 'VOTE_REQUEST', epoch, candidate: site(), term, version };
      case 3:
        return { type: 'NEW', epoch, root: draws.percent(20) ? target : site() };
      case 4:
        return { type: 'REFUSE', epoch: known, root: draws.oneOf(sites), promise: epoch };
      case 5:
        return { type: 'OVER', epoch: known, from: site(), full: draws.percent(50) };
      default:
        return { type: 'REQUEST', epoch: known, root: draws.oneOf(sites), origin: site() };
    }
  }
}

/**
 * The rules that need every member to be honest (SECURITY.md): a token that a member makes up is accepted by
 * the waiting site.
 */
const ofHonestMembers: readonly string[] = [
  'no two sites are inside at once in one epoch (S1, S4)',
  'no two grants share a fence (S3)',
  'fences rise within an epoch, and at each site (S5)',
  'nothing accepted is lost',
];

/** The judgement by the rules that hold whatever one member sends. */
export function whateverOneSays({ findings, figures }: Judgement): Judgement {
  const kept = Object.entries(findings).filter(([name]) => !ofHonestMembers.includes(name));
  const held = kept.every(([, { violations }]) => violations.length === 0);
  return { findings: Object.fromEntries(kept), figures, held };
}

/** Number of violations of the other rules. */
export function brokenByLies({ findings }: Judgement): number {
  return ofHonestMembers.reduce((sum, name) => sum + (findings[name]?.violations.length ?? 0), 0);
}
