import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Judged } from '../check/report.ts';
import { type Question, type Questions, questionsOf } from '../export/questions.ts';
import { type Table, tabulate } from '../export/table.ts';
import { askedOfTlc, specOf, type TlaPlus, tlaplus } from '../export/tlaplus/tlaplus.ts';
import { notInTable } from '../export/tlaplus/words.ts';
import type { Action, Property, System } from '../system/system.ts';
import {
  cutText,
  EngineError,
  type EngineOptions,
  type EngineReport,
  type Matches,
  sameAction,
  taken,
} from './engine.ts';

import { type ProgramOptions, ran } from './program.ts';
import { javaMissing, ranDistributed } from './tlc-distributed.ts';

/**
 * Checks a system with TLC, whose jar the variable `TLA2TOOLS_JAR` names: its table is written in TLA+, and TLC explores it on its
 * own, breadth first by one worker, so that a counterexample is a shortest one. It is taken again through the statecharts. Throws
 * `EngineError`, and `ExportError` for a system that cannot be exported. A property that cannot be is `incomplete`. With
 * `distributed`, several workers explore, and `depth` is an upper bound; a counterexample, and each property of runs, is still asked of
 * one process, because the server prints no more than the last step of a counterexample and takes no property of runs.
 */
export async function tlc(system: System, options: EngineOptions = {}): Promise<EngineReport> {
  const jar = jarOfTlc();
  const started = performance.now();
  if (options.distributed !== undefined && system.constraint !== undefined) {
    throw new EngineError(
      'ENGINE_FAILED',
      `'${system.name}' has a constraint, and TLC's workers cannot count the states outside. Leave out --distributed.`,
    );
  }
  const table = await tabulate(system, options.signal === undefined ? {} : { signal: options.signal });
  const folder = await mkdtemp(join(tmpdir(), 'baton-tlc-'));
  try {
    return await new Checker(
      table,
      askedOfTlc(await questionsOf(table, options.signal)),
      { folder, jar },
      options,
    ).report(started);
  } finally {
    // A process that was ended may still be writing.
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  }
}

/** Throws `ENGINE_MISSING` unless the jar is named. */
export function jarOfTlc(): string {
  const { TLA2TOOLS_JAR: jar } = process.env;
  if (jar !== undefined) return jar;
  throw new EngineError(
    'ENGINE_MISSING',
    'TLC needs its jar, tla2tools.jar, and Java: set TLA2TOOLS_JAR to its path.',
  );
}

/** The result of one run of TLC. */
export interface TlcAnswer {
  readonly version: string;
  readonly states: number;
  readonly transitions: number;
  /** As in the report. */
  readonly uncounted?: string;
  readonly depth: number;
  /** Number of states outside the constraint, where it was asked of them. */
  readonly cut: number;
  /** The steps of a counterexample, by the names of their definitions; those after `loop` come again and again. */
  readonly steps: readonly string[];
  readonly loop?: number;
  readonly violated: boolean;
  /** `broken NAME`, `reached NAME`. */
  readonly told: ReadonlySet<string>;
}

class Checker {
  readonly #table: Table;
  readonly #questions: Questions;
  readonly #written: TlaPlus;
  readonly #at: { readonly folder: string; readonly jar: string };
  readonly #options: EngineOptions;

  constructor(
    table: Table,
    questions: Questions,
    at: { folder: string; jar: string },
    options: EngineOptions,
  ) {
    this.#table = table;
    this.#questions = questions;
    this.#written = tlaplus(table, questions);
    this.#at = at;
    this.#options = options;
  }

  async report(started: number): Promise<EngineReport> {
    const { system, compiled, actors } = this.#table;
    const { module, text } = this.#written;
    const ofStates = this.#questions.asked.filter((question) => specOf(question) === 'Spec');
    await writeFile(join(this.#at.folder, `${module}.tla`), text);
    await writeFile(join(this.#at.folder, `${asking}.tla`), this.#asking(ofStates));
    const began = performance.now();
    const said =
      this.#options.distributed === undefined
        ? await this.#explored('Spec', 'INVARIANTS', [
            ...ofStates.map(tellerOf),
            ...(this.#table.within === null ? [] : [outside]),
          ])
        : await this.#askedAlone(ofStates);
    const seconds = (performance.now() - began) / 1000;
    const results = new Map<Property, Judged>();
    for (const { property, reason } of this.#questions.refused) {
      results.set(property, { name: property.name, kind: property.kind, verdict: 'incomplete', reason });
    }
    for (const question of this.#questions.asked) {
      results.set(question.property, await this.#judged(question, said));
    }
    return {
      engine: said.version,
      system: system.name,
      sites: actors.length,
      network: system.network.order,
      states: said.states,
      transitions: said.transitions,
      ...(said.uncounted !== undefined && { uncounted: said.uncounted }),
      depth: said.depth,
      seconds: (performance.now() - started) / 1000,
      statesPerSecond: said.states / seconds,
      // TLC tells of its heap, and not of its states.
      bytesPerState: 0,
      peakMemoryBytes: 0,
      workers: this.#options.distributed?.workers ?? 1,
      complete: said.cut === 0,
      ...cutText(said.cut),
      cut: said.cut,
      properties: this.#questions.all.map((property) => results.get(property)!),
      notRun: compiled.notRun(),
      untaken: compiled.untaken(),
      absent: [],
      coverage: compiled.coverage(),
    };
  }

  /** A module beside the exported one, by which TLC explores all states and tells once of each property that breaks, or is reached. */
  #asking(questions: readonly Question[]): string {
    const asked = this.#options.distributed === undefined ? questions : [];
    const tells = asked.flatMap((question, index) => {
      const { kind, name } = question;
      const stays = kind === 'reachable' ? `never_${name}` : name;
      const word = kind === 'reachable' ? 'reached' : 'broken';
      return [
        `ASSUME TLCSet(${index}, FALSE)`,
        `${tellerOf(question)} == ${stays} \\/ TLCGet(${index}) \\/ (TLCSet(${index}, TRUE) /\\ PrintT("BATON ${word} ${name}"))`,
      ];
    });
    if (this.#table.within !== null) tells.push(`${outside} == Within \\/ PrintT("BATON outside")`);
    return [`---- MODULE ${asking} ----`, `EXTENDS ${this.#written.module}`, ...tells, '====', ''].join('\n');
  }

  /** Workers share no variable of TLC by which they could tell of a property once, so each that breaks is asked alone. */
  async #askedAlone(questions: readonly Question[]): Promise<TlcAnswer> {
    const staying = questions.filter(({ kind }) => kind !== 'reachable').map(({ name }) => name);
    const all = await this.#explored('Spec', 'INVARIANTS', staying);
    const said = all.violated ? await this.#explored('Spec', 'INVARIANTS', []) : all;
    // A worker's error comes as a trace without a word. With no property asked it can only be a step that is not in the table.
    if (said.violated) throw this.#disagreement();
    const told = new Set<string>();
    for (const { kind, name } of questions) {
      if (kind === 'reachable') {
        const { violated } = await this.#explored('Spec', 'INVARIANT', [`never_${name}`]);
        if (violated) told.add(`reached ${name}`);
      } else if (all.violated && (await this.#explored('Spec', 'INVARIANT', [name])).violated) {
        told.add(`broken ${name}`);
      }
    }
    return { ...said, told };
  }

  async #judged(question: Question, said: TlcAnswer): Promise<Judged> {
    const { property, name, kind } = question;
    const told = { name: property.name, kind: property.kind };
    switch (kind) {
      case 'always':
      case 'deadlockFree':
        if (!said.told.has(`broken ${name}`))
          return { ...told, verdict: said.cut > 0 ? 'holds within the constraint' : 'holds' };
        return {
          ...told,
          verdict: 'violated',
          reason:
            kind === 'always'
              ? 'TLC reaches a state in which it does not hold'
              : 'nothing can happen any more',
          trace: await this.#shortest(question),
        };
      case 'reachable':
        if (said.told.has(`reached ${name}`)) return { ...told, verdict: 'holds' };
        return said.cut > 0
          ? { ...told, verdict: 'incomplete', reason: cutText(said.cut).incomplete! }
          : { ...told, verdict: 'violated', reason: 'no reachable state is like that' };
      case 'leadsTo':
      case 'eventually':
      case 'ltl':
        return this.#judgedRun(question);
    }
  }

  async #shortest({ property, name }: Question) {
    const { compiled } = this.#table;
    const answer = await this.#exploredAlone('Spec', 'INVARIANT', [name]);
    return taken(compiled, property, this.#matching(answer));
  }

  async #judgedRun(question: Question): Promise<Judged> {
    const { property, name } = question;
    const told = { name: property.name, kind: property.kind };
    const said = await this.#exploredAlone(specOf(question), 'PROPERTY', [name]);
    if (!said.violated) return { ...told, verdict: 'holds' };
    const { loop = said.steps.length } = said;
    const trace = taken(this.#table.compiled, property, this.#matching(said), loop);
    return { ...told, verdict: 'violated', reason: 'TLC finds a fair run on which it does not hold', trace };
  }

  #matching({ steps }: TlcAnswer): readonly Matches[] {
    const { links, messages, compiled } = this.#table;
    return steps.map((said) => {
      const [, name, word, number] =
        /^(\w+?)(?:_message(?:\("(\w+)"\))?|_losing(?:\((\d+)\))?)?$/.exec(said) ?? [];
      const step = this.#written.steps.get(name ?? '');
      if (step === undefined) {
        throw new EngineError(
          'ENGINE_FAILED',
          `Expected a step of the exported module, and TLC names ${said}.`,
        );
      }
      if ('action' in step) return (action) => sameAction(action, step.action);
      const { source, target } = links[step.link]!;
      const { ids } = compiled.world;
      const about = { actor: ids[target]!, source: source === null ? null : ids[source]! };
      const { kind } = step;
      // Release 1.7.4 of TLC does not print parameters.
      if (word === undefined && number === undefined) {
        return (action) =>
          action.kind === kind &&
          action.actor === about.actor &&
          'source' in action &&
          action.source === about.source;
      }
      if (kind === 'break')
        return (action) => sameAction(action, { kind, ...about, lost: Number(number) } as Action);
      const { message } = messages.find((one) => one.name === word)!;
      return (action) => sameAction(action, { kind, ...about, message });
    });
  }

  async #explored(specification: string, asked: Asked, names: readonly string[]): Promise<TlcAnswer> {
    const { distributed } = this.#options;
    if (distributed === undefined) return this.#exploredAlone(specification, asked, names);
    await this.#configure(specification, asked, names);
    const args = [...this.#flags(), '-deadlock', asking];
    for (let again = 2; ; again -= 1) {
      const {
        said: output,
        isCounted,
        steps,
      } = await ranDistributed(this.#at.jar, args, distributed, this.#how());
      // A report that meets the end of a thread ends the server (TLCServer.getNewStates), and so does a port in use.
      const isCrash = /java\.lang\.NullPointerException|Port already in use/.test(output);
      if (again > 0 && isCrash) continue;
      const answer = parseTlc(output);
      if (isCounted) return steps === undefined ? answer : { ...answer, transitions: steps };
      return { ...answer, transitions: 0, uncounted: 'a worker has died, or is of another machine' };
    }
  }

  /** One process checks again: its counterexample is whole, and a shortest one. */
  async #exploredAlone(specification: string, asked: Asked, names: readonly string[]): Promise<TlcAnswer> {
    await this.#configure(specification, asked, names);
    // TLC unpacks its standard modules into the folder for temporary files, where another TLC may be reading them.
    const unpacked = await mkdtemp(join(this.#at.folder, 'modules-'));
    const java = ['-XX:+UseParallelGC', `-Djava.io.tmpdir=${unpacked}`, '-cp', this.#at.jar, 'tlc2.TLC'];
    const alone = ['-workers', '1'];
    const { said: output } = await ran('java', [...java, ...this.#flags(), ...alone, asking], this.#how());
    if (output.includes(notInTable)) throw this.#disagreement();
    return parseTlc(output);
  }

  async #configure(specification: string, asked: Asked, names: readonly string[]): Promise<void> {
    const lines = [`SPECIFICATION ${specification}`, 'CHECK_DEADLOCK FALSE'];
    if (names.length > 0) lines.push(`${asked} ${names.join(' ')}`);
    await writeFile(join(this.#at.folder, `${asking}.cfg`), `${lines.join('\n')}\n`);
  }

  #flags() {
    return ['-tool', '-nowarning', '-metadir', join(this.#at.folder, 'states')];
  }

  #how(): ProgramOptions {
    return {
      ...this.#options,
      engine: 'TLC',
      folder: this.#at.folder,
      progress: /^(Progress\(|Registration for worker|TLC worker)/,
      missing: javaMissing,
    };
  }

  #disagreement() {
    return new EngineError(
      'ENGINE_DISAGREES',
      `TLC reaches a step of '${this.#table.system.name}' that Baton's exploration did not: the table is not complete.`,
    );
  }
}

type Asked = 'INVARIANT' | 'INVARIANTS' | 'PROPERTY';

const asking = 'BatonAsks';

/** Tells of each state outside the constraint, and holds of all. */
const outside = 'TellsOutside';

const tellerOf = ({ name }: Question) => `Tells_${name}`;

const isDeep = /The depth of the complete state graph search is (\d+)/;

/** TLC's codes of a violated property, and of the messages beside it. */
const violations = new Set(['2107', '2110', '2116', '2121', '2264']);

/** Reads what TLC prints with `-tool`. TLC counts the initial states as generated, its server does not; both count them as the first level. */
export function parseTlc(output: string): TlcAnswer {
  const number = (pattern: RegExp) => {
    const found = pattern.exec(output)?.[1];
    if (found !== undefined) return Number(found.replaceAll(',', ''));
    throw new EngineError(
      'ENGINE_FAILED',
      `Expected ${pattern} in TLC's output, and got: ${output.slice(-1_500)}`,
    );
  };
  const isDistributed = output.includes('TLC Server Version');
  const brokenAtFirst = /is violated(?: by the initial state|\.\nWhile working on the initial state)/.test(
    output,
  );
  // An error is an answer only where a property is violated.
  const fault = [...output.matchAll(/^@!@!@STARTMSG (\d+):1 @!@!@\n([\s\S]*?)\n@!@!@ENDMSG/gm)].find(
    ([, code]) => !violations.has(code!) && !brokenAtFirst,
  );
  if (fault !== undefined) throw new EngineError('ENGINE_FAILED', `TLC ended with an error: ${fault[2]}`);
  const version = `TLC ${/TLC2 (?:TLC Server )?Version (\S+)/.exec(output)?.[1] ?? '?'}`;
  const none = { version, states: 1, transitions: 0, depth: 0, cut: 0, steps: [], told: new Set<string>() };
  if (brokenAtFirst) return { ...none, violated: true };
  const starts = Number(/Finished computing initial states: (\d+)/.exec(output)?.[1] ?? 1);
  const cut = [...output.matchAll(/^"?BATON outside"?$/gm)].length;
  const steps = [...output.matchAll(/^\d+: <((?!Initial)\w+(?:\(.*?\))?) line /gm)].map(([, step]) => step!);
  const violated = steps.length > 0 || /(is|was|are|were) violated/.test(output);
  const back = /^(\d+): Back to state: <(\w+(?:\(.*?\))?) line /m.exec(output);
  return {
    version,
    states: number(/^[\d,]+ states generated, ([\d,]+) distinct states found/m),
    transitions: number(/^([\d,]+) states generated, /m) - (isDistributed ? 0 : starts),
    // TLC does not tell the depth of a search that it stopped: neither its server, nor where a run violates a property before the end.
    depth: violated && !isDeep.test(output) ? steps.length : number(isDeep) - 1,
    cut,
    steps: back === null ? steps : [...steps, back[2]!],
    ...(back !== null && { loop: Number(back[1]) - 1 }),
    violated,
    told: new Set([...output.matchAll(/^"?BATON ((?:broken|reached) \w+)"?$/gm)].map(([, what]) => what!)),
  };
}
