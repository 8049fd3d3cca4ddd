import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AnyActor, createActor, type EventObject } from 'xstate';
import { Interner } from '../interner.ts';
import type { InternedSnapshot } from '../stepper.ts';
import { write } from './canonical.ts';
import { inside, LOST, PASSED } from './live.ts';
import { type Pending, TreeStepper } from './stepper.ts';
import { type App, apps, handles } from './testing/trees.ts';

/*
 * A live system of actors with its own mailboxes, promises, callbacks and timers, moved by the same random choices as
 * the tree: the same state of every actor, the same timers, and the same actions and emitted events in the same order.
 */

interface Scheduled {
  readonly event: EventObject;
  readonly id: string;
  readonly source: AnyActor;
  readonly fire: () => void;
}

const pathOf = (actor: AnyActor): string => {
  const { _parent: parent, id } = inside(actor);
  if (!parent) return '';
  const above = pathOf(parent as AnyActor);
  return above === '' ? id : `${above}/${id}`;
};

class LiveApp {
  readonly done: string[] = [];
  readonly timers = new Map<number, Scheduled>();
  readonly actor: AnyActor;
  #next = 0;
  #errors: unknown[] = [];

  constructor({ machine }: App) {
    handles.length = 0;
    const seen = new Set<unknown>();
    const clock = {
      setTimeout: (fire: () => void) => {
        const { _scheduledEvents: all } = (this.actor.system as unknown as System)._snapshot;
        const scheduled = Object.values(all).find((event) => !seen.has(event))!;
        seen.add(scheduled);
        const number = this.#next++;
        const run = () => {
          this.timers.delete(number);
          fire();
        };
        this.timers.set(number, { ...scheduled, fire: run });
        return number;
      },
      clearTimeout: (number: number) => this.timers.delete(number),
    };
    const inspect = (event: { type: string; action?: { type: string; params: unknown } }) => {
      if (event.type !== '@xstate.action' || event.action!.type.startsWith('xstate.')) return;
      if (event.action!.type === 'note') this.done.push((event.action!.params as { of: string }).of);
    };
    const actor = createActor(machine, { clock, inspect, logger: () => {} } as never) as AnyActor;
    this.actor = actor;
    actor.on('*' as never, (event: { type: string }) => this.done.push(`emit ${event.type}`));
    actor.subscribe({ error: (error) => this.#errors.push(error) });
    actor.start();
  }

  async take(pending: Pending | EventObject): Promise<void> {
    this.done.length = 0;
    if (!('internal' in pending)) this.actor.send(pending);
    else if (pending.kind === 'timer') this.#fire(pending as Pending);
    else this.#move((pending as Pending).event as never);
    for (let turns = 0; turns < 6; turns++) await Promise.resolve();
  }

  #fire({ timer }: Pending): void {
    const found = [...this.timers.values()].filter(({ source, id }) => {
      const path = pathOf(source);
      return timer === (path === '' ? id : `${id} of ${path}`);
    });
    found[0]!.fire();
  }

  #move({ type, actor, ...rest }: { type: string; actor: string; output?: unknown; error?: unknown }): void {
    const handle = handles.findLast(({ self }) => pathOf(self as AnyActor) === actor)!;
    if (type.startsWith('xstate.done')) handle.resolve!(rest.output);
    else if (type.startsWith('xstate.error')) handle.reject!(new Error('no'));
    else handle.send!({ type });
  }

  /** Every actor that can be reached, as text. */
  state(): unknown {
    const all: Record<string, unknown> = {};
    const visit = (actor: AnyActor) => {
      const { status, value = null, context, children = {}, output } = actor.getSnapshot() as Shown;
      all[pathOf(actor)] = comparable({ status, value, context, output });
      for (const child of Object.values(children)) if (child) visit(child);
    };
    visit(this.actor);
    return all;
  }

  armed(): readonly string[] {
    return [...this.timers.values()]
      .map(({ source, id }) => (pathOf(source) === '' ? id : `${id} of ${pathOf(source)}`))
      .sort();
  }

  get failed(): boolean {
    return this.actor.getSnapshot().status === 'error';
  }
}

interface System {
  readonly _snapshot: { readonly _scheduledEvents: Readonly<Record<string, Omit<Scheduled, 'fire'>>> };
}

interface Shown {
  readonly status: string;
  readonly value?: unknown;
  readonly context: unknown;
  readonly output: unknown;
  readonly children?: Readonly<Record<string, AnyActor | undefined>>;
}

/** Actors by their path. */
function comparable(value: unknown): string {
  const paths: string[] = [];
  const written = write(value, (actor) => paths.push(pathOf(actor)), 'live');
  return JSON.stringify([sorted(written), paths]);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}

async function compare(app: App, live: App, numRuns: number): Promise<number> {
  let steps = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(1_000), { minLength: 4, maxLength: 14, size: 'max' }),
      async (choices) => {
        steps += await compareRun(app, new LiveApp(live), choices);
      },
    ),
    { numRuns },
  );
  return steps;
}

/** How many steps were taken. */
async function compareRun(app: App, live: LiveApp, choices: readonly number[]): Promise<number> {
  const values = new Interner([]);
  const tree = new TreeStepper(app.machine, values, { outcomes: app.outcomes });
  let stepped = tree.start(undefined);
  for (const [taken, choice] of choices.entries()) {
    expect('fault' in stepped).toBe(live.failed);
    if ('fault' in stepped) return taken;
    const { snapshot } = stepped;
    expect(tree.state(snapshot, comparable)).toEqual(live.state());
    const { armed, done } = values.value(snapshot) as unknown as InternedSnapshot;
    expect([...armed!].sort()).toEqual(live.armed());
    if (done) return taken;
    const pending = [...app.events, ...tree.pending(snapshot)];
    const next = pending[choice % pending.length]!;
    stepped = tree.take(snapshot, 'internal' in next ? next.internal : values.intern(next, 'an event'));
    await live.take(next);
    if ('fault' in stepped) continue;
    const effects = stepped.effects
      .map(({ type, of }) => (type === 'note' ? of : type))
      .filter((type) => type !== LOST && type !== PASSED && !/ of /.test(String(type)));
    expect(effects).toEqual(live.done);
  }
  live.actor.stop();
  return choices.length;
}

test.each(Object.entries(apps))('%s: a tree takes every step as live actors do', async (_, app) => {
  expect(await compare(app, app, 150)).toBeGreaterThan(700);
});

const { fetching, list, socket } = apps as Required<typeof apps>;
const silent = { ...socket!, outcomes: { socket: { sends: [{ type: 'data' }] } } };
const patient = {
  ...fetching!,
  machine: fetching!.machine.provide({ guards: {}, delays: { retry: undefined } } as never),
};
const deaf = { ...list!, machine: list!.machine.provide({ actors: { item: socket!.machine } } as never) };

test.each([
  ['a callback that does not send as it starts', silent, socket!],
  ['a delay that is none', patient, fetching!],
  ['another child', { ...deaf, outcomes: { ...list!.outcomes, ...socket!.outcomes } }, list!],
])('%s is told from live actors', async (_, app, live) => {
  await expect(compare(app, live, 150)).rejects.toThrow();
});
