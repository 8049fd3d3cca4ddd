import { describe, expect, it } from 'vitest';
import { mutants } from '../protocols/naimi-trehel/mutants.ts';
import { naimiTrehel } from '../protocols/naimi-trehel/system.ts';
import { systems } from '../protocols/systems.ts';
import type { Property } from '../system/system.ts';
import { Explorer, PathError } from './explorer.ts';
import { StateTextError } from './state-text.ts';

const options = { sites: 3, network: { order: 'fifo' } } as const;

describe('exploring', () => {
  it.each(Object.keys(systems))('%s: every offered step can be taken', (name) => {
    const explorer = new Explorer(systems[name]!({ ...options, sites: name.startsWith('link') ? 2 : 3 }));
    let path: readonly number[] = [];
    for (let step = 0; step < 25; step++) {
      const { choices, timeline } = explorer.explored(path);
      expect(choices).toHaveLength(path.length + 1);
      expect(timeline.steps).toHaveLength(path.length);
      const offered = choices.at(-1)!;
      if (offered.length === 0) break;
      path = [...path, (step * 7) % offered.length];
      expect(explorer.explored(path).timeline.steps.at(-1)!.text).toBe(offered[path.at(-1)!]!.text);
    }
    expect(path.length).toBeGreaterThan(3);
  });

  it('a path means the same in another process, independent of earlier exploration', async () => {
    const system = () => systems['naimi-trehel']!({ ...options, network: { order: 'unordered' } });
    const [one, other] = [new Explorer(system()), new Explorer(system())];
    const { path } = await other.toState('a receives REQUEST and b receives REQUEST');
    expect(other.explored(path!).timeline.steps).toEqual(one.explored(path!).timeline.steps);
  });

  it('jumps to the violation of a property, by a shortest path', async () => {
    const machine = mutants['an idle root copies the token'];
    const explorer = new Explorer(naimiTrehel({ ...options, machine }));
    const { path, reason } = await explorer.toProperty('mutual exclusion');
    expect(path).toHaveLength(4);
    expect(reason).toBe('mutual exclusion: is violated after 4 steps');
    const { timeline } = explorer.explored(path!);
    const index = timeline.properties.findIndex(({ name }) => name === 'mutual exclusion');
    expect(timeline.steps.map(({ verdicts }) => verdicts[index]?.verdict)).toEqual([
      undefined,
      undefined,
      undefined,
      'violated',
    ]);
    expect(await explorer.toProperty('L1')).toMatchObject({ path: null });
  });

  it('jumps to a state by its description, and the state matches the description', async () => {
    const explorer = new Explorer(naimiTrehel(options));
    const { path } = await explorer.toState('a in client.inCS and b.next = c and not c.token');
    const { timeline } = explorer.explored(path!);
    const last = (id: string) => timeline.steps.findLast(({ sites }) => sites[id] !== undefined)?.sites[id];
    expect(last('a')).toMatchObject({ value: { client: 'inCS' } });
    expect(last('b')).toMatchObject({ context: { next: 'c' } });
    expect(await explorer.toState('a.token and b.token')).toMatchObject({ path: null });
    await expect(explorer.toState('d in client.inCS')).rejects.toThrow(StateTextError);
    await expect(explorer.toState('a is happy')).rejects.toThrow(/expected "in STATE"/);
  });

  it('rejects a path that leads nowhere', () => {
    const explorer = new Explorer(naimiTrehel(options));
    expect(() => explorer.explored([99])).toThrow(PathError);
  });

  it('recognizes states without further steps', async () => {
    const leaving = systems['naimi-trehel-leaving']!({ ...options, sites: 2 });
    const restless: Property = { kind: 'deadlockFree', name: 'never at rest' };
    const explorer = new Explorer({ ...leaving, properties: [...leaving.properties, restless] });
    const { path } = await explorer.toState('every in client.left');
    const { choices, timeline } = explorer.explored(path!);
    expect(choices.at(-1)).toEqual([]);
    const verdictOf = (name: string) => {
      const index = timeline.properties.findIndex((property) => property.name === name);
      return (
        timeline.steps.findLast(({ verdicts }) => verdicts[index])?.verdicts[index]?.verdict ?? 'as before'
      );
    };
    expect(verdictOf('never at rest')).toBe('violated');
    expect(verdictOf('no deadlock, until all have left')).toBe('as before');
  });
});
