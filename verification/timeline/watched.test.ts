import { describe, expect, it } from 'vitest';
import type { EventLine, RecordLine, StartLine } from '../../machines/record.ts';
import { DrivenMesh } from '../runs/testing/driven-mesh.ts';
import { Watched } from './watched.ts';

const mesh = () =>
  new DrivenMesh(3)
    .client('b', 'ask')
    .client('c', 'ask')
    .deliver('b', 'a')
    .deliver('c', 'a')
    .deliver('a', 'b')
    .deliver('a', 'b')
    .client('b', 'release')
    .deliver('b', 'c')
    .client('c', 'release');

/** The recorded mesh as its sites would report it. `from` and `to` count a site's events. */
function watching(sites: readonly string[]) {
  let now = 0;
  const watched = new Watched(of('a'), () => now);
  for (const site of sites) watched.attached(site);
  const window = (site: string, from: number, to?: number) => {
    const lines = records[site]!;
    const before = lines[from] as StartLine | EventLine;
    const seq = before.kind === 'event' ? before.seq : 0;
    watched.told(site, { type: 'window', lock: 'main', at: from, now: { seq, snapshot: before.snapshot } });
    tell(site, from, to);
  };
  const tell = (site: string, from: number, to?: number) => {
    const lines = records[site]!.slice(from + 1, to === undefined ? undefined : to + 1);
    // Lines of the live feed have no clocks.
    const told = lines.map((line): [number, RecordLine] => [from, { ...(line as EventLine), clock: {} }]);
    watched.told(site, { type: 'lines', lines: told });
  };
  const end = (site: string) => watched.told(site, { type: 'end', at: 0, why: 'full' });
  const gone = (site: string) => watched.gone(site);
  const unused = (site: string) => watched.told(site, { type: 'window', lock: 'main', at: 0, now: null });
  const shown = () => {
    watched.follow(5_000);
    return watched.telling!.timeline;
  };
  return { window, tell, end, gone, unused, shown, later: (ms: number) => (now += ms) };
}

const { records } = mesh();
const of = (site: string) => records[site]![0] as StartLine;

const verdicts = ({ properties, start, steps }: ReturnType<ReturnType<typeof watching>['shown']>) =>
  Object.fromEntries(
    properties.map(({ name }, index) => {
      let now = start.verdicts[index]!;
      for (const step of steps) now = step.verdicts[index] ?? now;
      return [name, now];
    }),
  );

describe('a watched cluster', () => {
  it('has an order that respects causality, whichever site is heard first', () => {
    const { window, shown } = watching(['a', 'b', 'c']);
    // The receiver of everything comes first.
    for (const site of ['c', 'b', 'a']) window(site, 0);
    const timeline = shown();
    const { steps, messages } = timeline;
    expect(steps.filter(({ kind }) => kind !== 'seen')).toHaveLength(9);
    expect(messages).toHaveLength(5);
    for (const { sent, ended, fate } of messages) {
      expect(fate).toBe('received');
      expect(ended).toBeGreaterThan(sent);
    }
    for (const { kind, taken } of steps) expect(taken.length > 0).toBe(kind !== 'seen');
    expect(verdicts(timeline)).toMatchObject({
      'mutual exclusion': { verdict: 'holds' },
      // The messages on their way at the first sight of the sites are not known.
      'exactly one token, until all have left': { verdict: 'open' },
    });
  });

  it('waits for the sender, but not for ever', () => {
    const { window, tell, shown, later } = watching(['a', 'b', 'c']);
    for (const site of ['a', 'b', 'c']) window(site, 0, 0);
    tell('a', 0);
    expect(shown().steps.filter(({ kind }) => kind === 'deliver')).toHaveLength(0);
    later(2_000);
    const { steps, messages } = shown();
    expect(steps.filter(({ kind }) => kind === 'deliver')).toHaveLength(2);
    expect(messages.slice(0, 1)).toMatchObject([{ source: 'b', target: 'a', fate: 'received' }]);
  });

  it('reports the unseen parts: events, fates, and that nothing is judged meanwhile', () => {
    const { window, tell, end, shown } = watching(['a', 'b', 'c']);
    window('a', 0);
    window('c', 0, 1);
    window('b', 0, 1);
    end('b');
    const gap = shown();
    expect(gap.steps.at(-1)!.sites).toBeDefined();
    const b = gap.steps.flatMap(({ sites }) => sites['b'] ?? []).at(-1)!;
    expect(b).toMatchObject({ unseen: true, value: { client: 'requesting' } });
    expect(gap.messages.filter(({ target }) => target === 'b').map(({ fate }) => fate)).toEqual([
      'unseen',
      'unseen',
    ]);
    expect(verdicts(gap)['mutual exclusion']).toEqual({
      verdict: 'open',
      reason: 'not judged: b is not seen',
    });

    window('b', 3);
    tell('c', 1);
    const { steps, messages } = shown();
    expect(steps.map(({ text }) => text)).toContain('b is seen again, after 2 events that were not');
    expect(steps.at(-1)!.text).toBe('c: release');
    expect(messages.at(-1)).toMatchObject({ source: 'b', target: 'c', fate: 'received' });
  });

  it('tells once that the connection to a site has ended, also between windows, and that it is back', () => {
    const { window, end, gone, shown } = watching(['a', 'b', 'c']);
    window('b', 0, 0);
    end('b');
    gone('b');
    gone('b');
    expect(shown().steps.map(({ kind }) => kind)).toEqual(['seen', 'unseen', 'gone']);
    window('b', 0, 0);
    gone('b');
    const { steps } = shown();
    expect(steps.map(({ kind }) => kind)).toEqual(['seen', 'unseen', 'gone', 'seen', 'gone']);
    expect(steps.at(-1)!.text).toBe('b does not answer any more');
  });

  it('of one site shows it, and the facts that it knows of the others', () => {
    const { window, shown } = watching(['b']);
    window('b', 0);
    const { sites, start, messages, steps } = shown();
    expect(sites.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    expect(start.sites['a']).toMatchObject({ unseen: true, value: null });
    expect(messages.map(({ source, target, fate }) => `${source} > ${target} ${fate}`)).toEqual([
      'b > a unseen',
      'a > b received',
      'a > b received',
      'b > c unseen',
    ]);
    expect(steps.every(({ site }) => site === 'b')).toBe(true);
  });

  it('judges nothing where a site has not used the lock yet', () => {
    const { window, shown, unused } = watching(['a', 'b', 'c']);
    for (const site of ['a', 'b']) window(site, 0, 0);
    unused('c');
    expect(verdicts(shown())['mutual exclusion']).toEqual({
      verdict: 'open',
      reason: 'not judged: c is not seen',
    });
  });

  it('keeps the newest steps, and says how many are forgotten', () => {
    const watched = new Watched(of('b'));
    watched.attached('b');
    const snapshot = of('b').snapshot;
    for (let seq = 0; seq < 30; seq++) {
      watched.told('b', { type: 'window', lock: 'main', at: seq, now: { seq, snapshot } });
      watched.told('b', { type: 'end', at: seq, why: 'full' });
      watched.follow(20);
      const { forgotten, steps } = watched.telling!.timeline;
      expect(steps.length).toBeLessThanOrEqual(20);
      expect(steps.length).toBeGreaterThanOrEqual(Math.min(15, 2 * (seq + 1)));
      expect((forgotten ?? 0) + steps.length).toBe(2 * (seq + 1));
    }
  });

  it('tells since when a site holds or waits, also if that was before it was seen, and the clocks of sites', () => {
    let now = 0;
    const watched = new Watched(of('b'), () => now);
    watched.attached('b');
    const { snapshot } = records['b']!.find((line) => line.kind === 'event') as EventLine;
    const because = { reason: 'death', down: { a: 'silent' } };
    watched.told('b', {
      type: 'window',
      lock: 'main',
      at: 90_000,
      now: { seq: 1, snapshot },
      sinceMs: 4_000,
      stood: { epoch: 2, agoMs: 30_000, because },
    });
    watched.follow(20);
    const seen = watched.telling!.timeline.steps.at(-1)!.sites['b'];
    const stood = { epoch: 2, at: 60_000, because };
    expect(seen).toMatchObject({ value: { client: 'requesting' }, since: 86_000, stood });
    now = 2_500;
    expect(watched.clocks).toEqual({ b: 92_500 });
    const granted = records['b']!.find(
      (line) => line.kind === 'event' && line.effects.some(({ type }) => type === 'grant'),
    ) as EventLine;
    watched.told('b', { type: 'lines', lines: [[92_000, { ...granted, cause: null, clock: {} }]] });
    watched.gone('b');
    watched.follow(20);
    const [held, gone] = watched.telling!.timeline.steps.slice(-2).map(({ sites }) => sites['b']);
    expect(held).toMatchObject({ value: { client: 'inCS' }, since: 92_000 });
    expect(gone).toMatchObject({ value: { client: 'inCS' }, since: 92_000, unseen: true, gone: true, stood });
    expect(watched.telling!.steps.at(-1)!.at).toBe(92_500);
    expect(watched.clocks).toEqual({});
  });
});
