import { describe, expect, test } from 'vitest';
import { assign, setup } from 'xstate';
import { InvariantError, OperatingError } from '../api/errors.ts';
import { Driver, type DriverOwner } from './driver.ts';

type Event = { readonly type: string };
type Effect = { readonly type: 'first' | 'second' | 'third' | 'unexpected' };

/** A machine whose effects are what its events say. */
const machine = setup({
  types: {} as { events: Event },
  actions: { first: () => {}, second: () => {}, third: () => {}, unexpected: () => {} },
}).createMachine({
  entry: 'first',
  on: {
    all: { actions: ['first', 'second', 'third'] },
    one: { actions: 'first' },
    fail: {
      actions: assign(() => {
        throw new Error('a bug');
      }),
    },
    '*': { actions: 'unexpected' },
  },
});

const names = ['first', 'second', 'third', 'unexpected'] as const;

interface Scene {
  readonly driver: Driver<Event, Effect, string>;
  /** The calls of the owner, in order. */
  readonly log: string[];
}

function scene(change: Partial<DriverOwner<Event, Effect, string>> = {}): Scene {
  const log: string[] = [];
  const owner: DriverOwner<Event, Effect, string> = {
    due: () => change.due?.() ?? [],
    judge: (event, cause) => change.judge?.(event, cause) ?? 'take',
    refuses: (event, cause, effects) => change.refuses?.(event, cause, effects) ?? false,
    took: (event, cause, effects) => {
      log.push(cause === null ? event.type : `${event.type} from ${cause}`);
      change.took?.(event, cause, effects);
    },
    execute: (effect) => {
      log.push(`- ${effect.type}`);
      change.execute?.(effect);
    },
    crashed: ({ code }) => log.push(code),
  };
  return { driver: new Driver(machine, names, { id: 'x', input: undefined }, owner), log };
}

describe('a driver', () => {
  test('carries out the effects of the start, then those of each event, in the order asked', () => {
    const { driver, log } = scene();
    expect(log).toEqual([]);
    driver.start();
    driver.take({ type: 'all' }, 'b');
    expect(log).toEqual(['- first', 'all from b', '- first', '- second', '- third']);
  });

  test('takes no event before the effects of the last one are carried out', () => {
    const { driver, log } = scene({
      execute: ({ type }) => {
        if (type !== 'second') return;
        expect(driver.busy).toBe(true);
        driver.take({ type: 'one' }, 'c');
      },
    });
    driver.take({ type: 'all' });
    expect(log).toEqual(['all', '- first', '- second', '- third', 'one from c', '- first']);
    expect(driver.busy).toBe(false);
  });

  test('takes what is due before the event that arrives, and before each that was deferred', () => {
    const overdue = [[{ type: 'one' }], [{ type: 'one' }]];
    const { driver, log } = scene({
      due: () => overdue.shift() ?? [],
      execute: ({ type }) => type === 'third' && driver.take({ type: 'late' }),
    });
    driver.take({ type: 'all' });
    expect(log.filter((entry) => !entry.startsWith('-'))).toEqual(['one', 'all', 'one', 'late']);
    overdue.push([{ type: 'one' }]);
    driver.take(null);
    expect(log.slice(-2)).toEqual(['one', '- first']);
  });

  test('takes no event that its owner refuses, and the machine stays as it was', () => {
    const asked: unknown[] = [];
    const { driver, log } = scene({
      judge: ({ type }) => (type === 'never' ? 'refuse' : type === 'all' ? 'try' : 'take'),
      refuses: (event, cause, effects) => {
        asked.push([event.type, cause, effects.map(({ type }) => type)]);
        return event.type === 'fits not' || event.type === 'all';
      },
    });
    const before = driver.snapshot;
    for (const type of ['fits not', 'never', 'all']) driver.take({ type }, 'b');
    expect([driver.snapshot, log]).toEqual([before, []]);
    driver.take({ type: 'one' }, 'b');
    driver.take({ type: 'one' });
    expect(log).toEqual(['one from b', '- first', 'one', '- first']);
    expect(asked).toEqual([
      ['fits not', 'b', ['unexpected']],
      ['all', 'b', ['first', 'second', 'third']],
      ['one', 'b', ['first']],
    ]);
  });

  test('does nothing after it was stopped, and returns the events that it has not taken', () => {
    let left: readonly Event[] = [];
    const { driver, log } = scene({
      execute: ({ type }) => {
        if (type !== 'second') return;
        driver.take({ type: 'one' });
        left = driver.stop();
      },
    });
    driver.take({ type: 'all' });
    driver.take({ type: 'one' });
    expect(log).toEqual(['all', '- first', '- second']);
    expect(left).toEqual([{ type: 'one' }]);
  });

  test('refuses a machine with an effect that nobody carries out, before anything runs', () => {
    const odd = setup({ actions: { shred: () => undefined } }).createMachine({});
    const owner = {
      due: () => [],
      judge: () => 'take' as const,
      refuses: () => false,
      took: () => {},
      execute: () => {},
      crashed: () => {},
    };
    expect(() => new Driver(odd, names, { id: 'x', input: undefined }, owner)).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_EFFECT' }),
    );
  });

  test.each<[string, string, Partial<DriverOwner<Event, Effect, string>>, string[]]>([
    ['when the machine fails', 'fail', {}, ['MACHINE_ERROR']],
    [
      'when its owner sees a broken invariant, before any effect',
      'all',
      {
        took: () => {
          throw new InvariantError('INVARIANT_BROKEN', 'so it is');
        },
      },
      ['all', 'INVARIANT_BROKEN'],
    ],
    [
      'when an effect fails, before the next effect',
      'all',
      {
        execute: () => {
          throw new InvariantError('EFFECT_FAILED', 'so it is');
        },
      },
      ['all', '- first', 'EFFECT_FAILED'],
    ],
  ])('stops for good %s', (_, type, change, expected) => {
    const { driver, log } = scene(change);
    driver.take({ type });
    driver.take({ type: 'one' });
    expect(log).toEqual(expected);
  });

  test('passes an operating error of its owner on to the caller, and goes on', () => {
    let refuses = true;
    const { driver, log } = scene({
      execute: () => {
        if (refuses) throw new OperatingError('TOO_MANY_LOCKS', 'no room');
      },
    });
    expect(() => driver.take({ type: 'all' })).toThrow('TOO_MANY_LOCKS');
    refuses = false;
    driver.take({ type: 'one' });
    expect(log).toEqual(['all', '- first', 'one', '- first']);
  });
});
