import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { builtBaton, runsBuilt } from './built.ts';

const entry = fileURLToPath(new URL('../baton.mjs', import.meta.url));
const checkout = fileURLToPath(new URL('../..', import.meta.url));

/** Limit in ms for output of a process. A test that exceeds it fails, and shows all output so far. */
const HEAR_TIMEOUT_MS = 25_000;

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `baton` to its end. */
export function baton(...args: string[]): Promise<Ended> {
  return new BatonProcess(args).end();
}

/**
 * A running `baton`. It ends with the test at the latest, or when the function given to `atEnd` is called.
 */
export class BatonProcess {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  readonly #said = new EventEmitter();
  readonly #closed: Promise<unknown[]>;
  /** Length of the stdout that `hear` has read. */
  #heard = 0;

  constructor(
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
    atEnd: (end: () => Promise<void>) => void = onTestFinished,
  ) {
    this.child = spawn(process.execPath, [runsBuilt(args) ? builtBaton() : entry, ...args], {
      cwd: checkout,
      // Without colours, as in a pipe, whatever the test runner has set.
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, GITHUB_ACTIONS: undefined, ...env },
    });
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.#said.emit('said');
    });
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#said.emit('said');
    });
    this.#closed = once(this.child, 'close');
    void this.#closed.then(() => this.#said.emit('said'));
    atEnd(async () => {
      this.child.kill('SIGKILL');
      await this.#closed;
    });
  }

  /** Types a line. */
  type(line: string): void {
    this.child.stdin!.write(`${line}\n`);
  }

  /** Ends the input. */
  endInput(): void {
    this.child.stdin!.end();
  }

  /** Resolves with the next matching line of stdout, after those heard before. */
  async hear(pattern: RegExp): Promise<string> {
    for (;;) {
      const lines = this.stdout.slice(this.#heard).split('\n').slice(0, -1);
      const found = lines.findIndex((line) => pattern.test(line));
      if (found >= 0) {
        this.#heard += lines.slice(0, found + 1).reduce((sum, line) => sum + line.length + 1, 0);
        return lines[found]!;
      }
      await this.#more(pattern);
    }
  }

  /** Resolves once stderr matches. */
  async hearError(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.stderr)) await this.#more(pattern);
  }

  async end(): Promise<Ended> {
    const [status] = (await this.#closed) as [number | null];
    return { status, stdout: this.stdout, stderr: this.stderr };
  }

  async #more(wanted: RegExp): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) {
      throw new Error(`ended without saying ${wanted}:\n${this.stdout}\n${this.stderr}`);
    }
    const heard = await Promise.race([
      once(this.#said, 'said'),
      setTimeout(HEAR_TIMEOUT_MS, 'nothing', { ref: false }),
    ]);
    if (heard === 'nothing') {
      throw new Error(
        `said nothing for ${HEAR_TIMEOUT_MS} ms, expected ${wanted}:\n${this.stdout}\n${this.stderr}`,
      );
    }
  }
}
