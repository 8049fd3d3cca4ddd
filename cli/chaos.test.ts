import { getEventListeners } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { lockOf } from '../harness/chaos/locks.ts';
import { SitePool } from '../harness/chaos/processes.ts';
import { quickTiming, runChaos } from '../harness/chaos/run.ts';
import {
  calm,
  killedHolder,
  minoritySchedule,
  resetsSchedule,
  stoppedHolder,
  tokenForAnEarlierLife,
} from '../harness/chaos/scenarios.ts';
import { type Schedule, scheduleOf } from '../harness/chaos/schedule.ts';
import { defaultTiming } from '../runtime/options/schema.ts';
import type { Judgement } from '../verification/runs/histories/judge.ts';
import { of } from '../verification/runs/histories/rules.ts';
import { BatonProcess, baton } from './testing/baton.ts';
import { builtBaton } from './testing/built.ts';
import { directory } from './testing/directory.ts';

const pool = new SitePool(builtBaton());
afterAll(() => pool.end());

const { signal } = new AbortController();
// Every run of this file hangs on it while it lasts, and no longer.
afterAll(() => expect(getEventListeners(signal, 'abort')).toHaveLength(0));
const run = (schedule: Schedule, how: Partial<Parameters<typeof runChaos>[0]> = {}) =>
  runChaos({ schedule, pool, signal, ...how });
const broken = ({ findings }: Judgement) =>
  Object.entries(findings).flatMap(([rule, { violations }]) => (violations.length > 0 ? [rule] : []));

describe('baton chaos', () => {
  it('runs many seeds, and every rule holds', async () => {
    const record = directory();
    const asked = ['--runs', '3', '--seed', '11', '--seconds', '1', '--parallel', '2', '--record', record];
    const how = ['--secured', 'tls', '--other-locks', '2', '--json', '-'];
    const { status, stdout, stderr } = await baton('chaos', ...asked, ...how);
    expect(stderr).toMatch(/3 seeds, \d+ faults, \d+ grants, .*: all hold/);
    expect(status).toBe(0);
    const runs = JSON.parse(stdout) as { schedule: Schedule; held: boolean; figures: { grants: number } }[];
    expect(runs.map(({ schedule, held }) => [schedule.seed, held]).sort()).toEqual([
      [11, true],
      [12, true],
      [13, true],
    ]);
    for (const { schedule, figures } of runs) {
      expect(schedule).toEqual(scheduleOf({ seed: schedule.seed, sites: 3, seconds: 1 }));
      expect(figures.grants).toBeGreaterThan(5);
      const kept = readFileSync(join(record, `${schedule.seed}.schedule.json`), 'utf8');
      expect(JSON.parse(kept)).toEqual(schedule);
    }
    expect(readdirSync(record).filter((name) => name.endsWith('.history.ndjson'))).toHaveLength(3);
  });

  it('reports a missing openssl', async () => {
    const asked = ['chaos', '--secured', 'tls', '--seconds', '1', '--seed', '1'];
    const { status, stderr } = await new BatonProcess(asked, { PATH: '/nowhere' }).end();
    expect(stderr).toMatch(/certificates are made by openssl, which fails: .*ENOENT.*; no process is left/);
    expect(status).toBe(1);
  });

  it('leaves no process behind when it is interrupted, stopped ones neither', async () => {
    const chaos = new BatonProcess(['chaos', '--seconds', '600', '--seed', '3']);
    await chaos.hear(/600 s of faults/);
    const children = () =>
      readFileSync(`/proc/${chaos.child.pid}/task/${chaos.child.pid}/children`, 'utf8').trim().split(' ');
    await expect.poll(() => children().length, { timeout: 20_000 }).toBeGreaterThanOrEqual(3);
    const pids = children();
    process.kill(Number(pids[0]), 'SIGSTOP');
    chaos.child.kill('SIGINT');
    expect(await chaos.end()).toMatchObject({ status: 3, stderr: expect.stringContaining('interrupted') });
    for (const pid of pids) expect(existsSync(`/proc/${pid}`)).toBe(false);
  });
});

describe('when the holder is killed', () => {
  it('the next site gets the lock under a higher fence, and the dead site restarts with its data', async () => {
    const { times, fencesRose, judgement } = await killedHolder(2, 'kernel', { pool });
    expect(broken(judgement)).toEqual([]);
    expect(fencesRose).toBe(true);
    expect(times.length).toBeGreaterThan(0);
  });

  it('the next site gets the lock even if the dead site drops every byte', async () => {
    const { times, fencesRose, judgement } = await killedHolder(1, 'nobody', { pool, timing: quickTiming });
    expect(broken(judgement)).toEqual([]);
    expect(fencesRose).toBe(true);
    expect(times[0]).toBeGreaterThan(quickTiming.failureTimeoutMs / 2);
  });
});

describe('when a site is started again', () => {
  it('a token that was sent to its earlier life is not missed for good', async () => {
    // Long: the wait must not end by a suspicion of the link that is not there yet.
    const timing = { ...quickTiming, failureTimeoutMs: 5_000 };
    expect(await tokenForAnEarlierLife({ pool, timing })).toBeGreaterThan(0);
  });
});

describe('when the holder is stopped for a while', () => {
  it('its write is refused, it learns that it has lost, and it is served again', async () => {
    const { refused, knewMs, judgement } = await stoppedHolder(1_000, { pool, timing: quickTiming });
    expect(broken(judgement)).toEqual([]);
    expect(refused).toBe(1);
    expect(knewMs).not.toBe(null);
  });

  it('control: without a fence gate its write overlaps, and the harness detects it', async () => {
    const { judgement } = await stoppedHolder(1_000, { pool, timing: quickTiming, gateOff: true });
    expect(broken(judgement)).toEqual([
      'accepted critical sections do not overlap',
      'nothing accepted is lost',
    ]);
  });
});

describe('a minority', () => {
  it('grants nothing, the majority goes on, and all are served after it', async () => {
    const { judgement, evidence } = await run(minoritySchedule(2_000));
    expect(broken(judgement)).toEqual([]);
    expect(judgement.findings['a minority never grants']).toMatchObject({ judged: 1 });
    const [split] = of(evidence.history, 'split');
    const during = of(evidence.history, 'grant').filter(({ at }) => at > split!.at && at < split!.until);
    expect(during.filter(({ site }) => site !== 'a').length).toBeGreaterThan(0);
    const after = of(evidence.history, 'grant').filter(({ at }) => at > split!.until);
    expect(new Set(after.map(({ site }) => site)).size).toBe(3);
  });

  it('control: if one vote elects, it grants, and the harness detects it', async () => {
    const mutant = 'R6: a vote alone elects';
    const { judgement } = await run(minoritySchedule(2_000), { mutant, otherLocks: 1 });
    expect(broken(judgement)).toContain('a minority never grants');
    const { violations } = judgement.findings['a minority never grants']!;
    const locks = violations.flatMap(({ entries }) =>
      entries.flatMap((entry) => ('section' in entry ? [lockOf(entry.section)] : [])),
    );
    expect(new Set(locks)).toEqual(new Set(['main', 'other 1']));
  });
});

describe('a member that lies', () => {
  it('neither stops nor excludes another site for good by forged tokens, votes, epochs or floods', async () => {
    const { judgement, lies, evidence } = await run(calm(1), { hostile: true });
    expect(broken(judgement)).toEqual([]);
    expect(lies!.said).toBeGreaterThan(100);
    // A message that no correct site says ends its connection.
    expect(lies!.closed).toBeGreaterThan(5);
    const lives = of(evidence.history, 'open').map(({ site, life }) => `${site}${life}`);
    expect(lives.sort()).toEqual(['a0', 'a1', 'b0', 'c0']);
    const { findings } = judgement;
    expect(findings['every caller is served once the faults are over']!.judged).toBeGreaterThan(0);
    expect(Object.keys(findings)).not.toContain('no two grants share a fence (S3)');
  });
});

describe('members that change', () => {
  it('while a founder starts late, one is replaced and one removed: the lock stays one, and all that stay are served', async () => {
    const faults = [
      { kind: 'late-start', atMs: 0, site: 'c', forMs: 100 },
      { kind: 'replace', atMs: 110, site: 'a', by: 'd' },
      { kind: 'remove', atMs: 120, site: 'b', isRunning: true },
    ] as const;
    const schedule = scheduleOf({ seed: 1, sites: 3, seconds: 0.2, members: true });
    const { judgement, evidence } = await run({ ...schedule, faults });
    expect(broken(judgement)).toEqual([]);
    const lives = of(evidence.history, 'open').map(({ site, life }) => `${site}${life}`);
    expect(lives.sort()).toEqual(['a0', 'b0', 'c0', 'd0']);
    const quietAt = of(evidence.history, 'quiet')[0]!.at;
    const after = of(evidence.history, 'grant').filter(({ at }) => at > quietAt);
    expect([...new Set(after.map(({ site }) => site))].sort()).toEqual(['c', 'd']);
  });
});

describe('links', () => {
  it('that are reset every 100 ms lose no section, no token and no epoch', async () => {
    const { judgement, suspicions } = await run(resetsSchedule(3, 100), { timing: defaultTiming });
    expect(broken(judgement)).toEqual([]);
    expect(judgement.figures).toMatchObject({ lost: 0, refused: 0, highestFence: { epoch: 0 } });
    expect(suspicions).toBe(0);
  });

  it('without faults carry the messages of the algorithm only', async () => {
    const { judgement, sent } = await run(calm(1), { timing: defaultTiming });
    expect(broken(judgement)).toEqual([]);
    expect(Object.keys(sent).sort()).toEqual(['REQUEST', 'TOKEN']);
    expect(sent['TOKEN']! + sent['REQUEST']!).toBeLessThanOrEqual(3 * judgement.figures.grants);
  });
});

describe('a disk', () => {
  it('that is full stops its site, which restarts once there is room', async () => {
    const faults = [
      { kind: 'disk-full', atMs: 100, site: 'b', forMs: 1_500 },
      { kind: 'kill', atMs: 200, site: 'a', forMs: 1_000 },
    ] as const;
    const { judgement, evidence } = await run({ ...calm(2), faults });
    expect(broken(judgement)).toEqual([]);
    const lives = of(evidence.history, 'open').map(({ site, life }) => `${site}${life}`);
    expect(lives.sort()).toEqual(['a0', 'a1', 'b0', 'b1', 'c0']);
  });

  it('that is missing makes its site another one (R8): no two are inside at once, no fence falls, nor when the disk is brought back', async () => {
    const faults = [{ kind: 'kill-diskless', atMs: 100, site: 'a', forMs: 300 }] as const;
    const { judgement, evidence } = await run({ ...calm(1), faults });
    expect(broken(judgement)).toEqual([]);
    const lives = of(evidence.history, 'open').map(({ site, life }) => `${site}${life}`);
    expect(lives.sort()).toEqual(['a0', 'a1', 'a2', 'b0', 'c0']);
  });
});
