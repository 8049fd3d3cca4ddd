import { expect, test } from 'vitest';
import { siteMachine } from '../../../machines/epoch/site.ts';
import type { StateRecord, System } from '../../system/system.ts';
import { breadthFirstStates } from '../../system/testing/states.ts';
import { withoutCount } from './count.ts';
import { seenFrozen } from './observed.ts';
import { type EpochOptions, epoch, epochFences, epochStrict } from './system.ts';

/* A reduction of a system takes no behaviour away: its states are those of the whole, seen coarser. */

const options: EpochOptions = { sites: 2, network: { order: 'fifo' }, changes: 2, restart: 'with disk' };

function statesOf({ history: _, ...system }: System, seen = (text: string) => text): ReadonlySet<string> {
  return new Set(breadthFirstStates(system).map((state) => seen(JSON.stringify(sorted(state)))));
}

/** Keys have no order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const fields = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(fields.map(([key, item]) => [key, sorted(item)]));
}

test('a count that stays 0 shows the states of the machine that counts, every k taken for 0', () => {
  const counted = epochFences({ ...options, changes: 1, asks: 2 });
  const uncounted = epochFences({ ...options, changes: 1, asks: 2, machine: withoutCount(siteMachine) });
  const forget = (text: string) => text.replaceAll(/"k":\d+/g, '"k":0');
  const states = statesOf(uncounted);
  expect(statesOf(counted, forget)).toEqual(states);
  expect(statesOf(counted).size).toBeGreaterThan(states.size);
});

test.each([{ refusals: 'all' }, { refusals: 'none' }] as const)(
  'without dead messages the states are those with them, dead ones overlooked: %o',
  (refusals) => {
    const living = epoch({ ...options, ...refusals });
    const { dead } = Object.values(living.actors)[0]!;
    const overlook = (text: string) => {
      const state = JSON.parse(text) as StateRecord;
      const seen = Object.entries(state).map(([id, actor]) => {
        const inbox = actor.inbox.filter(
          ({ message }) => !dead!(message, { ...viewOf(id, actor), inbox: [] }),
        );
        return [id, { ...actor, inbox }];
      });
      return JSON.stringify(sorted(Object.fromEntries(seen)));
    };
    const whole = epoch({ ...options, ...refusals, keepDead: true });
    const states = statesOf(living);
    expect(statesOf(whole, overlook)).toEqual(states);
    expect(statesOf(whole).size).toBeGreaterThan(states.size);
  },
);

test.each([{}, { strict: true }])(
  'with frozen sites merged the states are those without, what those forget overlooked: %o',
  (mode) => {
    const of = mode.strict ? epochStrict : epoch;
    const overlook = (text: string) => {
      const seen = Object.entries(JSON.parse(text) as StateRecord).map(([id, actor]) => {
        const { inbox, timers } = actor;
        return [id, { inbox, timers, seen: seenFrozen({ ...viewOf(id, actor), inbox }) }];
      });
      return JSON.stringify(sorted(Object.fromEntries(seen)));
    };
    const whole = of({ ...options, changes: 1, keepFrozen: true });
    expect(statesOf(of({ ...options, changes: 1 }), overlook)).toEqual(statesOf(whole, overlook));
    expect(statesOf(whole).size).toBeGreaterThan(statesOf(whole, overlook).size);
  },
);

/** As much of an actor as `dead` looks at. */
function viewOf(id: string, { up, value, context, timers }: StateRecord[string]) {
  return {
    id,
    up,
    value,
    context: context as Readonly<Record<string, unknown>>,
    timers,
    in: (path: string) => {
      const [region, state] = path.split('.');
      return (value as Readonly<Record<string, string>> | null)?.[region!] === state;
    },
  };
}
