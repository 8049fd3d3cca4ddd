import type { Core } from './core.ts';
import { statesToCome } from './forecast.ts';
import type { Progress, StopReason } from './types.ts';

const pauseEveryMs = 50;
const tellEveryMs = 250;

/** Watches time, memory and limits while a search runs, and reports its progress. */
export class Monitor {
  depth = 0;
  /** States of each level. */
  readonly levels: number[] = [];
  peakBytes = 0;
  /** Transitions of the search that this one resumes. */
  earlierTransitions = 0;
  /** The names of the predicates that were violated in the levels before. */
  violated: readonly string[] = [];
  private readonly core: Core;
  private started = performance.now();
  private lastPause = this.started;
  private lastTold = this.started;
  private statesTold = 0;

  constructor(core: Core) {
    this.core = core;
  }

  get elapsedMs(): number {
    return performance.now() - this.started;
  }

  /** Adds the time and the transitions of the search that this one resumes. */
  continueFrom(elapsedMs: number, transitions: number): void {
    this.started -= elapsedMs;
    this.earlierTransitions = transitions;
  }

  transitions(): number {
    return this.earlierTransitions + this.core.explorer.transitions(this.core.workers);
  }

  measure(): number {
    const bytes = this.core.bytesUsed();
    this.peakBytes = Math.max(this.peakBytes, bytes);
    return bytes;
  }

  /** Yields to the event loop now and then. Returns the reason to stop, or `null`. */
  async pause(): Promise<StopReason | null> {
    const { maxStates, maxMemoryBytes, timeoutMs, signal, onProgress } = this.core.options;
    const now = performance.now();
    if (maxStates !== undefined && this.core.arena.states() >= maxStates) return 'max-states';
    if (maxMemoryBytes !== undefined && this.core.spill === null && this.measure() > maxMemoryBytes) {
      return 'max-memory';
    }
    if (timeoutMs !== undefined && now - this.started >= timeoutMs) return 'timeout';
    if (now - this.lastPause < pauseEveryMs) return null;
    await new Promise((resolve) => setImmediate(resolve));
    this.lastPause = now;
    if (signal?.aborted) return 'aborted';
    if (onProgress && now - this.lastTold >= tellEveryMs) onProgress(this.progress(now));
    return null;
  }

  /** Those of the levels to come, and the rest of the one that is being found. */
  private statesToCome(states: number): number | null {
    const toCome = statesToCome(this.levels);
    if (toCome === null) return null;
    const known = this.levels.reduce((sum, size) => sum + size, 0);
    return Math.max(0, known + toCome - states);
  }

  private progress(now: number): Progress {
    const states = this.core.arena.states();
    const statesPerSecond = ((states - this.statesTold) / (now - this.lastTold)) * 1000;
    this.lastTold = now;
    this.statesTold = states;
    return {
      states,
      transitions: this.transitions(),
      statesPerSecond,
      depth: this.depth,
      frontier: this.core.frontier(),
      statesToCome: this.statesToCome(states),
      memoryBytes: this.measure(),
      violated: this.violated,
    };
  }
}
