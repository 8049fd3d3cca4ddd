import type { Effect, Message, SiteId } from '../../machines/actor.ts';
import type { EventLine, VectorClock } from '../../machines/record.ts';
import type { RecordedMachine } from './recorded-machine.ts';
import type { Occurrence } from './refusal.ts';
import type { SiteRecord } from './site-record.ts';
import { type KnownSnapshot, type KnownStep, Steps, same } from './steps.ts';

/** A message that was sent and has not been received. */
export interface UnderWay {
  readonly source: SiteId;
  readonly target: SiteId;
  readonly message: Message;
  /** The event of `source` in which it was sent. */
  readonly seq: number;
}

type Sent = UnderWay & { readonly clock: VectorClock };

interface SiteState {
  readonly record: SiteRecord;
  snapshot: KnownSnapshot;
  clock: VectorClock;
  /** To whom it broadcasts. */
  readonly members: Set<SiteId>;
}

/**
 * Walks the records of one lock's sites in one order that respects causality, and holds every step
 * against the machine.
 *
 * One order speaks for all: a step that neither makes nor loses a token does so in every order, and
 * critical sections each of which happens before the next (by vector clock) overlap in none.
 */
export class Judge {
  readonly #protocol: RecordedMachine;
  readonly #steps: Steps;
  readonly #mesh: readonly SiteId[];
  readonly #sites = new Map<SiteId, SiteState>();
  /** What is under way, by source and target; first in, first out. */
  readonly #links = new Map<string, Sent[]>();
  #inside: SiteId | null = null;
  #lastExit: { readonly site: SiteId; readonly seq: number } | null = null;
  readonly counts = { events: 0, messages: 0, criticalSections: 0 };

  constructor(protocol: RecordedMachine, records: readonly SiteRecord[]) {
    this.#protocol = protocol;
    this.#steps = new Steps(protocol.machine);
    this.#mesh = records.map(({ site }) => site);
    for (const record of records) this.#begin(record, records[0]!.start.input);
    const tokens = [...this.#sites.values()].reduce(
      (sum, s) => sum + protocol.tokensHeld(s.snapshot.plain),
      0,
    );
    if (tokens !== 1) records[0]!.refuse('REPLAY_TOKEN', `the mesh starts with ${tokens} tokens, not one`);
    for (const record of records) record.advance(this.#mesh);
  }

  /** To the end of every record. */
  run(): void {
    for (let moved = true; moved; ) {
      moved = false;
      for (const state of this.#sites.values()) {
        for (let head = state.record.head; head !== null && this.#ready(head); head = state.record.head) {
          this.#step(state, head);
          state.record.advance(this.#mesh);
          moved = true;
        }
      }
    }
    this.#refuseStuck();
  }

  get underWay(): UnderWay[] {
    return [...this.#links.values()].flat().map(({ clock: _, ...sent }) => sent);
  }

  #begin(record: SiteRecord, example: unknown): void {
    const { site, input, snapshot } = record.start;
    const expectedInput = this.#protocol.input(site, this.#mesh, example);
    if (!same(input, expectedInput)) {
      record.refuse('REPLAY_START', `it started with ${show(input)}, not ${show(expectedInput)}`);
    }
    const started = this.#steps.start(input);
    if (!same(snapshot, started.after.plain)) {
      const expected = { snapshot: started.after.plain, effects: started.effects };
      record.refuse('REPLAY_START', 'the machine starts in another snapshot', {
        recorded: { snapshot, effects: [] },
        expected,
      });
    }
    const members = new Set(this.#mesh.filter((id) => id !== site));
    this.#sites.set(site, { record, snapshot: started.after, clock: {}, members });
  }

  #ready({ cause }: EventLine): boolean {
    return cause === null || this.#sites.get(cause.site)!.record.seq >= cause.seq;
  }

  #step(state: SiteState, line: EventLine): void {
    const sent = this.#receive(state, line);
    this.#checkClock(state, line, sent);
    const step = this.#steps.take(state.snapshot, line.event);
    this.#checkStep(state, line, step);
    if (sent !== null) this.#link(sent.source, sent.target).shift();
    this.#send(state, line, step);
    this.#checkToken(state, line, step);
    this.#checkCriticalSection(state, line, step);
    const departed = sent === null ? null : this.#protocol.departs(line.event);
    if (departed !== null) state.members.delete(departed);
    state.snapshot = step.after;
    state.clock = line.clock;
    this.counts.events++;
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
      if (!this.#protocol.clientEvents.some((known) => same(known, event))) refuse('no client says this');
      return null;
    }
    if (!isMessage) refuse('only a message has a cause');
    const sent = this.#link(cause.site, site)[0];
    if (sent === undefined) return refuse(`nothing was under way from ${cause.site}`);
    if (sent.seq !== cause.seq || !same(event, sent.message)) {
      const next = `${show(sent.message)}, sent in event ${sent.seq}`;
      refuse(`next under way from ${cause.site} was ${next}; recorded: ${show(event)} of event ${cause.seq}`);
    }
    return sent;
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

  #send({ members }: SiteState, { site, seq, clock }: EventLine, step: KnownStep): void {
    for (const { target, message } of sends(step, members)) {
      this.#link(site, target).push({ source: site, target, message, seq, clock });
      this.counts.messages++;
    }
  }

  #checkToken({ record, snapshot, members }: SiteState, line: EventLine, step: KnownStep): void {
    const { tokensHeld, tokensIn } = this.#protocol;
    const before = tokensHeld(snapshot.plain) + (line.cause === null ? 0 : tokensIn(line.event));
    const sent = sends(step, members).reduce((sum, { message }) => sum + tokensIn(message), 0);
    const made = tokensHeld(step.after.plain) + sent - before;
    if (made === 0) return;
    const reason = made > 0 ? `the step makes ${made} more` : `the step loses ${-made}`;
    record.refuse('REPLAY_TOKEN', `there is one token, and ${reason}`, { event: occurrence(line) });
  }

  #checkCriticalSection({ record, snapshot }: SiteState, line: EventLine, { after }: KnownStep): void {
    const was = this.#protocol.inCriticalSection(snapshot.plain);
    const is = this.#protocol.inCriticalSection(after.plain);
    if (is && !was) {
      const last = this.#lastExit;
      const refuse = (other: SiteId) =>
        record.refuse(
          'REPLAY_OVERLAP',
          `no chain of messages puts it after the critical section of ${other}`,
          {
            event: occurrence(line),
          },
        );
      if (this.#inside !== null) refuse(this.#inside);
      if (last !== null && (line.clock[last.site] ?? 0) < last.seq) refuse(last.site);
      this.#inside = line.site;
      this.counts.criticalSections++;
    }
    if (was && !is) {
      this.#inside = null;
      this.#lastExit = line;
    }
  }

  /** Every head waits: one of them for what no record holds, or they wait for one another. */
  #refuseStuck(): void {
    const stuck = [...this.#sites.values()].filter(({ record }) => record.head !== null);
    if (stuck.length === 0) return;
    const causeOf = ({ record }: SiteState) => record.head!.cause!;
    const orphan = stuck.find((state) => this.#sites.get(causeOf(state).site)!.record.head === null);
    const state = orphan ?? stuck[0]!;
    const { site, seq } = causeOf(state);
    const why =
      orphan === undefined
        ? 'which waits for it in turn'
        : `whose record ends with event ${this.#sites.get(site)!.record.seq}`;
    const event = occurrence(state.record.head!);
    state.record.refuse('REPLAY_CAUSE', `its cause is event ${seq} of ${site}, ${why}`, { event });
  }

  #allowed({ record: { site }, snapshot }: SiteState): Occurrence[] {
    const clients = this.#protocol.clientEvents
      .filter((event) => this.#steps.take(snapshot, event).effects.every(({ type }) => type !== 'unexpected'))
      .map((event) => ({ site, event, source: null }));
    const messages = this.#mesh
      .map((source) => this.#link(source, site)[0])
      .filter((sent) => sent !== undefined)
      .map(({ source, message }) => ({ site, event: message, source }));
    return [...clients, ...messages];
  }

  #link(source: SiteId, target: SiteId): Sent[] {
    const key = JSON.stringify([source, target]);
    let link = this.#links.get(key);
    if (link === undefined) {
      link = [];
      this.#links.set(key, link);
    }
    return link;
  }
}

/** The messages of a step, one for each target. */
function sends({ effects }: KnownStep, members: ReadonlySet<SiteId>): Pick<UnderWay, 'target' | 'message'>[] {
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
