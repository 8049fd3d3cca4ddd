import type { Action, Fairness } from '../../system/system.ts';
import { ExportError } from '../errors.ts';
import type { Fault, Layout } from '../layout.ts';
import { ownAction, type Row, type Table, type TableActor, type TableSend, wordOf } from '../table.ts';
import { comment } from './comment.ts';

/** `message`: by the number that the step reports beside; of a break, it reports how many messages are lost. */
export type PromelaStep =
  | { readonly action: Action }
  | { readonly kind: 'deliver' | 'duplicate' | 'lose' | 'break'; readonly link: number };

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

/**
 * The steps of a table as processes of SPIN. A proctype stands for each thing that fairness speaks of: a link that delivers, an event of a
 * client, a timer. Each step is one d_step, so that SPIN's states are the system's.
 */
export class Processes {
  /** The steps by the number that is reported when a trail is replayed. */
  readonly steps: PromelaStep[] = [];
  readonly #layout: Layout;
  readonly #table: Table;
  readonly #fairness: Fairness | null;
  readonly #processes = new Map<string, Process>();
  /** The names of states, links and messages: an event may be called as a state is. */
  readonly #words: ReadonlySet<string>;

  constructor(layout: Layout, fairness: Fairness | null) {
    this.#layout = layout;
    this.#table = layout.table;
    this.#fairness = fairness;
    const { actors, links, messages } = this.#table;
    this.#words = new Set([
      ...actors.flatMap(({ locals }) => locals.map(({ name }) => name)),
      ...[...links, ...messages].map(({ name }) => name),
    ]);
    for (const link of layout.links) this.#deliveries(link);
    for (const actor of actors) this.#ownSteps(actor);
    for (const link of layout.links) this.#faults(link);
  }

  /** `guards`: conditions under which any step is taken. */
  write(guards: readonly string[]): string[] {
    const { actors } = this.#table;
    return [
      ...actors.flatMap((_, actorIndex) => this.#purges(actorIndex)),
      ...actors.flatMap((actor) => this.#receipts(actor)),
      ...[...this.#processes.values()].flatMap((process) => proctype(process, guards)),
    ];
  }

  /** The step of the actor for message m, by its local state. */
  #receipts(actor: TableActor): string[] {
    const rows = actor.rows.filter(({ on }) => on.kind === 'deliver');
    if (
      rows.length === 0 ||
      this.#layout.capacity !== null ||
      (this.#layout.isFifo && this.#layout.isLarge(actor))
    )
      return [];
    const links = this.#dependsOnLink(actor)
      ? this.#layout.linksTo(this.#table.actors.indexOf(actor))
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
      ...(this.#layout.everPurges(this.#table.actors.indexOf(actor)) ? [`  ${actor.name}_purges()`] : []),
      '}',
    ];
  }

  #effect(actor: TableActor, { from, to, joined, sends, tells }: Row, purges = true): string {
    const actorIndex = this.#table.actors.indexOf(actor);
    const parts = from === to ? [] : [`${actor.name} = ${actor.locals[to]!.name}`];
    if (purges && from !== to && this.#layout.everPurges(actorIndex)) parts.push(`${actor.name}_purges()`);
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
    if (!this.#layout.everPurges(actorIndex)) return [];
    const { name } = this.#table.actors[actorIndex]!;
    const links = this.#layout.linksTo(actorIndex);
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
    const plain = this.#layout.isFifo ? `${name} ! ${word}` : `${name} !! ${word}`;
    const kept =
      this.#layout.network.duplication === 'persistent'
        ? `if :: ${name} ?? [${word}] -> skip :: else -> ${plain} fi`
        : plain;
    if (!this.#layout.everDrops(target)) return kept;
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
    const { duplication = 0 } = this.#layout.network;
    const duplicates =
      duplication !== 0 && duplication !== 'persistent' ? this.#step({ kind: 'duplicate', link }) : null;
    const spend = this.#spend('duplicated');
    const says = `What is on its way to ${actor.id}${source === null ? '' : ` from ${ids[source]}`} arrives.`;
    const done = (step: number) => `${this.#observe(step)}; m = 0`;
    if (this.#layout.capacity !== null || (this.#layout.isFifo && this.#layout.isLarge(actor))) {
      this.#deliveriesByRow(link, deliver, duplicates, spend, says);
      return;
    }
    if (this.#layout.isFifo) {
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
    if (!this.#layout.isFifo)
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
    const index = this.#layout.links.indexOf(link);
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
    if (this.#layout.capacity === null) return '';
    const counts = new Map<number, number>();
    for (const { link } of sends) counts.set(link, (counts.get(link) ?? 0) + 1);
    return [...counts]
      .map(([link, count]) => {
        const most = this.#layout.capacity! - count + (link === taken ? 1 : 0);
        return ` && len(${this.#table.links[link]!.name}) <= ${most}`;
      })
      .join('');
  }

  #ownSteps(actor: TableActor): void {
    const actorIndex = this.#table.actors.indexOf(actor);
    for (const row of actor.rows) {
      const action = ownAction(actor, row.on);
      if (action === null) continue;
      const word = wordOf(action);
      const says = `${actor.id}: ${action.kind === 'environment' ? action.event.type : word}.`;
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
    return this.#layout
      .linksTo(actorIndex)
      .map((link) => {
        const { name } = this.#table.links[link]!;
        return `; do :: len(${name}) > 0 -> ${name} ? k :: else -> break od; k = 0`;
      })
      .join('');
  }

  #faults(link: number): void {
    const { loss = 0, breaks = 0 } = this.#layout.network;
    const { name, target, most } = this.#table.links[link]!;
    const alive = this.#alive(this.#table.actors[target]!);
    const index = this.#layout.links.indexOf(link);
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
    return this.steps.push(step) - 1;
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

  #spend(name: Fault): { readonly guard: string; readonly spend: string } {
    const bound = this.#layout.bound(name);
    return bound === null
      ? { guard: '', spend: '' }
      : { guard: ` && ${name} < ${bound}`, spend: `${name}++; ` };
  }
}

function proctype({ name, says, options, idle, isUnfair }: Process, guards: readonly string[]): string[] {
  return [
    '',
    `/* ${comment(says)} */`,
    `active proctype ${name}()${guards.length === 0 ? '' : ` provided (${guards.join(' && ')})`} {`,
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
