import type { Formula } from '../checker/liveness/ltl.ts';
import type { Action, Fairness, Network } from '../system/system.ts';
import { ExportError } from './errors.ts';
import type { ActorMeasure, Measured } from './measure.ts';
import { readingInC } from './promela-readings.ts';
import { fitting, type Question, type Questions } from './questions.ts';
import { ownAction, type Row, type Table, type TableActor, type TableSend } from './table.ts';
import { nextBlock, tableOf } from './tables-in-c.ts';

/** A system in Promela, and what its steps are called. */
export interface Promela {
  readonly text: string;
  /** The steps by the number that is reported when a trail is replayed. */
  readonly steps: readonly PromelaStep[];
}

/** `message`: by the number that the step reports beside; of a break, it reports how many messages are lost. */
export type PromelaStep =
  | { readonly action: Action }
  | { readonly kind: 'deliver' | 'duplicate' | 'lose' | 'break'; readonly link: number };

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

/** Steps of one fairness class, or of none: one proctype. */
interface Process {
  readonly name: string;
  readonly says: string;
  readonly options: string[];
  /** Steps that never change anything. A fair run need not take them, and the run in which one is taken for ever stays where it is. */
  readonly idle: string[];
  /** Its steps may be put off for ever. */
  readonly isUnfair: boolean;
}

class Writer {
  readonly #table: Table;
  readonly #asked: readonly Question[];
  readonly #within: Measured | null;
  /** Whether the initial state is chosen by a step: there are several, or messages are sent in it. */
  readonly #hasFirstStep: boolean;
  readonly #network: Network;
  readonly #isFifo: boolean;
  readonly #fairness: Fairness | null;
  readonly #capacity: number | null;
  readonly #steps: PromelaStep[] = [];
  readonly #processes = new Map<string, Process>();
  /** The names of states, links and messages: an event may be called as a state is. */
  readonly #words: ReadonlySet<string>;
  /** Links that ever hold a message. */
  readonly #links: readonly number[];

  constructor(table: Table, { asked, within }: Questions) {
    this.#table = table;
    this.#asked = asked;
    this.#within = within;
    this.#network = table.system.network;
    this.#isFifo = this.#network.order === 'fifo';
    this.#links = table.links.flatMap(({ most }, link) => (most > 0 ? [link] : []));
    this.#words = new Set([
      ...table.actors.flatMap(({ locals }) => locals.map(({ name }) => name)),
      ...[...table.links, ...table.messages].map(({ name }) => name),
    ]);
    this.#fairness = fairnessOf(asked);
    this.#capacity = this.#network.capacity === 'unbounded' ? null : (this.#network.capacity ?? null);
    this.#hasFirstStep = table.starts.length > 1 || table.starts.some(({ sent }) => sent.length > 0);
  }

  write(): Promela {
    const { system, states, transitions, actors } = this.#table;
    for (const link of this.#links) this.#deliveries(link);
    for (const actor of actors) this.#ownSteps(actor);
    for (const link of this.#links) this.#faults(link);
    const text = [
      `/*`,
      ` * ${system.name}: ${actors.length} actors, ${this.#network.order} network. Written by baton export.`,
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
      ...this.#observer(),
      ...actors.flatMap((_, actorIndex) => this.#purges(actorIndex)),
      ...actors.flatMap((actor) => this.#receipts(actor)),
      ...[...this.#processes.values()].flatMap((process) => this.#proctype(process)),
      ...this.#starts(),
      ...this.#claims(),
      '',
    ].join('\n');
    return { text, steps: this.#steps };
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
      ...this.#links.map((link, index) => `#define ${links[link]!.name} link[${index}]`),
    ];
  }

  #declarations(): string[] {
    const { actors, messages, links, history, starts } = this.#table;
    const [first] = starts;
    const byte = (size: number) => (size <= 256 ? 'byte' : 'short');
    const most = Math.max(1, ...this.#links.map((link) => links[link]!.most));
    return [
      '',
      ...actors.map(
        ({ name, locals }, actor) =>
          `${byte(locals.length)} ${name} = ${locals[first!.locals[actor]!]!.name};`,
      ),
      ...(this.#links.length === 0
        ? []
        : [`chan link[${this.#links.length}] = [${most}] of { ${byte(messages.length)} };`]),
      ...['lost', 'duplicated', 'broken'].flatMap((name) =>
        this.#bound(name) === null ? [] : [`byte ${name} = 0;`],
      ),
      ...(history === null ? [] : [`${byte(history.values.length)} history = ${first!.history};`]),
      ...(!this.#hasFirstStep ? [] : ['bool started = false;']),
      '/* Used within one step, and 0 between steps. */',
      `${byte(messages.length)} m, k, n, j;`,
    ];
  }

  /** How many faults of a kind there may be; `null`: none, or without bound. */
  #bound(name: string): number | null {
    const { loss = 0, duplication = 0, breaks = 0 } = this.#network;
    const bound = { lost: loss, duplicated: duplication, broken: breaks }[name];
    return typeof bound === 'number' && bound > 0 ? bound : null;
  }

  #spend(name: string): { readonly guard: string; readonly spend: string } {
    const bound = this.#bound(name);
    return bound === null
      ? { guard: '', spend: '' }
      : { guard: ` && ${name} < ${bound}`, spend: `${name}++; ` };
  }

  // Properties, in C.

  #observer(): string[] {
    const { actors } = this.#table;
    const ofStates = this.#asked.filter(({ kind }) => kind === 'always' || kind === 'reachable');
    const lines = [
      '',
      'c_decl {',
      '  extern int readtrail;',
      '  extern int printf(const char *, ...);',
      '  extern char *getenv(const char *);',
      '  extern int atoi(const char *);',
      '  static int halted, deadlocks;',
      '}',
      'c_code {',
      '#if VECTORSZ > 32000',
      '  extern int *q_offset;',
      '#else',
      '  extern short *q_offset;',
      '#endif',
      ...(this.#links.length === 0
        ? []
        : [
            '  static int len_of(int l) { return ((Q1 *)qptr(now.link[l] - 1))->Qlen; }',
            '  static int at(int l, int i) { return ((Q1 *)qptr(now.link[l] - 1))->contents[i].fld0; }',
          ]),
      '  static void told(int id, const char *name, const char *what) {',
      `    static char known[${this.#asked.length + 1}];`,
      '    static int stop = -2;',
      '    if (stop == -2) { char *wanted = getenv("BATON_STOP"); stop = wanted ? atoi(wanted) : -1; }',
      '    if (id == stop) halted = 1;',
      '    if (!known[id] && !readtrail) { known[id] = 1; printf("BATON %s %s\\n", what, name); }',
      '  }',
      ...(!this.#hasFirstStep
        ? []
        : ['  static void begin(void) { if (!readtrail) printf("BATON begins\\n"); }']),
      '  static void missing(void) { static int said; if (!said++) printf("BATON missing\\n"); }',
    ];
    const { history } = this.#table;
    if (history !== null && history.after[0]!.length > 0) {
      lines.push(
        ...nextBlock,
        ...tableOf('short', 'history_after', history.after),
        '  static void tell(int event) {',
        '    if (history_after[now.history][event] < 0) missing();',
        '    else now.history = history_after[now.history][event];',
        '  }',
      );
    }
    for (const [actorIndex, actor] of actors.entries())
      lines.push(...nextBlock, ...this.#vanishing(actorIndex, actor));
    for (const { joins } of actors) {
      for (const { name, says, to } of joins)
        lines.push(
          `  /* The next local state by ${comment(says)} in a step of another one. -1: it does not take it. */`,
          ...tableOf('short', name, to),
        );
    }
    if (this.#within !== null) {
      lines.push(
        ...this.#holds('within', this.#within, 'The constraint. From a state outside, no step leads on.'),
        '  static void outside(void) { static int found; if (!readtrail) printf("BATON outside %d\\n", ++found); }',
      );
    }
    for (const [index, question] of this.#asked.entries()) {
      if ('holds' in question)
        lines.push(...this.#holds(`holds_${index}`, question.holds, question.property.name));
      if ('from' in question)
        lines.push(...this.#holds(`from_${index}`, question.from, question.property.name));
      if ('to' in question) lines.push(...this.#holds(`to_${index}`, question.to, question.property.name));
      if (question.kind === 'ltl') {
        for (const [at, [atom, part]] of Object.entries(question.atoms).entries())
          lines.push(...this.#holds(`atom_${index}_${at}`, part, `${question.property.name}: ${atom}`));
      }
    }
    const judged = ofStates.map((question) => {
      const index = this.#asked.indexOf(question);
      const [when, what] = question.kind === 'always' ? ['!', 'broken'] : ['', 'reached'];
      return `    if (${when}holds_${index}()) told(${index}, "${question.name}", "${what}");`;
    });
    const deadlock = this.#asked.findIndex(({ kind }) => kind === 'deadlockFree');
    lines.push(
      ...nextBlock,
      '  static void observe(int step) {',
      '    if (readtrail) printf("BATON step %d %d\\n", step, (int)now.m);',
      ...judged,
      '  }',
      ...(deadlock < 0
        ? []
        : [
            `  static void deadlock(void) { deadlocks++; told(${deadlock}, "${this.#asked[deadlock]!.name}", "broken"); if (!readtrail) printf("BATON deadlocks %d\\n", deadlocks); }`,
          ]),
      '}',
    );
    return lines;
  }

  /** Which messages vanish when they are sent to this actor, or when it enters a state. */
  #vanishing(actorIndex: number, actor: TableActor): string[] {
    const rows = (toAll: boolean) =>
      actor.locals.map((_, local) =>
        this.#table.messages.map((__, message) => (this.#drops(actorIndex, local, message, toAll) ? 1 : 0)),
      );
    const up = actor.locals.every((local) => local.up)
      ? []
      : tableOf(
          'char',
          `up_${actor.name}`,
          actor.locals.map((local) => (local.up ? 1 : 0)),
        );
    const known = actor.locals.map((_, local) =>
      this.#table.messages.map((__, message) =>
        actor.rows.some(({ from, on }) => from === local && on.kind === 'deliver' && on.message === message)
          ? 1
          : 0,
      ),
    );
    if (this.#capacity !== null || this.#isLarge(actor)) {
      up.push(...tableOf('char', `takes_${actor.name}`, known));
    }
    const { accepts } = this.#table;
    if (accepts !== null) {
      for (const link of this.#links) {
        const { name, target } = this.#table.links[link]!;
        if (target !== actorIndex) continue;
        const accepted = actor.locals.map((_, local) =>
          this.#table.messages.map((__, message) => (accepts(link, local, message) ? 1 : 0)),
        );
        up.push(...tableOf('char', `accepts_${name}`, accepted));
      }
    }
    if (!this.#everDrops(actorIndex)) return up;
    return [
      ...up,
      ...tableOf('char', `drops_${actor.name}`, rows(false)),
      ...tableOf('char', `drops_all_${actor.name}`, rows(true)),
      ...(this.#everPurges(actorIndex)
        ? tableOf(
            'char',
            `purges_${actor.name}`,
            actor.locals.map((_, local) =>
              this.#table.messages.map((__, message) =>
                this.#purgesMessage(actorIndex, local, message) ? 1 : 0,
              ),
            ),
          )
        : []),
    ];
  }

  #linkTo(actorIndex: number): number {
    return this.#table.links.findIndex(({ target }) => target === actorIndex);
  }

  #drops(actorIndex: number, local: number, message: number, toAll: boolean): boolean {
    return this.#table.actors[actorIndex]!.drops(local, this.#linkTo(actorIndex), message, toAll);
  }

  #purgesMessage(actorIndex: number, local: number, message: number): boolean {
    return this.#table.actors[actorIndex]!.purges(local, this.#linkTo(actorIndex), message);
  }

  readonly #dropping = new Map<number, boolean>();
  #everDrops(actorIndex: number): boolean {
    let known = this.#dropping.get(actorIndex);
    if (known === undefined) {
      known = this.#table.actors[actorIndex]!.locals.some((_, local) =>
        this.#table.messages.some(
          (__, message) =>
            this.#drops(actorIndex, local, message, true) || this.#drops(actorIndex, local, message, false),
        ),
      );
      this.#dropping.set(actorIndex, known);
    }
    return known;
  }

  #everPurges(actorIndex: number): boolean {
    return this.#table.compiled.world.specs[actorIndex]!.dead !== undefined;
  }

  #holds(name: string, measured: Measured, says: string): string[] {
    const lines: string[] = [];
    let parts = 0;
    const written = (part: Measured): string => {
      switch (part.kind) {
        case 'not':
          return `!(${written(part.of)})`;
        case 'and':
        case 'or':
          return part.of.length === 0
            ? part.kind === 'and'
              ? '1'
              : '0'
            : `(${part.of.map(written).join(part.kind === 'and' ? ' && ' : ' || ')})`;
        case 'sum': {
          const sum = `${name}_${parts++}`;
          lines.push(...this.#sum(sum, part.measure));
          const allowed = Array.from({ length: part.most + 1 }, (_, value) => value).filter((value) =>
            part.allows(value),
          );
          if (part.allows(part.most + 1)) return `(${sum}() > ${part.most} || ${anyOf(`${sum}()`, allowed)})`;
          return anyOf(`${sum}()`, allowed);
        }
        case 'reading': {
          const read = `${name}_${parts++}`;
          lines.push(...readingInC(read, part.reading, this.#table, this.#links));
          return `${read}()`;
        }
      }
    };
    const body = written(measured);
    return [
      ...nextBlock,
      `  /* ${comment(says)} */`,
      ...lines,
      `  static int ${name}(void) { return ${body}; }`,
    ];
  }

  #sum(name: string, measure: readonly ActorMeasure[]): string[] {
    const tables: string[] = [];
    const terms: string[] = [];
    for (const [actorIndex, { base, first, later }] of measure.entries()) {
      const actor = this.#table.actors[actorIndex]!;
      if (base.some((value) => value !== 0)) {
        tables.push(...tableOf('short', `${name}_${actor.name}`, base));
        terms.push(`    sum += ${name}_${actor.name}[now.${actor.name}];`);
      }
      const matrix = (suffix: string, rows: readonly (readonly number[])[]) => {
        if (rows.every((row) => row.every((value) => value === 0))) return null;
        tables.push(...tableOf('short', `${name}_${actor.name}_${suffix}`, rows));
        return (place: string) =>
          `${name}_${actor.name}_${suffix}[${rows.length === 1 ? '0' : `now.${actor.name}`}][${place}]`;
      };
      const [ofFirst, ofLater] = [matrix('first', first), matrix('later', later)];
      for (const [index, link] of this.#links.entries()) {
        if (this.#table.links[link]!.target !== actorIndex) continue;
        if (ofFirst !== null)
          terms.push(`    if (len_of(${index}) > 0) sum += ${ofFirst(`at(${index}, 0)`)};`);
        if (ofLater !== null)
          terms.push(`    for (i = 1; i < len_of(${index}); i++) sum += ${ofLater(`at(${index}, i)`)};`);
      }
    }
    return [
      ...tables,
      `  static int ${name}(void) {`,
      '    int i, sum = 0;',
      ...terms,
      '    return sum;',
      '  }',
    ];
  }

  // Steps.

  /** SPIN takes no inline of more text. */
  #isLarge({ rows }: TableActor): boolean {
    return rows.length > 150;
  }

  /** The step of the actor for message m, by its local state. */
  #receipts(actor: TableActor): string[] {
    const rows = actor.rows.filter(({ on }) => on.kind === 'deliver');
    if (rows.length === 0 || this.#capacity !== null || (this.#isFifo && this.#isLarge(actor))) return [];
    const links = this.#dependsOnLink(actor)
      ? this.#links.filter((link) => this.#table.actors[this.#table.links[link]!.target] === actor)
      : [null];
    return links.flatMap((link) => this.#receiptsOn(actor, link, rows));
  }

  /** The effect of a message may depend on its sender (`deliver`). */
  #dependsOnLink({ rows }: TableActor): boolean {
    const does = new Map<string, string>();
    return rows.some(({ from, on, ...does_ }) => {
      if (on.kind !== 'deliver') return false;
      const [key, text] = [`${from} ${on.message}`, JSON.stringify(does_)];
      const before = does.get(key);
      does.set(key, text);
      return before !== undefined && before !== text;
    });
  }

  /** The call of the actor's step with message m. */
  #receives(actor: TableActor, link: number): string {
    const of = this.#dependsOnLink(actor) ? `_on_${this.#table.links[link]!.name}` : '';
    return `${actor.name}_receives${of}()`;
  }

  /** `link`: `null` where it is the same on all. */
  #receiptsOn(actor: TableActor, link: number | null, rows: readonly Row[]): string[] {
    const ofLink = rows.filter(({ on }) => link === null || (on.kind === 'deliver' && on.link === link));
    const distinct = new Map(
      ofLink.map((row) => [`${row.from} ${row.on.kind === 'deliver' ? row.on.message : ''}`, row]),
    );
    return [
      '',
      `inline ${link === null ? `${actor.name}_receives()` : this.#receives(actor, link)} {`,
      '  if',
      ...[...distinct.values()].map((row) => {
        const message = row.on.kind === 'deliver' ? this.#table.messages[row.on.message]!.name : '';
        return `  :: ${actor.name} == ${actor.locals[row.from]!.name} && m == ${message} -> ${this.#effect(actor, row, false)}`;
      }),
      '  :: else -> c_code { missing(); }; assert(false)',
      '  fi',
      // Once for all rows: in a local state that stays, there is nothing to take.
      ...(this.#everPurges(this.#table.actors.indexOf(actor)) ? [`  ${actor.name}_purges()`] : []),
      '}',
    ];
  }

  #effect(actor: TableActor, { from, to, joined, sends, tells }: Row, purges = true): string {
    const actorIndex = this.#table.actors.indexOf(actor);
    const parts = from === to ? [] : [`${actor.name} = ${actor.locals[to]!.name}`];
    if (purges && from !== to && this.#everPurges(actorIndex)) parts.push(`${actor.name}_purges()`);
    parts.push(
      ...joined.map((join) => {
        const next = this.#joined(join);
        return `c_code { if (${next} < 0) missing(); else now.${this.#table.actors[join.actor]!.name} = ${next}; }`;
      }),
      ...sends.map((send) => this.#send(send)),
      ...tells.map((event) => `c_code { tell(${event}); }`),
    );
    return parts.length === 0 ? 'skip' : parts.join('; ');
  }

  /** The next local state of an actor that takes part in a step of another one. */
  #joined({ actor, join }: Row['joined'][number]): string {
    const { name, joins } = this.#table.actors[actor]!;
    return `${joins[join]!.name}[now.${name}]`;
  }

  /** Takes the messages that the new local state will always ignore off the links to the actor. */
  #purges(actorIndex: number): string[] {
    if (!this.#everPurges(actorIndex)) return [];
    const { name } = this.#table.actors[actorIndex]!;
    const links = this.#links.filter((link) => this.#table.links[link]!.target === actorIndex);
    return [
      '',
      `inline ${name}_purges() {`,
      ...links.map((link) => {
        const channel = this.#table.links[link]!.name;
        return `  n = len(${channel}); do :: n > 0 -> ${channel} ? k; if :: c_expr { purges_${name}[now.${name}][now.k] } -> skip :: else -> ${channel} ! k fi; n-- :: else -> break od; k = 0;`;
      }),
      '  n = 0',
      '}',
    ];
  }

  #send({ link, message, toAll }: TableSend): string {
    const { name, target } = this.#table.links[link]!;
    const word = this.#table.messages[message]!.name;
    const plain = this.#isFifo ? `${name} ! ${word}` : `${name} !! ${word}`;
    const kept =
      this.#network.duplication === 'persistent'
        ? `if :: ${name} ?? [${word}] -> skip :: else -> ${plain} fi`
        : plain;
    if (!this.#everDrops(target)) return kept;
    const actor = this.#table.actors[target]!.name;
    return `if :: c_expr { drops_${toAll ? 'all_' : ''}${actor}[now.${actor}][${word}] } -> skip :: else -> ${kept} fi`;
  }

  #deliveries(link: number): void {
    const { name, target, source } = this.#table.links[link]!;
    const actor = this.#table.actors[target]!;
    const alive = this.#alive(actor);
    const ids = this.#table.compiled.world.ids;
    const action = (message: number): Action => ({
      kind: 'deliver',
      actor: actor.id,
      source: source === null ? null : ids[source]!,
      message: this.#table.messages[message]!.message,
    });
    const deliver = this.#step({ kind: 'deliver', link });
    const { duplication = 0 } = this.#network;
    const duplicates =
      duplication !== 0 && duplication !== 'persistent' ? this.#step({ kind: 'duplicate', link }) : null;
    const spend = this.#spend('duplicated');
    const says = `What is on its way to ${actor.id}${source === null ? '' : ` from ${ids[source]}`} arrives.`;
    const done = (step: number) => `${this.#observe(step)}; m = 0`;
    if (this.#capacity !== null || (this.#isFifo && this.#isLarge(actor))) {
      this.#deliveriesByRow(link, deliver, duplicates, spend, says);
      return;
    }
    if (this.#isFifo) {
      const process = this.#process(
        `deliver_${name}`,
        says,
        this.#table.messages.map((_, message) => action(message)),
      );
      process.options.push(
        `nempty(${name})${alive} -> ${name} ? m; ${this.#receives(actor, link)}; ${done(deliver)}`,
      );
      if (duplicates !== null) {
        const copies = this.#process(`duplicate_${name}`, says, []);
        copies.options.push(
          `nempty(${name})${alive}${spend.guard} -> ${spend.spend}${name} ? <m>; ${this.#receives(actor, link)}; ${done(duplicates)}`,
        );
      }
      return;
    }
    const take = duplication === 'persistent' ? '' : (word: string) => `${name} ?? ${word}; `;
    const accepted = (word: string) =>
      this.#table.accepts === null ? '' : ` && c_expr { accepts_${name}[now.${actor.name}][${word}] }`;
    for (const [message, { name: word }] of this.#table.messages.entries()) {
      if (!actor.rows.some(({ on }) => on.kind === 'deliver' && on.message === message && on.link === link))
        continue;
      const process = this.#process(
        this.#fairness === null ? `deliver_${name}` : `deliver_${name}_${word}`,
        says,
        [action(message)],
      );
      process.options.push(
        `${name} ?? [${word}]${alive}${accepted(word)} -> ${take === '' ? '' : take(word)}m = ${word}; ${this.#receives(actor, link)}; ${done(deliver)}`,
      );
      if (duplicates !== null) {
        const copies = this.#process(`duplicate_${name}`, says, []);
        copies.options.push(
          `${name} ?? [${word}]${alive}${accepted(word)}${spend.guard} -> ${spend.spend}m = ${word}; ${this.#receives(actor, link)}; ${done(duplicates)}`,
        );
      }
    }
  }

  /** Each row is a step of its own: where a step may have to wait for room, and where the rows are too many for one d_step. */
  #deliveriesByRow(
    link: number,
    deliver: number,
    duplicate: number | null,
    spend: { readonly guard: string; readonly spend: string },
    says: string,
  ): void {
    const { name, target, source } = this.#table.links[link]!;
    const actor = this.#table.actors[target]!;
    const { ids } = this.#table.compiled.world;
    if (!this.#isFifo)
      throw new ExportError('EXPORT_REFUSED', 'Bags with a capacity are not written to Promela.');
    const rows = actor.rows.filter(({ on }) => on.kind === 'deliver' && on.link === link);
    const wordOf = ({ on }: Row) => (on.kind === 'deliver' ? this.#table.messages[on.message]! : null)!;
    const process = this.#process(
      `deliver_${name}`,
      says,
      rows.map((row) => ({
        kind: 'deliver',
        actor: actor.id,
        source: source === null ? null : ids[source]!,
        message: wordOf(row).message,
      })),
    );
    const alive = this.#alive(actor);
    for (const row of rows) {
      const when = `${actor.name} == ${actor.locals[row.from]!.name} && ${name} ? [${wordOf(row).name}]`;
      const does = `${this.#effect(actor, row)}; ${this.#observe(deliver)}; m = 0`;
      process.options.push(`${when}${this.#room(row, link)} -> ${name} ? m; ${does}`);
      if (duplicate === null) continue;
      const copies = this.#process(`duplicate_${name}`, says, []);
      const copied = `${this.#effect(actor, row)}; ${this.#observe(duplicate)}; m = 0`;
      copies.options.push(
        `${when}${this.#room(row, null)}${spend.guard} -> ${spend.spend}${name} ? <m>; ${copied}`,
      );
    }
    const index = this.#links.indexOf(link);
    process.options.push(
      `nempty(${name})${alive} && c_expr { !takes_${actor.name}[now.${actor.name}][(at)(${index}, 0)] } -> c_code { missing(); }; assert(false)`,
    );
  }

  /** An actor that is down or has failed takes nothing. */
  #alive({ name, locals }: TableActor): string {
    return locals.every(({ up }) => up) ? '' : ` && c_expr { up_${name}[now.${name}] }`;
  }

  /** Room for what a step sends, where queues are bounded. `taken`: the link from which it takes a message. */
  #room({ sends }: Row, taken: number | null): string {
    if (this.#capacity === null) return '';
    const counts = new Map<number, number>();
    for (const { link } of sends) counts.set(link, (counts.get(link) ?? 0) + 1);
    return [...counts]
      .map(([link, count]) => {
        const most = this.#capacity! - count + (link === taken ? 1 : 0);
        return ` && len(${this.#table.links[link]!.name}) <= ${most}`;
      })
      .join('');
  }

  #ownSteps(actor: TableActor): void {
    const actorIndex = this.#table.actors.indexOf(actor);
    for (const row of actor.rows) {
      const action = ownAction(actor, row.on);
      if (action === null) continue;
      const what =
        action.kind === 'environment'
          ? action.event.type
          : action.kind === 'timer'
            ? `timer_${action.timer}`
            : action.kind;
      const word = what.replace(/\W+/g, '_');
      const says =
        action.kind === 'environment' ? `${actor.id}: ${action.event.type}.` : `${actor.id}: ${what}.`;
      const process = this.#process(`${actor.name}_${word}`, says, [action]);
      const takes = row.joined.map((join) => ` && c_expr { ${this.#joined(join)} != -1 }`).join('');
      const drained = action.kind === 'crash' ? this.#drain(actorIndex) : '';
      const step = this.#step({ action });
      const { from, to, sends, joined, tells } = row;
      const isIdle = from === to && [sends, joined, tells].every(({ length }) => length === 0);
      (isIdle ? process.idle : process.options).push(
        `${actor.name} == ${actor.locals[row.from]!.name}${this.#room(row, null)}${takes} -> ${this.#effect(actor, row)}${drained}; ${this.#observe(step)}`,
      );
    }
  }

  /** A crash loses the messages on their way. */
  #drain(actorIndex: number): string {
    if (this.#table.compiled.world.keepsInbox[actorIndex]!) return '';
    return this.#links
      .filter((link) => this.#table.links[link]!.target === actorIndex)
      .map((link) => {
        const { name } = this.#table.links[link]!;
        return `; do :: len(${name}) > 0 -> ${name} ? k :: else -> break od; k = 0`;
      })
      .join('');
  }

  #faults(link: number): void {
    const { loss = 0, breaks = 0 } = this.#network;
    const { name, target, most } = this.#table.links[link]!;
    const alive = this.#alive(this.#table.actors[target]!);
    const index = this.#links.indexOf(link);
    const keepUpTo = (place: number, andBehind: boolean) =>
      `n = len(${name}); do :: j < n -> ${name} ? k; if :: j < ${place}${andBehind ? ` || j > ${place}` : ''} -> ${name} ! k :: else -> m = k fi; j++ :: else -> break od; k = 0; j = 0; n = 0`;
    if (loss !== 0) {
      const step = this.#step({ kind: 'lose', link });
      const { guard, spend } = this.#spend('lost');
      const process = this.#process(`lose_${name}`, 'A message is lost.', []);
      for (let place = 0; place < most; place++) {
        const another =
          place === 0 ? '' : ` && c_expr { (at)(${index}, ${place}) != (at)(${index}, ${place - 1}) }`;
        process.options.push(
          `len(${name}) > ${place}${another}${alive}${guard} -> ${spend}${keepUpTo(place, true)}; ${this.#observe(step)}; m = 0`,
        );
      }
    }
    if (breaks !== 0) {
      const step = this.#step({ kind: 'break', link });
      const { guard, spend } = this.#spend('broken');
      const process = this.#process(`break_${name}`, 'The link breaks, and its tail is lost.', []);
      for (let place = 0; place < most; place++) {
        process.options.push(
          `len(${name}) > ${place}${alive}${guard} -> ${spend}${keepUpTo(place, false)}; m = 0; ${this.#observe(step)}`,
        );
      }
    }
  }

  #step(step: PromelaStep): number {
    return this.#steps.push(step) - 1;
  }

  #observe(step: number): string {
    return `c_code { observe(${step}); }; c_code [!halted] { ; }`;
  }

  /** The proctype of steps of one fairness class; `actions`: all that may happen in it. */
  #process(name: string, says: string, actions: readonly Action[]): Process {
    const weak = this.#fairness?.weak;
    const classes = actions.map((action) => weak?.(action) ?? null);
    const isUnfair = classes.every((of) => of === null);
    if (!isUnfair && classes.includes(null)) {
      throw new ExportError(
        'EXPORT_REFUSED',
        `Some steps of ${name} are fair and some are not, which one process of Promela cannot be.`,
      );
    }
    // On a queue the first message stays until it is delivered: fairness to each message is fairness to the link.
    const key = isUnfair || actions[0]?.kind === 'deliver' ? name : classes[0]!;
    let process = this.#processes.get(key);
    if (process === undefined) {
      process = { name: this.#ownName(name), says, options: [], idle: [], isUnfair };
      this.#processes.set(key, process);
    }
    return process;
  }

  /** Events of one type may be fair each by itself. */
  #ownName(name: string): string {
    const taken = [...this.#processes.values()].map((process) => process.name);
    let own = this.#words.has(name) ? `${name}_step` : name;
    for (let number = 2; taken.includes(own); number++) own = `${name}_step_${number}`;
    return own;
  }

  #proctype({ name, says, options, idle, isUnfair }: Process): string[] {
    const when = [
      ...(!this.#hasFirstStep ? [] : ['started']),
      ...(this.#within === null ? [] : ['c_expr { (within)() }']),
    ];
    return [
      '',
      `/* ${comment(says)} */`,
      `active proctype ${name}()${when.length === 0 ? '' : ` provided (${when.join(' && ')})`} {`,
      '  do',
      ...options.map((option) => `  :: d_step { ${option} }`),
      ...(idle.length === 0
        ? []
        : [
            '#ifndef RUNS',
            ...idle.map((option) => `  :: d_step { ${option} } /* it changes nothing */`),
            ...(options.length === 0 ? ['#else', '  :: false -> skip'] : []),
            '#endif',
          ]),
      ...(isUnfair ? ['#ifdef RUNS', '  :: d_step { true -> skip } /* it need not happen */', '#endif'] : []),
      '  od',
      '}',
    ];
  }

  // The initial state, deadlocks and claims.

  #starts(): string[] {
    return [...this.#start(), ...this.#outside(), ...this.#deadlock()];
  }

  /** The first step: one of the initial states, and what the actors send in it. SPIN counts one state more, the one before it. */
  #start(): string[] {
    if (!this.#hasFirstStep) return [];
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
              `${links[link]!.name} ${this.#isFifo ? '!' : '!!'} ${messages[message]!.name}`,
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
      `  :: d_step { ${this.#hasFirstStep ? 'started && ' : ''}c_expr { !(within)() } -> c_code { outside(); } }`,
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
      const started = !this.#hasFirstStep ? '' : 'started && ';
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
      `ltl ${name}_ { ${this.#hasFirstStep ? `!started U (started && (${text}))` : text} }`,
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

function anyOf(value: string, allowed: readonly number[]): string {
  if (allowed.length === 0) return '0';
  const ranges: [number, number][] = [];
  for (const number of allowed) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return `(${ranges.map(([from, to]) => (from === to ? `${value} == ${from}` : from === 0 ? `${value} <= ${to}` : `(${value} >= ${from} && ${value} <= ${to})`)).join(' || ')})`;
}

function comment(text: string): string {
  return text.replaceAll('*/', '* /').replaceAll('\n', ' ');
}
