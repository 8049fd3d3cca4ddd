import { area, regions } from '../memory.ts';
import { type Kit, next, zero } from './kit.ts';
import { Slots } from './slots.ts';
import { i32s, i64s, parameters } from './states.ts';
import {
  block,
  branch,
  branchIf,
  clearMemory,
  copyMemory,
  i32,
  i64,
  type Local,
  leave,
  loop,
  when,
} from './wasm.ts';

/** `rebuild`: moves keys to their homes in more slots, through a copy. */
export function defineRebuild(kit: Kit): void {
  const { plan, spill } = kit.shape;
  const fn = kit.module.function('rebuild', ['i32', 'i32', 'i32', 'i32'], 'i32');
  const [partition, before, after, first] = parameters(fn);
  const [window, from, slot, address, bytes] = i32s(fn, 5);
  const [entry, x, reciprocal] = i64s(fn, 3);
  const slots = new Slots(kit);
  const bytesOf = (capacity: Local) =>
    i32.mul(i32.add(capacity.get, i32.const(plan.tail)), i32.const(plan.slotBytes));
  const copy = spill ? regions.spillCopy : kit.at(area.copy);
  fn.body = [
    window.set(slots.window(partition)),
    when(first.get, copyMemory(i32.const(copy), window.get, bytesOf(before))),
    clearMemory(window.get, bytesOf(after)),
    bytes.set(bytesOf(before)),
    reciprocal.set(slots.reciprocal(i64.extend(before.get))),
    loop((nextSlot) => [
      block((empty) => [
        branchIf(i64.eqz(entry.tee(slots.load(from.get, copy))), empty),
        slots.recoverX(x, entry, slot.get, reciprocal),
        address.set(slots.homeOf(window, x.get, i64.extend(after.get))),
        entry.set(slots.atHome(entry)),
        block((free) =>
          loop((probe) => [
            branchIf(i64.eqz(slots.load(address.get)), free),
            next(address, plan.slotBytes),
            entry.set(i64.add(entry.get, slots.unit)),
            when(slots.wrapped(entry), leave(zero)),
            branch(probe),
          ]),
        ),
        slots.store(address.get, entry.get),
        slots.copyRest(address, from, copy),
      ]),
      next(slot, 1),
      branchIf(i32.ltU(from.tee(i32.add(from.get, i32.const(plan.slotBytes))), bytes.get), nextSlot),
    ]),
    i32.const(1),
  ];
}

/** `dump`: writes the states behind the keys in a range of slots. */
export function defineDump(kit: Kit): void {
  const { plan } = kit.shape;
  const fn = kit.module.function('dump', ['i32', 'i32', 'i32', 'i32', 'i32'], 'i32');
  const [partition, capacity, slot, end, out] = parameters(fn);
  const [window, address] = i32s(fn, 2);
  const [entry, x, scratch, reciprocal] = i64s(fn, 4);
  const state = kit.states.words(fn);
  const slots = new Slots(kit);
  fn.body = [
    window.set(slots.window(partition)),
    reciprocal.set(slots.reciprocal(i64.extend(capacity.get))),
    loop((nextSlot) => [
      block((empty) => [
        address.set(slots.at(window, slot.get)),
        branchIf(i64.eqz(entry.tee(slots.load(address.get))), empty),
        slots.recoverX(x, entry, slot.get, reciprocal),
        slots.recover(state, x, entry, partition, address),
        kit.states.unmix(state, scratch),
        kit.states.store(state, zero, out.get),
        next(out, plan.stateBytes),
      ]),
      branchIf(i32.ltU(slot.tee(i32.add(slot.get, i32.const(1))), end.get), nextSlot),
    ]),
    out.get,
  ];
}
