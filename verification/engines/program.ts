import { spawn } from 'node:child_process';
import { EngineError, type EngineOptions } from './engine.ts';

/** A signal ended a program of an engine, and no limit of ours sent it. */
export class EngineKilled extends EngineError {
  readonly signal: NodeJS.Signals | null;

  constructor(file: string, signal: NodeJS.Signals | null) {
    super('ENGINE_FAILED', `${file} was ended by ${signal}.`);
    this.signal = signal;
  }
}

export interface ProgramOptions extends EngineOptions {
  /** The engine's name, before each line of progress. */
  readonly engine: string;
  readonly folder: string;
  /** Variables beside those of this process. */
  readonly env?: NodeJS.ProcessEnv;
  /** Matches a line that tells progress. Default: no line does. */
  readonly progress?: RegExp;
  /** The message of `ENGINE_MISSING`. */
  readonly missing: string;
  readonly onStart?: (pid: number) => void;
}

/**
 * Runs a program of an engine to its end. Throws `ENGINE_MISSING` without it, and `ENGINE_FAILED` when a limit, a signal of the system
 * or `signal` ends it.
 */
export function ran(
  file: string,
  args: readonly string[],
  { engine, folder, env = {}, progress, missing, maxSeconds, signal, onProgress, onStart }: ProgramOptions,
): Promise<{ readonly said: string; readonly status: number }> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd: folder,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(maxSeconds === undefined ? {} : { timeout: maxSeconds * 1_000 }),
      ...(signal === undefined ? {} : { signal }),
    });
    let said = '';
    const heard = (text: string) => {
      said += text;
      for (const line of text.split('\n'))
        if (progress?.test(line)) onProgress?.(`${engine}: ${line.trim()}`);
    };
    child.stdout.setEncoding('utf8').on('data', heard);
    child.stderr.setEncoding('utf8').on('data', heard);
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') reject(new EngineError('ENGINE_MISSING', missing));
      else if (signal?.aborted) reject(new EngineError('ENGINE_FAILED', stopped(file, signal)));
      else reject(error);
    });
    const began = performance.now();
    child.on('close', (status, killedBy) => {
      if (status !== null) resolve({ said, status });
      else if (maxSeconds !== undefined && performance.now() - began >= maxSeconds * 1_000)
        reject(new EngineError('ENGINE_FAILED', `${file} had not ended after ${maxSeconds} seconds.`));
      else reject(new EngineKilled(file, killedBy));
    });
    if (child.pid !== undefined) onStart?.(child.pid);
  });
}

function stopped(file: string, { reason }: AbortSignal): string {
  return `${file} was stopped before its answer: ${reason instanceof Error ? reason.message : String(reason)}.`;
}
