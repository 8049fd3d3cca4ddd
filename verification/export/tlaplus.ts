import type { Formula } from '../checker/liveness/ltl.ts';
import type { Action, Bound, Fairness } from '../system/system.ts';
import { ExportError } from './errors.ts';
import { type ActorMeasure, type Measured, rowOf } from './measure.ts';
import { Names } from './names.ts';
import { fitting, operatorsOf, type Question, type Questions } from './questions.ts';
import { type Automaton, linksTo, type Reading } from './reading.ts';
import { ownAction, type Start, type Table, type TableActor } from './table.ts';

/** A step of the module: an action of the system, or a step of the network on a link of the table. */
export type TlaStep =
  | { readonly action: Action }
  | { readonly link: number; readonly kind: 'deliver' | 'duplicate' | 'lose' | 'break' };

/** The variables that count faults of the network. */
type Fault = 'lost' | 'duplicated' | 'broken';

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

/** The first words of every refusal by a module to take a step that its table does not have. */
export const notInTable = 'not in the table';

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
  readonly #table: Table;
  readonly #questions: Questions;
  readonly #isFifo: boolean;
  readonly #links: readonly number[];
  readonly #steps = new Map<string, TlaStep>();
  readonly #names = new Names();
  /** The names of the actors' own steps, by the action as text. */
  readonly #own = new Map<string, string>();
  /** How many faults there may be, by the variable that counts them. */
  readonly #faults: Readonly<Record<Fault, Bound | 'persistent'>>;
  readonly #capacity: number | null;
  /** Tables of readings, as definitions. */
  readonly #tables: string[] = [];

  constructor(table: Table, questions: Questions) {
    const { loss = 0, duplication = 0, breaks = 0, capacity = 'unbounded', order } = table.system.network;
    if (order !== 'fifo' && capacity !== 'unbounded')
      throw new ExportError('EXPORT_REFUSED', 'Bags with a capacity are not written to TLA+.');
    this.#faults = { lost: loss, duplicated: duplication, broken: breaks };
    this.#capacity = capacity === 'unbounded' ? null : capacity;
    this.#table = table;
    this.#questions = questions;
    this.#isFifo = order === 'fifo';
    this.#links = table.links.flatMap(({ most }, link) => (most > 0 ? [link] : []));
  }

  write(): TlaPlus {
    const module = new Names().of(this.#table.system.name);
    return { module, text: this.#text(module), steps: this.#steps };
  }

  #text(module: string): string {
    const { system, states, transitions, actors, messages } = this.#table;
    const { asked, within } = this.#questions;
    const properties = asked.flatMap((question) => this.#property(question));
    const constraint = within === null ? null : this.#holds(within);
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
      `Links == {${this.#links.map((link) => quoted(this.#link(link))).join(', ')}}`,
      `Messages == {${messages.map(({ name }) => quoted(name)).join(', ')}}`,
      this.#function(
        'Target',
        this.#links.map((link) => [this.#link(link), quoted(this.#actorOf(link).name)]),
      ),
      '',
      ...actors.flatMap((actor) => this.#locals(actor)),
      ...this.#network(),
      ...(this.#tables.length === 0 ? [] : this.#readings()),
      ...(constraint === null
        ? []
        : ['\\* The constraint. From a state outside, no step leads on.', `Within == ${constraint}`, '']),
      ...actors.flatMap((actor) => this.#joins(actor)),
      ...actors.flatMap((actor) => this.#receives(actor)),
      ...this.#next(),
      ...properties,
      '====',
      '',
    ].join('\n');
  }

  #variables(): string[] {
    return ['local', 'channel', ...this.#counted(), ...(this.#table.history === null ? [] : ['history'])];
  }

  /** The faults whose number is bounded. */
  #counted(): Fault[] {
    return (['lost', 'duplicated', 'broken'] as const).filter((fault) => {
      const bound = this.#faults[fault];
      return typeof bound === 'number' && bound > 0;
    });
  }

  #link(link: number): string {
    return this.#table.links[link]!.name;
  }

  #actorOf(link: number): TableActor {
    return this.#table.actors[this.#table.links[link]!.target]!;
  }

  #function(name: string, entries: readonly (readonly [string, string])[]): string {
    if (entries.length === 0) return `${name} == <<>>`;
    return `${name} == ${entries.map(([key, value]) => `(${quoted(key)} :> ${value})`).join(' @@ ')}`;
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
    const put = this.#isFifo ? 'Append(@, send.message)' : '[@ EXCEPT ![send.message] = @ + 1]';
    const isThere = this.#isFifo
      ? '\\E i \\in DOMAIN on[send.link] : on[send.link][i] = send.message'
      : 'on[send.link][send.message] > 0';
    const persists = this.#faults.duplicated === 'persistent' ? ` \\/ ${isThere}` : '';
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
      ...(this.#capacity === null
        ? []
        : [
            '\\* A step waits until there is room for all that it sends.',
            'Room(on, sends) == \\A link \\in Links :',
            '  LET Goes(send) == send.link = link',
            '      count == Len(SelectSeq(sends, Goes))',
            `  IN IF count = 0 THEN TRUE ELSE Len(on[link]) + count <= ${this.#capacity}`,
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

  #readings(): readonly string[] {
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
      ...(this.#isFifo
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

  /** The next local state of an actor by an event that it takes in a step of another one. */
  #joins({ joins, locals }: TableActor): readonly string[] {
    return joins.flatMap(({ name, says, to }) => [
      `\\* ${says.replaceAll('\n', ' ')}, in a step of another actor.`,
      this.#function(
        name,
        to.flatMap((next, local) =>
          next === -1
            ? []
            : [[locals[local]!.name, next < 0 ? quoted(notInTable) : quoted(locals[next]!.name)] as const],
        ),
      ),
      '',
    ]);
  }

  #sends(
    sends: readonly { readonly link: number; readonly message: number; readonly toAll: boolean }[],
  ): string {
    const one = ({ link, message, toAll }: (typeof sends)[number]) =>
      `[link |-> ${quoted(this.#link(link))}, message |-> ${quoted(this.#table.messages[message]!.name)}, toAll |-> ${toAll ? 'TRUE' : 'FALSE'}]`;
    return `<<${sends.map(one).join(', ')}>>`;
  }

  /** The outcome of each message, by its link only where that matters. */
  #receives(actor: TableActor): string[] {
    const cases = new Map<string, Map<string, string>>();
    for (const { from, on, to, sends, tells } of actor.rows) {
      if (on.kind !== 'deliver') continue;
      const when = `at = ${quoted(actor.locals[from]!.name)} /\\ m = ${quoted(this.#table.messages[on.message]!.name)}`;
      const told = this.#table.history === null ? '' : `, tells |-> <<${tells.join(', ')}>>`;
      const then = `[to |-> ${quoted(actor.locals[to]!.name)}, sends |-> ${this.#sends(sends)}${told}]`;
      cases.set(when, (cases.get(when) ?? new Map<string, string>()).set(this.#link(on.link), then));
    }
    if (cases.size === 0) return [];
    const lines = [...cases].flatMap(([when, byLink]) => {
      const outcomes = [...new Set(byLink.values())];
      if (outcomes.length === 1) return [`${when} -> ${outcomes[0]}`];
      return [...byLink].map(([link, then]) => `${when} /\\ link = ${quoted(link)} -> ${then}`);
    });
    return [
      `Receives_${actor.name}(link, at, m) ==`,
      ...lines.map((line, index) => `  ${index === 0 ? 'CASE' : '  []'} ${line}`),
      `    [] OTHER -> Assert(FALSE, <<"${notInTable}", link, at, m>>)`,
      '',
    ];
  }

  /** One action of TLA+ for each action of the system, and for each link and fault of the network. */
  #next(): string[] {
    const lines: string[] = [];
    const names: string[] = [];
    for (const link of this.#links) {
      for (const [name, step, text] of this.#ofLink(link)) {
        lines.push(...text, '');
        names.push(name);
        this.#steps.set(name, step);
      }
    }
    for (const [name, disjuncts] of this.#ofActors()) {
      lines.push(`${name} ==`, ...disjuncts, '');
      names.push(name);
    }
    return [
      ...lines,
      ...this.#init(),
      '',
      `Next == ${names.map((name) => `\\/ ${name}`).join('\n        ')}`,
      '',
      ...this.#fairness(names),
    ];
  }

  #init(): string[] {
    const { actors, starts, history } = this.#table;
    const ofStart = ({ locals, sent, history: told }: Start) => [
      `/\\ local = ${actors.map(({ name, locals: list }, actor) => `(${quoted(name)} :> ${quoted(list[locals[actor]!]!.name)})`).join(' @@ ')}`,
      `/\\ channel = ${this.#channelsOf(sent)}`,
      ...this.#counted().map((fault) => `/\\ ${fault} = 0`),
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
    const nonEmpty = this.#links.filter((link) => on(link).length > 0);
    const empty = this.#isFifo ? '<<>>' : '[word \\in Messages |-> 0]';
    if (nonEmpty.length === 0) return `[link \\in Links |-> ${empty}]`;
    const held = (words: readonly string[]) => {
      if (this.#isFifo) return `<<${words.map(quoted).join(', ')}>>`;
      const counts = [...new Set(words)].map(
        (word) => `(${quoted(word)} :> ${words.filter((one) => one === word).length})`,
      );
      return `(${counts.join(' @@ ')} @@ [word \\in Messages |-> 0])`;
    };
    const full = nonEmpty.map((link) => `(${quoted(this.#link(link))} :> ${held(on(link))})`);
    return `${full.join(' @@ ')} @@ [link \\in Links |-> ${empty}]`;
  }

  /** The steps of the network: deliveries, and its faults. */
  #ofLink(link: number): readonly (readonly [string, TlaStep, readonly string[]])[] {
    const { actors, links, accepts } = this.#table;
    const { target, most } = links[link]!;
    const actor = actors[target]!;
    const name = this.#link(link);
    const on = `channel[${quoted(name)}]`;
    const local = `local[${quoted(actor.name)}]`;
    const down = actor.locals.filter(({ up }) => !up).map((state) => quoted(state.name));
    const alive = [
      ...this.#inside(),
      ...(down.length === 0 ? [] : [`  /\\ ${local} \\notin {${down.join(', ')}}`]),
    ];
    const some = (step: string) => `${step}_${name} == \\E m \\in Messages : ${step}_${name}_message(m)`;
    const without = this.#isFifo ? 'Tail(@)' : '[@ EXCEPT ![m] = @ - 1]';
    const taken = actor.locals.flatMap((state, at) =>
      this.#table.messages.flatMap((message, index) =>
        accepts?.(link, at, index) ? [`<<${quoted(state.name)}, ${quoted(message.name)}>>`] : [],
      ),
    );
    const receives = (rest: string, fault: Fault | null) => [
      ...(this.#isFifo ? [`  /\\ ${on} /= <<>>`, `  /\\ m = Head(${on})`] : [`  /\\ ${on}[m] > 0`]),
      ...alive,
      ...(accepts === null ? [] : [`  /\\ <<${local}, m>> \\in {${taken.join(', ')}}`]),
      ...this.#spends(fault),
      `  /\\ LET step == Receives_${actor.name}(${quoted(name)}, ${local}, m)`,
      `         at == [local EXCEPT ![${quoted(actor.name)}] = step.to]`,
      `         rest == ${rest}`,
      `     IN /\\ local' = at`,
      ...(this.#capacity === null ? [] : ['        /\\ Room(rest, step.sends)']),
      `        /\\ channel' = Put(at, ${this.#purgedOf(target, 'rest', 'step.to')}, step.sends)`,
      ...(this.#table.history === null ? [] : [`        /\\ history' = Told(history, step.tells)`]),
      ...this.#unchanged(fault),
    ];
    const removed = `[channel EXCEPT ![${quoted(name)}] = ${without}]`;
    const kept = this.#faults.duplicated === 'persistent' ? 'channel' : removed;
    const steps: (readonly [string, TlaStep, readonly string[]])[] = [
      [
        `Deliver_${name}`,
        { link, kind: 'deliver' },
        [`Deliver_${name}_message(m) ==`, ...receives(kept, null), some('Deliver')],
      ],
    ];
    if (this.#faults.duplicated !== 0 && this.#faults.duplicated !== 'persistent') {
      const text = [
        `Duplicate_${name}_message(m) ==`,
        ...receives('channel', 'duplicated'),
        some('Duplicate'),
      ];
      steps.push([`Duplicate_${name}`, { link, kind: 'duplicate' }, text]);
    }
    const unheard = (fault: Fault) => [
      `  /\\ UNCHANGED ${this.#table.history === null ? 'local' : '<<local, history>>'}`,
      ...this.#unchanged(fault),
    ];
    if (this.#faults.lost !== 0) {
      const loses = this.#isFifo
        ? [
            `  /\\ \\E i \\in DOMAIN ${on} :`,
            `       /\\ ${on}[i] = m`,
            '       \\* Of equal messages in a row, one.',
            `       /\\ IF i = 1 THEN TRUE ELSE ${on}[i - 1] /= m`,
            `       /\\ channel' = [channel EXCEPT ![${quoted(name)}] = SubSeq(@, 1, i - 1) \\o SubSeq(@, i + 1, Len(@))]`,
          ]
        : [
            `  /\\ ${on}[m] > 0`,
            `  /\\ channel' = [channel EXCEPT ![${quoted(name)}] = [@ EXCEPT ![m] = @ - 1]]`,
          ];
      const text = [
        `Lose_${name}_message(m) ==`,
        ...alive,
        ...this.#spends('lost'),
        ...loses,
        ...unheard('lost'),
      ];
      steps.push([`Lose_${name}`, { link, kind: 'lose' }, [...text, some('Lose')]]);
    }
    if (this.#faults.broken !== 0) {
      const text = [
        `Break_${name}_losing(n) ==`,
        `  /\\ n <= Len(${on})`,
        ...alive,
        ...this.#spends('broken'),
        `  /\\ channel' = [channel EXCEPT ![${quoted(name)}] = SubSeq(@, 1, Len(@) - n)]`,
        ...unheard('broken'),
        `Break_${name} == \\E n \\in 1..${most} : Break_${name}_losing(n)`,
      ];
      steps.push([`Break_${name}`, { link, kind: 'break' }, text]);
    }
    return steps;
  }

  /** The actors' own steps, with one disjunct for each row of the table. */
  #ofActors(): ReadonlyMap<string, readonly string[]> {
    const groups = new Map<string, string[]>();
    for (const [actorIndex, actor] of this.#table.actors.entries()) {
      for (const { from, on, to, sends, joined, tells } of actor.rows) {
        const action = ownAction(actor, on);
        if (action === null) continue;
        const name = this.#nameOf(actor, action);
        const isLost = on.kind === 'crash' && !this.#table.compiled.world.keepsInbox[actorIndex]!;
        const next = actor.locals[to]!;
        const channel = isLost
          ? this.#emptied(actorIndex)
          : next.up
            ? this.#purgedOf(actorIndex, 'channel', quoted(next.name))
            : 'channel';
        const others = joined.map(({ actor: other, join }) => {
          const { name: id, joins } = this.#table.actors[other]!;
          return { id, of: joins[join]!.name };
        });
        const at = `[local EXCEPT ${[
          `![${quoted(actor.name)}] = ${quoted(next.name)}`,
          ...others.map(({ id, of }) => `![${quoted(id)}] = ${of}[@]`),
        ].join(', ')}]`;
        groups.set(name, [
          ...(groups.get(name) ?? []),
          `  \\/ /\\ local[${quoted(actor.name)}] = ${quoted(actor.locals[from]!.name)}`,
          ...this.#inside().map((line) => `   ${line}`),
          ...others.map(({ id, of }) => `     /\\ local[${quoted(id)}] \\in DOMAIN ${of}`),
          `     /\\ local' = ${at}`,
          ...(this.#capacity === null ? [] : [`     /\\ Room(channel, ${this.#sends(sends)})`]),
          `     /\\ channel' = Put(${at}, ${channel}, ${this.#sends(sends)})`,
          ...(this.#table.history === null
            ? []
            : [`     /\\ history' = Told(history, <<${tells.join(', ')}>>)`]),
          ...this.#unchanged(null).map((line) => `   ${line}`),
        ]);
      }
    }
    return groups;
  }

  /** A part of each step, because TLC names the steps of a counterexample only where `Next` is nothing but a choice among them. */
  #inside(): string[] {
    return this.#table.within === null ? [] : ['  /\\ Within'];
  }

  #spends(fault: Fault | null): string[] {
    if (fault === null || !this.#counted().includes(fault)) return [];
    return [`  /\\ ${fault} < ${this.#faults[fault]}`, `  /\\ ${fault}' = ${fault} + 1`];
  }

  #unchanged(fault: Fault | null): string[] {
    const others = this.#counted().filter((other) => other !== fault);
    return others.length === 0 ? [] : [`  /\\ UNCHANGED <<${others.join(', ')}>>`];
  }

  /** The channels to the actor without the messages that it will always ignore. */
  #purgedOf(actorIndex: number, channel: string, to: string): string {
    if (this.#table.compiled.world.specs[actorIndex]!.dead === undefined) return channel;
    const links = this.#links
      .filter((link) => this.#table.links[link]!.target === actorIndex)
      .map((link) => quoted(this.#link(link)));
    const keeps = this.#isFifo
      ? `LET Heeds(word) == <<${to}, word>> \\notin Drops IN SelectSeq(on[link], Heeds)`
      : `[word \\in Messages |-> IF <<${to}, word>> \\in Drops THEN 0 ELSE on[link][word]]`;
    return `(LET on == ${channel} IN [link \\in Links |-> IF link \\in {${links.join(', ')}} THEN ${keeps} ELSE on[link]])`;
  }

  #emptied(actorIndex: number): string {
    const links = this.#links
      .filter((link) => this.#table.links[link]!.target === actorIndex)
      .map((link) => quoted(this.#link(link)));
    const empty = this.#isFifo ? '<<>>' : '[word \\in Messages |-> 0]';
    return `[link \\in Links |-> IF link \\in {${links.join(', ')}} THEN ${empty} ELSE channel[link]]`;
  }

  #fairness(names: readonly string[]): string[] {
    const fair = this.#questions.asked.flatMap((question) => {
      if (!('fairness' in question)) return [];
      const { weak, strong } = question.fairness;
      const fair = (operator: string, classOf: NonNullable<Fairness['weak']>) => {
        const classes = new Map<string, string[]>();
        for (const name of names) {
          for (const [of, term] of this.#classesOf(name, classOf))
            classes.set(of, [...(classes.get(of) ?? []), term]);
        }
        return [...classes.values()].map((of) => ` /\\ ${operator}_vars(${of.join(' \\/ ')})`);
      };
      const assumed = [...(weak ? fair('WF', weak) : []), ...(strong ? fair('SF', strong) : [])];
      return [`${specOf(question)} == Spec${assumed.join('')}`];
    });
    return ['Spec == Init /\\ [][Next]_vars', ...fair, ''];
  }

  /** Events of one type with other payloads are other actions. */
  #nameOf(actor: TableActor, action: Action): string {
    const text = JSON.stringify(action);
    const name = this.#own.get(text) ?? this.#names.of(nameOf(actor, action));
    this.#own.set(text, name);
    this.#steps.set(name, { action });
    return name;
  }

  /** The fairness classes of a step, each with the part of the step that is in it. A step in none may be postponed for ever. */
  #classesOf(name: string, classOf: NonNullable<Fairness['weak']>): readonly (readonly [string, string])[] {
    const { actors, messages, links, compiled } = this.#table;
    const step = this.#steps.get(name)!;
    if ('action' in step) {
      const of = classOf(step.action);
      return of === null ? [] : [[of, name]];
    }
    if (step.kind !== 'deliver') return [];
    const { source, target } = links[step.link]!;
    const from = source === null ? null : compiled.world.ids[source]!;
    const classes = messages.map(({ message }) =>
      classOf({ kind: 'deliver', actor: actors[target]!.id, source: from, message }),
    );
    const [first = null] = classes;
    // On a queue the first message stays until it is delivered: fairness to each message is fairness to the link.
    if (this.#isFifo && !classes.includes(null)) return [[name, name]];
    if (classes.every((of) => of === first)) return first === null ? [] : [[first, name]];
    return classes.flatMap((of, message) =>
      of === null ? [] : [[of, `${name}_message(${quoted(messages[message]!.name)})`] as const],
    );
  }

  #property(question: Question): string[] {
    const says = `\\* ${question.property.name}`;
    switch (question.kind) {
      case 'always':
        return [says, `${question.name} == ${this.#holds(question.holds)}`, ''];
      case 'reachable':
        return [
          `${says}: reachable, so that TLC must find a state that breaks this.`,
          `never_${question.name} == ~(${this.#holds(question.holds)})`,
          '',
        ];
      case 'deadlockFree':
        return [
          says,
          `${question.name} == (ENABLED Next) \\/ ${this.#table.within === null ? '' : '~Within \\/ '}(${this.#holds(question.holds)})`,
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
    const text = this.#holds(measured);
    return /\b(local|channel|history)\b/.test(text) ? text : `${text} /\\ local = local`;
  }

  #holds(measured: Measured): string {
    switch (measured.kind) {
      case 'not':
        return `~(${this.#holds(measured.of)})`;
      case 'and':
      case 'or': {
        if (measured.of.length === 0) return measured.kind === 'and' ? 'TRUE' : 'FALSE';
        return measured.of
          .map((part) => `(${this.#holds(part)})`)
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
          const on = `channel[${quoted(this.#link(link))}]`;
          return `${this.#isFifo ? on : `Listed(${on}, MessageOrder)`} \\o <<"">>`;
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
      const links = this.#links.filter((link) => this.#table.links[link]!.target === actorIndex);
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
        const on = `channel[${quoted(this.#link(link))}]`;
        if (!this.#isFifo) {
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

function nameOf(actor: TableActor, action: Action): string {
  const what =
    action.kind === 'environment'
      ? action.event.type
      : action.kind === 'timer'
        ? `timer_${action.timer}`
        : action.kind;
  return `${actor.name}_${what.replace(/\W+/g, '_')}`;
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

function quoted(text: string): string {
  return `"${text}"`;
}
