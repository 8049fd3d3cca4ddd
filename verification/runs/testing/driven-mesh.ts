import type { Effect, Message, SiteId } from '../../../machines/actor.ts';
import { eventsPerLife, type RecordLine, type VectorClock } from '../../../machines/record.ts';
import type { KnownSnapshot, KnownStep, Steps } from '../steps.ts';
import { type DrivenProtocol, naimiTrehel } from './driven-protocols.ts';

/** Records by the name of their file, without its extension. */
export type Records = Readonly<Record<string, readonly RecordLine[]>>;

interface Sent {
  readonly message: Message;
  readonly seq: number;
  readonly clock: VectorClock;
}

/** A site in one of its lives. */
interface Driven {
  readonly site: SiteId;
  readonly life: number;
  readonly steps: Steps;
  snapshot: KnownSnapshot;
  clock: VectorClock;
  isUp: boolean;
  /** The state that was persisted last. */
  disk: unknown;
  /** The state that was persisted before the last event, until another site knows of that event. */
  diskBefore: unknown;
  readonly members: Set<SiteId>;
  readonly lines: RecordLine[];
}

/** The sites `a` (the first root), `b`, ... of a protocol, driven in memory and recorded. */
export class DrivenMesh {
  readonly #protocol: DrivenProtocol;
  readonly #sites: Map<SiteId, Driven>;
  readonly #links = new Map<string, Sent[]>();
  readonly #records: Record<string, readonly RecordLine[]> = {};

  /**
   * `machines` are the machines that the sites run; by default each runs the site machine. The record names
   * that machine in any case.
   */
  constructor(count: number, machines: Readonly<Record<SiteId, Steps>> = {}, protocol = naimiTrehel) {
    const ids = Array.from({ length: count }, (_, index) => String.fromCharCode(97 + index));
    this.#protocol = protocol;
    this.#sites = new Map(ids.map((site) => [site, this.#begin(site, ids, machines[site], 0, 'none')]));
  }

  get records(): Records {
    return this.#records;
  }

  /** The client of `site` says `type`. */
  client(site: SiteId, type: string): this {
    this.#happen(this.#sites.get(site)!, { type }, null, null);
    return this;
  }

  /** The oldest message under way from `source` to `target` arrives. */
  deliver(source: SiteId, target: SiteId): this {
    const sent = this.#link(source, target).shift();
    if (sent === undefined) throw new Error(`nothing is under way from ${source} to ${target}`);
    const sender = this.#sites.get(source)!;
    if (sent.seq === sender.clock[source]) sender.diskBefore = sender.disk;
    this.#happen(this.#sites.get(target)!, sent.message, source, sent);
    return this;
  }

  /**
   * `site` dies. Messages under way to it are lost; of those that it sent, the first `kept` to each site
   * arrive.
   */
  crash(site: SiteId, kept = Number.POSITIVE_INFINITY): this {
    for (const other of this.#sites.keys()) {
      this.#link(site, other).splice(kept);
      this.#link(other, site).length = 0;
    }
    this.#sites.get(site)!.isUp = false;
    return this;
  }

  /** `site` dies before another site knows of its last event, and before that is on its disk. */
  crashEarly(site: SiteId): this {
    const driven = this.#sites.get(site)!;
    for (const other of this.#sites.keys()) {
      const link = this.#link(site, other);
      while (link.at(-1)?.seq === driven.clock[site]) link.pop();
    }
    driven.disk = driven.diskBefore;
    return this.crash(site);
  }

  /** `site` begins another run with `disk`; by default with the state that it persisted last. */
  restart(site: SiteId, disk = this.#sites.get(site)!.disk): this {
    const { steps, life } = this.#sites.get(site)!;
    this.#sites.set(site, this.#begin(site, [...this.#sites.keys()], steps, life + 1, disk));
    return this;
  }

  /**
   * The link between `site` and `peer` begins anew; of the messages that `site` sent, the first `kept` still
   * arrive.
   */
  renewLink(site: SiteId, peer: SiteId, kept = 0): this {
    this.#link(site, peer).splice(kept);
    this.#link(peer, site).length = 0;
    this.#sites.get(site)!.lines.push({ version: 1, kind: 'link', site, lock: 'main', peer });
    return this;
  }

  /** Each of `choices` picks one of the things that can happen next. `early`: are there early crashes? */
  random(choices: readonly number[], early = false): this {
    for (const choice of choices) {
      const enabled = this.#enabled(choice, early);
      if (enabled.length === 0) break;
      enabled[choice % enabled.length]!();
    }
    return this;
  }

  #enabled(choice: number, early: boolean): (() => void)[] {
    const ids = [...this.#sites.keys()];
    return [...this.#sites.values()].flatMap(({ site, steps, snapshot, isUp, disk, diskBefore }) => {
      if (!isUp) return [() => this.restart(site)];
      const clients = this.#protocol.client
        .filter((type) =>
          steps.take(snapshot, { type }).effects.every((effect) => effect.type !== 'unexpected'),
        )
        .map((type) => () => this.client(site, type));
      const deliveries = ids
        .filter((source) => this.#link(source, site).length > 0)
        .map((source) => () => this.deliver(source, site));
      const peer = ids.find((id) => id !== site)!;
      const isUnknown = early && diskBefore !== disk;
      const failures = [
        () => (isUnknown ? this.crashEarly(site) : this.crash(site, choice % 3)),
        () => this.renewLink(site, peer, choice % 3),
      ];
      const mayFail = this.#protocol.survives && choice % 10 === 0;
      return [...clients, ...deliveries, ...deliveries, ...(mayFail ? failures : [])];
    });
  }

  #begin(
    site: SiteId,
    ids: readonly SiteId[],
    steps = this.#protocol.steps,
    life: number,
    disk: unknown,
  ): Driven {
    const peers = ids.filter((id) => id !== site);
    const input = this.#protocol.input(site, ids, disk);
    const step = steps.start(input);
    const lines: RecordLine[] = [
      {
        version: 1,
        kind: 'start',
        site,
        lock: 'main',
        ...(life > 0 && { life }),
        machine: this.#protocol.name,
        input,
        peers,
        snapshot: step.after.plain,
      },
    ];
    this.#records[life === 0 ? site : `${site}@${life}`] = lines;
    const clock = { [site]: life * eventsPerLife };
    const members = new Set(peers);
    const kept = persisted(step) ?? disk;
    return {
      site,
      life,
      steps,
      snapshot: step.after,
      clock,
      isUp: true,
      disk: kept,
      diskBefore: kept,
      members,
      lines,
    };
  }

  #happen(target: Driven, event: Message, source: SiteId | null, sent: Sent | null): void {
    const { site, lines, members } = target;
    const seq = target.clock[site]! + 1;
    const clock: Record<SiteId, number> = { ...target.clock };
    for (const [id, count] of Object.entries(sent?.clock ?? {})) clock[id] = Math.max(clock[id] ?? 0, count);
    clock[site] = seq;
    const step = target.steps.take(target.snapshot, event);
    const { after, effects } = step;
    for (const effect of effects as readonly Effect[]) {
      if (effect.type !== 'send' && effect.type !== 'broadcast') continue;
      for (const to of effect.type === 'send' ? [effect.target] : members) {
        if (this.#sites.get(to)?.isUp) this.#link(site, to).push({ message: effect.message, seq, clock });
      }
    }
    if (event.type === 'LEAVE') members.delete(source!);
    target.snapshot = after;
    target.clock = clock;
    target.diskBefore = target.disk;
    target.disk = persisted(step) ?? target.disk;
    const cause = sent === null ? null : { site: source!, seq: sent.seq };
    const snapshot = after.plain;
    lines.push({
      version: 1,
      kind: 'event',
      site,
      lock: 'main',
      seq,
      clock,
      cause,
      event: { ...event },
      snapshot,
      effects,
    });
  }

  #link(source: SiteId, target: SiteId): Sent[] {
    const key = `${source}>${target}`;
    const link = this.#links.get(key) ?? [];
    this.#links.set(key, link);
    return link;
  }
}

function persisted({ effects }: KnownStep): unknown {
  const last = effects.findLast(({ type }) => type === 'persist');
  if (last === undefined) return undefined;
  const { type: _, ...disk } = last;
  return disk;
}

/** The files of `records`, as replay reads them. */
export function filesOf(records: Readonly<Record<string, readonly unknown[]>>) {
  return Object.entries(records).map(([name, lines]) => ({
    name: `${name}.ndjson`,
    lines: lines.map((line) => JSON.stringify(line)),
  }));
}
