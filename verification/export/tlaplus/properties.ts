import type { Formula } from '../../checker/liveness/ltl.ts';
import type { Layout } from '../layout.ts';
import { type ActorMeasure, type Measured, rowOf } from '../measure.ts';
import type { Question } from '../questions.ts';
import { type Automaton, linksTo, type Reading } from '../reading.ts';
import type { Table } from '../table.ts';
import { notInTable, quoted } from './words.ts';

/** Properties as formulas of TLA+, and the tables that they read. */
export class Properties {
  readonly #layout: Layout;
  readonly #table: Table;
  /** Tables of readings, as definitions. */
  readonly #tables: string[] = [];

  constructor(layout: Layout) {
    this.#layout = layout;
    this.#table = layout.table;
  }

  /** The definition of a property. */
  of(question: Question): string[] {
    const says = `\\* ${question.property.name}`;
    switch (question.kind) {
      case 'always':
        return [says, `${question.name} == ${this.holds(question.holds)}`, ''];
      case 'reachable':
        return [
          `${says}: reachable, so that TLC must find a state that breaks this.`,
          `never_${question.name} == ~(${this.holds(question.holds)})`,
          '',
        ];
      case 'deadlockFree':
        return [
          says,
          `${question.name} == (ENABLED Next) \\/ ${this.#table.within === null ? '' : '~Within \\/ '}(${this.holds(question.holds)})`,
          '',
        ];
      case 'leadsTo':
        return [
          says,
          `${question.name} == (${this.#holdsInRuns(question.from)}) ~> (${this.#holdsInRuns(question.to)})`,
          '',
        ];
      case 'eventually':
        return [says, `${question.name} == <>(${this.#holdsInRuns(question.to)})`, ''];
      case 'ltl': {
        const { formula, atoms } = question;
        const atom = (name: string) => this.#holdsInRuns(atoms[name]!);
        // A part that never holds keeps TLC from ending a counterexample where the formula is lost, before it is a fair run.
        return [says, `${question.name} == (${inTla(formula, atom)}) \\/ <>(local /= local)`, ''];
      }
    }
  }

  /** TLC 1.7.4 calls `<>TRUE` violated, and judges every formula with a constant wrongly: each part names a variable. */
  #holdsInRuns(measured: Measured): string {
    const text = this.holds(measured);
    return /\b(local|channel|history)\b/.test(text) ? text : `${text} /\\ local = local`;
  }

  holds(measured: Measured): string {
    switch (measured.kind) {
      case 'not':
        return `~(${this.holds(measured.of)})`;
      case 'and':
      case 'or': {
        if (measured.of.length === 0) return measured.kind === 'and' ? 'TRUE' : 'FALSE';
        return measured.of
          .map((part) => `(${this.holds(part)})`)
          .join(measured.kind === 'and' ? ' /\\ ' : ' \\/ ');
      }
      case 'sum': {
        const allowed = Array.from({ length: measured.most + 1 }, (_, value) => value).filter((value) =>
          measured.allows(value),
        );
        const beyond = measured.allows(measured.most + 1) ? ` \\/ sum > ${measured.most}` : '';
        const sum = this.#sum(measured.measure);
        if (sum === '0') return measured.allows(0) ? 'TRUE' : 'FALSE';
        return `LET sum == ${sum} IN sum \\in {${allowed.join(', ')}}${beyond}`;
      }
      case 'reading':
        return `${this.#reading(measured.reading)} = -2`;
    }
  }

  /** A term for the node to which a reading comes: -1 - answer. Its tables are definitions of their own. */
  #reading({ actors, whole }: Reading): string {
    const { history } = this.#table;
    const seen = actors.map((automaton, index) => {
      const { name } = this.#table.actors[index]!;
      const word = [
        `<<local[${quoted(name)}]>>`,
        ...linksTo(this.#table, index).map((link) => {
          const on = `channel[${quoted(this.#table.links[link]!.name)}]`;
          return `${this.#layout.isFifo ? on : `Listed(${on}, MessageOrder)`} \\o <<"">>`;
        }),
      ].join(' \\o ');
      const { locals } = this.#table.actors[index]!;
      const symbol = (number: number, node: number) =>
        quoted(
          node === automaton.start
            ? locals[number]!.name
            : number === 0
              ? ''
              : this.#table.messages[number - 1]!.name,
        );
      return `-1 - Read(${this.#edges(automaton, symbol)}, ${automaton.start}, ${word})`;
    });
    const word = [...seen, ...(history === null ? [] : ['history'])].join(', ');
    return `Read(${this.#edges(whole, String)}, ${whole.start}, <<${word}>>)`;
  }

  /** The name of a table of edges: for each node a function from symbols to nodes. */
  #edges({ nodes }: Automaton, symbol: (number: number, node: number) => string): string {
    const name = `Edges_${this.#tables.length}`;
    const rows = nodes.map((edges, node) => {
      const byNext = new Map<number, string[]>();
      for (const [on, to] of edges) byNext.set(to, [...(byNext.get(to) ?? []), symbol(on, node)]);
      const parts = [...byNext].map(([to, symbols]) => `[symbol \\in {${symbols.join(', ')}} |-> ${to}]`);
      return parts.join(' @@ ');
    });
    this.#tables.push(`${name} == <<${rows.join(',\n  ')}>>`);
    return name;
  }

  #sum(measure: readonly ActorMeasure[]): string {
    const terms = measure.flatMap(({ base, first, later }, actorIndex) => {
      const actor = this.#table.actors[actorIndex]!;
      const at = `local[${quoted(actor.name)}]`;
      const own = byValue(
        base.map((value, local) => [quoted(actor.locals[local]!.name), value]),
        at,
      );
      const links = this.#layout.linksTo(actorIndex);
      const weights = (rows: ActorMeasure['first'], m: string) => {
        const words = this.#table.messages.map(({ name }) => quoted(name));
        if (rows.length === 1)
          return byValue(
            words.map((word, message) => [word, rows[0]![message]!]),
            m,
          );
        const pairs = actor.locals.flatMap(({ name }, local) =>
          words.map(
            (word, message) => [`<<${quoted(name)}, ${word}>>`, rowOf(rows, local)[message]!] as const,
          ),
        );
        return byValue(pairs, `<<${at}, ${m}>>`);
      };
      const ofLinks = links.flatMap((link) => {
        const on = `channel[${quoted(this.#table.links[link]!.name)}]`;
        if (!this.#layout.isFifo) {
          return this.#table.messages.flatMap(({ name }) => {
            const weight = weights(first, quoted(name));
            return weight === null ? [] : [`${on}[${quoted(name)}] * (${weight})`];
          });
        }
        return Array.from({ length: this.#table.links[link]!.most }, (_, place) => {
          const weight = weights(place === 0 ? first : later, `${on}[${place + 1}]`);
          return weight === null ? null : `(IF Len(${on}) > ${place} THEN ${weight} ELSE 0)`;
        }).filter((term) => term !== null);
      });
      return [...(own === null ? [] : [`(${own})`]), ...ofLinks];
    });
    return terms.length === 0 ? '0' : terms.join(' + ');
  }

  /** The tables of all properties that were written. */
  readings(): readonly string[] {
    if (this.#tables.length === 0) return [];
    const { messages } = this.#table;
    return [
      '\\* Automata: for each node the next one by symbol. The answer n is the node -1 - n.',
      ...this.#tables,
      '',
      'RECURSIVE Read(_, _, _)',
      'Read(edges, node, word) ==',
      '  IF node < 0 THEN node',
      '  ELSE IF Head(word) \\in DOMAIN edges[node + 1] THEN Read(edges, edges[node + 1][Head(word)], Tail(word))',
      `  ELSE Assert(FALSE, <<"${notInTable}", node, word>>)`,
      ...(this.#layout.isFifo
        ? []
        : [
            '',
            '\\* The messages of a bag in order.',
            `MessageOrder == <<${messages.map(({ name }) => quoted(name)).join(', ')}>>`,
            'RECURSIVE Listed(_, _)',
            'Listed(bag, order) ==',
            '  IF order = <<>> THEN <<>>',
            '  ELSE [place \\in 1..bag[Head(order)] |-> Head(order)] \\o Listed(bag, Tail(order))',
          ]),
      '',
    ];
  }
}

function inTla(formula: Formula, atom: (name: string) => string): string {
  const of = (part: Formula) => `(${inTla(part, atom)})`;
  switch (formula.op) {
    // A constant is judged wrongly, as above.
    case 'true':
      return 'local = local';
    case 'false':
      return 'local /= local';
    case 'atom':
      return atom(formula.name);
    case 'not':
      return `~${of(formula.of)}`;
    case 'always':
      return `[]${of(formula.of)}`;
    case 'eventually':
      return `<>${of(formula.of)}`;
    case 'and':
      return `${of(formula.left)} /\\ ${of(formula.right)}`;
    case 'or':
      return `${of(formula.left)} \\/ ${of(formula.right)}`;
    case 'implies':
      return `${of(formula.left)} => ${of(formula.right)}`;
    case 'iff':
      return `${of(formula.left)} <=> ${of(formula.right)}`;
    default:
      throw new Error(`A formula with ${formula.op} is refused before.`);
  }
}

/** `IF x \in {…} THEN 1 ELSE …`, most often in one step; `null` where it is 0 for all. */
function byValue(entries: readonly (readonly [string, number])[], of: string): string | null {
  const values = [...new Set(entries.map(([, value]) => value))].filter((value) => value !== 0);
  if (values.length === 0) return null;
  return values.reduceRight((otherwise, value) => {
    const where = entries.filter(([, one]) => one === value).map(([name]) => name);
    return `IF ${of} \\in {${where.join(', ')}} THEN ${value} ELSE ${otherwise}`;
  }, '0');
}
