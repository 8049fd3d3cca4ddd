import { createInspector, type StatelyInspectionEvent } from '@statelyai/inspect';
import { expect, onTestFinished, test } from 'vitest';
import { type ClusterOptions, joinCluster, throughStately } from '../index.ts';
import { freePorts } from '../testing/free-ports.ts';

type Of<Type> = Extract<StatelyInspectionEvent, { type: Type }>;

/** The events of two inspected sites while the token goes from a to b and back. */
async function inspected(
  inspectOf: (events: StatelyInspectionEvent[]) => ClusterOptions['inspect'],
  engine: NonNullable<ClusterOptions['engine']>,
) {
  const events: StatelyInspectionEvent[] = [];
  const inspect = inspectOf(events)!;
  const [portA, portB] = await freePorts(2);
  const address = { a: { host: '127.0.0.1', port: portA! }, b: { host: '127.0.0.1', port: portB! } };
  const open = (site: 'a' | 'b', peer: 'a' | 'b') =>
    joinCluster({
      cluster: 'stately',
      site,
      root: 'a',
      listen: address[site],
      peers: { [peer]: address[peer] },
      inspect,
      engine,
    });
  const sites = [await open('a', 'b'), await open('b', 'a')];
  onTestFinished(async () => {
    for (const site of sites) await site.close({ graceful: false });
  });
  for (const site of [...sites].reverse())
    await site.lock('main').run(() => undefined, { timeoutMs: 20_000 });
  const of = <Type extends StatelyInspectionEvent['type']>(type: Type) =>
    events.filter((event): event is Of<Type> => event.type === type);
  const arrows = of('@xstate.event').map(({ event, sourceId, sessionId }) =>
    sourceId === undefined ? `${sessionId}: ${event.type}` : `${sourceId} -> ${sessionId}: ${event.type}`,
  );
  return { of, arrows };
}

test.each(['compiled', 'xstate'] as const)(
  '%s: arrows go from the sender to the site that took it',
  async (engine) => {
    const { of, arrows } = await inspected(
      (events) => throughStately(createInspector({ send: (event) => events.push(event) })),
      engine,
    );
    expect(arrows.filter((arrow) => /REQUEST|TOKEN/.test(arrow))).toEqual([
      'b -> a: REQUEST',
      'a -> b: TOKEN',
      'a -> b: REQUEST',
      'b -> a: TOKEN',
    ]);
    expect(arrows).toContain('b: ask');
    const actors = of('@xstate.actor');
    expect(actors.map(({ name, sessionId }) => [name, sessionId])).toEqual([
      ['b', 'b'],
      ['a', 'a'],
    ]);
    expect(JSON.parse(actors[0]!.definition!)).toMatchObject({ id: 'b', type: 'parallel' });
    const last = of('@xstate.snapshot').findLast(({ sessionId }) => sessionId === 'a')!;
    expect(last.snapshot).toMatchObject({ status: 'active', context: { token: true } });
  },
);

test("the inspector's own inspect knows the sender of a message too, but names the receiver as XState does", async () => {
  const { arrows } = await inspected(
    (events) => createInspector({ send: (event) => events.push(event) }).inspect,
    'compiled',
  );
  expect(arrows.find((arrow) => arrow.endsWith('REQUEST'))).toMatch(/^b -> x:\d+: REQUEST$/);
});
