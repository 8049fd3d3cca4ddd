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

const line = (sites: Readonly<Record<string, SiteState>>) => lockLine(stateOf(sites), () => 'for 2 s');

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

  it('is absent for a run without a lock', () => {
    expect(lockStateOf(new Moments({ ...longRun(2), critical: [] }), 1)).toBeNull();
  });
});
