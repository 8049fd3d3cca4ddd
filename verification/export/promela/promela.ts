import type { Formula } from '../../checker/liveness/ltl.ts';
import type { Fairness } from '../../system/system.ts';
import { faults, Layout } from '../layout.ts';
import type { Measured } from '../measure.ts';
import { fitting, type Question, type Questions } from '../questions.ts';
import type { Table } from '../table.ts';
import { comment } from './comment.ts';
import { observer } from './observer.ts';
import { Processes, type PromelaStep } from './processes.ts';

/** A system in Promela, and what its steps are called. */
export interface Promela {
  readonly text: string;
  /** The steps by the number that is reported when a trail is replayed. */
  readonly steps: readonly PromelaStep[];
}

/**
 * Writes a system for SPIN. The channels, their faults and the crashes are SPIN's own; of the statecharts it has the table. A proctype stands for each
 * thing that fairness speaks of: a link that delivers, an event of a client, a timer. Each step is one d_step, so that SPIN's
 * states are the system's.
 */
export function promela(table: Table, questions: Questions): Promela {
  return new Writer(table, questions).write();
}

/** The questions that SPIN can be asked at once: its processes have one fairness, and a weak one. */
export function askedOfSpin(questions: Questions): Questions {
  const fairness = fairnessOf(questions.asked);
  return fitting(questions, (question) =>
    !('fairness' in question) || question.fairness === fairness
      ? null
      : 'SPIN has one weak fairness for all properties, and it asks for another one, or for strong fairness',
  );
}

/** The first weak fairness that is asked for. */
function fairnessOf(asked: readonly Question[]): Fairness | null {
  const found = asked.flatMap((question) =>
    'fairness' in question && question.fairness.strong === undefined ? [question.fairness] : [],
  );
  return found[0] ?? null;
}

class Writer {
  readonly #table: Table;
  readonly #questions: Questions;
  readonly #asked: readonly Question[];
  readonly #within: Measured | null;
  readonly #layout: Layout;

  constructor(table: Table, questions: Questions) {
    this.#table = table;
    this.#questions = questions;
    this.#asked = questions.asked;
    this.#within = questions.within;
    this.#layout = new Layout(table);
  }

  write(): Promela {
    const { system, states, transitions, actors } = this.#table;
    const processes = new Processes(this.#layout, fairnessOf(this.#asked));
    const text = [
      `/*`,
      ` * ${system.name}: ${actors.length} actors, ${this.#layout.network.order} network. Written by baton export.`,
      ` * Baton counts ${states} states and ${transitions} transitions (SPIN counts one more, the step into the initial state).`,
      ` *`,
      ` *   spin -a FILE && gcc -O2 -w -DSAFETY -DNOREDUCE -o pan pan.c && ./pan -E -c0 -m1000000`,
      ` *`,
      ` * Each actor is a local state of its statechart; what an event makes of it stands in the table below. A line`,
      ` * "BATON broken NAME" says that a property does not hold, "BATON reached NAME" that one does, "BATON missing" that a`,
      ` * step is not in the table: the exploration that filled it had not reached it.`,
      ` */`,
      ...this.#names(),
      ...this.#declarations(),
      ...observer(this.#layout, this.#questions),
      ...processes.write(this.#guards()),
      ...this.#starts(),
      ...this.#claims(),
      '',
    ].join('\n');
    return { text, steps: processes.steps };
  }

  /** A step is taken after the first one, and from a state within the constraint. */
  #guards(): readonly string[] {
    return [
      ...(!this.#layout.hasFirstStep ? [] : ['started']),
      ...(this.#within === null ? [] : ['c_expr { (within)() }']),
    ];
  }

  // Names and variables.

  #names(): string[] {
    const { messages, actors, links } = this.#table;
    return [
      '',
      '/* Messages. */',
      ...messages.map(({ name }, message) => `#define ${name} ${message}`),
      ...actors.flatMap(({ id, locals }) => [
        '',
        `/* Local states of ${id}. */`,
        ...locals.map(({ name, says }, local) => `#define ${name} ${local} /* ${comment(says)} */`),
      ]),
      '',
      '/* SOURCE_TARGET: what is on its way. */',
      ...this.#layout.links.map((link, index) => `#define ${links[link]!.name} link[${index}]`),
    ];
  }

  #declarations(): string[] {
    const { actors, messages, links, history, starts } = this.#table;
    const [first] = starts;
    const byte = (size: number) => (size <= 256 ? 'byte' : 'short');
    const most = Math.max(1, ...this.#layout.links.map((link) => links[link]!.most));
    return [
      '',
      ...actors.map(
        ({ name, locals }, actor) =>
          `${byte(locals.length)} ${name} = ${locals[first!.locals[actor]!]!.name};`,
      ),
      ...(this.#layout.links.length === 0
        ? []
        : [`chan link[${this.#layout.links.length}] = [${most}] of { ${byte(messages.length)} };`]),
      ...faults.flatMap((name) => (this.#layout.bound(name) === null ? [] : [`byte ${name} = 0;`])),
      ...(history === null ? [] : [`${byte(history.values.length)} history = ${first!.history};`]),
      ...(!this.#layout.hasFirstStep ? [] : ['bool started = false;']),
      '/* Used within one step, and 0 between steps. */',
      `${byte(messages.length)} m, k, n, j;`,
    ];
  }

  // The initial state, deadlocks and claims.

  #starts(): string[] {
    return [...this.#start(), ...this.#outside(), ...this.#deadlock()];
  }

  /** The first step: one of the initial states, and what the actors send in it. SPIN counts one state more, the one before it. */
  #start(): string[] {
    if (!this.#layout.hasFirstStep) return [];
    const { actors, links, messages, starts, history } = this.#table;
    return [
      '',
      '/* The initial states, with the messages that the actors send when they start. */',
      'init {',
      '  if',
      ...starts.map(({ locals, sent, history: told }) => {
        const parts = [
          ...actors.map(({ name, locals: list }, actor) => `${name} = ${list[locals[actor]!]!.name}`),
          ...(history === null ? [] : [`history = ${told}`]),
          ...sent.map(
            ({ link, message }) =>
              `${links[link]!.name} ${this.#layout.isFifo ? '!' : '!!'} ${messages[message]!.name}`,
          ),
        ];
        return `  :: d_step { ${parts.join('; ')}; started = true; c_code { begin(); } }`;
      }),
      '  fi;',
      '  do :: false od',
      '}',
    ];
  }

  #outside(): string[] {
    if (this.#within === null) return [];
    return [
      '',
      '/* Counts the states outside the constraint, and changes none. */',
      'active proctype outside() {',
      '  do',
      `  :: d_step { ${this.#layout.hasFirstStep ? 'started && ' : ''}c_expr { !(within)() } -> c_code { outside(); } }`,
      '  od',
      '}',
    ];
  }

  #deadlock(): string[] {
    const deadlock = this.#asked.findIndex(({ kind }) => kind === 'deadlockFree');
    if (deadlock < 0) return [];
    return [
      '',
      '#ifndef RUNS',
      '/* Nothing can happen any more. */',
      'active proctype deadlock() {',
      '  do',
      `  :: d_step { timeout && c_expr { !(holds_${deadlock})() } -> c_code { deadlock(); }; c_code [!halted] { ; } }`,
      '  od',
      '}',
      '#endif',
    ];
  }

  #claims(): string[] {
    return this.#asked.flatMap((question, index) => {
      if (question.kind === 'ltl') return this.#formula(question, index);
      if (question.kind !== 'leadsTo' && question.kind !== 'eventually') return [];
      const started = !this.#layout.hasFirstStep ? '' : 'started && ';
      const to = `${started}c_expr { (to_${index})() }`;
      return [
        '',
        '#ifdef RUNS',
        `#define is_to_${index} (${to})`,
        ...(question.kind === 'leadsTo'
          ? [`#define is_from_${index} (${started}c_expr { (from_${index})() })`]
          : []),
        `/* ${comment(question.property.name)} */`,
        question.kind === 'leadsTo'
          ? `ltl ${question.name}_ { [] (is_from_${index} -> <> is_to_${index}) }`
          : `ltl ${question.name}_ { <> is_to_${index} }`,
        '#endif',
      ];
    });
  }

  /**
   * Where a step chooses the initial state, the formula is of the run after it. A part that never holds keeps SPIN from ending a
   * counterexample where the formula is lost: so that each is a whole run, which is fair.
   */
  #formula(
    { property, name, formula, atoms }: Extract<Question, { kind: 'ltl' }>,
    index: number,
  ): readonly string[] {
    const names = Object.keys(atoms);
    const atomOf = (atom: string) => `atom_${index}_is_${names.indexOf(atom)}`;
    const text = `(${inPromela(formula, atomOf)}) || <> (c_expr { 0 })`;
    return [
      '',
      '#ifdef RUNS',
      ...names.map(
        (atom, at) => `#define ${atomOf(atom)} (c_expr { (atom_${index}_${at})() }) /* ${comment(atom)} */`,
      ),
      `/* ${comment(property.name)} */`,
      `ltl ${name}_ { ${this.#layout.hasFirstStep ? `!started U (started && (${text}))` : text} }`,
      '#endif',
    ];
  }
}

function inPromela(formula: Formula, atom: (name: string) => string): string {
  const of = (part: Formula) => `(${inPromela(part, atom)})`;
  switch (formula.op) {
    case 'true':
    case 'false':
      return formula.op;
    case 'atom':
      return atom(formula.name);
    case 'not':
      return `!${of(formula.of)}`;
    case 'always':
      return `[]${of(formula.of)}`;
    case 'eventually':
      return `<>${of(formula.of)}`;
    case 'next':
      throw new Error('A formula with X is refused before.');
    default: {
      const sign = {
        and: '&&',
        or: '||',
        implies: '->',
        iff: '<->',
        until: 'U',
        release: 'V',
        weakUntil: 'W',
      }[formula.op];
      return `${of(formula.left)} ${sign} ${of(formula.right)}`;
    }
  }
}
