import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Told } from './testing/deployed.ts';
import { freePort } from './testing/free-ports.ts';

const program = join(import.meta.dirname, 'testing/deployed.ts');
const now = () => Number(process.hrtime.bigint()) / 1e6;

interface Section {
  readonly at: number;
  readonly waitedMs: number;
  readonly fence: readonly number[];
  /** `null`: it is not known when the section ended, or it was lost. */
  end: number | null;
}

interface Pod {
  readonly child: ChildProcess;
  readonly port: number;
  /** When it was killed. */
  killedAt: number | null;
  isReady: boolean;
  isMember: boolean;
}

/** Processes without names and disks, which a file shows to each other. */
class Deployment {
  readonly pods: Pod[] = [];
  readonly sections: Section[] = [];
  readonly failures: string[] = [];
  readonly #dir = mkdtempSync(join(tmpdir(), 'deploys-'));

  close(): void {
    for (const { child } of this.pods) child.kill('SIGKILL');
    rmSync(this.#dir, { recursive: true });
  }

  async start(): Promise<Pod> {
    const port = await freePort();
    const file = join(this.#dir, 'addresses');
    const child = fork(program, [String(port), file], { execArgv: ['--import', import.meta.resolve('tsx')] });
    const pod: Pod = { child, port, killedAt: null, isReady: false, isMember: false };
    this.pods.push(pod);
    this.#list(file);
    let section: Section | null = null;
    child.on('message', (message) => {
      const told = message as Told;
      if (told.type === 'ready') pod.isReady = true;
      else if (told.type === 'member') pod.isMember = true;
      else if (told.type === 'failed') this.failures.push(told.code);
      else if (told.type === 'outside') section!.end = told.at;
      else if (told.type === 'inside') {
        section = { at: told.at, waitedMs: told.at - told.asked, fence: told.fence, end: null };
        this.sections.push(section);
      }
    });
    await expect.poll(() => pod.isReady, { timeout: 60_000, interval: 20 }).toBe(true);
    return pod;
  }

  async stop(pod: Pod, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.pods.splice(this.pods.indexOf(pod), 1);
    pod.killedAt = now();
    const ended = once(pod.child, 'exit');
    pod.child.kill(signal);
    await ended;
    this.#list(join(this.#dir, 'addresses'));
  }

  #list(file: string): void {
    writeFileSync(file, this.pods.map(({ port }) => `127.0.0.1:${port}\n`).join(''));
  }
}

const isAbove = (one: readonly number[], other: readonly number[]) => {
  const at = one.findIndex((part, index) => part !== other[index]);
  return at >= 0 && one[at]! > other[at]!;
};

const deploys = Number(process.env['DEPLOYS'] ?? 7);

test.each([
  ['SIGTERM', 2_000],
  ['SIGKILL', 4_000],
] as const)(
  'seven deploys of three processes with new names and no disk, one ended at a time by %s',
  async (signal, mostMs) => {
    const deployment = new Deployment();
    onTestFinished(() => deployment.close());
    await Promise.all([deployment.start(), deployment.start(), deployment.start()]);
    const allMembers = () =>
      expect.poll(() => deployment.pods.every(({ isMember }) => isMember), { timeout: 60_000, interval: 20 });
    await allMembers().toBe(true);
    const from = deployment.sections.length;
    for (let deploy = 0; deploy < deploys; deploy++) {
      for (const old of [...deployment.pods]) {
        await deployment.start();
        await deployment.stop(old, signal);
        await allMembers().toBe(true);
      }
    }
    const sections = deployment.sections.toSorted((one, other) => one.at - other.at);
    const overlaps = sections.filter(({ at }, index) => index > 0 && (sections[index - 1]!.end ?? 0) > at);
    const fallen = sections.filter(
      ({ fence }, index) => index > 0 && !isAbove(fence, sections[index - 1]!.fence),
    );
    const waits = deployment.sections.slice(from).map(({ waitedMs }) => waitedMs);
    const worst = waits.reduce((most, ms) => Math.max(most, ms), 0);
    const codes = [...new Set(deployment.failures)];
    console.log(
      `${signal}: ${sections.length} grants, at most ${worst.toFixed(0)} ms of waiting; failed: ${codes}`,
    );
    expect({ overlaps, fallen, failures: codes.filter((code) => code !== 'LOCK_LOST') }).toEqual({
      overlaps: [],
      fallen: [],
      failures: [],
    });
    expect(sections.length).toBeGreaterThan(50 * deploys);
    expect(worst).toBeLessThan(mostMs);
  },
  600_000,
);
