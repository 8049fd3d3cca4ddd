import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import { Cluster } from '../harness/demo/cluster.ts';
import { judgeLedger } from '../harness/demo/ledger.ts';
import { counterOf, createResource, ledgerOf } from '../harness/demo/resource.ts';
import type { Verdict } from '../harness/demo/verdict.ts';
import { BatonProcess, baton } from './testing/baton.ts';
import { directory } from './testing/directory.ts';

describe('baton demo', () => {
  it('runs, and every check passes', async () => {
    const { trace, scratch } = run;
    expect(run.stderr).toMatch(/critical sections, [\d.]+ messages each/);
    expect(run.verdict).toMatchObject({ sites: 3, overlaps: 0, failures: [], held: true });
    expect(run.status).toBe(0);
    const { criticalSections, messages, replay, model } = run.verdict;
    expect(criticalSections.total).toBeGreaterThan(10);
    expect(Object.keys(criticalSections.bySite)).toEqual(['a', 'b', 'c']);
    expect(messages.published).toBe(2.5);
    expect(messages.perCriticalSection).toBeGreaterThan(0);
    expect(messages.perCriticalSection).toBeLessThanOrEqual(3);
    expect(replay).toMatchObject({
      accepted: true,
      locks: [{ machine: 'epoch', criticalSections: criticalSections.total }],
    });
    expect(model.map(({ system, sites }) => [system, sites])).toEqual([
      ['epoch', 2],
      ['epoch', 3],
    ]);
    expect(readdirSync(trace).sort()).toEqual(['a.ndjson', 'b.ndjson', 'c.ndjson']);
    expect(leftBehind(scratch)).toEqual([]);
  });

  it('leaves a record that baton replay accepts, and refuses at an altered line', async () => {
    const accepted = await baton('replay', run.trace, '--json', '-');
    expect(accepted.status).toBe(0);
    expect(JSON.parse(accepted.stdout)).toMatchObject({ accepted: true });

    const lines = readFileSync(join(run.trace, 'b.ndjson'), 'utf8').trim().split('\n');
    const at = lines.findIndex((line) => line.includes('"type":"TOKEN"')) + 1;
    const alterations = {
      'one event': (line: string) => line.replace('"event":{"type":"', '"event":{"type":"not-'),
      'one effect': (line: string) => line.replace(/"effects":\[.*\]/, '"effects":[{"type":"left"}]'),
      'one line': () => null,
    };
    for (const [what, alter] of Object.entries(alterations)) {
      const altered = directory();
      for (const file of ['a.ndjson', 'c.ndjson']) {
        writeFileSync(join(altered, file), readFileSync(join(run.trace, file)));
      }
      const line = alter(lines[at - 1]!);
      const changed = [...lines.slice(0, at - 1), ...(line === null ? [] : [line]), ...lines.slice(at)];
      writeFileSync(join(altered, 'b.ndjson'), `${changed.join('\n')}\n`);
      const { status, stdout } = await baton('replay', altered);
      expect(status, what).toBe(1);
      expect(stdout, what).toContain(`refused at b.ndjson:${at}: `);
    }
  });

  it('fails when a site process dies', async () => {
    const demo = new BatonProcess(['demo', '--sites', '2', '--seconds', '600']);
    await demo.hear(/each takes the lock again and again/);
    const sites = childrenOf(demo.child.pid!).filter((pid) =>
      readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('demo-site'),
    );
    process.kill(sites[0]!, 'SIGKILL');
    expect(await demo.end()).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/site [ab]: .*(SIGKILL|connection)/),
    });
  });

  it('goes on without a site that is killed while it is watched, and ends every process on Ctrl-C', async () => {
    const scratch = directory();
    const asked = ['demo', '--sites', '3', '--seconds', '600', '--inspect'];
    const demo = new BatonProcess(asked, { TMPDIR: scratch });
    const url = new URL((await demo.hear(/see it live/)).split(' ').at(-1)!);
    const [, pid] = /kill -9 (\d+) \(a\)/.exec(await demo.hear(/kill one/))!;
    await demo.hear(/ [1-9]\d* critical sections/);
    const page = new WebSocket(`ws://${url.host}/api/live`, { origin: url.origin });
    onTestFinished(() => page.terminate());
    const shown = new Set<string>();
    page.on('message', (frame) => {
      for (const [, text] of String(frame).matchAll(/"text":"(\w+[^"]*)"/g)) shown.add(text!);
    });
    const shows = (text: string) => expect.poll(() => shown.has(text), { timeout: 15_000 }).toBe(true);
    await shows('a: releaseAndAsk');
    process.kill(Number(pid), 'SIGKILL');
    await demo.hear(/^site a was killed \(SIGKILL\); the others go on without it$/);
    await shows('a does not answer any more');
    shown.clear();
    await shows('b: releaseAndAsk');
    const pids = childrenOf(demo.child.pid!);
    expect(pids.length).toBeGreaterThanOrEqual(2);
    demo.child.kill('SIGINT');
    expect(await demo.end()).toMatchObject({ status: 3, stderr: expect.stringContaining('interrupted') });
    for (const one of pids) expect(existsSync(`/proc/${one}`)).toBe(false);
    expect(leftBehind(scratch)).toEqual([]);
  });

  it('shows overlaps when the sites share no lock', async () => {
    const resource = directory();
    createResource(resource);
    const { signal } = new AbortController();
    const clusters = ['a', 'b'].map(
      (site) =>
        new Cluster({
          sites: [site],
          resource,
          trace: directory(),
          isWatched: false,
          signal,
          say: () => undefined,
        }),
    );
    onTestFinished(async () => {
      await Promise.all(clusters.map((cluster) => cluster.end()));
    });
    for (const cluster of clusters) await cluster.open();
    for (const cluster of clusters) cluster.start();
    const report = () => judgeLedger(readFileSync(ledgerOf(resource), 'utf8'), ['a', 'b']);
    await vi.waitFor(() => expect(report().overlaps).toBeGreaterThan(10), { timeout: 30_000, interval: 100 });
    for (const cluster of clusters) await cluster.leave();
    expect(Number(readFileSync(counterOf(resource), 'utf8'))).toBeLessThan(report().total);
  });
});

/** The files that the demo made in `scratch` and did not remove; tsx keeps its cache there too. */
function leftBehind(scratch: string): string[] {
  return readdirSync(scratch).filter((name) => !name.startsWith('tsx-'));
}

/** The processes that `pid` has started. Linux. */
function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
}

/** One run that several tests look at. */
const run = {
  scratch: '',
  trace: '',
  end: async () => {},
  status: null as number | null,
  stderr: '',
  verdict: {} as Verdict,
};

beforeAll(async () => {
  run.scratch = mkdtempSync(join(tmpdir(), 'baton-test-'));
  run.trace = mkdtempSync(join(tmpdir(), 'baton-test-'));
  const asked = ['demo', '--seconds', '3', '--sites', '3', '--json', '-', '--trace', run.trace];
  const ended = await new BatonProcess(asked, { TMPDIR: run.scratch }, (end) => {
    run.end = end;
  }).end();
  Object.assign(run, {
    status: ended.status,
    stderr: ended.stderr,
    verdict: JSON.parse(ended.stdout) as Verdict,
  });
});

afterAll(async () => {
  await run.end();
  for (const path of [run.scratch, run.trace]) rmSync(path, { recursive: true, force: true });
});
