import type { Formula } from '../../checker/liveness/ltl.ts';
import type { Fairness } from '../../system/system.ts';
import { ExportError } from '../errors.ts';
import { Layout } from '../layout.ts';
import { Names } from '../names.ts';
import { fitting, operatorsOf, type Question, type Questions } from '../questions.ts';
import type { Start, Table, TableActor } from '../table.ts';
import { Properties } from './properties.ts';
import { Steps, type TlaStep } from './steps.ts';
import { counted, functionOf, notInTable, quoted } from './words.ts';

export interface TlaPlus {
  /** The module's name: TLC wants it in a file of that name. */
  readonly module: string;
  readonly text: string;
  /**
   * The steps, by the names of their definitions. TLC names the part that it takes: `Deliver_LINK_message("MESSAGE")`,
   * `Break_LINK_losing(NUMBER)`.
   */
  readonly steps: ReadonlyMap<string, TlaStep>;
}

/**
 * Writes a system as a module of TLA+, for TLC; its configuration stands in the comment at the top. The channels and crashes are
 * TLA+'s own; of the statecharts it has the table. A combination of local state and message that is not in the table makes TLC
 * stop with an error.
 */
export function tlaplus(table: Table, questions: Questions): TlaPlus {
  return new Writer(table, questions).write();
}

/** The specification under which a property is judged: one of runs has its own fairness. */
export function specOf(question: Question): string {
  return 'fairness' in question ? `Fair_${question.name}` : 'Spec';
}

/** The questions that TLC can be asked: TLA+ has no until. */
export function askedOfTlc(questions: Questions): Questions {
  const isUntil = (op: Formula['op']) => op === 'until' || op === 'release' || op === 'weakUntil';
  return fitting(questions, (question) =>
    question.kind === 'ltl' && [...operatorsOf(question.formula)].some(isUntil)
      ? 'its formula has U, R or W, which TLA+ does not have'
      : null,
  );
}

class Writer {
  readonly #layout: Layout;
  readonly #table: Table;
  readonly #questions: Questions;
  readonly #properties: Properties;
  readonly #steps: Steps;

  constructor(table: Table, questions: Questions) {
    this.#layout = new Layout(table);
    if (!this.#layout.isFifo && this.#layout.capacity !== null)
      throw new ExportError('EXPORT_REFUSED', 'Bags with a capacity are not written to TLA+.');
    this.#table = table;
    this.#questions = questions;
    this.#properties = new Properties(this.#layout);
    this.#steps = new Steps(this.#layout);
  }

  write(): TlaPlus {
    const module = new Names().of(this.#table.system.name);
    return { module, text: this.#text(module), steps: this.#steps.byName };
  }

  #text(module: string): string {
    const { system, states, transitions, actors, messages } = this.#table;
    const { asked, within } = this.#questions;
    const properties = asked.flatMap((question) => this.#properties.of(question));
    const constraint = within === null ? null : this.#properties.holds(within);
    return [
      `---- MODULE ${module} ----`,
      `\\* ${system.name}: ${actors.length} actors, ${system.network.order} network. Written by baton export.`,
      '\\* TLC wants it in a file of the name of the module, and beside it, in one of the same name that ends in .cfg:',
      ...this.#config().map((line) => `\\*   ${line}`),
      `\\* Baton counts ${states} states and ${transitions} transitions (TLC counts the initial states among those generated).`,
      'EXTENDS Integers, Sequences, TLC',
      '',
      `VARIABLES ${this.#variables().join(', ')}`,
      `vars == <<${this.#variables().join(', ')}>>`,
      '',
      `Actors == {${actors.map(({ name }) => quoted(name)).join(', ')}}`,
      `Links == {${this.#layout.links.map((link) => quoted(this.#table.links[link]!.name)).join(', ')}}`,
      `Messages == {${messages.map(({ name }) => quoted(name)).join(', ')}}`,
      functionOf(
        'Target',
        this.#layout.links.map((link) => [
          this.#table.links[link]!.name,
          quoted(actors[this.#table.links[link]!.target]!.name),
        ]),
      ),
      '',
      ...actors.flatMap((actor) => this.#locals(actor)),
      ...this.#network(),
      ...this.#properties.readings(),
      ...(constraint === null
        ? []
        : ['\\* The constraint. From a state outside, no step leads on.', `Within == ${constraint}`, '']),
      ...this.#steps.write(),
      ...this.#init(),
      '',
      ...this.#next(),
      ...properties,
      '====',
      '',
    ].join('\n');
  }

  #variables(): string[] {
    return [
      'local',
      'channel',
      ...counted(this.#layout),
      ...(this.#table.history === null ? [] : ['history']),
    ];
  }

  #locals({ id, locals }: TableActor): string[] {
    return [
      `\\* Local states of ${id}.`,
      ...locals.map(({ name, says }) => `\\*   ${name}: ${says.replaceAll('\n', ' ')}`),
      '',
    ];
  }

  /** A sent message goes behind the others, unless its receiver will never heed it. */
  #network(): string[] {
    const { actors, messages, links } = this.#table;
    const dropped = (toAll: boolean) =>
      actors.flatMap((actor, actorIndex) => {
        const link = links.findIndex(({ target }) => target === actorIndex);
        return actor.locals.flatMap(({ name }, local) =>
          messages.flatMap((message, index) =>
            actor.drops(local, link, index, toAll) ? [`<<${quoted(name)}, ${quoted(message.name)}>>`] : [],
          ),
        );
      });
    const put = this.#layout.isFifo ? 'Append(@, send.message)' : '[@ EXCEPT ![send.message] = @ + 1]';
    const isThere = this.#layout.isFifo
      ? '\\E i \\in DOMAIN on[send.link] : on[send.link][i] = send.message'
      : 'on[send.link][send.message] > 0';
    const persists = this.#layout.faults.duplicated === 'persistent' ? ` \\/ ${isThere}` : '';
    const { history } = this.#table;
    return [
      `Drops == {${dropped(false).join(', ')}}`,
      `DropsOfAll == {${dropped(true).join(', ')}}`,
      '',
      'RECURSIVE Put(_, _, _)',
      'Put(at, on, sends) ==',
      '  IF sends = <<>> THEN on',
      '  ELSE LET send == Head(sends)',
      '           entry == <<at[Target[send.link]], send.message>>',
      `           vanishes == entry \\in (IF send.toAll THEN DropsOfAll ELSE Drops)${persists}`,
      `       IN Put(at, IF vanishes THEN on ELSE [on EXCEPT ![send.link] = ${put}], Tail(sends))`,
      '',
      ...(this.#layout.capacity === null
        ? []
        : [
            '\\* A step waits until there is room for all that it sends.',
            'Room(on, sends) == \\A link \\in Links :',
            '  LET Goes(send) == send.link = link',
            '      count == Len(SelectSeq(sends, Goes))',
            `  IN IF count = 0 THEN TRUE ELSE Len(on[link]) + count <= ${this.#layout.capacity}`,
            '',
          ]),
      ...(history === null
        ? []
        : [
            '\\* The history by number.',
            ...history.values.map((value, number) => `\\*   ${number}: ${value}`),
            `After == <<${history.after.map((row) => `<<${row.map((next) => (next < 0 ? history.values.length : next)).join(', ')}>>`).join(', ')}>>`,
            'RECURSIVE Told(_, _)',
            'Told(value, tells) ==',
            '  IF tells = <<>> THEN value',
            '  ELSE LET next == After[value + 1][Head(tells) + 1]',
            `       IN IF next = ${history.values.length} THEN Assert(FALSE, <<"${notInTable}", value, tells>>) ELSE Told(next, Tail(tells))`,
            '',
          ]),
    ];
  }

  #next(): string[] {
    const names = [...this.#steps.byName.keys()];
    return [`Next == ${names.map((name) => `\\/ ${name}`).join('\n        ')}`, '', ...this.#fairness(names)];
  }

  #init(): string[] {
    const { actors, starts, history } = this.#table;
    const ofStart = ({ locals, sent, history: told }: Start) => [
      `/\\ local = ${actors.map(({ name, locals: list }, actor) => `(${quoted(name)} :> ${quoted(list[locals[actor]!]!.name)})`).join(' @@ ')}`,
      `/\\ channel = ${this.#channelsOf(sent)}`,
      ...counted(this.#layout).map((fault) => `/\\ ${fault} = 0`),
      ...(history === null ? [] : [`/\\ history = ${told}`]),
    ];
    if (starts.length === 1) return ['Init ==', ...ofStart(starts[0]!).map((line) => `  ${line}`)];
    return [
      'Init ==',
      ...starts.flatMap((start) =>
        ofStart(start).map((line, index) => `  ${index === 0 ? '\\/' : '  '} ${line}`),
      ),
    ];
  }

  /** The channels with the messages that the actors send when they start. */
  #channelsOf(sent: Start['sent']): string {
    const on = (link: number) =>
      sent.flatMap((one) => (one.link === link ? [this.#table.messages[one.message]!.name] : []));
    const nonEmpty = this.#layout.links.filter((link) => on(link).length > 0);
    const empty = this.#layout.isFifo ? '<<>>' : '[word \\in Messages |-> 0]';
    if (nonEmpty.length === 0) return `[link \\in Links |-> ${empty}]`;
    const held = (words: readonly string[]) => {
      if (this.#layout.isFifo) return `<<${words.map(quoted).join(', ')}>>`;
      const counts = [...new Set(words)].map(
        (word) => `(${quoted(word)} :> ${words.filter((one) => one === word).length})`,
      );
      return `(${counts.join(' @@ ')} @@ [word \\in Messages |-> 0])`;
    };
    const full = nonEmpty.map((link) => `(${quoted(this.#table.links[link]!.name)} :> ${held(on(link))})`);
    return `${full.join(' @@ ')} @@ [link \\in Links |-> ${empty}]`;
  }

  #fairness(names: readonly string[]): string[] {
    const fair = this.#questions.asked.flatMap((question) => {
      if (!('fairness' in question)) return [];
      const { weak, strong } = question.fairness;
      const fair = (operator: string, classOf: NonNullable<Fairness['weak']>) => {
        const classes = new Map<string, string[]>();
        for (const name of names) {
          for (const [of, term] of this.#steps.classesOf(name, classOf))
            classes.set(of, [...(classes.get(of) ?? []), term]);
        }
        return [...classes.values()].map((of) => ` /\\ ${operator}_vars(${of.join(' \\/ ')})`);
      };
      const assumed = [...(weak ? fair('WF', weak) : []), ...(strong ? fair('SF', strong) : [])];
      return [`${specOf(question)} == Spec${assumed.join('')}`];
    });
    return ['Spec == Init /\\ [][Next]_vars', ...fair, ''];
  }

  #config(): string[] {
    const { asked } = this.#questions;
    const named = (...kinds: readonly Question['kind'][]) =>
      asked.filter(({ kind }) => kinds.includes(kind)).map(({ name }) => name);
    const invariants = named('always', 'deadlockFree');
    const runs = asked.filter((question) => specOf(question) !== 'Spec');
    return [
      'SPECIFICATION Spec',
      'CHECK_DEADLOCK FALSE',
      ...(invariants.length > 0 ? [`INVARIANTS ${invariants.join(' ')}`] : []),
      ...runs.map(
        (question) => `(for ${question.name}: SPECIFICATION ${specOf(question)}, PROPERTY ${question.name})`,
      ),
    ];
  }
}
