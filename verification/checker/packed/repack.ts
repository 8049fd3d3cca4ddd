import type { Core } from './core.ts';
import type { Kernel } from './kernel/shape.ts';
import { chunkBytes, partitions, regions } from './memory.ts';
import type { Spill } from './spill.ts';
import type { StateLayout } from './state-layout.ts';

interface Span {
  readonly address: number;
  readonly bytes: number;
}

/** Converts states of an earlier layout to the current one, some at a time, and passes them to `use`. */
type Converter = (span: Span, use: (from: number, to: number) => void) => void;

/** Adopts a new layout if the current one can no longer hold the model's answers. */
export async function makeRoom(core: Core): Promise<void> {
  if (!core.tables.outgrows(core.plan)) return;
  if (core.tables.outgrowsBits(core.plan)) await moveStates(core);
  else await core.takeUp(core.nextClasses());
}

/** Moves every state to a new layout. */
export async function moveStates(core: Core): Promise<void> {
  if (core.plan.hashBits !== null) await moveWaiting(core);
  else await (core.spill === null ? moveInMemory(core) : moveInFiles(core, core.spill));
}

/** Hashes do not depend on the layout: only the waiting states move. */
async function moveWaiting(core: Core): Promise<void> {
  const { explorer, plan: before, spill } = core;
  const { kernel } = explorer;
  await core.takeUp(core.nextPlan());
  withConverter(core, before, kernel, (convert) => {
    if (spill !== null) convertFile(core, spill, convert, before);
    for (const list of ['next', 'deferred'] as const) convertChunks(core, convert, list);
  });
}

async function moveInMemory(core: Core): Promise<void> {
  const { arena, explorer, plan: before } = core;
  const { chunks, kernel } = explorer;
  const dumped: Span[] = [];
  let [address, used] = [chunks.take(), 0];
  for (let p = 0; p < partitions; p++) {
    const slots = arena.capacities[p]! + before.tail;
    for (let slot = 0; slot < slots; ) {
      const room = Math.floor((chunkBytes - used) / before.stateBytes);
      const end = Math.min(slots, slot + room);
      used = (kernel.dump(p, arena.capacities[p]!, slot, end, address + used) >>> 0) - address;
      slot = end;
      if (chunkBytes - used >= chunkBytes / 16) continue;
      dumped.push({ address, bytes: used });
      [address, used] = [chunks.take(), 0];
    }
  }
  dumped.push({ address, bytes: used });
  arena.clear(before);
  await core.takeUp(core.nextPlan());
  arena.reset(core.plan);
  withConverter(core, before, kernel, (convert) => {
    explorer.discard(true);
    for (const span of dumped) {
      convert(span, (from, to) => explorer.kernel.add(from, to));
      chunks.push('free', span.address, 0);
    }
    for (let p = 0; p < partitions; p++) explorer.kernel.flush(p);
    explorer.discard(false);
    for (const list of ['next', 'deferred'] as const) convertChunks(core, convert, list);
  });
}

/** Moves the states while keys lie in files. The old keys become candidates for the new ones. */
async function moveInFiles(core: Core, spill: Spill): Promise<void> {
  const { arena, explorer, plan: before } = core;
  const { chunks, kernel } = explorer;
  const capacities = [...arena.capacities];
  await core.takeUp(core.nextPlan());
  arena.reset(core.plan);
  withConverter(core, before, kernel, (convert) => {
    const address = chunks.take();
    const perChunk = Math.floor(chunkBytes / before.stateBytes);
    for (const [p, capacity] of capacities.entries()) {
      const slots = capacity + before.tail;
      const keys = arena.bytes.subarray(regions.partitions, regions.partitions + slots * before.slotBytes);
      for (const _ of spill.take(`keys-${p}`, keys)) {
        for (let slot = 0; slot < slots; slot += perChunk) {
          const end = kernel.dump(p, capacity, slot, Math.min(slot + perChunk, slots), address) >>> 0;
          convert({ address, bytes: end - address }, (from, to) => explorer.kernel.add(from, to));
        }
      }
    }
    explorer.finish();
    explorer.discard(true);
    for (let p = 0; p < partitions; p++) {
      arena.keys(core.plan, p, true).fill(0);
      explorer.insertCandidates(p);
      spill.write(`keys-${p}`, arena.keys(core.plan, p, true));
    }
    explorer.discard(false);
    chunks.push('free', address, 0);
    convertFile(core, spill, convert, before);
    convertChunks(core, convert, 'deferred');
  });
}

function withConverter(
  core: Core,
  before: StateLayout,
  kernel: Kernel,
  use: (convert: Converter) => void,
): void {
  const { explorer, plan } = core;
  const locals = explorer.chunks.take();
  const atOnce = Math.floor(chunkBytes / (4 * plan.width + plan.stateBytes));
  const packed = locals + atOnce * 4 * plan.width;
  use(({ address, bytes }, hand) => {
    for (let from = address; from < address + bytes; from += atOnce * before.stateBytes) {
      const to = Math.min(address + bytes, from + atOnce * before.stateBytes);
      const count = (to - from) / before.stateBytes;
      kernel.unpack(from, to, locals);
      explorer.kernel.pack(locals, locals + count * 4 * plan.width, packed);
      hand(packed, packed + count * plan.stateBytes);
    }
  });
  explorer.chunks.push('free', locals, 0);
}

function convertFile({ arena, explorer }: Core, spill: Spill, convert: Converter, before: StateLayout): void {
  const address = explorer.chunks.take();
  const whole = Math.floor(chunkBytes / before.stateBytes) * before.stateBytes;
  for (const bytes of spill.take('next', arena.bytes.subarray(address, address + whole))) {
    convert({ address, bytes }, (from, to) => spill.append('converted', arena.bytes.subarray(from, to)));
  }
  spill.move('converted', 'next');
  explorer.chunks.push('free', address, 0);
}

function convertChunks({ arena, explorer }: Core, convert: Converter, list: 'next' | 'deferred'): void {
  const { chunks } = explorer;
  const old = [...chunks.drain(list)];
  let [target, used] = [chunks.take(), 0];
  for (const chunk of old) {
    convert(chunk, (from, to) => {
      if (used + to - from > chunkBytes) {
        chunks.push(list, target, used);
        [target, used] = [chunks.take(), 0];
      }
      arena.bytes.copyWithin(target + used, from, to);
      used += to - from;
    });
    chunks.push('free', chunk.address, 0);
  }
  chunks.push(used > 0 ? list : 'free', target, used);
}
