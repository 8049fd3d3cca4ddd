import { expect, test } from 'vitest';
import { Simulation } from '../../harness/simulation/simulation.ts';
import type { Channel } from '../mailbox/memory.ts';

test.each([
  ['another site told it the same', false],
  ['the removed site went out of reach', true],
])(
  'a change is agreed on where a voter, which did not vote for the coordinator, adopts it because %s',
  async (_, isCut) => {
    const simulation = new Simulation({ sites: 3, seed: 1, changes: true });
    const { clock, hub, sites } = simulation;
    await simulation.openAll();
    await simulation.settle();
    const at = (id: string) => sites.get(id)!.mesh;
    const deliver = async (...first: readonly string[]) => {
      const rank = ({ source, target }: Channel) => first.indexOf(`${source} to ${target}`);
      for (;;) {
        await Promise.resolve();
        const [next] = simulation
          .pending()
          .filter((channel) => rank(channel) >= 0)
          .toSorted((one, other) => rank(one) - rank(other));
        if (!next) return;
        hub.deliver(next);
      }
    };

    // Both stand for term 1. So c does not vote for a.
    const ofC = at('c')
      .change({ add: 'c' }, 1)
      .catch(({ code }) => code);
    let isDone = false;
    void at('a')
      .change({ remove: 'b' }, 10_000)
      .then(() => {
        isDone = true;
      });
    clock.tick();
    clock.tick();
    await deliver('a to b', 'b to a', 'a to c');
    expect(at('a').configuration).toMatchObject({ term: 1, version: 2 });
    expect(at('c').configuration).toMatchObject({ term: 0, version: 1 });

    if (isCut) simulation.cut('b', 'c');
    else await deliver('b to c');
    expect(at('c').configuration).toMatchObject({ term: 1, version: 2 });
    await simulation.run(1);
    expect(isDone).toBe(true);
    expect(await ofC).toBe('CHANGE_TIMEOUT');
  },
);
