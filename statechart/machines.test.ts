import { describe, expect, test } from 'vitest';
import type { AnyStateMachine, EventObject } from 'xstate';
import { siteMachine as epochSite } from '../machines/epoch/site.ts';
import { linkMachine } from '../machines/link/link.ts';
import { foundingMachine } from '../machines/members/founding.ts';
import { membersMachine } from '../machines/members/members.ts';
import { siteMachine as naimiTrehelSite } from '../machines/naimi-trehel/site.ts';
import { sketchMachine } from '../machines/sketch/site.ts';
import { compile } from './compile.ts';
import { Beside, explore } from './testing/beside.ts';
import {
  epochEvents,
  epochInputs,
  foundingEvents,
  foundingInputs,
  linkEvents,
  linkInputs,
  membersEvents,
  membersInputs,
  naimiTrehelEvents,
  sketchEvents,
} from './testing/events.ts';

/*
 * Compares every machine of this project with XState, event by event. The events include those that no
 * correct peer sends.
 */

const numbers = (context: object) => Object.values(context).filter((value) => typeof value === 'number');
const small = (most: number) => (context: unknown) =>
  numbers(context as object).every((value) => value <= most) &&
  ((context as { lease?: { round: number } | null }).lease?.round ?? 0) <= most;

const machines: readonly (readonly [
  string,
  AnyStateMachine,
  readonly unknown[],
  readonly EventObject[],
  number,
])[] = [
  ['epoch', epochSite, epochInputs, epochEvents, 300],
  ['founding', foundingMachine, foundingInputs, foundingEvents, 400],
  ['members', membersMachine, membersInputs, membersEvents, 400],
  ['naimi-trehel', naimiTrehelSite, inputs(), naimiTrehelEvents, 400],
  ['link', linkMachine, linkInputs, linkEvents, 300],
  [
    'sketch',
    sketchMachine,
    [
      { port: 'a', root_port: 'a' },
      { port: 'b', root_port: 'a' },
    ],
    sketchEvents,
    2_000,
  ],
];

describe('each reachable snapshot, each event', () => {
  test.each(machines)(
    '%s',
    (_, machine, starts, events, most) => {
      const { snapshots, steps } = explore(new Beside(machine, compile(machine)), starts, events, {
        most,
        within: small(3),
      });
      expect({ snapshots, steps }).toMatchSnapshot();
      expect(steps).toBe(snapshots * events.length);
    },
    60_000,
  );
});

function inputs(): readonly unknown[] {
  return [
    { self: 'a', root: 'a', peers: 2 },
    { self: 'b', root: 'a', peers: 2 },
    { self: 'a', root: 'a', peers: 0 },
  ];
}
