import { describe, expect, it } from 'vitest';
import type { Entry, LedgerLine, Write } from './history.ts';
import { judge, together } from './judge.ts';
import { rules } from './rules.ts';
import { excerpt } from './text.ts';

/** A history by its moments: entry i is at i * 10 ms. */
type Moment = Entry extends infer E
  ? E extends Entry
    ? Omit<E, 'at'> & { readonly at?: number }
    : never
  : never;

function judged(moments: readonly Moment[], ledger?: readonly LedgerLine[], membersChange = false) {
  const history = moments.map((moment, index) => ({ at: index * 10, ...moment }) as Entry);
  const taken = history.filter((entry): entry is Write => entry.type === 'write' && entry.accepted);
  const judgement = judge({ history, ledger: ledger ?? taken, servedMs: 100, detectMs: 20, membersChange });
  const broken = Object.entries(judgement.findings).filter(([, { violations }]) => violations.length > 0);
  return { ...judgement, history, broken: broken.map(([name]) => name) };
}

const of = (section: string) => ({ site: section[0]!, life: 0, section });
const ask = (section: string): Moment => ({ type: 'ask', ...of(section) });
const grant = (section: string, epoch: number, k: number): Moment => ({
  type: 'grant',
  ...of(section),
  fence: { epoch, k },
});
const release = (section: string): Moment => ({ type: 'release', ...of(section) });
const lost = (section: string): Moment => ({ type: 'lost', ...of(section) });
const write = (section: string, epoch: number, k: number, more: Partial<Write> = {}): Moment => ({
  type: 'write',
  site: section[0]!,
  section,
  fence: { epoch, k },
  step: 'enter',
  accepted: true,
  value: 0,
  ...more,
});
const quiet: Moment = { type: 'quiet' };
const end = (site: string): Moment => ({ type: 'end', site, life: 0, why: 'SIGKILL' });

/** For each rule, the shortest history that breaks it and no other rule. */
const breaks: Readonly<Record<keyof typeof rules, readonly Moment[]>> = {
  'accepted critical sections do not overlap': [
    ask('a1'),
    grant('a1', 0, 1),
    ask('b1'),
    grant('b1', 1, 1),
    write('b1', 1, 1),
    write('a1', 0, 1),
  ],
  'no two sites are inside at once in one epoch (S1, S4)': [
    ask('a1'),
    grant('a1', 0, 1),
    ask('b1'),
    grant('b1', 0, 2),
    release('a1'),
  ],
  'no two grants share a fence (S3)': [
    ask('a1'),
    grant('a1', 0, 1),
    release('a1'),
    ask('b1'),
    grant('b1', 0, 1),
  ],
  'fences rise within an epoch, and at each site (S5)': [
    ask('a1'),
    grant('a1', 1, 1),
    release('a1'),
    ask('a2'),
    grant('a2', 0, 1),
  ],
  'no grant without an ask': [ask('a1'), { type: 'cancel', ...of('a1') }, grant('a1', 0, 1)],
  'every caller is served once the faults are over': [
    ask('a1'),
    quiet,
    { type: 'fault', what: 'none', at: 120 },
  ],
  'nothing accepted is lost': [
    ask('a1'),
    grant('a1', 0, 1),
    write('a1', 0, 1),
    write('a1', 0, 1, { step: 'leave', value: 2 }),
  ],
  'a minority never grants': [
    { type: 'split', minority: ['a'], until: 100 },
    ask('a1'),
    { type: 'fault', what: 'none' },
    grant('a1', 0, 1),
  ],
  'no site breaks an invariant': [
    { type: 'crash', site: 'a', life: 0, code: 'INVARIANT_BROKEN', message: 'two tokens' },
  ],
};

describe('the rules of histories', () => {
  it.each(Object.keys(rules))('%s: refutes the shortest history that breaks it', (rule) => {
    const { broken, held, findings, history } = judged(breaks[rule]!);
    expect(broken).toEqual([rule]);
    expect(held).toBe(false);
    const [violation] = findings[rule]!.violations;
    expect(excerpt(violation!, history).split('\n').length).toBeGreaterThanOrEqual(violation!.entries.length);
  });

  it('take a run in which a holder is cut off, refused, told, and served again', () => {
    const { broken, findings, figures } = judged([
      { type: 'open', site: 'a', life: 0 },
      { type: 'open', site: 'b', life: 0 },
      ask('a1'),
      grant('a1', 0, 1),
      write('a1', 0, 1),
      { type: 'split', minority: ['a'], until: 130 },
      ask('b1'),
      grant('b1', 1, 1),
      write('b1', 1, 1),
      write('b1', 1, 1, { step: 'leave', value: 1 }),
      { type: 'acknowledged', ...of('b1'), step: 'leave' },
      release('b1'),
      write('a1', 0, 1, { step: 'leave', value: 1, accepted: false }),
      lost('a1'),
      quiet,
      ask('a2'),
      grant('a2', 1, 2),
      release('a2'),
    ]);
    expect(broken).toEqual([]);
    expect(Object.values(findings).map(({ judged }) => judged > 0)).toEqual(Array(9).fill(true));
    expect(figures).toMatchObject({ asks: 3, grants: 3, lost: 1, accepted: 3, refused: 1 });
    expect(figures).toMatchObject({ highestFence: { epoch: 1, k: 2 }, longestWaitAfterMs: 10 });
  });

  it('say of a grant that came too late after the faults, and of a wait that a live site ended', () => {
    const late = [ask('a1'), quiet, { ...grant('a1', 0, 1), at: 111 }];
    expect(judged(late).broken).toEqual(['every caller is served once the faults are over']);
    const rejected: Moment = { type: 'rejected', ...of('a1'), code: 'SITE_CLOSED' };
    expect(judged([ask('a1'), rejected, quiet]).broken).toEqual([
      'every caller is served once the faults are over',
    ]);
    expect(judged([ask('a1'), rejected, end('a'), quiet]).broken).toEqual([]);
  });

  it('let a site be told that it is no member, only while the members change', () => {
    const rejected: Moment = { type: 'rejected', ...of('a1'), code: 'NOT_A_MEMBER' };
    const notServed = ['every caller is served once the faults are over'];
    expect(judged([ask('a1'), rejected, quiet], [], true).broken).toEqual([]);
    expect(judged([ask('a1'), rejected, quiet]).broken).toEqual(notServed);
    expect(judged([ask('a1'), quiet, rejected], [], true).broken).toEqual(notServed);
  });

  it('let a dead site be inside for no longer than it lived', () => {
    expect(judged([ask('a1'), grant('a1', 0, 1), end('a'), ask('b1'), grant('b1', 0, 2)]).broken).toEqual([]);
    expect(judged([ask('a1'), grant('a1', 0, 1), ask('b1'), grant('b1', 0, 2), end('a')]).broken).toEqual([
      'no two sites are inside at once in one epoch (S1, S4)',
    ]);
  });

  it('miss a write that the client was told of, and find one that nobody made', () => {
    const told: Moment = { type: 'acknowledged', ...of('a1'), step: 'enter' };
    const run = [ask('a1'), grant('a1', 0, 1), write('a1', 0, 1), told];
    expect(judged(run).broken).toEqual([]);
    expect(judged(run, []).broken).toEqual(['nothing accepted is lost']);
    const made = { section: 'b1', step: 'enter', value: 0 } as const;
    expect(judged(run, [{ section: 'a1', step: 'enter', value: 0 }, made]).broken).toEqual([
      'nothing accepted is lost',
    ]);
  });

  it('of several locks are broken by each of them', () => {
    const served = [ask('a1'), grant('a1', 0, 1), release('a1')];
    const both = together([judged(served), judged([grant('a1', 0, 1), release('a1')])]);
    expect(both).toMatchObject({ held: false, figures: { asks: 1 } });
    expect(both.findings['no grant without an ask']).toMatchObject({ judged: 2, violations: [{}] });
    expect(together([judged(served), judged(served)]).held).toBe(true);
  });

  it('judge nothing where there is nothing', () => {
    const { findings, figures } = judged([]);
    expect(Object.values(findings).map(({ judged }) => judged)).toEqual(Array(9).fill(0));
    expect(figures).toMatchObject({ highestFence: null, longestWaitAfterMs: null });
  });
});
