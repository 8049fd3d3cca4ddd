import type { Judgement, SiteState, Timeline, TimelineStep, TypedValue } from '../../inspector/timeline.ts';
import type { NamedAction, SiteId } from '../../machines/actor.ts';
import type { EventLine, LinkLine, StartLine } from '../../machines/record.ts';
import { noFault } from '../check/questions.ts';
import type { RecordedMachine } from '../replay/recorded-machine.ts';
import { recordedMachines } from '../replay/replay.ts';
import type { Property, StateRecord, System } from '../system/system.ts';
import { messageText } from '../system/text.ts';
import { systems } from '../systems.ts';
import { chartOf } from './chart.ts';
import { changes, Judges } from './judges.ts';
import type { Happening } from './merge.ts';
import { Post } from './post.ts';
import { taken } from './taken.ts';
import { criticalStates } from './trace.ts';

/**
 * To judge a moment is to look at all that is under way. While more is than this, as many moments go without a
 * judgement of their own as keep the cost of a step the same.
 */
const judgedAtOnce = 256;

interface Step {
  readonly site: SiteId;
  readonly effects: readonly NamedAction[];
}

/** A recorded run as a timeline, told happening by happening, as long as it goes on. */
export class Telling {
  readonly steps: TimelineStep[] = [];
  /** Are the moments to come judged? */
  isJudging = true;
  /** Has some moment that was to be judged been passed over? */
  hasPassedOver = false;
  readonly #first: StartLine;
  readonly #machine: RecordedMachine | null;
  readonly #sites: readonly SiteId[];
  readonly #properties: readonly Property[];
  readonly #judges: Judges;
  readonly #members = new Map<SiteId, Set<SiteId>>();
  readonly #state = new Map<SiteId, SiteState>();
  #post = new Post();
  #start: Timeline['start'] | null = null;
  #verdicts: readonly Judgement[] = [];
  /** Moments since the last that was judged. */
  #unjudged = 0;

  /** `first`: some start line of the lock, which names the mesh. */
  constructor(first: StartLine) {
    this.#first = first;
    this.#machine = recordedMachines[first.machine] ?? null;
    this.#sites = [first.site, ...first.peers].sort();
    const system = systemOf(first.machine, this.#sites);
    this.#properties = [noFault, ...(system?.properties ?? []).filter(({ kind }) => kind === 'always')];
    this.#judges = new Judges(this.#properties, () => this.#machine?.machine, system?.history);
    for (const site of this.#sites) this.#state.set(site, { up: false, value: null, context: {} });
  }

  get letters(): Timeline['letters'] {
    return this.#post.all;
  }

  get timeline(): Timeline {
    const { lock, machine } = this.#first;
    return {
      version: 1,
      title: `lock ${lock}`,
      about: `recorded run of ${machine}, ${this.#sites.length} sites`,
      sites: this.#sites.map((id) => ({ id, machine: this.#machine === null ? null : machine })),
      machines: this.#machine === null ? {} : { [machine]: chartOf(this.#machine.machine) },
      properties: this.#properties.map(({ name, kind }) => ({ name, kind })),
      critical: this.#machine === null ? [] : criticalStates(this.#machine.machine),
      start: this.#started(),
      steps: [...this.steps],
      letters: [...this.#post.all],
    };
  }

  /** Forgets the steps so far: the start is where they have led. */
  beginAnew(): void {
    this.#start = { sites: Object.fromEntries(this.#state), verdicts: this.#verdicts };
    this.#post = this.#post.goingOn();
    this.steps.length = 0;
  }

  #started(): Timeline['start'] {
    this.#start ??= { sites: Object.fromEntries(this.#state), verdicts: this.#judge(null) };
    return this.#start;
  }

  #begin({ site, peers, snapshot }: StartLine): void {
    this.#state.set(site, { up: true, ...snapshot });
    this.#members.set(site, new Set(peers));
  }

  /** What happened next. */
  tell(happening: Happening): void {
    if (happening.type !== 'start' || !happening.isFirst) this.#started();
    switch (happening.type) {
      case 'event':
        this.#event(happening.line);
        break;
      case 'crash': {
        const { site } = happening;
        for (const peer of this.#sites) this.#post.cut(peer, site, this.steps.length + 1);
        const state: SiteState = { up: false, value: null, context: {} };
        this.#step({ kind: 'crash', site, text: `${site} crashes`, state });
        break;
      }
      case 'link':
        this.#renew(happening.line);
        break;
      case 'start': {
        const { site } = happening.line;
        this.#begin(happening.line);
        if (happening.isFirst && this.steps.length === 0) break;
        const state = this.#state.get(site)!;
        this.#step({ kind: 'restart', site, text: `${site} starts again`, state });
      }
    }
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
    const letter = cause === null ? null : this.#post.receive(site, cause, typed, moment);
    for (const { target, message } of this.#sends(site, effects)) {
      this.#post.send(site, target, message, seq, moment);
    }
    const departed = cause === null ? null : (this.#machine?.departs(event) ?? null);
    if (departed !== null) this.#members.get(site)!.delete(departed);
    const before = this.#state.get(site)!;
    const state: SiteState = { up: true, ...snapshot };
    this.#step({
      kind: cause === null ? 'environment' : 'deliver',
      site,
      text:
        cause === null
          ? `${site}: ${messageText(event)}`
          : `${site} receives ${messageText(event)} from ${cause.site}`,
      state,
      event: typed,
      letter,
      effects: effects as readonly TypedValue[],
      taken: this.#machine === null ? [] : taken(this.#machine.machine, { before, event }, state),
    });
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
  ): void {
    const { state, ...rest } = step;
    this.#state.set(step.site, state);
    const before = this.#verdicts;
    const after = this.#judge({ site: step.site, effects: (rest.effects ?? []) as readonly NamedAction[] });
    this.steps.push({
      event: null,
      letter: null,
      effects: [],
      taken: [],
      ...rest,
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

  #judge(step: Step | null): readonly Judgement[] {
    if (step !== null && !this.#isDue()) {
      this.#judges.tell(step.site, step.effects);
      return this.#verdicts;
    }
    const record: StateRecord = Object.fromEntries(
      [...this.#state].map(([id, { up, value, context }]) => [
        id,
        { up, value, context, inbox: this.#post.inbox(id), timers: [] },
      ]),
    );
    this.#verdicts = this.#judges.next(record, step, { stuck: null, loop: null });
    return this.#verdicts;
  }
}

/** The model whose properties a run of `machine` is held against; `null` where there is none of that size and names. */
function systemOf(machine: string, sites: readonly SiteId[]): System | null {
  const name = machine === 'naimi-trehel' ? 'naimi-trehel-leaving' : machine;
  const make = systems[name];
  if (make === undefined || sites.length < 2 || sites.length > 15) return null;
  const system = make({ sites: sites.length, network: { order: 'fifo' } });
  // Some properties name sites.
  return name === 'epoch' && sites.join() !== Object.keys(system.actors).join() ? null : system;
}
