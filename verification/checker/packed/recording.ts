import type { Core } from './core.ts';
import type { Kernel } from './kernel/shape.ts';
import { area, chunkBytes, regions } from './memory.ts';
import type { StateLayout } from './state-layout.ts';

/** The levels before `depth`, kept so that a path can be traced back through them. */
export interface Recording {
  readonly depth: number;
  readonly levels: Level[];
}

interface Level {
  readonly plan: StateLayout;
  /** The kernel of the layout under which the level was kept. It unpacks the level's states. */
  readonly kernel: Kernel;
  readonly chunks: readonly Uint8Array[];
}

export function keepLevel({ arena, explorer, plan }: Core, { levels }: Recording): void {
  const chunks = explorer.chunks
    .peek('frontier')
    .map(({ address, bytes }) => arena.bytes.slice(address, address + bytes));
  levels.push({ plan, kernel: explorer.kernel, chunks });
}

/**
 * Yields, for every level of a finished recording, last first, its states on a shortest path to `target`.
 * `target` is in the level after the last.
 */
export function* ancestors(
  core: Core,
  recording: Recording,
  target: readonly number[],
): Generator<readonly (readonly number[])[]> {
  const { arena, explorer, plan } = core;
  const { chunks } = explorer;
  for (const list of ['frontier', 'next', 'deferred'] as const) {
    for (const { address } of chunks.drain(list)) chunks.push('free', address, 0);
  }
  arena.clear(plan);
  explorer.load({ ...core.shape, shared: false, match: true });
  const staged = chunks.take();
  let marked: readonly (readonly number[])[] = [target];
  for (const level of recording.levels.toReversed()) {
    mark(core, marked);
    for (const chunk of level.chunks) {
      arena.bytes.set(chunk, staged);
      expandAgain(core, level, staged, chunk.length);
    }
    explorer.finish();
    marked = collect(core);
    yield marked;
  }
}

function mark({ arena, explorer, plan }: Core, states: readonly (readonly number[])[]): void {
  const { chunks, kernel } = explorer;
  const places = 2 ** Math.ceil(Math.log2(4 * states.length + 4));
  const begin = regions.partitions >> 2;
  arena.words[(regions.workers + area.markMask) >> 2] = places - 1;
  arena.words.fill(0, begin, begin + places * 2 * (plan.words + 1));
  const locals = chunks.take();
  const packed = locals + 4 * plan.width;
  for (const state of states) {
    arena.words.set(state, locals >> 2);
    kernel.pack(locals, packed, packed);
    kernel.add(packed, packed + plan.stateBytes);
  }
  chunks.push('free', locals, 0);
}

/** Expands states of a level, converted to the current layout. */
function expandAgain({ explorer, plan }: Core, level: Level, address: number, bytes: number): void {
  const { chunks, kernel } = explorer;
  const atOnce = Math.floor(chunkBytes / (4 * plan.width + plan.stateBytes));
  const { stateBytes } = level.plan;
  const locals = chunks.take();
  const packed = locals + atOnce * 4 * plan.width;
  for (let from = 0; from < bytes; from += atOnce * stateBytes) {
    const to = Math.min(bytes, from + atOnce * stateBytes);
    const count = (to - from) / stateBytes;
    level.kernel.unpack(address + from, address + to, locals);
    kernel.pack(locals, locals + count * 4 * plan.width, packed);
    kernel.expand(packed, packed + count * plan.stateBytes);
  }
  chunks.push('free', locals, 0);
}

function collect({ arena, explorer, plan }: Core): number[][] {
  const { chunks, kernel } = explorer;
  const locals = chunks.take();
  const states: number[][] = [];
  for (const { address, bytes } of chunks.drain('next')) {
    for (let from = address; from < address + bytes; from += plan.stateBytes) {
      kernel.unpack(from, from + plan.stateBytes, locals);
      states.push([...arena.words.subarray(locals >> 2, (locals >> 2) + plan.width)]);
    }
    chunks.push('free', address, 0);
  }
  chunks.push('free', locals, 0);
  return states;
}
