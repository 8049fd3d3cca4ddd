import { area, judgeBytes, tupleMemoBits } from '../memory.ts';
import { type Kit, next, times4, zero } from './kit.ts';
import { buckets, perBucket, record, recordBytes, shownAt } from './shape.ts';
import { depositField, extractField, i32s, mixers, range } from './states.ts';
import {
  block,
  branchIf,
  type Code,
  type FunctionBuilder,
  i32,
  i64,
  type Local,
  loop,
  v128,
  when,
} from './wasm.ts';

/** Binary logarithm of the size of the memo of judged sums that are of no interest. */
const sumMemoBits = 12;

/** Code within `expand` that predicates a state whose locals are known. */
export class KernelPredicates {
  private readonly kit: Kit;
  private readonly locals: readonly Local[];
  private readonly vectors: readonly Local[];
  private readonly key: Local[];
  private readonly place: Local;
  private readonly change: Local;
  private readonly judge: FunctionBuilder;

  constructor(kit: Kit, fn: FunctionBuilder, locals: readonly Local[], judge: FunctionBuilder) {
    this.kit = kit;
    this.locals = locals;
    this.judge = judge;
    this.vectors = range(Math.ceil(kit.shape.plan.sums.length / 4)).map(() => fn.local('v128'));
    this.key = keyWords(kit, fn);
    this.place = fn.local('i32');
    this.change = fn.local('i64');
  }

  recordOf(process: number): Code {
    const { plan, constrained, quiescent } = this.kit.shape;
    return i32.mul(
      this.locals[process]!.get,
      i32.const(recordBytes(plan.sums.length, (constrained ? 1 : 0) + quiescent)),
    );
  }

  /**
   * Judges the sums at once, and gathers the tuple to be judged with others. Bit 1 of `verdict`: outside the
   * constraint.
   */
  predicate(state: Local[], verdict: Local): Code {
    const { constrained } = this.kit.shape;
    return [
      verdict.set(zero),
      this.sums(verdict),
      this.kit.shape.match ? [] : this.gatherTuple(state),
      constrained
        ? [this.show(0, 0), when(i32.eqz(this.kit.imports.inside.call()), verdict.set(i32.const(2)))]
        : [],
    ];
  }

  deadlock(): Code {
    const { constrained, quiescent } = this.kit.shape;
    return [
      range(quiescent).map((predicate) => this.show((constrained ? 1 : 0) + predicate, predicate)),
      this.kit.imports.deadlock.call(),
    ];
  }

  private sums(verdict: Local): Code {
    const { vectors, place } = this;
    if (vectors.length === 0) return [];
    const memo = this.kit.at(area.sumMemo);
    const lanes = vectors.flatMap((vector) => [v128.laneI64(vector.get, 0), v128.laneI64(vector.get, 1)]);
    const hash = lanes.reduce((sum, lane) =>
      i64.mul(i64.xor(i64.add(sum, i64.shrU(sum, i64.const(31n))), lane), i64.const(mixers[0])),
    );
    const differs = lanes
      .map((lane, i) => i64.ne(lane, i64.load(place.get, memo + 8 * i)))
      .reduce((any, other) => i32.or(any, other));
    return [
      vectors.map((vector, v) => vector.set(this.sumOf(v))),
      place.set(
        i32.mul(
          i32.wrap(i64.shrU(hash, i64.const(BigInt(64 - sumMemoBits)))),
          i32.const(16 * vectors.length),
        ),
      ),
      when(differs, [
        vectors.map((vector, v) => v128.store(zero, vector.get, this.kit.at(area.sums) + 16 * v)),
        verdict.set(this.kit.imports.judgeSums.call()),
        when(
          i32.and(verdict.get, i32.const(1)),
          vectors.map((vector, v) => v128.store(place.get, vector.get, memo + 16 * v)),
        ),
      ]),
    ];
  }

  private sumOf(vector: number): Code {
    return this.locals
      .map((_, process) => {
        const weights = this.kit.shape.records[process]! + record.weights + 16 * vector;
        return v128.load(this.recordOf(process), weights);
      })
      .reduce((sum, weights) => v128.addI32(sum, weights));
  }

  /** Adds the classes of all processes, and the state itself, to the bucket of their hash. */
  private gatherTuple(state: Local[]): Code {
    const { kit, key, place, change } = this;
    const { plan, records } = kit.shape;
    if (key.length === 0) return [];
    const bucket = i32.wrap(i64.shrU(change.get, i64.const(64n - BigInt(Math.log2(buckets)))));
    const fill = times4(bucket);
    return [
      key.map((word) => word.set(i64.const(0n))),
      this.locals.map((_, process) => [
        change.set(i64.load32(this.recordOf(process), records[process]! + record.class)),
        depositField(key, plan.classOffsets[process]!, plan.classBits[process]!, change),
      ]),
      change.set(hashOf(key)),
      place.set(i32.load(fill, kit.at(area.judgeFill))),
      key.map((word, k) => i64.store(place.get, word.get, 8 * k)),
      kit.states.store(state, zero, i32.add(place.get, i32.const(8 * key.length))),
      i32.store(fill, place.tee(i32.add(place.get, i32.const(tupleBytes(kit)))), kit.at(area.judgeFill)),
      when(
        i32.geU(
          i32.sub(place.get, i32.const(kit.at(area.judgeBuffers))),
          i32.add(i32.mul(bucket, i32.const(judgeBytes)), i32.const(gathered(kit) * tupleBytes(kit))),
        ),
        this.judge.call(bucket),
      ),
    ];
  }

  /** Copies a predicate's observed values from the locals' records to `area.shown`. */
  private show(observation: number, shown: number): Code {
    const { width } = this.kit.shape.plan;
    const at = shownAt(this.kit.shape.plan.sums.length) + 4 * observation;
    return range(width).map((process) =>
      i32.store(
        zero,
        i32.load(this.recordOf(process), this.kit.shape.records[process]! + at),
        this.kit.at(area.shown) + 4 * (shown * width + process),
      ),
    );
  }
}

const keyWords = (kit: Kit, fn: FunctionBuilder): Local[] =>
  range(kit.shape.tuples > 0 ? kit.shape.plan.classWords : 0).map(() => fn.local('i64'));

const tupleBytes = (kit: Kit): number => 8 * kit.shape.plan.classWords + kit.shape.plan.stateBytes;
const gathered = (kit: Kit): number =>
  Math.min(perBucket(kit.shape.tuples, kit.shape.plan.width), Math.floor(judgeBytes / tupleBytes(kit)));

/** Hash of a tuple. Its highest bits select the bucket and the place in the memo. */
const hashOf = (key: readonly Local[]): Code =>
  i64.mul(
    key
      .map((word) => word.get)
      .reduce((hash, word) =>
        i64.xor(i64.mul(i64.xor(hash, i64.shrU(hash, i64.const(29n))), i64.const(mixers[0])), word),
      ),
    i64.const(mixers[1]),
  );

/** `judge`: judges the tuples of a bucket that are not in the memo. */
export function defineJudge(kit: Kit): FunctionBuilder {
  const fn = kit.module.function('judge', ['i32'], null);
  if (kit.shape.tuples === 0) return fn;
  const { plan, tuples, classes } = kit.shape;
  const bucket = fn.parameter(0);
  const [current, start, missing, place, observed, classAt] = i32s(fn, 6);
  const [i] = [fn.local('i32')];
  const key = keyWords(kit, fn);
  const bytes = tupleBytes(kit);
  const loadKey = (from: Local) => key.map((word, k) => word.set(i64.load(from.get, 8 * k)));
  const seek = place.set(
    i32.mul(
      i32.wrap(
        i64.shrU(hashOf(key), i64.const(BigInt(64 - tupleMemoBits + Math.ceil(Math.log2(plan.classWords))))),
      ),
      i32.const(8 * plan.classWords),
    ),
  );
  const fill = kit.at(area.judgeFill);
  const memo = kit.at(area.tupleMemo);
  fn.body = [
    start.set(i32.add(i32.mul(bucket.get, i32.const(judgeBytes)), i32.const(kit.at(area.judgeBuffers)))),
    current.set(start.get),
    block((none) => [
      branchIf(i32.eq(current.get, i32.load(times4(bucket.get), fill)), none),
      loop((again) => [
        block((known) => [
          loadKey(current),
          seek,
          branchIf(
            i32.eqz(
              key
                .map((word, k) => i64.ne(word.get, i64.load(place.get, memo + 8 * k)))
                .reduce((any, other) => i32.or(any, other)),
            ),
            known,
          ),
          i32.store(times4(missing.get), current.get, kit.at(area.missing)),
          observed.set(i32.mul(missing.get, i32.const(4 * tuples * plan.width))),
          range(plan.width).map((process) => [
            classAt.set(
              i32.mul(
                extractField(key, plan.classOffsets[process]!, plan.classBits[process]!),
                i32.const(4 * tuples),
              ),
            ),
            range(tuples).map((tuple) =>
              i32.store(
                observed.get,
                i32.load(classAt.get, classes[process]! + 4 * tuple),
                kit.at(area.observed) + 4 * (tuple * plan.width + process),
              ),
            ),
          ]),
          next(missing, 1),
        ]),
        next(current, bytes),
        branchIf(i32.ltU(current.get, i32.load(times4(bucket.get), fill)), again),
      ]),
      branchIf(i32.eqz(missing.get), none),
      kit.imports.judgeTuples.call(missing.get),
      loop((again) => [
        when(i32.load(times4(i.get), kit.at(area.quiet)), [
          current.set(i32.load(times4(i.get), kit.at(area.missing))),
          loadKey(current),
          seek,
          key.map((word, k) => i64.store(place.get, word.get, memo + 8 * k)),
        ]),
        next(i, 1),
        branchIf(i32.ltU(i.get, missing.get), again),
      ]),
    ]),
    i32.store(times4(bucket.get), start.get, fill),
  ];
  return fn;
}
