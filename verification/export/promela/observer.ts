import type { Layout } from '../layout.ts';
import type { ActorMeasure, Measured } from '../measure.ts';
import type { Question, Questions } from '../questions.ts';
import type { Table, TableActor } from '../table.ts';
import { comment } from './comment.ts';
import { readingInC } from './readings.ts';
import { nextBlock, tableOf } from './tables-in-c.ts';

/** The C code beside the processes: the tables of the actors, and the functions that judge each state that SPIN reaches. */
export function observer(layout: Layout, questions: Questions): string[] {
  return new Observer(layout, questions).write();
}

class Observer {
  readonly #layout: Layout;
  readonly #table: Table;
  readonly #asked: readonly Question[];
  readonly #within: Measured | null;

  constructor(layout: Layout, { asked, within }: Questions) {
    this.#layout = layout;
    this.#table = layout.table;
    this.#asked = asked;
    this.#within = within;
  }

  write(): string[] {
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
      ...(this.#layout.links.length === 0
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
      ...(!this.#layout.hasFirstStep
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
        this.#table.messages.map((__, message) =>
          this.#layout.drops(actorIndex, local, message, toAll) ? 1 : 0,
        ),
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
    if (this.#layout.capacity !== null || this.#layout.isLarge(actor)) {
      up.push(...tableOf('char', `takes_${actor.name}`, known));
    }
    const { accepts } = this.#table;
    if (accepts !== null) {
      for (const link of this.#layout.linksTo(actorIndex)) {
        const { name } = this.#table.links[link]!;
        const accepted = actor.locals.map((_, local) =>
          this.#table.messages.map((__, message) => (accepts(link, local, message) ? 1 : 0)),
        );
        up.push(...tableOf('char', `accepts_${name}`, accepted));
      }
    }
    if (!this.#layout.everDrops(actorIndex)) return up;
    return [
      ...up,
      ...tableOf('char', `drops_${actor.name}`, rows(false)),
      ...tableOf('char', `drops_all_${actor.name}`, rows(true)),
      ...(this.#layout.everPurges(actorIndex)
        ? tableOf(
            'char',
            `purges_${actor.name}`,
            actor.locals.map((_, local) =>
              this.#table.messages.map((__, message) =>
                this.#layout.purges(actorIndex, local, message) ? 1 : 0,
              ),
            ),
          )
        : []),
    ];
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
          lines.push(...readingInC(read, part.reading, this.#table, this.#layout.links));
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
      for (const link of this.#layout.linksTo(actorIndex)) {
        const index = this.#layout.links.indexOf(link);
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
