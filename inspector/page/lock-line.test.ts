import { describe, expect, it } from 'vitest';
import type { SiteState } from '../../verification/timeline/format.ts';
import { lockLine, lockStateOf } from './lock-line.ts';
import { Moments } from './moments.ts';
import { longRun } from './testing/long-run.ts';

const site = (client: string, context: object): SiteState => ({ up: true, value: { client }, context });

function stateOf(sites: Readonly<Record<string, SiteState>>) {
  const run = longRun(0);
  return lockStateOf(new Moments({ ...run, start: { ...run.start, sites } }), 0)!;
}

const times = { held: () => 'for 2 s', waited: () => '', gone: () => '9 s ago' };
const line = (sites: Readonly<Record<string, SiteState>>) => lockLine(stateOf(sites), times);

describe('the line that describes the state of the lock', () => {
  it('names the holder, the queue in order, and the sites with a pending request', () => {
    const text = line({
      a: site('inCS', { token: true, last: 'd', next: 'c' }),
      b: site('requesting', { token: false, last: 'd', next: null }),
      c: site('requesting', { token: false, last: 'd', next: 'd' }),
      d: site('requesting', { token: false, last: null, next: null }),
    });
    expect(text).toBe('a holds the lock for 2 s; next: c, then d; b has asked');
  });

  it('follows lines, the own line of a site before the sites behind it', () => {
    const text = line({
      a: site('inCS', { token: true, last: null, line: ['b', 'd'] }),
      b: site('requesting', { token: false, last: null, line: ['c'] }),
      c: site('requesting', { token: false, last: null, line: [] }),
      d: site('requesting', { token: false, last: null, line: [] }),
    });
    expect(text).toBe('a holds the lock for 2 s; next: b, then c, then d');
  });

  it('tells that the epoch of a holder is over', () => {
    const text = line({
      a: site('inCS', { token: true, last: 'b', next: 'b', epoch: 1 }),
      b: site('inCS', { token: true, last: null, next: null, epoch: 2 }),
      c: site('idle', { token: false, last: 'b', next: null, epoch: 2 }),
      d: site('idle', { token: false, last: 'b', next: null, epoch: 2 }),
    });
    expect(text).toBe(
      'b holds the lock for 2 s; a holds the lock for 2 s, in epoch 1, which is over; no site waits; epoch 2',
    );
  });

  it('tells that a holder is not seen any more, and does not claim that it holds the lock', () => {
    const holder = {
      ...site('inCS', { token: true, last: null, line: ['b'], epoch: 1 }),
      unseen: true,
    } as const;
    const waiting = { ...site('requesting', { token: false, last: 'a', line: [], epoch: 1 }), since: 4_000 };
    const rest = { b: waiting, c: site('idle', {}), d: site('idle', {}) };
    expect(line({ a: { ...holder, gone: true }, ...rest })).toBe(
      'a held the lock for 2 s when its connection ended 9 s ago, and whether it still does is not known; next: b; epoch 1',
    );
    expect(line({ a: holder, ...rest })).toMatch(/^a held the lock for 2 s when it was last seen; next: b;/);
    const later = { b: site('inCS', { token: true, last: null, line: [], epoch: 2 }) };
    expect(line({ a: { ...holder, gone: true }, ...rest, ...later })).toBe(
      'b holds the lock for 2 s; a held the lock for 2 s when its connection ended 9 s ago, in epoch 1, which is over; no site waits; epoch 2',
    );
    expect(stateOf({ a: holder, ...rest }).queue).toEqual([{ site: 'b', moment: 0, at: 4_000 }]);
  });

  it('takes the queue from a token that is on its way', () => {
    const run = longRun(0);
    const waits = site('requesting', { token: false, last: 'a', line: [] });
    const sites = { a: site('idle', { token: false, last: 'b', line: [] }), b: waits, c: waits, d: waits };
    const message = { type: 'TOKEN', line: ['c'] };
    const token = { source: 'a', target: 'b', message, sent: 0, ended: null, fate: 'under way' } as const;
    const moments = new Moments({ ...run, start: { ...run.start, sites }, messages: [token] });
    expect(lockLine(lockStateOf(moments, 0)!, times)).toBe(
      'no site holds the lock; the token is on its way to b; next: b, then c; d has asked',
    );
  });

  it('is absent for a run without a lock', () => {
    expect(lockStateOf(new Moments({ ...longRun(2), critical: [] }), 1)).toBeNull();
  });
});
