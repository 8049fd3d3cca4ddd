import { cpSync, lstatSync, renameSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChaosCluster } from './cluster.ts';
import type { Member } from './member.ts';
import type { MemberChange } from './messages.ts';
import { now } from './now.ts';
import type { MembersFault } from './schedule.ts';

/** Limit in ms for one change of the members, with all its attempts. */
const agreedMs = 20_000;
/** Limit in ms of one attempt. */
const attemptMs = 2_000;
const pauseMs = 50;
/** Limit in ms within which every member meets a site that was started again, and one refuses its old copy. */
const metMs = 10_000;

/**
 * The operator of a cluster. It changes the members one at a time, each until it is done, by the calls of `Cluster` at sites that are
 * up. The faults go on meanwhile.
 */
export class Operator {
  readonly #cluster: ChaosCluster;
  #alone: Promise<void> = Promise.resolve();
  #attempts = 0;
  /** Ends all that it waits for. */
  #ended: AbortSignal = new AbortController().signal;

  constructor(cluster: ChaosCluster) {
    this.#cluster = cluster;
  }

  /** Does what the fault says, once the changes before it are done. `over` resolves at its end. Rejects with the reason of `ended`. */
  inflict(fault: MembersFault, over: () => Promise<void>, ended: AbortSignal): Promise<void> {
    this.#ended = ended;
    this.#cluster.member('by' in fault ? fault.by : fault.site).prepare();
    this.#alone = this.#alone.then(() => this.#inflict(fault, over));
    return this.#alone;
  }

  /** Makes sure that each site that is to be a member is one, with its present data, and that no other is. */
  async confirm(ended: AbortSignal): Promise<void> {
    this.#ended = ended;
    for (const { site, isWanted } of this.#cluster.members.values())
      await (isWanted ? this.#change({ add: site }, [site]) : this.#change({ remove: site }));
  }

  async #inflict(fault: MembersFault, over: () => Promise<void>): Promise<void> {
    const member = this.#cluster.member(fault.site);
    switch (fault.kind) {
      case 'late-start':
        await member.alone(async () => {
          await over();
          await member.start();
        });
        return this.#founded();
      case 'founders-apart':
        await over();
        await this.#cluster.accept(fault.site);
        return this.#founded();
      case 'add':
        return this.#add(member);
      case 'remove':
        // Its further requests are refused. Its process ends as soon as the members have agreed.
        if (fault.isRunning) await this.#change({ remove: fault.site });
        await member.alone(() => member.retire());
        return this.#change({ remove: fault.site });
      case 'replace': {
        const by = this.#cluster.member(fault.by);
        await by.alone(() => by.enlist());
        await this.#change({ replace: fault.site, by: fault.by });
        await member.alone(() => member.retire());
        return this.#change({ add: fault.by }, [fault.by]);
      }
      case 'empty-disk':
        await member.alone(async () => {
          await member.retire();
          await member.enlist();
        });
        return this.#change({ add: fault.site }, [fault.site]);
      case 'old-copy':
        return this.#alsoAlone([...this.#cluster.members.values()], () => this.#putBack(member, fault.forMs));
      default:
        return fault satisfies never;
    }
  }

  async #add(member: Member): Promise<void> {
    const { site } = member;
    await member.alone(() => member.enlist());
    await this.#change({ add: site });
    // The others may know a site of this name that was there before.
    await this.#change({ add: site }, [site]);
  }

  /**
   * Starts `member` with a copy of its data that is older than the run that all others have met. Every other process is left alone
   * meanwhile: a site that is started again does not know what it had met before.
   */
  async #putBack(member: Member, forMs: number): Promise<void> {
    const { site, dataDir } = member;
    const [copy, aside] = [`${dataDir}.copy`, `${dataDir}.aside`];
    await member.kill();
    // A socket in it belongs to a process, and is no data.
    cpSync(dataDir, copy, { recursive: true, filter: (path) => !lstatSync(path).isSocket() });
    const startedAt = now();
    await member.start();
    member.prepare();
    const others = this.#wanted.filter((other) => other !== member);
    const met = () => others.every((other) => this.#cluster.hasMet(other.site, site, startedAt));
    const isKnown = await this.#cluster.until(met, metMs);
    await member.kill();
    if (isKnown) {
      const swappedAt = now();
      renameSync(dataDir, aside);
      renameSync(copy, dataDir);
      this.#cluster.fault(`${site} has an old copy of its data`);
      await member.start();
      const { life } = member;
      member.prepare();
      await this.#cluster.until(() => this.#cluster.refusedOldCopy(site, swappedAt), metMs);
      await sleep(forMs, undefined, { signal: this.#ended });
      await member.kill();
      if (this.#cluster.history.some((e) => e.type === 'grant' && e.site === site && e.life === life))
        member.broke('OLD_COPY', 'it was granted the lock with an old copy of its data');
      rmSync(dataDir, { recursive: true });
      renameSync(aside, dataDir);
      this.#cluster.fault(`${site} has its own data again`);
    } else rmSync(copy, { recursive: true });
    await member.start();
  }

  #alsoAlone([first, ...others]: readonly Member[], work: () => Promise<void>): Promise<void> {
    return first === undefined ? work() : first.alone(() => this.#alsoAlone(others, work));
  }

  get #wanted(): readonly Member[] {
    return [...this.#cluster.members.values()].filter(({ isWanted }) => isWanted);
  }

  /** Every site that is to be a member has started. */
  get #isOpen(): boolean {
    return this.#wanted.every(({ isOpen }) => isOpen);
  }

  async #founded(): Promise<void> {
    const isFounded = () => {
      this.#ended.throwIfAborted();
      return this.#wanted.every((member) => member.isFounded);
    };
    // A slow machine may take longer than that to start a process.
    await this.#cluster.until(() => isFounded() || this.#isOpen, 10 * agreedMs);
    if (await this.#cluster.until(isFounded, agreedMs)) return;
    for (const member of this.#wanted.filter(({ isFounded }) => !isFounded))
      member.broke(
        'NOT_FOUNDED',
        `it knows of no founding ${agreedMs / 1000} s after the last founder started`,
      );
  }

  /** On a slow machine a site whose disk was full stops after its fault is over, and nothing else would start it. */
  async #startStopped(): Promise<void> {
    for (const member of this.#wanted)
      await member.alone(async () => {
        if (member.isWanted && !member.isUp) await member.start();
      });
  }

  /**
   * Asks one site after the other, of `at` or of the members that the change is not about, until one has done it. An attempt that
   * timed out may still be agreed on: the next one then finds it done.
   */
  async #change(change: MemberChange, at?: readonly string[]): Promise<void> {
    const about = Object.values(change);
    let last = 'no site was up';
    // The time that a slow machine takes to start a process does not count.
    for (let leftMs = agreedMs, since = now(); leftMs > 0; since = now()) {
      const wasOpen = this.#isOpen;
      const asked = this.#wanted.filter(
        ({ site, isOpen }) => isOpen && (at === undefined ? !about.includes(site) : at.includes(site)),
      );
      const member = asked[this.#attempts++ % asked.length];
      if (member !== undefined) {
        const answer = await member.change(change, attemptMs);
        if (answer?.code === null) {
          this.#cluster.fault(`${inWords(change)}, done at ${member.site}`);
          return;
        }
        last = answer === null ? `${member.site} ended meanwhile` : `${member.site} says: ${answer.message}`;
      }
      await sleep(pauseMs, undefined, { signal: this.#ended });
      await this.#startStopped();
      // Nor does time in which all of this was stopped.
      if (wasOpen && this.#isOpen) leftMs -= Math.min(now() - since, 2 * attemptMs);
    }
    this.#cluster
      .member(about[0]!)
      .broke('NOT_AGREED', `${inWords(change)} was not agreed on within ${agreedMs / 1000} s; ${last}`);
  }
}

function inWords(change: MemberChange): string {
  if ('replace' in change) return `replace ${change.replace} by ${change.by}`;
  return 'add' in change ? `add ${change.add}` : `remove ${change.remove}`;
}
