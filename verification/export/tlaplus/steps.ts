import type { Action, Fairness } from '../../system/system.ts';
import type { Fault, Layout } from '../layout.ts';
import { Names } from '../names.ts';
import { ownAction, type Table, type TableActor, wordOf } from '../table.ts';
import { counted, functionOf, notInTable, quoted } from './words.ts';

/** A step of the module: an action of the system, or a step of the network on a link of the table. */
export type TlaStep =
  | { readonly action: Action }
  | { readonly link: number; readonly kind: 'deliver' | 'duplicate' | 'lose' | 'break' };

/** One action of TLA+ for each action of the system, and for each link and fault of the network. */
export class Steps {
  /** The steps, by the names of their definitions. */
  readonly byName = new Map<string, TlaStep>();
  readonly #layout: Layout;
  readonly #table: Table;
  readonly #names = new Names();
  /** The names of the actors' own steps, by the action as text. */
  readonly #own = new Map<string, string>();

  constructor(layout: Layout) {
    this.#layout = layout;
    this.#table = layout.table;
  }

  /** The definitions of all steps. */
  write(): readonly string[] {
    const lines: string[] = [];
    for (const link of this.#layout.links) {
      for (const [name, step, text] of this.#ofLink(link)) {
        lines.push(...text, '');
        this.byName.set(name, step);
      }
    }
    for (const [name, disjuncts] of this.#ofActors()) lines.push(`${name} ==`, ...disjuncts, '');
    return [
      ...this.#table.actors.flatMap((actor) => this.#joins(actor)),
      ...this.#table.actors.flatMap((actor) => this.#receives(actor)),
      ...lines,
    ];
  }

  /** The fairness classes of a step, each with the part of the step that is in it. A step in none may be postponed for ever. */
  classesOf(name: string, classOf: NonNullable<Fairness['weak']>): readonly (readonly [string, string])[] {
    const { actors, messages, links, compiled } = this.#table;
    const step = this.byName.get(name)!;
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
    if (this.#layout.isFifo && !classes.includes(null)) return [[name, name]];
    if (classes.every((of) => of === first)) return first === null ? [] : [[first, name]];
    return classes.flatMap((of, message) =>
      of === null ? [] : [[of, `${name}_message(${quoted(messages[message]!.name)})`] as const],
    );
  }

  /** The next local state of an actor by an event that it takes in a step of another one. */
  #joins({ joins, locals }: TableActor): readonly string[] {
    return joins.flatMap(({ name, says, to }) => [
      `\\* ${says.replaceAll('\n', ' ')}, in a step of another actor.`,
      functionOf(
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
      `[link |-> ${quoted(this.#table.links[link]!.name)}, message |-> ${quoted(this.#table.messages[message]!.name)}, toAll |-> ${toAll ? 'TRUE' : 'FALSE'}]`;
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
      cases.set(
        when,
        (cases.get(when) ?? new Map<string, string>()).set(this.#table.links[on.link]!.name, then),
      );
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

  /** The steps of the network: deliveries, and its faults. */
  #ofLink(link: number): readonly (readonly [string, TlaStep, readonly string[]])[] {
    const { actors, links, accepts } = this.#table;
    const { target, most } = links[link]!;
    const actor = actors[target]!;
    const name = this.#table.links[link]!.name;
    const on = `channel[${quoted(name)}]`;
    const local = `local[${quoted(actor.name)}]`;
    const down = actor.locals.filter(({ up }) => !up).map((state) => quoted(state.name));
    const alive = [
      ...this.#inside(),
      ...(down.length === 0 ? [] : [`  /\\ ${local} \\notin {${down.join(', ')}}`]),
    ];
    const some = (step: string) => `${step}_${name} == \\E m \\in Messages : ${step}_${name}_message(m)`;
    const without = this.#layout.isFifo ? 'Tail(@)' : '[@ EXCEPT ![m] = @ - 1]';
    const taken = actor.locals.flatMap((state, at) =>
      this.#table.messages.flatMap((message, index) =>
        accepts?.(link, at, index) ? [`<<${quoted(state.name)}, ${quoted(message.name)}>>`] : [],
      ),
    );
    const receives = (rest: string, fault: Fault | null) => [
      ...(this.#layout.isFifo ? [`  /\\ ${on} /= <<>>`, `  /\\ m = Head(${on})`] : [`  /\\ ${on}[m] > 0`]),
      ...alive,
      ...(accepts === null ? [] : [`  /\\ <<${local}, m>> \\in {${taken.join(', ')}}`]),
      ...this.#spends(fault),
      `  /\\ LET step == Receives_${actor.name}(${quoted(name)}, ${local}, m)`,
      `         at == [local EXCEPT ![${quoted(actor.name)}] = step.to]`,
      `         rest == ${rest}`,
      `     IN /\\ local' = at`,
      ...(this.#layout.capacity === null ? [] : ['        /\\ Room(rest, step.sends)']),
      `        /\\ channel' = Put(at, ${this.#purgedOf(target, 'rest', 'step.to')}, step.sends)`,
      ...(this.#table.history === null ? [] : [`        /\\ history' = Told(history, step.tells)`]),
      ...this.#unchanged(fault),
    ];
    const removed = `[channel EXCEPT ![${quoted(name)}] = ${without}]`;
    const kept = this.#layout.faults.duplicated === 'persistent' ? 'channel' : removed;
    const steps: (readonly [string, TlaStep, readonly string[]])[] = [
      [
        `Deliver_${name}`,
        { link, kind: 'deliver' },
        [`Deliver_${name}_message(m) ==`, ...receives(kept, null), some('Deliver')],
      ],
    ];
    if (this.#layout.faults.duplicated !== 0 && this.#layout.faults.duplicated !== 'persistent') {
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
    if (this.#layout.faults.lost !== 0) {
      const loses = this.#layout.isFifo
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
    if (this.#layout.faults.broken !== 0) {
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
          ...(this.#layout.capacity === null ? [] : [`     /\\ Room(channel, ${this.#sends(sends)})`]),
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
    if (fault === null || !counted(this.#layout).includes(fault)) return [];
    return [`  /\\ ${fault} < ${this.#layout.faults[fault]}`, `  /\\ ${fault}' = ${fault} + 1`];
  }

  #unchanged(fault: Fault | null): string[] {
    const others = counted(this.#layout).filter((other) => other !== fault);
    return others.length === 0 ? [] : [`  /\\ UNCHANGED <<${others.join(', ')}>>`];
  }

  /** The channels to the actor without the messages that it will always ignore. */
  #purgedOf(actorIndex: number, channel: string, to: string): string {
    if (this.#table.compiled.world.specs[actorIndex]!.dead === undefined) return channel;
    const links = this.#layout.linksTo(actorIndex).map((link) => quoted(this.#table.links[link]!.name));
    const keeps = this.#layout.isFifo
      ? `LET Heeds(word) == <<${to}, word>> \\notin Drops IN SelectSeq(on[link], Heeds)`
      : `[word \\in Messages |-> IF <<${to}, word>> \\in Drops THEN 0 ELSE on[link][word]]`;
    return `(LET on == ${channel} IN [link \\in Links |-> IF link \\in {${links.join(', ')}} THEN ${keeps} ELSE on[link]])`;
  }

  #emptied(actorIndex: number): string {
    const links = this.#layout.linksTo(actorIndex).map((link) => quoted(this.#table.links[link]!.name));
    const empty = this.#layout.isFifo ? '<<>>' : '[word \\in Messages |-> 0]';
    return `[link \\in Links |-> IF link \\in {${links.join(', ')}} THEN ${empty} ELSE channel[link]]`;
  }

  /** Events of one type with other payloads are other actions. */
  #nameOf(actor: TableActor, action: Action): string {
    const text = JSON.stringify(action);
    const name = this.#own.get(text) ?? this.#names.of(`${actor.name}_${wordOf(action)}`);
    this.#own.set(text, name);
    this.byName.set(name, { action });
    return name;
  }
}
