import { Expand } from './expand.ts';
import { defineDump, defineRebuild } from './growth.ts';
import { Keys } from './keys.ts';
import { Kit, next, zero } from './kit.ts';
import { Marks } from './marks.ts';
import type { KernelShape } from './shape.ts';
import { i32s, i64s, parameters, range } from './states.ts';
import { branchIf, i32, loop } from './wasm.ts';

/** Generates the code of one search. The width and layout of its states are unrolled into it. */
export function buildKernel(shape: KernelShape): Uint8Array<ArrayBuffer> {
  const kit = new Kit(shape);
  const keys = new Keys(kit);
  defineRebuild(kit);
  // A hash cannot be turned back into its state.
  if (shape.plan.hashBits === null) defineDump(kit);
  defineAdd(kit, keys);
  defineUnpack(kit);
  definePack(kit);
  new Expand(kit, keys);
  return kit.module.build();
}

function defineAdd(kit: Kit, keys: Keys): void {
  const fn = kit.module.function('add', ['i32', 'i32'], null);
  const [from, to] = parameters(fn);
  const [partition, place, tag] = i32s(fn, 3);
  const [scratch, spare] = i64s(fn, 2);
  const state = kit.states.words(fn);
  fn.body = loop((again) => [
    kit.states.load(state, tag, from.get),
    kit.shape.match
      ? [kit.states.mix(state, scratch), new Marks(kit).add(state, place)]
      : keys.gather(state, zero, [scratch, spare], partition, place),
    next(from, kit.shape.plan.stateBytes),
    branchIf(i32.ltU(from.get, to.get), again),
  ]);
}

function defineUnpack(kit: Kit): void {
  const fn = kit.module.function('unpack', ['i32', 'i32', 'i32'], null);
  const [from, to, out] = parameters(fn);
  const { stateBytes, width } = kit.shape.plan;
  const tag = fn.local('i32');
  const state = kit.states.words(fn);
  fn.body = loop((again) => [
    kit.states.load(state, tag, from.get),
    range(width).map((process) => i32.store(out.get, kit.states.extract(state, process), 4 * process)),
    next(out, 4 * width),
    next(from, stateBytes),
    branchIf(i32.ltU(from.get, to.get), again),
  ]);
}

function definePack(kit: Kit): void {
  const fn = kit.module.function('pack', ['i32', 'i32', 'i32'], null);
  const [from, to, out] = parameters(fn);
  const { stateBytes, width } = kit.shape.plan;
  const change = fn.local('i64');
  const state = kit.states.words(fn);
  fn.body = loop((again) => [
    kit.states.pack(state, change, (process) => i32.load(from.get, 4 * process)),
    kit.states.store(state, zero, out.get),
    next(out, stateBytes),
    next(from, 4 * width),
    branchIf(i32.ltU(from.get, to.get), again),
  ]);
}
