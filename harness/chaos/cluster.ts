import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Timing } from '../../runtime/index.ts';
import type { Entry, Grant } from '../../verification/runs/histories/history.ts';
import { type Credentials, credentialsOf, type Security } from './credentials.ts';
import { lockOf, locksWith } from './locks.ts';
import { loopbackOfItsOwn } from './loopback.ts';
import { Member } from './member.ts';
import type { ToSite } from './messages.ts';
import { afterRunning, now } from './now.ts';
import { Operator } from './operator.ts';
import type { SitePool } from './processes.ts';
import { FaultProxy } from './proxy.ts';
import { Resource } from './resource.ts';

/** Options for tests of the harness. Each injects a fault that the harness must detect. */
export interface Hooks {
  /** The resource accepts every write. */
  readonly gateOff?: boolean;
  /** The sites run this mutant of the statechart (`verification/protocols/epoch/mutants.ts`). */
  readonly mutant?: string;
  /** A site takes no old copy of its data for one: each run of it counts as a later one. */
  readonly forgetsRuns?: boolean;
}

/** How the sites are joined. */
export interface Joining {
  /** The credentials of the links. Default: none. */
  readonly secured?: Security;
  /** Number of locks beside the main one, each with its own resource. Default 0. */
  readonly otherLocks?: number;
  /** The first site lies while there are faults. */
  readonly hostile?: boolean;
}

export interface ClusterOptions extends Hooks, Joining {
  readonly sites: readonly string[];
  /** The names of sites that may become members later. Default: none. */
  readonly spares?: readonly string[];
  /** The founder that the others do not meet at first. Default: none. */
  readonly late?: { readonly site: string; readonly kind: string } | null;
  /** The rates of the clocks of the sites. Default: 1. */
  readonly rates?: Readonly<Record<string, number>>;
  /** An empty directory. */
  readonly dir: string;
  readonly pool: SitePool;
  readonly timing: Timing;
  /** Without the proxy: each site dials the others directly and gets the answers of the kernel. */
  readonly direct?: boolean;
}

/** Ports on an address of their own, below the range that a system assigns by itself. */
const directPort = 20_100;

/**
 * N sites as N processes behind the fault proxy, the resource that they share, and the history of the run.
 */
export class ChaosCluster {
  readonly dir: string;
  readonly history: Entry[] = [];
  readonly proxy: FaultProxy;
  /** The resource of each lock. */
  readonly resources: ReadonlyMap<string, Resource>;
  readonly members: ReadonlyMap<string, Member>;
  readonly operator = new Operator(this);
  readonly #late: { readonly site: string; readonly kind: string } | null;
  readonly #secure: () => Promise<void>;
  #credentials: ReadonlyMap<string, Credentials> = new Map();

  constructor(options: ClusterOptions) {
    const {
      sites,
      spares = [],
      late = null,
      rates = {},
      dir,
      pool,
      timing,
      direct = false,
      gateOff = false,
      mutant,
      forgetsRuns = false,
      secured,
      hostile = false,
    } = options;
    this.dir = dir;
    this.#late = late;
    const names = [...sites, ...spares];
    mkdirSync(dir, { recursive: true });
    this.proxy = new FaultProxy(names);
    this.resources = new Map(
      locksWith(options.otherLocks ?? 0).map((lock) => [
        lock,
        new Resource(join(dir, `ledger of ${lock}`), !gateOff),
      ]),
    );
    const cluster = `chaos ${process.pid}`;
    this.#secure = async () => {
      if (secured) this.#credentials = await credentialsOf(secured, cluster, names, join(dir, 'credentials'));
    };
    const host = loopbackOfItsOwn();
    const addressOf = (site: string) => ({ host, port: direct ? directPort + names.indexOf(site) : 0 });
    // Where there is no spare, the sites find out by themselves whether they found a cluster or join one.
    const membershipOf = (site: string, isFounded: boolean) => {
      if (spares.length === 0) return {};
      return isFounded || spares.includes(site) ? { join: true } : { founders: sites };
    };
    this.members = new Map(
      names.map((site) => {
        const others = names.filter((other) => other !== site);
        const member = new Member({
          site,
          dir,
          isWanted: sites.includes(site),
          pool,
          record: (entry) => this.history.push(entry),
          open: (isFounded) => ({
            site,
            cluster,
            root: sites[0]!,
            listen: addressOf(site),
            peers: Object.fromEntries(
              others.map((other) => [other, direct ? addressOf(other) : this.proxy.address(site, other)]),
            ),
            membership: membershipOf(site, isFounded),
            timing,
            credentials: this.#credentials.get(site) ?? {},
            mutant: mutant ?? null,
            rate: rates[site] ?? 1,
            forgetsRuns,
            hostile,
          }),
          up: (address) => this.proxy.up(site, address),
          down: () => this.proxy.down(site),
          write: ({ type: _, id, ...request }): ToSite => {
            const write = this.resources.get(lockOf(request.section))!.write(request);
            this.history.push(write);
            return { type: 'answer', id, accepted: write.accepted, value: write.value };
          },
        });
        return [site, member];
      }),
    );
  }

  async open(): Promise<void> {
    await Promise.all([this.proxy.open(), this.#secure()]);
    const late = this.#late;
    const isApart = late?.kind === 'founders-apart';
    if (isApart) await this.#refuse(late.site);
    const first = [...this.members.values()].filter(
      ({ site, isWanted }) => isWanted && (isApart || site !== late?.site),
    );
    // Each has started, or failed to, before `end` may find it.
    const opened = await Promise.allSettled(
      first.map((member) => (late === null ? member.found() : member.start())),
    );
    for (const one of opened) if (one.status === 'rejected') throw one.reason;
  }

  /** Nobody reaches `site` until `accept`, and it reaches nobody. */
  async #refuse(site: string): Promise<void> {
    await Promise.all(this.#waysOf(site).map((way) => this.proxy.refuse(...way)));
  }

  async accept(site: string): Promise<void> {
    await Promise.all(this.#waysOf(site).map((way) => this.proxy.accept(...way)));
  }

  #waysOf(site: string): readonly (readonly [string, string])[] {
    return [...this.members.keys()].flatMap((other) =>
      other === site
        ? []
        : ([
            [site, other],
            [other, site],
          ] as const),
    );
  }

  member(site: string): Member {
    return this.members.get(site)!;
  }

  /** Records a fault in the history. */
  fault(what: string): void {
    this.history.push({ type: 'fault', at: now(), what });
  }

  /** Returns the grant of a section that lasts until `drop`; null if it does not come within `withinMs`. */
  async take(site: string, section: string, withinMs: number): Promise<Grant | null> {
    this.member(site).tell({ type: 'take', section });
    return this.granted(section, withinMs);
  }

  async granted(section: string, withinMs: number): Promise<Grant | null> {
    await this.until(() => this.#grant(section) !== null, withinMs);
    return this.#grant(section);
  }

  /** Ends the critical section that `take` began. */
  drop(site: string, section: string): void {
    this.member(site).tell({ type: 'drop', section });
  }

  /** Has `site` told since `since` that it met a run of `peer`? */
  hasMet(site: string, peer: string, since: number): boolean {
    const met = [`${peer} is up`, `${peer} is restarted`];
    return this.history.some(
      (entry) =>
        entry.type === 'notice' && entry.site === site && entry.at > since && met.includes(entry.what),
    );
  }

  /** Has a site told since `since` that it refused an old copy of the data of `site`? */
  refusedOldCopy(site: string, since: number): boolean {
    const told = `refuses: PEER_RESTARTED: ${site} was met in run `;
    return this.history.some(
      (entry) => entry.type === 'notice' && entry.at > since && entry.what.startsWith(told),
    );
  }

  has(type: Entry['type'], section: string): boolean {
    return this.history.some(
      (entry) => entry.type === type && 'section' in entry && entry.section === section,
    );
  }

  #grant(section: string): Grant | null {
    const found = this.history.findLast((entry) => entry.type === 'grant' && entry.section === section);
    return (found as Grant | undefined) ?? null;
  }

  /** Resolves to false if `condition` does not hold within `withinMs`. */
  async until(condition: () => boolean, withinMs: number): Promise<boolean> {
    let isOver = false;
    const cancel = afterRunning(withinMs, () => {
      isOver = true;
    });
    try {
      while (!(condition() || isOver)) await new Promise((resolve) => setTimeout(resolve, 5));
    } finally {
      cancel();
    }
    return condition();
  }

  async end(): Promise<void> {
    await Promise.all([...this.members.values()].map((member) => member.end()));
    await this.proxy.close();
  }
}
