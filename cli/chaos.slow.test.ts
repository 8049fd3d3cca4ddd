import { afterAll, describe, expect, it } from 'vitest';
import { SitePool } from '../harness/chaos/processes.ts';
import { runChaos } from '../harness/chaos/run.ts';
import { scheduleOf } from '../harness/chaos/schedule.ts';
import { of } from '../verification/runs/histories/rules.ts';
import { baton } from './testing/baton.ts';

const pool = new SitePool();
const { signal } = new AbortController();
afterAll(() => pool.end());

describe('members that change', () => {
  it('keep every rule over many seeds', async () => {
    const asked = ['--members', '--runs', '12', '--seed', '31', '--seconds', '2', '--parallel', '2'];
    const { status, stdout } = await baton('chaos', ...asked, '--json', '-');
    const runs = JSON.parse(stdout) as { held: boolean; findings: Record<string, unknown> }[];
    expect(runs.filter(({ held }) => !held).map(({ findings }) => findings)).toEqual([]);
    expect([runs.length, status]).toEqual([12, 0]);
  }, 600_000);

  it('are added, removed and replaced, and lose their disks: the lock stays one, and an old copy is refused', async () => {
    const faults = [
      { kind: 'late-start', atMs: 0, site: 'c', forMs: 200 },
      { kind: 'kill', atMs: 10, site: 'b', forMs: 20 },
      { kind: 'replace', atMs: 210, site: 'a', by: 'd' },
      { kind: 'old-copy', atMs: 220, site: 'b', forMs: 200 },
      { kind: 'add', atMs: 230, site: 'e' },
      { kind: 'empty-disk', atMs: 240, site: 'c' },
      { kind: 'remove', atMs: 250, site: 'b', isRunning: true },
    ] as const;
    const { judgement, evidence } = await runChaos({
      schedule: { ...scheduleOf({ seed: 1, sites: 3, seconds: 0.5, members: true }), faults },
      pool,
      signal,
    });
    expect(Object.values(judgement.findings).flatMap(({ violations }) => violations)).toEqual([]);
    const { history } = evidence;
    const lives = of(history, 'open').map(({ site, life }) => `${site}${life}`);
    expect(lives.sort()).toEqual(['a0', 'b0', 'b1', 'b2', 'b3', 'b4', 'c0', 'c1', 'd0', 'e0']);
    expect(
      of(history, 'notice').some(({ what }) => what.startsWith('refuses: PEER_RESTARTED: b was met')),
    ).toBe(true);
    const quietAt = of(history, 'quiet')[0]!.at;
    const after = of(history, 'grant').filter(({ at }) => at > quietAt);
    expect([...new Set(after.map(({ site }) => site))].sort()).toEqual(['c', 'd', 'e']);
  });

  it('found the cluster once a founder that was out of reach is met, and bytes are lost meanwhile', async () => {
    const faults = [
      { kind: 'founders-apart', atMs: 0, site: 'c', forMs: 500 },
      { kind: 'loss', atMs: 10, pair: ['a', 'b'], forMs: 900, percent: 20, seed: 1 },
      { kind: 'replace', atMs: 510, site: 'a', by: 'd' },
    ] as const;
    const schedule = { ...scheduleOf({ seed: 1, sites: 3, seconds: 1, members: true }), faults };
    const { judgement, evidence } = await runChaos({ schedule, pool, signal });
    expect(Object.values(judgement.findings).flatMap(({ violations }) => violations)).toEqual([]);
    const acceptedAt = of(evidence.history, 'open')[0]!.at + 400;
    expect(of(evidence.history, 'grant').filter(({ at }) => at < acceptedAt)).toEqual([]);
    const changes = of(evidence.history, 'notice').filter(({ what }) => what.startsWith('members '));
    expect(changes.at(-1)?.what).toMatch(/: b, c, d$/);
  });

  it('control: if the others take an old copy for new data, it is granted the lock, and the harness detects it', async () => {
    const schedule = {
      ...scheduleOf({ seed: 1, sites: 3, seconds: 1, members: true }),
      faults: [{ kind: 'old-copy', atMs: 10, site: 'b', forMs: 2_000 }] as const,
    };
    const { judgement } = await runChaos({ schedule, pool, signal, forgetsRuns: true });
    const { violations } = judgement.findings['no site breaks an invariant']!;
    expect(violations[0]?.what).toMatch(/granted the lock with an old copy of its data/);
  });
});
