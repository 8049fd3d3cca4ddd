import type { NamedAction, SiteId } from '../../machines/actor.ts';
import type { Suspicion } from '../../machines/epoch/messages.ts';
import type { EventLine, LinkLine, RecordedSnapshot, StartLine } from '../../machines/record.ts';
import { noFault } from '../check/questions.ts';
import { systems } from '../protocols/systems.ts';
import type { RecordedMachine } from '../runs/recorded-machine.ts';
import { recordedMachines } from '../runs/replay.ts';
import type { InFlight, Property, StateRecord, System } from '../system/system.ts';
import { messageText } from '../system/text.ts';
import type { Happening } from './causal-order.ts';
import { chartOf } from './chart.ts';
import { forgettable, messagesAfter, stepsAfter } from './forget.ts';
import type { Candidacy, Judgement, SiteState, Timeline, TimelineStep, TypedValue } from './format.ts';
import { changes, type JudgedStep, Judges } from './judges.ts';
import { Post } from './post.ts';
import { taken } from './taken.ts';
import { criticalStates, headOf } from './trace.ts';

/**
 * Judging a moment means reading all messages on their way. While there are more than this number, only some
 * moments are judged, so that the cost per step stays the same.
 */
const judgedAtOnce = 256;

/** The lock of the timeline, and its mesh. */
export type TellingOf = Pick<StartLine, 'lock' | 'machine' | 'site' | 'peers'>;

export interface TellingOptions {
  /** The source in words. Default: a record. */
  readonly about?: string;
  /** The run goes on: its states tell since when a client is as it is, and its first steps may be forgotten. */
  readonly isLive?: boolean;
  /** Sites are watched at intervals. Unknown parts are marked as such, and no judgement is based on them. */
  readonly isWatched?: boolean;
}

/** Builds the timeline of a run, one happening after the other, while the run goes on. */
export class TimelineBuilder {
  steps: TimelineStep[] = [];
  /** Number of earlier steps that are no longer kept. */
  forgotten = 0;
  /** True while the following moments are to be judged. */
  isJudging = true;
  /** True when some moment that was to be judged was skipped. */
  hasPassedOver = false;
  /** The source in words. */
  about: string;
  readonly #of: TellingOf;
  readonly #isLive: boolean;
  readonly #isWatched: boolean;
  readonly #machine: RecordedMachine | null;
  readonly #sites: readonly SiteId[];
  readonly #properties: readonly Property[];
  readonly #judges: Judges;
  readonly #members = new Map<SiteId, Set<SiteId>>();
  readonly #state = new Map<SiteId, SiteState>();
  readonly #post = new Post();
  #start: Timeline['start'] | null = null;
  #verdicts: readonly Judgement[] = [];
  /** The time of the step that is added. */
  #at: number | undefined;
  /** Number of moments since the last judged one. */
  #unjudged = 0;

  constructor(of: TellingOf, { about, isLive = false, isWatched = false }: TellingOptions = {}) {
    this.#of = of;
    this.#isLive = isLive;
    this.#isWatched = isWatched;
    this.#machine = recordedMachines[of.machine] ?? null;
    this.#sites = [of.site, ...of.peers].sort();
    this.about = about ?? `recorded run of ${of.machine}, ${this.#sites.length} sites`;
    const system = systemOf(of.machine, this.#sites);
    this.#properties = [noFault, ...(system?.properties ?? []).filter(({ kind }) => kind === 'always')];
    this.#judges = new Judges(this.#properties, () => this.#machine?.machine, system?.history);
    for (const site of this.#sites) {
      this.#state.set(site, isWatched ? { ...nothing, unseen: true } : { ...nothing, up: false });
      this.#members.set(site, new Set(this.#sites.filter((other) => other !== site)));
    }
  }

  get messages(): Timeline['messages'] {
    return this.#post.all;
  }

  get timeline(): Timeline {
    const { lock, machine } = this.#of;
    return {
      version: 1,
      title: `lock ${lock}`,
      about: this.about,
      sites: this.#sites.map((id) => ({ id, machine: this.#machine === null ? null : machine })),
      machines: this.#machine === null ? {} : { [machine]: chartOf(this.#machine.machine) },
      properties: this.#properties.map(headOf),
      critical: this.#machine === null ? [] : criticalStates(this.#machine.machine),
      start: this.#started(),
      steps: [...this.steps],
      messages: [...this.#post.all],
      ...(this.forgotten > 0 && { forgotten: this.forgotten }),
    };
  }

  /** Keeps at most `most` steps, the newest. */
  keep(most: number): void {
    const count = forgettable(this.steps.length, most);
    if (count === 0) return;
    const kept = messagesAfter(this.#post.all, count);
    const { start, steps } = stepsAfter({ start: this.#started(), steps: this.steps }, count, kept);
    this.#start = start;
    this.steps = steps;
    this.#post.keep(kept);
    this.forgotten += count;
  }

  #started(): Timeline['start'] {
    this.#start ??= { sites: Object.fromEntries(this.#state), verdicts: this.#judge(null) };
    return this.#start;
  }

  #begin({ site, peers, snapshot }: StartLine): void {
    this.#state.set(site, { up: true, ...snapshot });
    this.#members.set(site, new Set(peers));
  }

  /** Adds the next happening. */
  tell(happening: Happening): void {
    const isBeginning = 'isFirst' in happening && happening.isFirst;
    if (!isBeginning) this.#started();
    this.#at = 'line' in happening ? happening.line.at : 'at' in happening ? happening.at : undefined;
    switch (happening.type) {
      case 'event':
        this.#event(happening.line);
        break;
      case 'crash': {
        const { site } = happening;
        for (const peer of this.#sites) this.#post.cut(peer, site, this.steps.length + 1);
        const state: SiteState = { ...nothing, up: false };
        this.#step({ kind: 'crash', site, text: `${site} crashes`, state });
        break;
      }
      case 'link':
        this.#renew(happening.line);
        break;
      case 'seen':
        this.#see(happening);
        break;
      case 'unseen':
      case 'gone': {
        const { site, type } = happening;
        this.#post.forget(site, this.steps.length + 1);
        const before = this.#state.get(site)!;
        const state: SiteState = { ...before, unseen: true, ...(type === 'gone' && { gone: true }) };
        const text = type === 'gone' ? `${site} does not answer any more` : `${site} is seen no longer`;
        this.#step({ kind: type, site, text, state });
        break;
      }
      case 'start': {
        const { site } = happening.line;
        this.#begin(happening.line);
        if (happening.isFirst && this.steps.length === 0) break;
        const state = this.#state.get(site)!;
        this.#step({ kind: 'restart', site, text: `${site} starts again`, state });
      }
    }
  }

  #see({ site, snapshot, missed, since, stood }: Extract<Happening, { type: 'seen' }>): void {
    const text =
      missed === 0 ? `${site} is seen` : `${site} is seen again, after ${missed} events that were not`;
    this.#step({
      kind: 'seen',
      site,
      text,
      state: { ...nothing, ...snapshot, ...(since !== undefined && { since }), ...(stood && { stood }) },
    });
  }

  #renew({ site, peer }: LinkLine): void {
    const moment = this.steps.length + 1;
    this.#post.cut(site, peer, moment);
    this.#post.cut(peer, site, moment);
    const text = `the link between ${site} and ${peer} begins anew`;
    this.#step({ kind: 'break', site, text, state: this.#state.get(site)! });
  }

  #event({ site, seq, cause, event, snapshot, effects }: EventLine): void {
    const moment = this.steps.length + 1;
    const typed = event as TypedValue;
    const message = cause === null ? null : this.#receive(site, cause, typed, moment);
    for (const { target, message } of this.#sends(site, effects)) {
      if (this.#state.get(target)?.unseen) {
        this.#post.mention({ source: site, target, message, sent: moment, ended: moment }, 'unseen');
      } else this.#post.send(site, target, message, seq, moment);
    }
    const departed = cause === null ? null : (this.#machine?.departs(event) ?? null);
    if (departed !== null) this.#members.get(site)!.delete(departed);
    const before = this.#state.get(site)!;
    const state: SiteState = {
      up: true,
      ...snapshot,
      ...this.#since(before, snapshot, effects),
      ...this.#stood(before, typed, snapshot),
    };
    const text =
      cause === null
        ? `${site}: ${clientText(event)}`
        : `${site} receives ${messageText(event)} from ${cause.site}`;
    this.#step(
      {
        kind: cause === null ? 'environment' : 'deliver',
        ...{ site, text, state, event: typed, message },
        effects: effects as readonly TypedValue[],
        taken: this.#machine === null ? [] : taken(this.#machine.machine, { before, event }, state),
      },
      cause === null ? null : { source: cause.site, message: typed },
    );
  }

  /** A critical section that follows another begins with a grant of its own. */
  #since(
    before: SiteState,
    { value }: RecordedSnapshot,
    effects: readonly NamedAction[],
  ): Pick<SiteState, 'since'> {
    if (!this.#isLive) return {};
    const isSame = isEqualClient(before.value, value) && effects.every(({ type }) => type !== 'grant');
    const since = isSame ? before.since : this.#at;
    return since === undefined ? {} : { since };
  }

  #stood(before: SiteState, event: TypedValue, { context }: RecordedSnapshot): Pick<SiteState, 'stood'> {
    const because = event['because'] as Candidacy['because'] | undefined;
    const { promised } = context as { readonly promised?: number };
    const isCandidacy = because !== undefined && promised !== undefined && this.#at !== undefined;
    if (this.#isLive && isCandidacy) return { stood: { epoch: promised, at: this.#at!, because } };
    return before.stood === undefined ? {} : { stood: before.stood };
  }

  #receive(
    site: SiteId,
    cause: NonNullable<EventLine['cause']>,
    message: TypedValue,
    moment: number,
  ): number | null {
    const index = this.#post.receive(site, cause, message, moment);
    if (index !== null || !this.#isWatched) return index;
    const sent = { source: cause.site, target: site, message, sent: moment - 1, ended: moment };
    return this.#post.mention(sent, 'received');
  }

  #sends(site: SiteId, effects: readonly NamedAction[]): readonly { target: SiteId; message: TypedValue }[] {
    return effects.flatMap((effect) => {
      const message = effect['message'] as TypedValue;
      if (effect.type === 'send') return [{ target: effect['target'] as SiteId, message }];
      if (effect.type !== 'broadcast') return [];
      return [...this.#members.get(site)!].map((target) => ({ target, message }));
    });
  }

  #step(
    step: Pick<TimelineStep, 'kind' | 'site' | 'text'> &
      Partial<TimelineStep> & { readonly state: SiteState },
    delivered: InFlight | null = null,
  ): void {
    const { state, ...rest } = step;
    this.#state.set(step.site, state);
    const before = this.#verdicts;
    const effects = (rest.effects ?? []) as readonly NamedAction[];
    const after = this.#judge({ site: step.site, effects, delivered });
    this.steps.push({
      event: null,
      message: null,
      effects: [],
      taken: [],
      ...rest,
      ...(this.#at !== undefined && { at: this.#at }),
      sites: { [step.site]: state },
      verdicts: changes(before, after),
    });
  }

  #isDue(): boolean {
    this.#unjudged++;
    const isDue = this.isJudging && this.#unjudged >= this.#post.count / judgedAtOnce;
    if (isDue) this.#unjudged = 0;
    else if (this.isJudging) this.hasPassedOver = true;
    return isDue;
  }

  #judge(step: JudgedStep | null): readonly Judgement[] {
    const unseen = this.#isWatched ? this.#unseen() : [];
    if (unseen.length > 0) {
      const are = unseen.length === 1 ? 'is' : 'are';
      this.#verdicts = this.#judges.none(`${unseen.join(', ')} ${are} not seen`);
      return this.#verdicts;
    }
    if (step !== null && !this.#isDue()) {
      this.#judges.tell(step);
      return this.#verdicts;
    }
    const record: StateRecord = Object.fromEntries(
      [...this.#state].map(([id, { up, value, context }]) => [
        id,
        { up, value, context, inbox: this.#post.inbox(id), timers: [] },
      ]),
    );
    this.#verdicts = this.#isWatched
      ? this.#judges.nextBySites(record)
      : this.#judges.next(record, step, { stuck: null, loop: null });
    return this.#verdicts;
  }

  /** A site that has not used the lock has no actor yet. */
  #unseen(): readonly SiteId[] {
    return this.#sites.filter((site) => {
      const { unseen, value } = this.#state.get(site)!;
      return unseen || value === null;
    });
  }
}

/** `suspect (death of b)`: the grounds for a new epoch in a few words. */
function clientText(event: EventLine['event']): string {
  const { because, ...plain } = event as EventLine['event'] & { readonly because?: Suspicion };
  if (because === undefined) return messageText(event);
  const down = Object.keys(because.down).join(', ');
  return `${messageText(plain)} (${because.reason}${down === '' ? '' : `; down: ${down}`})`;
}

/** Whether the client's region, or the whole value of a machine without one, is the same. */
function isEqualClient(one: unknown, other: unknown): boolean {
  return JSON.stringify(clientOf(one)) === JSON.stringify(clientOf(other));
}

function clientOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'client' in value ? value.client : value;
}

const nothing: SiteState = { up: true, value: null, context: {} };

/**
 * The model whose properties judge a run of `machine`. `null` if there is none with this number and these
 * names of sites.
 */
function systemOf(machine: string, sites: readonly SiteId[]): System | null {
  const name = machine === 'naimi-trehel' ? 'naimi-trehel-leaving' : machine;
  const make = systems[name];
  if (make === undefined || sites.length < 2 || sites.length > 15) return null;
  const system = make({ sites: sites.length, network: { order: 'fifo' } });
  // Some properties name sites.
  return name === 'epoch' && sites.join() !== Object.keys(system.actors).join() ? null : system;
}
