import type { Action, Fairness } from '../system/system.ts';
import { ExportError } from './errors.ts';
import { type ActorMeasure, type Measured, rowOf } from './measure.ts';
import { Names } from './names.ts';
import type { Question, Questions } from './questions.ts';
import type { Table, TableActor, Trigger } from './table.ts';

/**
 * Writes a system as a module of TLA+, for TLC; its configuration stands in the comment at the top. The channels and crashes are TLA+'s own; of the statecharts it has the table. A combination of local state and
 * message that is not in the table makes TLC stop with an error.
 */
export function tlaplus(table: Table, questions: Questions): string {
  return new Writer(table, questions).write();
}

class Writer {
  readonly #table: Table;
  readonly #questions: Questions;
  readonly #isFifo: boolean;
  readonly #links: readonly number[];

  constructor(table: Table, questions: Questions) {
    const { loss = 0, duplication = 0, breaks = 0, capacity = 'unbounded', order } = table.system.network;
    const faults = { loss, duplication, breaks, capacity: capacity === 'unbounded' ? 0 : capacity };
    const fault = Object.entries(faults).find(([, bound]) => bound !== 0)?.[0];
    if (fault !== undefined) throw refused(table, `a network with ${fault}`);
    if (table.history !== null) throw refused(table, 'a history');
    if (table.accepts !== null) throw refused(table, 'an actor that accepts some messages only');
    this.#table = table;
    this.#questions = questions;
    this.#isFifo = order === 'fifo';
    this.#links = table.links.flatMap(({ most }, link) => (most > 0 ? [link] : []));
  }

  write(): string {
    const { system, states, transitions, actors, messages } = this.#table;
    const module = new Names().of(system.name);
    const asked = this.#questions.asked;
    return [
      `---- MODULE ${module} ----`,
      `\\* ${system.name}: ${actors.length} actors, ${system.network.order} network. Written by baton export.`,
      '\\* TLC wants it in a file of the name of the module, and beside it, in one of the same name that ends in .cfg:',
      ...this.#config().map((line) => `\\*   ${line}`),
      `\\* Baton counts ${states} states and ${transitions} transitions (TLC counts the initial state among those generated).`,
      'EXTENDS Naturals, Sequences, TLC',
      '',
      'VARIABLES local, channel',
      'vars == <<local, channel>>',
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
      ...actors.flatMap((actor) => this.#receives(actor)),
      ...this.#steps(),
      ...asked.flatMap((question) => this.#property(question)),
      '====',
      '',
    ].join('\n');
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
      actors.flatMap((actor, cell) => {
        const link = links.findIndex(({ target }) => target === cell);
        return actor.locals.flatMap(({ name }, local) =>
          messages.flatMap((message, index) =>
            actor.drops(local, link, index, toAll) ? [`<<${quoted(name)}, ${quoted(message.name)}>>`] : [],
          ),
        );
      });
    const put = this.#isFifo ? 'Append(@, send.message)' : '[@ EXCEPT ![send.message] = @ + 1]';
    return [
      `Drops == {${dropped(false).join(', ')}}`,
      `DropsOfAll == {${dropped(true).join(', ')}}`,
      '',
      'RECURSIVE Put(_, _, _)',
      'Put(at, on, sends) ==',
      '  IF sends = <<>> THEN on',
      '  ELSE LET send == Head(sends)',
      '           entry == <<at[Target[send.link]], send.message>>',
      '           vanishes == entry \\in (IF send.toAll THEN DropsOfAll ELSE Drops)',
      `       IN Put(at, IF vanishes THEN on ELSE [on EXCEPT ![send.link] = ${put}], Tail(sends))`,
      '',
    ];
  }

  #sends(
    sends: readonly { readonly link: number; readonly message: number; readonly toAll: boolean }[],
  ): string {
    const one = ({ link, message, toAll }: (typeof sends)[number]) =>
      `[link |-> ${quoted(this.#link(link))}, message |-> ${quoted(this.#table.messages[message]!.name)}, toAll |-> ${toAll ? 'TRUE' : 'FALSE'}]`;
    return `<<${sends.map(one).join(', ')}>>`;
  }

  #receives(actor: TableActor): string[] {
    const cases = new Map<string, string>();
    for (const { from, on, to, sends } of actor.rows) {
      if (on.kind !== 'deliver') continue;
      const when = `at = ${quoted(actor.locals[from]!.name)} /\\ m = ${quoted(this.#table.messages[on.message]!.name)}`;
      cases.set(when, `[to |-> ${quoted(actor.locals[to]!.name)}, sends |-> ${this.#sends(sends)}]`);
    }
    if (cases.size === 0) return [];
    const lines = [...cases].map(
      ([when, then], index) => `  ${index === 0 ? 'CASE' : '  []'} ${when} -> ${then}`,
    );
    return [
      `Receives_${actor.name}(at, m) ==`,
      ...lines,
      `    [] OTHER -> Assert(FALSE, <<"not in the table", at, m>>)`,
      '',
    ];
  }

  /** One action of TLA+ for each thing that fairness may speak of. */
  #steps(): string[] {
    const { actors, messages } = this.#table;
    const lines: string[] = [];
    const names: string[] = [];
    for (const link of this.#links) {
      const actor = this.#actorOf(link);
      const down = actor.locals.filter(({ up }) => !up).map(({ name }) => quoted(name));
      const alive =
        down.length === 0 ? [] : [`  /\\ local[${quoted(actor.name)}] \\notin {${down.join(', ')}}`];
      const name = this.#link(link);
      const after = (rest: string) => [
        `  /\\ LET step == Receives_${actor.name}(local[${quoted(actor.name)}], m)`,
        `         at == [local EXCEPT ![${quoted(actor.name)}] = step.to]`,
        `     IN /\\ local' = at`,
        `        /\\ channel' = Put(at, ${this.#purged(link, `[channel EXCEPT ![${quoted(name)}] = ${rest}]`, 'step.to')}, step.sends)`,
      ];
      lines.push(
        ...(this.#isFifo
          ? [
              `Deliver_${name}_message(m) ==`,
              `  /\\ channel[${quoted(name)}] /= <<>>`,
              `  /\\ m = Head(channel[${quoted(name)}])`,
              ...alive,
              ...after('Tail(@)'),
            ]
          : [
              `Deliver_${name}_message(m) ==`,
              `  /\\ channel[${quoted(name)}][m] > 0`,
              ...alive,
              ...after('[@ EXCEPT ![m] = @ - 1]'),
            ]),
        `Deliver_${name} == \\E m \\in Messages : Deliver_${name}_message(m)`,
        '',
      );
      names.push(`Deliver_${name}`);
    }
    const groups = new Map<string, string[]>();
    for (const [cell, actor] of actors.entries()) {
      for (const { from, on, to, sends } of actor.rows) {
        const action = ownAction(actor, on);
        if (action === null) continue;
        const name = nameOf(actor, action);
        const isLost = on.kind === 'crash' && !this.#table.compiled.world.keepsInbox[cell]!;
        const channel = isLost
          ? this.#emptied(cell)
          : this.#purgedOf(cell, 'channel', quoted(actor.locals[to]!.name));
        const at = `[local EXCEPT ![${quoted(actor.name)}] = ${quoted(actor.locals[to]!.name)}]`;
        groups.set(name, [
          ...(groups.get(name) ?? []),
          `  \\/ /\\ local[${quoted(actor.name)}] = ${quoted(actor.locals[from]!.name)}`,
          `     /\\ local' = ${at}`,
          `     /\\ channel' = Put(${at}, ${channel}, ${this.#sends(sends)})`,
        ]);
      }
    }
    for (const [name, disjuncts] of groups) {
      lines.push(`${name} ==`, ...disjuncts, '');
      names.push(name);
    }
    const empty = this.#isFifo ? '<<>>' : '[word \\in Messages |-> 0]';
    return [
      ...lines,
      'Init ==',
      `  /\\ local = ${actors.map(({ name, locals, initial }) => `(${quoted(name)} :> ${quoted(locals[initial]!.name)})`).join(' @@ ')}`,
      `  /\\ channel = [link \\in Links |-> ${empty}]`,
      '',
      `Next == ${names.map((name) => `\\/ ${name}`).join('\n        ')}`,
      '',
      ...this.#fairness(names),
      `\\* ${messages.length} messages.`,
      '',
    ];
  }

  #purged(link: number, channel: string, to: string): string {
    return this.#purgedOf(this.#table.links[link]!.target, channel, to);
  }

  /** The channels to the actor without what it will never heed. */
  #purgedOf(cell: number, channel: string, to: string): string {
    if (this.#table.compiled.world.specs[cell]!.dead === undefined) return channel;
    const links = this.#links
      .filter((link) => this.#table.links[link]!.target === cell)
      .map((link) => quoted(this.#link(link)));
    const keeps = this.#isFifo
      ? `LET Heeds(word) == <<${to}, word>> \\notin Drops IN SelectSeq(on[link], Heeds)`
      : `[word \\in Messages |-> IF <<${to}, word>> \\in Drops THEN 0 ELSE on[link][word]]`;
    return `(LET on == ${channel} IN [link \\in Links |-> IF link \\in {${links.join(', ')}} THEN ${keeps} ELSE on[link]])`;
  }

  #emptied(cell: number): string {
    const links = this.#links
      .filter((link) => this.#table.links[link]!.target === cell)
      .map((link) => quoted(this.#link(link)));
    const empty = this.#isFifo ? '<<>>' : '[word \\in Messages |-> 0]';
    return `[link \\in Links |-> IF link \\in {${links.join(', ')}} THEN ${empty} ELSE channel[link]]`;
  }

  #fairness(names: readonly string[]): string[] {
    const fairness = this.#questions.asked.flatMap((question) =>
      'fairness' in question ? [question.fairness] : [],
    )[0];
    const classes = new Map<string, string[]>();
    for (const name of names) {
      const of = fairness === undefined ? null : this.#classOf(name, fairness);
      if (of !== null) classes.set(of, [...(classes.get(of) ?? []), name]);
    }
    const fair = [...classes.values()].map((of) => ` /\\ WF_vars(${of.join(' \\/ ')})`);
    return [
      'Spec == Init /\\ [][Next]_vars',
      ...(fairness === undefined ? [] : [`FairSpec == Spec${fair.join('')}`]),
      '',
    ];
  }

  /** The weak fairness class of an action; `null`: it may be put off for ever. */
  #classOf(name: string, { weak }: Fairness): string | null {
    const { actors, messages, compiled } = this.#table;
    const link = this.#links.find((one) => name === `Deliver_${this.#link(one)}`);
    if (link !== undefined) {
      const { source, target } = this.#table.links[link]!;
      const classes = messages.map(
        ({ message }) =>
          weak?.({
            kind: 'deliver',
            actor: actors[target]!.id,
            source: source === null ? null : compiled.world.ids[source]!,
            message,
          }) ?? null,
      );
      // On a queue the first message stays until it is delivered: fairness to each message is fairness to the link.
      return classes.includes(null) ? null : name;
    }
    const classes = actors.flatMap((actor) =>
      actor.rows.flatMap(({ on }) => {
        const action = ownAction(actor, on);
        return action !== null && nameOf(actor, action) === name ? [weak?.(action) ?? null] : [];
      }),
    );
    return classes[0] ?? null;
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
        return [says, `${question.name} == (ENABLED Next) \\/ ${this.#holds(question.holds)}`, ''];
      case 'leadsTo':
        return [
          says,
          `${question.name} == (${this.#holds(question.from)}) ~> (${this.#holds(question.to)})`,
          '',
        ];
      case 'eventually':
        return [says, `${question.name} == <>(${this.#holds(question.to)})`, ''];
    }
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
        return `LET sum == ${this.#sum(measured.measure)} IN sum \\in {${allowed.join(', ')}}${beyond}`;
      }
    }
  }

  #sum(measure: readonly ActorMeasure[]): string {
    const terms = measure.flatMap(({ base, first, later }, cell) => {
      const actor = this.#table.actors[cell]!;
      const at = `local[${quoted(actor.name)}]`;
      const own = byValue(
        base.map((value, local) => [quoted(actor.locals[local]!.name), value]),
        at,
      );
      const links = this.#links.filter((link) => this.#table.links[link]!.target === cell);
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
    const runs = named('leadsTo', 'eventually');
    return [
      `SPECIFICATION ${runs.length > 0 ? 'FairSpec' : 'Spec'}`,
      'CHECK_DEADLOCK FALSE',
      ...(invariants.length > 0 ? [`INVARIANTS ${invariants.join(' ')}`] : []),
      ...(runs.length > 0 ? [`PROPERTIES ${runs.join(' ')}`] : []),
    ];
  }
}

/** A step of the actor without a message. */
function ownAction({ id }: TableActor, on: Trigger): Action | null {
  switch (on.kind) {
    case 'deliver':
      return null;
    case 'environment':
      return { kind: 'environment', actor: id, event: on.event };
    case 'timer':
      return { kind: 'timer', actor: id, timer: on.timer };
    case 'crash':
    case 'restart':
      return { kind: on.kind, actor: id };
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

function refused({ system }: Table, what: string): ExportError {
  return new ExportError('EXPORT_REFUSED', `'${system.name}' has ${what}, which is not written to TLA+.`);
}
