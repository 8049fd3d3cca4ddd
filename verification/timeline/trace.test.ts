import { describe, expect, it } from 'vitest';
import { check } from '../check/check.ts';
import twoPhaseCommit from '../examples/two-phase-commit.ts';
import { mutants as epochMutants, systemWith } from '../protocols/epoch/mutants.ts';
import { mutants } from '../protocols/naimi-trehel/mutants.ts';
import { naimiTrehel } from '../protocols/naimi-trehel/system.ts';
import { systems } from '../protocols/systems.ts';
import { compile } from '../system/index.ts';
import { ltl, some } from '../system/properties.ts';
import type { System } from '../system/system.ts';
import { Explorer } from './explorer.ts';
import { timelineOf } from './trace.ts';

const options = { sites: 3, network: { order: 'fifo' } } as const;

/** The counterexamples of `system` as timelines. */
async function counterexamples(system: System) {
  const report = await check(system, { stopAtFirst: true, liveness: false });
  return report.properties.flatMap(({ name, verdict, trace }) =>
    verdict === 'violated' && trace !== undefined
      ? [{ name, trace, timeline: timelineOf(system, trace, { title: name, about: '', property: name }) }]
      : [],
  );
}

describe('a counterexample as a timeline', () => {
  const broken: readonly (readonly [string, () => System])[] = [
    ...Object.entries(mutants).map(
      ([name, machine]) => [name, () => naimiTrehel({ ...options, machine })] as const,
    ),
    ...['R1: a newer epoch is not adopted', 'R6: a vote alone elects', 'R7: a vote is not written down'].map(
      (name) => [name, () => systemWith(epochMutants[name]![1], epochMutants[name]![0])] as const,
    ),
  ];
  it.each(broken)(
    '%s: each property lights up at the last step of its trace, and not before',
    async (_, system) => {
      const found = await counterexamples(system());
      expect(found.length).toBeGreaterThan(0);
      for (const { name, trace, timeline } of found) {
        const { focus, start, steps } = timeline;
        expect(timeline.properties[focus!]!.name).toBe(name);
        const verdicts = [start.verdicts[focus!], ...steps.map(({ verdicts: changed }) => changed[focus!])];
        const at = verdicts.findIndex((judgement) => judgement?.verdict === 'violated');
        // Only an explorer knows that a state has no successor.
        if (timeline.properties[focus!]!.kind === 'always') expect(at, name).toBe(trace.steps.length);
      }
    },
  );

  it('tells which transitions were taken, and follows each message from sending to receipt', async () => {
    const machine = mutants['an idle root copies the token'];
    const found = await counterexamples(naimiTrehel({ ...options, machine }));
    const { timeline } = found.find(({ name }) => name === 'L3')!;
    expect(timeline.steps.map(({ text }) => text)).toEqual(['b: ask', 'a receives REQUEST(origin=b) from b']);
    expect(timeline.steps.map(({ taken }) => taken)).toEqual([
      ['site.client.idle|ask|1', 'site.routing.forwarding|ask|2'],
      ['site.routing.root|REQUEST|0'],
    ]);
    expect(timeline.messages).toMatchObject([
      { source: 'b', target: 'a', sent: 1, ended: 2, fate: 'received' },
      { source: 'a', target: 'b', message: { type: 'TOKEN' }, sent: 2, ended: null, fate: 'under way' },
    ]);
    expect(timeline.steps[1]).toMatchObject({
      message: 0,
      verdicts: { 4: { verdict: 'violated', sites: ['a'] } },
    });
  });
});

it('a message whose copies are taken is sent once, and stays on its way', () => {
  const explorer = new Explorer(twoPhaseCommit);
  let path: readonly number[] = [];
  for (const wanted of ['resource 1: prepare', 'PREPARED', 'PREPARED']) {
    const choice = explorer
      .explored(path)
      .choices.at(-1)!
      .findIndex(({ text }) => text.includes(wanted));
    expect(choice, wanted).toBeGreaterThanOrEqual(0);
    path = [...path, choice];
  }
  const { messages, steps } = explorer.explored(path).timeline;
  expect(messages).toMatchObject([
    { message: { type: 'PREPARED' }, sent: 1, ended: null, fate: 'under way' },
  ]);
  expect(steps.map(({ message }) => message)).toEqual([null, 0, 0]);
});

describe('the charts of every system', () => {
  it.each(Object.keys(systems))('%s: every arrow begins and ends at a state that is drawn', (name) => {
    const system = systems[name]!({ ...options, sites: name.startsWith('link') ? 2 : 3 });
    const compiled = compile(system);
    const empty = { initial: compiled.record(compiled.model.initial[0]!), steps: [] };
    const { machines } = timelineOf(system, empty, { title: name, about: '' });
    for (const { root, transitions } of Object.values(machines)) {
      const states = [root];
      for (const state of states) states.push(...state.children);
      const ids = states.map(({ id }) => id);
      expect(transitions.length).toBeGreaterThan(0);
      expect(new Set(transitions.map(({ id }) => id)).size).toBe(transitions.length);
      for (const { source, targets } of transitions)
        expect(ids).toEqual(expect.arrayContaining([source, ...targets]));
    }
  });
});

describe('a formula is judged at every moment', () => {
  const inside = some((site) => site.id === 'b' && site.in('client.inCS'));
  const asks = some((site) => site.id === 'b' && site.in('client.requesting'));
  const never = ltl('b never enters', 'G !inside', { inside });
  const served = ltl('b is served', 'G (asks -> F inside)', { asks, inside });
  const system: System = { ...naimiTrehel(options), properties: [never, served] };
  const shown = async (name: string) => {
    const { properties } = await check(system, { liveness: true });
    const { trace } = properties.find((one) => one.name === name)!;
    const timeline = timelineOf(system, trace!, { title: name, about: '', property: name });
    const { start, steps } = timeline;
    const index = timeline.properties.findIndex((one) => one.name === name);
    let now = start.verdicts[index]!;
    const verdicts = [now, ...steps.map(({ verdicts: changed }) => (now = changed[index] ?? now))];
    return { verdicts, ...timeline };
  };

  it('is violated where the prefix alone violates it', async () => {
    const { verdicts, steps } = await shown('b never enters');
    const broken = verdicts.findIndex(({ verdict }) => verdict === 'violated');
    expect(steps[broken - 1]!.effects.map(({ type }) => type)).toContain('grant');
    for (const { verdict, reason } of verdicts.slice(0, broken)) {
      expect(verdict).toBe('holds');
      expect(reason).toContain('so far');
    }
  });

  it('is open while it is owed, and violated at the end of a lasso', async () => {
    const { verdicts, loop, steps } = await shown('b is served');
    expect(loop).toBe(steps.length);
    const asked = steps.findIndex(({ text }) => text === 'b: ask') + 1;
    expect(asked).toBeGreaterThan(0);
    expect(verdicts.slice(0, asked).map(({ verdict }) => verdict)).toEqual(Array(asked).fill('holds'));
    const { verdict, reason } = verdicts.at(-1)!;
    expect({ verdict, reason }).toMatchObject({ verdict: 'violated' });
    expect(reason).toContain('stays here for ever; now: asks, !inside');

    // On a path chosen by hand, no state lasts for ever.
    const explorer = new Explorer(system);
    const choice = explorer.explored([]).choices[0]!.findIndex(({ text }) => text === 'b: ask');
    const { timeline } = explorer.explored([choice]);
    const index = timeline.properties.findIndex(({ name }) => name === 'b is served');
    expect(timeline.steps[0]!.verdicts[index]).toMatchObject({ verdict: 'open' });
  });
});
