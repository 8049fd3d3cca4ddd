import type { Judgement, SiteState, Timeline, TimelineStep, TypedValue } from '../../inspector/timeline.ts';
import type { NamedAction, SiteId } from '../../machines/actor.ts';
import type { EventLine, LinkLine, RecordLine, StartLine } from '../../machines/record.ts';
import { noFault } from '../check/questions.ts';
import { recordFiles } from '../replay/read.ts';
import type { RecordedMachine } from '../replay/recorded-machine.ts';
import { ReplayInputError, type ReplayReport, recordedMachines, replay } from '../replay/replay.ts';
import { parseLine } from '../replay/schema.ts';
import type { Property, StateRecord, System } from '../system/system.ts';
import { messageText } from '../system/text.ts';
import { systems } from '../systems.ts';
import { chartOf } from './chart.ts';
import { changes, Judges } from './judges.ts';
import { type Happening, merged } from './merge.ts';
import { Post } from './post.ts';
import { taken } from './taken.ts';
import { criticalStates } from './trace.ts';

export interface RecordedLock {
  readonly lock: string;
  readonly sites: number;
  readonly events: number;
}

/** So many steps are shown; the note says so where there were more. */
const mostSteps = 100_000;

/** The locks whose records are in `directory`. Throws `ReplayInputError` when there is none. */
export function recordLocks(directory: string): readonly RecordedLock[] {
  const records = recordsIn(directory);
  const locks = [...new Set(records.map(([start]) => start!.lock))];
  return locks.map((lock) => {
    const own = records.filter(([start]) => start!.lock === lock);
    return {
      lock,
      sites: new Set(own.map(([start]) => start!.site)).size,
      events: own.reduce((sum, lines) => sum + lines.filter(({ kind }) => kind === 'event').length, 0),
    };
  });
}

/** A recorded run, in one order that respects causality, with what `replay` says of it. */
export function recordTimeline(directory: string, lock: string): Timeline {
  const records = recordsIn(directory).filter(([start]) => start!.lock === lock);
  return new Telling(records, lock).told(replay(directory));
}

function recordsIn(directory: string): readonly (readonly RecordLine[])[] {
  let files: ReturnType<typeof recordFiles>;
  try {
    files = recordFiles(directory);
  } catch (cause) {
    throw new ReplayInputError(`cannot read ${directory}: ${(cause as Error).message}`, { cause });
  }
  const records = files.map(({ name, lines }) =>
    Array.from(lines, (text, index) => {
      const line = parseLine(text);
      if (typeof line !== 'string') return line;
      throw new ReplayInputError(`line ${index + 1} of ${name} is no line of a record: ${line}`);
    }),
  );
  const told = records.filter(([first]) => first?.kind === 'start');
  if (told.length === 0) throw new ReplayInputError(`no *.ndjson with a start line in ${directory}`);
  return told;
}

/** A run as a timeline, told happening by happening. */
class Telling {
  readonly #lock: string;
  readonly #happenings: readonly Happening[];
  readonly #machineName: string;
  readonly #machine: RecordedMachine | null;
  readonly #sites: readonly SiteId[];
  readonly #properties: readonly Property[];
  readonly #judges: Judges;
  readonly #post = new Post();
  readonly #members = new Map<SiteId, Set<SiteId>>();
  readonly #state = new Map<SiteId, SiteState>();
  readonly #steps: TimelineStep[] = [];
  /** By site and `seq`: the moment after that event. */
  readonly #moments = new Map<string, number>();
  #verdicts: readonly Judgement[] = [];

  constructor(records: readonly (readonly RecordLine[])[], lock: string) {
    this.#lock = lock;
    this.#happenings = [...merged(records)];
    const start = records[0]![0] as StartLine;
    this.#machineName = start.machine;
    this.#machine = recordedMachines[start.machine] ?? null;
    this.#sites = [...new Set(records.map(([first]) => first!.site))].sort();
    const system = systemOf(start.machine, this.#sites);
    this.#properties = [noFault, ...(system?.properties ?? []).filter(({ kind }) => kind === 'always')];
    this.#judges = new Judges(this.#properties, system?.history);
  }

  told(report: ReplayReport): Timeline {
    const starts = this.#happenings.filter((one) => one.type === 'start' && one.isFirst);
    for (const one of starts) this.#begin((one as { line: StartLine }).line);
    const start = {
      sites: Object.fromEntries(this.#state),
      verdicts: [...this.#judge(null), { verdict: 'holds' as const }],
    };
    for (const one of this.#happenings) {
      if (this.#steps.length >= mostSteps) break;
      this.#tell(one);
    }
    const refused = this.#refusal(report);
    return {
      version: 1,
      title: `lock ${this.#lock}`,
      about: `recorded run of ${this.#machineName}, ${this.#sites.length} sites`,
      sites: this.#sites.map((id) => ({ id, machine: this.#machine === null ? null : this.#machineName })),
      machines: this.#machine === null ? {} : { [this.#machineName]: chartOf(this.#machine.machine) },
      properties: [
        ...this.#properties.map(({ name, kind }) => ({ name, kind })),
        { name: 'the model takes every step', kind: 'replay' },
      ],
      critical: this.#machine === null ? [] : criticalStates(this.#machine.machine),
      start,
      steps: this.#steps,
      letters: this.#post.all,
      notes: [
        ...(refused === null ? [] : [`The record is refused: ${refused}`]),
        ...(this.#steps.length < mostSteps ? [] : [`Only the first ${mostSteps} steps are shown.`]),
      ],
    };
  }

  #begin({ site, peers, snapshot }: StartLine): void {
    this.#state.set(site, { up: true, ...snapshot });
    this.#members.set(site, new Set(peers));
  }

  #tell(happening: Happening): void {
    switch (happening.type) {
      case 'event':
        this.#event(happening.line);
        break;
      case 'crash': {
        const { site } = happening;
        for (const peer of this.#sites) this.#post.cut(peer, site, this.#steps.length + 1);
        const state: SiteState = { up: false, value: null, context: {} };
        this.#step({ kind: 'crash', site, text: `${site} crashes`, state });
        break;
      }
      case 'link':
        this.#renew(happening.line);
        break;
      case 'start': {
        if (happening.isFirst) break;
        const { site } = happening.line;
        this.#begin(happening.line);
        const state = this.#state.get(site)!;
        this.#step({ kind: 'restart', site, text: `${site} starts again`, state });
      }
    }
  }

  #renew({ site, peer }: LinkLine): void {
    const moment = this.#steps.length + 1;
    this.#post.cut(site, peer, moment);
    this.#post.cut(peer, site, moment);
    const text = `the link between ${site} and ${peer} begins anew`;
    this.#step({ kind: 'break', site, text, state: this.#state.get(site)! });
  }

  #event({ site, seq, cause, event, snapshot, effects }: EventLine): void {
    const moment = this.#steps.length + 1;
    const typed = event as TypedValue;
    const letter = cause === null ? null : this.#post.receive(site, cause, typed, moment);
    for (const { target, message } of this.#sends(site, effects)) {
      this.#post.send(site, target, message, seq, moment);
    }
    const departed = cause === null ? null : (this.#machine?.departs(event) ?? null);
    if (departed !== null) this.#members.get(site)!.delete(departed);
    const before = this.#state.get(site)!;
    const state: SiteState = { up: true, ...snapshot };
    this.#moments.set(`${site} ${seq}`, moment);
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
    this.#steps.push({
      event: null,
      letter: null,
      effects: [],
      taken: [],
      ...rest,
      sites: { [step.site]: state },
      verdicts: changes(before, after),
    });
  }

  #judge(
    step: { readonly site: SiteId; readonly effects: readonly NamedAction[] } | null,
  ): readonly Judgement[] {
    const record: StateRecord = Object.fromEntries(
      [...this.#state].map(([id, { up, value, context }]) => [
        id,
        { up, value, context, inbox: this.#post.inbox(id), timers: [] },
      ]),
    );
    this.#verdicts = this.#judges.next(record, step, { stuck: null, loop: null });
    return this.#verdicts;
  }

  /** Marks the step that the model does not take; gives the reason, or `null`. */
  #refusal({ refusal }: ReplayReport): string | null {
    if (refusal === undefined) return null;
    const { file, line, reason } = refusal;
    const moment = this.#refusedMoment(file, line);
    if (moment !== null) {
      const step = this.#steps[moment - 1]!;
      const judgement: Judgement = { verdict: 'violated', reason, sites: [step.site] };
      this.#steps[moment - 1] = {
        ...step,
        verdicts: { ...step.verdicts, [this.#properties.length]: judgement },
      };
    }
    return `line ${line} of ${file}: ${reason}`;
  }

  #refusedMoment(file: string, line: number): number | null {
    const [, site, life = '0'] = /^(.*?)(?:@(\d+))?\.ndjson$/.exec(file) ?? [];
    const own = this.#happenings.filter(
      (one) =>
        one.type !== 'crash' &&
        one.line.site === site &&
        (one.type !== 'start' || String(one.line.life ?? 0) === life),
    );
    const lines = own.slice(own.findIndex(({ type }) => type === 'start'));
    const found = lines[line - 1];
    return found?.type === 'event'
      ? (this.#moments.get(`${found.line.site} ${found.line.seq}`) ?? null)
      : null;
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
