import type { Effect, Message, SiteId } from '../../../machines/actor.ts';
import { siteMachine } from '../../../machines/naimi-trehel/site.ts';
import type { RecordLine, VectorClock } from '../../../machines/record.ts';
import { type KnownSnapshot, Steps } from '../steps.ts';

/** Records by site. */
export type Records = Readonly<Record<SiteId, readonly RecordLine[]>>;

interface Sent {
  readonly message: Message;
  readonly seq: number;
  readonly clock: VectorClock;
}

interface Driven {
  readonly site: SiteId;
  readonly steps: Steps;
  snapshot: KnownSnapshot;
  clock: VectorClock;
  readonly members: Set<SiteId>;
  readonly lines: RecordLine[];
}

/** As often as it stands here: a run in which everybody leaves at once shows little. */
const CLIENT = ['ask', 'ask', 'ask', 'release', 'release', 'release', 'release', 'withdraw', 'leave'];

/** The sites `a` (the root), `b`, ... of `naimi-trehel`, driven in memory; what they do is recorded. */
export class DrivenMesh {
  readonly #sites: ReadonlyMap<SiteId, Driven>;
  readonly #links = new Map<string, Sent[]>();

  /** `machines`: what they run; by default each the site machine. They record that name in any case. */
  constructor(count: number, machines: Readonly<Record<SiteId, Steps>> = {}) {
    const ids = Array.from({ length: count }, (_, index) => String.fromCharCode(97 + index));
    this.#sites = new Map(ids.map((site) => [site, begin(site, ids, machines[site] ?? correct)]));
  }

  get records(): Records {
    return Object.fromEntries([...this.#sites].map(([site, { lines }]) => [site, lines]));
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
    this.#happen(this.#sites.get(target)!, sent.message, source, sent);
    return this;
  }

  /** Each of `choices` picks one of the things that can happen next. */
  random(choices: readonly number[]): this {
    for (const choice of choices) {
      const enabled = this.#enabled();
      if (enabled.length === 0) break;
      enabled[choice % enabled.length]!();
    }
    return this;
  }

  #enabled(): (() => void)[] {
    return [...this.#sites.values()].flatMap(({ site, steps, snapshot }) => {
      const clients = CLIENT.filter((type) =>
        steps.take(snapshot, { type }).effects.every((effect) => effect.type !== 'unexpected'),
      ).map((type) => () => this.client(site, type));
      const deliveries = [...this.#sites.keys()]
        .filter((source) => this.#link(source, site).length > 0)
        .map((source) => () => this.deliver(source, site));
      return [...clients, ...deliveries, ...deliveries];
    });
  }

  #happen(target: Driven, event: Message, source: SiteId | null, sent: Sent | null): void {
    const { site, lines, members } = target;
    const seq = lines.length;
    const clock: Record<SiteId, number> = { ...target.clock };
    for (const [id, count] of Object.entries(sent?.clock ?? {})) clock[id] = Math.max(clock[id] ?? 0, count);
    clock[site] = seq;
    const { after, effects } = target.steps.take(target.snapshot, event);
    for (const effect of effects as readonly Effect[]) {
      if (effect.type !== 'send' && effect.type !== 'broadcast') continue;
      for (const to of effect.type === 'send' ? [effect.target] : members) {
        this.#link(site, to).push({ message: effect.message, seq, clock });
      }
    }
    if (event.type === 'LEAVE') members.delete(source!);
    target.snapshot = after;
    target.clock = clock;
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

const correct = new Steps(siteMachine);

function begin(site: SiteId, ids: readonly SiteId[], steps: Steps): Driven {
  const peers = ids.filter((id) => id !== site);
  const input = { self: site, root: ids[0]!, peers: peers.length };
  const { after } = steps.start(input);
  const first: RecordLine = {
    version: 1,
    kind: 'start',
    site,
    lock: 'main',
    machine: 'naimi-trehel',
    input,
    peers,
    snapshot: after.plain,
  };
  return { site, steps, snapshot: after, clock: {}, members: new Set(peers), lines: [first] };
}

/** The files of `records`, as replay reads them. */
export function filesOf(records: Readonly<Record<SiteId, readonly unknown[]>>) {
  return Object.entries(records).map(([site, lines]) => ({
    name: `${site}.ndjson`,
    lines: lines.map((line) => JSON.stringify(line)),
  }));
}
