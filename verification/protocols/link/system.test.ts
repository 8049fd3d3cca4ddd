import { describe, expect, test } from 'vitest';
import { check, type Report } from '../../check/check.ts';
import { OptionsError } from '../sites.ts';
import { type LinkOptions, link, linkRestarts } from './system.ts';

const base = { sites: 2, network: { order: 'fifo' } } as const;

const small = { posts: 2, limit: 1, connections: 2 };
const restarting = { posts: 1, limit: 1 };

describe('a connection that breaks only delays', () => {
  test.each<[Partial<LinkOptions>, Partial<Report>]>([
    [{ ...small, connections: 1, finishes: [] }, { states: 113 }],
    [
      { ...small, finishes: [] },
      { states: 1_179, transitions: 3_941 },
    ],
    [small, { states: 4_716, transitions: 17_696 }],
    [{}, { states: 205_612, transitions: 907_868 }],
  ])('%o', holds);
});

describe('a restart ends the exchange between two incarnations', () => {
  test.each<[Partial<LinkOptions>, Partial<Report>]>([
    [{ ...restarting, crashes: ['a'] }, { states: 25_108 }],
    [
      { ...restarting, crashes: ['a'], finishes: ['b'] },
      { states: 50_216, transitions: 172_592 },
    ],
    [
      { ...restarting, crashes: ['b'], posts: 2 },
      { states: 62_337, transitions: 212_150 },
    ],
    [
      { ...restarting, crashes: ['a', 'b'] },
      { states: 116_693, transitions: 356_622 },
    ],
  ])('%o', holds);
});

async function holds(options: Partial<LinkOptions>, counts: Partial<Report>) {
  const report = await check(link({ ...base, ...options }));
  expect(notHolding(report)).toEqual([]);
  expect(report).toMatchObject({ ...counts, complete: true });
}

test('reachable situations, and their depth', async () => {
  const reports = [await check(link({ ...base, ...small })), await check(linkRestarts(base))];
  const reached = reports.map(({ properties }) => properties.filter(({ kind }) => kind === 'reachable'));
  expect(
    reached.map((all) => all.map(({ name, trace }) => `${name}: ${trace?.steps.length}`)),
  ).toMatchInlineSnapshot(`
    [
      [
        "the outbox is full: 1",
        "an acknowledgement travels with a payload: 7",
        "a payload is lost with its connection: 5",
        "one is drained after it has waited: 9",
        "all is delivered and acknowledged: 14",
      ],
      [
        "the outbox is full: 4",
        "an acknowledgement travels with a payload: 7",
        "a payload is lost with its connection: 5",
        "a message reported lost was delivered: 11",
        "a message reported lost was not delivered: 9",
        "a second life is delivered to: 14",
      ],
    ]
  `);
});

test('the only transitions that no step takes are those for faulty peers and late hosts', async () => {
  const systems = [link({ ...base, connections: 2 }), linkRestarts(base)];
  const reports = await Promise.all(systems.map((system) => check(system)));
  const [living, dying] = reports.map(({ coverage }) =>
    coverage.flatMap(({ never }) =>
      never.map(({ state, event, guard }) => `${state} ${event} ${guard ?? 'otherwise'}`),
    ),
  );
  expect(living!.filter((transition) => dying!.includes(transition))).toMatchInlineSnapshot(`
    [
      "link HELLO otherwise",
      "link disconnected otherwise",
      "link flushAck otherwise",
      "link WELCOME otherwise",
      "link DATA otherwise",
      "link ACK otherwise",
      "link * otherwise",
    ]
  `);
});

test.each([
  [{ sites: 3 }, 'SITES_OUT_OF_RANGE'],
  [{ network: { order: 'unordered' } }, 'NETWORK_UNFIT'],
  [{ network: { order: 'fifo', loss: 1 } }, 'NETWORK_UNFIT'],
  [{ network: { order: 'fifo', breaks: 1 } }, 'NETWORK_UNFIT'],
] as const)('%o is refused', (options, code) => {
  const make = () => link({ ...base, ...options });
  expect(make).toThrow(OptionsError);
  expect(make).toThrow(expect.objectContaining({ code }));
});

function notHolding({ properties }: Report) {
  return properties.filter(({ verdict }) => verdict !== 'holds');
}
