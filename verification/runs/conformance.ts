import type { Effect, Message, SiteId } from '../../machines/actor.ts';
import { type EventLine, eventsPerLife, type LinkLine, type VectorClock } from '../../machines/record.ts';
import { Link, type Sent, type UnderWay } from './link.ts';
import { type Occurrence, Refused } from './nonconformance.ts';
import type { GlobalPromise, Refuse } from './promises/promises.ts';
import type { RecordedMachine } from './recorded-machine.ts';
import type { SiteRecord } from './site-record.ts';
import { type KnownSnapshot, type KnownStep, Steps, same } from './steps.ts';

interface SiteState {
  readonly site: SiteId;
  /** The later runs of the site. */
  readonly later: SiteRecord[];
  record: SiteRecord;
  snapshot: KnownSnapshot;
  clock: VectorClock;
  /** The sites that a broadcast goes to. */
  members: Set<SiteId>;
}

/**
 * Walks the records of one lock's sites in one order that respects causality, holds every step against the
 * machine, and tells the protocol's promises of each. The lives of a site follow one another.
 */
export class Conformance {
  readonly #protocol: RecordedMachine;
  readonly #promises: readonly GlobalPromise[];
  readonly #steps: Steps;
  readonly #mesh: readonly SiteId[];
  /** The input of some site, as an example. */
  readonly #example: unknown;
  readonly #sites = new Map<SiteId, SiteState>();
  /** The links, by source and target. */
  readonly #links = new Map<string, Link>();
  /** Runs whose last events the next run has forgotten. */
  readonly #forgotten: SiteRecord[] = [];
  readonly counts = { lives: 0, events: 0, messages: 0, lost: 0, criticalSections: 0, elections: 0 };

  /** `records`: of each site that has used the lock, its lives in order. `mesh`: all sites. */
  constructor(
    protocol: RecordedMachine,
    records: ReadonlyMap<SiteId, readonly [SiteRecord, ...SiteRecord[]]>,
    mesh: readonly SiteId[],
  ) {
    this.#protocol = protocol;
    this.#promises = protocol.promises();
    this.#steps = Steps.of(protocol.machine);
    this.#mesh = mesh;
    const lives = [...records.values()];
    this.#example = lives[0]![0].start.input;
    for (const ofSite of lives) {
      for (const [index, next] of ofSite.slice(1).entries()) this.#forget(ofSite[index]!, next);
    }
    for (const [first, ...later] of lives) {
      const { snapshot, members } = this.#begin(first);
      this.#sites.set(first.site, { site: first.site, later, record: first, snapshot, clock: {}, members });
    }
    const refuse: Refuse = (code, reason) => lives[0]![0].refuse(code, reason);
    for (const promise of this.#promises) promise.begun?.(refuse);
    for (const [first] of lives) first.advance(this.#mesh);
  }

  /** To the end of every record. */
  /** `judged` is called after each line. */
  run(judged: () => void = () => undefined): void {
    for (let moved = true; moved; ) {
      moved = false;
      for (const state of this.#sites.values())
        while (this.#move(state)) {
          moved = true;
          judged();
        }
    }
    this.#refuseStuck();
    for (const promise of this.#promises) promise.end?.();
  }

  get underWay(): UnderWay[] {
    return [...this.#links.values()].flatMap((link) => link.underWay).map(({ clock: _, ...sent }) => sent);
  }

  /** Judges the next line of a site; false when it must wait, or when there is none. */
  #move(state: SiteState): boolean {
    const { head } = state.record;
    if (head === null) return this.#beginNext(state);
    if (head.kind === 'link') this.#renewLink(state, head);
    else if (head.cause !== null && this.#seqOf(head.cause.site) < head.cause.seq) return false;
    else this.#step(state, head);
    state.record.advance(this.#mesh);
    return true;
  }

  /** The number of the last event that was judged. */
  #seqOf(site: SiteId): number {
    return this.#sites.get(site)?.record.seq ?? 0;
  }

  #forget(record: SiteRecord, { start }: SiteRecord): void {
    record.forgottenFrom = this.#protocol.forgottenFrom?.(record, start) ?? Number.POSITIVE_INFINITY;
    if (record.forgottenFrom < Number.POSITIVE_INFINITY) this.#forgotten.push(record);
  }

  #begin(record: SiteRecord): Pick<SiteState, 'snapshot' | 'members'> {
    const { site, life, start } = record;
    if (life > 0 && !this.#protocol.survives) {
      record.refuse('REPLAY_MESH', `it is of life ${life}, and a site of ${start.machine} has one life, 0`);
    }
    const expectedInput = this.#protocol.input(start, this.#mesh, this.#example);
    if (!same(start.input, expectedInput)) {
      record.refuse('REPLAY_START', `it started with ${show(start.input)}, not ${show(expectedInput)}`);
    }
    const { after, effects } = this.#steps.start(start.input);
    const { snapshot } = start;
    if (!same(snapshot, after.plain)) {
      const [recorded, expected] = [snapshot, after.plain].map((one) => ({ snapshot: one, effects: [] }));
      record.refuse('REPLAY_START', 'the machine starts in another snapshot', {
        recorded: recorded!,
        expected: expected!,
      });
    }
    const refuse: Refuse = (code, reason) => record.refuse(code, reason);
    for (const promise of this.#promises) {
      promise.start?.({ site, life, input: start.input, snapshot, effects, refuse });
    }
    this.counts.lives++;
    return { snapshot: after, members: new Set(this.#mesh.filter((id) => id !== site)) };
  }

  /**
   * A crash is no event: a run is over when its record ends. Messages under way to the site, or from it, may
   * be lost.
   */
  #beginNext(state: SiteState): boolean {
    const next = state.later.shift();
    if (next === undefined) return false;
    for (const id of this.#mesh) {
      if (id === state.site) continue;
      this.#link(state.site, id).cut();
      this.#link(id, state.site).renew();
    }
    Object.assign(state, this.#begin(next), { record: next, clock: {} });
    next.advance(this.#mesh);
    return true;
  }

  #renewLink({ site, record }: SiteState, { peer }: LinkLine): void {
    if (!this.#protocol.survives) {
      record.refuse(
        'REPLAY_MESH',
        `a link was lost, and with it what ${record.start.machine} cannot do without`,
      );
    }
    this.#link(site, peer).cut();
    this.#link(peer, site).renew();
  }

  #step(state: SiteState, line: EventLine): void {
    const sent = this.#receive(state, line);
    this.#checkClock(state, line, sent);
    const step = this.#steps.take(state.snapshot, line.event);
    this.#checkStep(state, line, step);
    if (sent !== null) this.counts.lost += this.#link(sent.source, sent.target).receive(sent);
    const sends = this.#send(state, line, step);
    this.#checkPromises(state, line, step, sends);
    const departed = sent === null ? null : this.#protocol.departs(line.event);
    if (departed !== null) state.members.delete(departed);
    state.snapshot = step.after;
    state.clock = line.clock;
    this.counts.events++;
    for (const { type } of step.effects) {
      if (type === 'grant') this.counts.criticalSections++;
      if (type === 'elected') this.counts.elections++;
    }
  }

  #receive(state: SiteState, line: EventLine): Sent | null {
    const { site, cause, event } = line;
    const isMessage = this.#protocol.messages.includes(event.type);
    const refuse = (reason: string) =>
      state.record.refuse('REPLAY_RECEIPT', reason, {
        event: occurrence(line),
        allowed: this.#allowed(state),
      });
    if (cause === null) {
      if (isMessage) refuse(`a message needs the event that sent it as its cause`);
      const { clientEvents, isClientEvent } = this.#protocol;
      const isKnown = isClientEvent?.(event) ?? clientEvents.some((known) => same(known, event));
      if (!isKnown) refuse('no client says this');
      return null;
    }
    if (!isMessage) refuse('only a message has a cause');
    if (cause.seq === 0 && this.#protocol.isUnrecorded?.(event)) return null;
    this.#checkForgotten(state, line);
    const { next } = this.#link(cause.site, site);
    if (next.length === 0) return refuse(`nothing was under way from ${cause.site}`);
    const sent = next.find(({ seq, message }) => seq === cause.seq && same(event, message));
    if (sent !== undefined) return sent;
    const expected = next.map(({ message, seq }) => `${show(message)}, sent in event ${seq}`).join(' or ');
    return refuse(
      `next under way from ${cause.site} was ${expected}; recorded: ${show(event)} of event ${cause.seq}`,
    );
  }

  #checkForgotten({ record }: SiteState, line: EventLine): void {
    const { site, seq } = line.cause!;
    const knows = this.#forgotten.find(
      (other) => other.site === site && seq >= other.forgottenFrom && seq < (other.life + 1) * eventsPerLife,
    );
    if (knows === undefined) return;
    const reason = `it tells of event ${seq} of ${site}, and the disk of ${site} did not have that event later (R7)`;
    record.refuse('REPLAY_DISK', reason, { event: occurrence(line) });
  }

  #checkClock(state: SiteState, line: EventLine, sent: Sent | null): void {
    for (const id of this.#mesh) {
      const past = Math.max(state.clock[id] ?? 0, sent?.clock[id] ?? 0);
      const expected = id === line.site ? line.seq : past;
      const recorded = line.clock[id] ?? 0;
      if (recorded === expected) continue;
      const reason = `its clock has ${recorded} for ${id}; its past makes that ${expected}`;
      state.record.refuse('REPLAY_CLOCK', reason, { event: occurrence(line) });
    }
  }

  #checkStep(state: SiteState, line: EventLine, step: KnownStep): void {
    const snapshotDiffers = !same(line.snapshot, step.after.plain);
    const effectsDiffer = !same(line.effects, step.effects);
    const unexpected = step.effects.some(({ type }) => type === 'unexpected');
    if (!snapshotDiffers && !effectsDiffer && !unexpected) return;
    const differs = [snapshotDiffers && 'snapshot', effectsDiffer && 'effects'].filter(Boolean).join(' and ');
    const reason = unexpected
      ? `the machine does not take ${line.event.type} here`
      : `the machine takes ${line.event.type} here, with other ${differs}`;
    state.record.refuse(unexpected ? 'REPLAY_UNEXPECTED' : 'REPLAY_STEP', reason, {
      event: occurrence(line),
      recorded: { snapshot: line.snapshot, effects: line.effects },
      expected: { snapshot: step.after.plain, effects: step.effects },
      allowed: this.#allowed(state),
    });
  }

  #send({ members }: SiteState, { site, seq, clock }: EventLine, step: KnownStep): readonly Message[] {
    const sends = sendsOf(step, members);
    for (const { target, message } of sends) {
      this.#link(site, target).send({ source: site, target, message, seq, clock });
      this.counts.messages++;
    }
    return sends.map(({ message }) => message);
  }

  #checkPromises(
    { record: { file, line: number }, snapshot }: SiteState,
    line: EventLine,
    { after, effects }: KnownStep,
    sent: readonly Message[],
  ): void {
    // May be called when the record is already past this line.
    const refuse: Refuse = (code, reason) => {
      throw new Refused({ code, file, line: number, reason, event: occurrence(line) });
    };
    const { site, seq, clock, cause, event } = line;
    const received = cause === null ? null : event;
    const step = {
      site,
      seq,
      clock,
      cause,
      received,
      before: snapshot.plain,
      after: after.plain,
      effects,
      sent,
    };
    for (const promise of this.#promises) promise.step?.({ ...step, refuse });
  }

  /** Every next line waits: one for an event that no record holds, or all for one another. */
  #refuseStuck(): void {
    const stuck = [...this.#sites.values()].filter(({ record }) => record.head !== null);
    if (stuck.length === 0) return;
    const headOf = ({ record }: SiteState) => record.head as EventLine & { readonly cause: object };
    const orphan = stuck.find((state) => !this.#sites.get(headOf(state).cause.site)?.record.head);
    const state = orphan ?? stuck[0]!;
    const { site, seq } = headOf(state).cause;
    const why =
      orphan === undefined
        ? 'which waits for it in turn'
        : `whose record ends with event ${this.#seqOf(site)}`;
    const event = occurrence(headOf(state));
    state.record.refuse('REPLAY_CAUSE', `its cause is event ${seq} of ${site}, ${why}`, { event });
  }

  #allowed({ site, snapshot }: SiteState): Occurrence[] {
    const clients = this.#protocol.clientEvents
      .filter((event) => this.#steps.take(snapshot, event).effects.every(({ type }) => type !== 'unexpected'))
      .map((event) => ({ site, event, source: null }));
    const messages = this.#mesh
      .flatMap((source) => this.#link(source, site).next)
      .map(({ source, message }) => ({ site, event: message, source }));
    return [...clients, ...messages];
  }

  #link(source: SiteId, target: SiteId): Link {
    const key = JSON.stringify([source, target]);
    let link = this.#links.get(key);
    if (link === undefined) {
      link = new Link();
      this.#links.set(key, link);
    }
    return link;
  }
}

/** The messages of a step, one for each target. */
function sendsOf(
  { effects }: KnownStep,
  members: ReadonlySet<SiteId>,
): Pick<UnderWay, 'target' | 'message'>[] {
  return (effects as readonly Effect[]).flatMap((effect) => {
    if (effect.type === 'send') return [{ target: effect.target, message: effect.message }];
    if (effect.type === 'broadcast')
      return [...members].map((target) => ({ target, message: effect.message }));
    return [];
  });
}

function occurrence({ site, event, cause }: EventLine): Occurrence {
  return { site, event, source: cause?.site ?? null };
}

function show(value: unknown): string {
  return JSON.stringify(value);
}
