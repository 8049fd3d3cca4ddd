import { isDeepStrictEqual } from 'node:util';
import type { EventObject } from 'xstate';
import { Interner } from '../../interner.ts';
import type { InternedSnapshot } from '../../stepper.ts';
import { write } from '../canonical.ts';
import { DrivenActor, type Happening, pathOf, toldOf } from '../driven.ts';
import { LOST, PASSED } from '../live.ts';
import { type Pending, TreeStepper } from '../stepper.ts';
import type { App } from './trees.ts';

/*
 * A live system of actors with its own mailboxes, promises, callbacks and timers, moved by the same random choices as the
 * tree: the same state of every actor, the same timers, and the same actions and emitted events in the same order.
 */

/** The tree and the live actors differ. The message names the difference. */
export class Difference extends Error {}

function happeningOf(pending: Pending | EventObject): Happening {
  if (!('internal' in pending)) return { event: pending };
  const { kind, timer, event } = pending as Pending;
  return kind === 'timer' ? { timer } : { outcome: event as never };
}

const isPlace = (name: string | undefined) => name !== undefined && / of /.test(name);

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

/**
 * Moves the tree of `app` and the actors of `live` by the same choices, each of which picks one of the possible
 * events. Returns the number of steps. Throws `Difference` where they differ, and the error that refuses the machine.
 */
export async function follow(app: App, live: App, choices: readonly number[]): Promise<number> {
  const values = new Interner([]);
  const tree = new TreeStepper(app.machine, values, { outcomes: app.outcomes });
  let stepped = tree.start(app.input);
  const actors = new DrivenActor(live.machine, live.outcomes, live.input);
  for (const [taken, choice] of choices.entries()) {
    same('whether it failed', 'fault' in stepped, actors.failed);
    if ('fault' in stepped) return taken;
    const { snapshot } = stepped;
    same('the state', renumbered(tree.state(snapshot, comparable)), renumbered(actors.state(comparable)));
    const { armed, done } = values.value(snapshot) as unknown as InternedSnapshot;
    same('the timers', [...armed!].sort(), actors.timers);
    if (done) return taken;
    const pending = [...app.events, ...tree.pending(snapshot)];
    if (pending.length === 0) return taken;
    const next = pending[choice % pending.length]!;
    stepped = tree.take(snapshot, 'internal' in next ? next.internal : values.intern(next, 'an event'));
    if (!(await actors.happen(happeningOf(next)))) return taken;
    if ('fault' in stepped) continue;
    const own = stepped.effects.filter(({ type }) => type !== LOST && type !== PASSED);
    const told = own.map(({ type, ...params }) => toldOf(type, params));
    // A function that stands as an action has a place in the tree, and its own name in XState.
    same(
      'what it does',
      told,
      actors.done.map((name, index) => (isPlace(told[index]) ? told[index] : name)),
    );
  }
  actors.stop();
  return choices.length;
}

/** Drawn ids by their first occurrence: the tree gives those of actors that are gone again. */
function renumbered(state: unknown): string {
  const ids: string[] = [];
  return JSON.stringify(state).replaceAll(/\bx:\d+/g, (id) => {
    if (!ids.includes(id)) ids.push(id);
    return `x:${ids.indexOf(id)}`;
  });
}

function same(what: string, tree: unknown, live: unknown): void {
  if (isDeepStrictEqual(tree, live)) return;
  throw new Difference(`${what}: the tree has ${JSON.stringify(tree)}, live actors ${JSON.stringify(live)}`);
}
