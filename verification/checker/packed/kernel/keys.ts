import { area, bufferBytes, control } from '../memory.ts';
import { type Kit, next, times4, zero } from './kit.ts';
import { Slots } from './slots.ts';
import { i32s, i64s } from './states.ts';
import {
  block,
  branch,
  branchIf,
  type Code,
  type FunctionBuilder,
  i32,
  i64,
  type Local,
  loop,
  select,
  when,
} from './wasm.ts';

/** Number of slots touched ahead. These loads do not wait for one another; the loads of probes would. */
const group = 32;

/** Gathers candidates per partition, and inserts them into its keys one buffer at a time. */
export class Keys {
  private readonly kit: Kit;
  private readonly flush: FunctionBuilder;

  constructor(kit: Kit) {
    this.kit = kit;
    this.flush = kit.module.function('flush', ['i32'], null);
    const insert = kit.module.function('insert', ['i32'], null);
    this.flush.body = (kit.shape.spill ? kit.imports.spill : insert).call(this.flush.parameter(0).get);
    insert.body = this.insert(insert);
  }

  /** Adds a state to the candidates of its key's partition, and inserts them all once the buffer is full. */
  gather(
    state: Local[],
    tag: Code,
    [hash, spare]: readonly [Local, Local],
    partition: Local,
    to: Local,
  ): Code {
    const { at } = this;
    const { states, shape } = this.kit;
    const { hashBits, stateBytes, candidateBytes } = shape.plan;
    const first = hashBits === null ? state[0]! : hash;
    return [
      hashBits === null ? states.mix(state, spare) : states.hash(state, hash, spare),
      partition.set(i32.wrap(i64.shrU(first.get, i64.const(56n)))),
      to.set(i32.load(times4(partition.get), at(area.fill))),
      states.store(state, tag, to.get),
      hashBits === null ? [] : i64.store(to.get, hash.get, stateBytes),
      i32.store(times4(partition.get), to.tee(i32.add(to.get, i32.const(candidateBytes))), at(area.fill)),
      when(
        i32.gtU(
          i32.add(to.get, i32.const(candidateBytes - at(area.buffers))),
          i32.add(i32.mul(partition.get, i32.const(bufferBytes)), i32.const(bufferBytes)),
        ),
        this.flush.call(partition.get),
      ),
    ];
  }

  private readonly at = (offset: number) => this.kit.at(offset);

  private insert(fn: FunctionBuilder): Code {
    const { kit, at } = this;
    const { shape, states } = kit;
    const { stateBytes, slotBytes, candidateBytes, hashBits } = shape.plan;
    const firstAt = hashBits === null ? 0 : stateBytes;
    const partition = fn.parameter(0);
    const [start, end, current, groupEnd, places, address, window, count, out, tag] = i32s(fn, 10);
    const [capacity, touched, entry, found, scratch, hash] = i64s(fn, 6);
    const state = states.words(fn);
    const key = hashBits === null ? state : [hash];
    const slots = new Slots(kit);
    const capacityNow = capacity.set(i64.extend(i32.load(times4(partition.get), control.capacity)));
    const emit: Code = [
      next(count, 1),
      hashBits === null ? states.unmix(state, scratch) : [],
      when(i32.gtU(i32.add(out.get, i32.const(stateBytes)), i32.load(zero, at(area.outEnd))), [
        i32.store(zero, out.get, at(area.out)),
        kit.imports.more.call(i32.const(area.out)),
        out.set(i32.load(zero, at(area.out))),
      ]),
      states.store(state, tag.get, out.get),
      out.set(i32.add(out.get, i32.load(zero, at(area.outStep)))),
    ];
    return [
      start.set(i32.add(i32.mul(partition.get, i32.const(bufferBytes)), i32.const(at(area.buffers)))),
      end.set(i32.load(times4(partition.get), at(area.fill))),
      when(i32.eq(start.get, end.get), [0x0f]),
      shape.shared ? lock(partition) : [],
      window.set(slots.window(partition)),
      count.set(i32.load(times4(partition.get), control.count)),
      when(
        i32.gtU(
          i32.add(count.get, i32.divU(i32.sub(end.get, start.get), i32.const(candidateBytes))),
          i32.load(times4(partition.get), control.limit),
        ),
        kit.imports.grow.call(partition.get),
      ),
      capacityNow,
      current.set(start.get),
      out.set(i32.load(zero, at(area.out))),
      loop((nextGroup) => [
        groupEnd.set(i32.add(current.get, i32.const(group * candidateBytes))),
        groupEnd.set(select(groupEnd.get, end.get, i32.ltU(groupEnd.get, end.get))),
        address.set(current.get),
        places.set(zero),
        loop((again) => [
          i32.store(
            places.get,
            slots.home(window, i64.load(address.get, firstAt), capacity.get),
            at(area.group),
          ),
          touched.set(i64.xor(touched.get, slots.load(i32.load(places.get, at(area.group))))),
          next(places, 4),
          next(address, candidateBytes),
          branchIf(i32.ltU(address.get, groupEnd.get), again),
        ]),
        places.set(zero),
        loop((nextKey) => [
          states.load(state, tag, current.get),
          hashBits === null ? [] : hash.set(i64.load(current.get, firstAt)),
          address.set(i32.load(places.get, at(area.group))),
          entry.set(slots.entry(key)),
          block((done) => [
            loop((probe) => [
              when(i64.eqz(found.tee(slots.load(address.get))), [
                slots.store(address.get, entry.get),
                slots.storeRest(key, address),
                emit,
                branch(done),
              ]),
              block((other) => [
                branchIf(i64.ne(found.get, entry.get), other),
                slots.branchIfRestDiffers(key, address, other),
                branch(done),
              ]),
              next(address, slotBytes),
              entry.set(i64.add(entry.get, slots.unit)),
              branchIf(i32.eqz(slots.wrapped(entry)), probe),
            ]),
            // The key is too far from home for the distance bits. More room brings keys closer to home.
            i32.store(times4(partition.get), count.get, control.count),
            kit.imports.grow.call(partition.get),
            capacityNow,
            branch(nextGroup),
          ]),
          next(places, 4),
          next(current, candidateBytes),
          branchIf(i32.ltU(current.get, groupEnd.get), nextKey),
        ]),
        branchIf(i32.ltU(current.get, end.get), nextGroup),
      ]),
      i32.store(zero, out.get, at(area.out)),
      i32.store(times4(partition.get), count.get, control.count),
      i32.store(times4(partition.get), start.get, at(area.fill)),
      i64.store(zero, touched.get, at(area.prefetched)),
      shape.shared ? i32.atomicStore(times4(partition.get), zero, control.lock) : [],
    ];
  }
}

const lock = (partition: Local): Code =>
  loop((spin) =>
    branchIf(i32.atomicCompareExchange(times4(partition.get), zero, i32.const(1), control.lock), spin),
  );
