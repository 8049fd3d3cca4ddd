import { area } from '../memory.ts';
import { type Kit, next, times4, zero } from './kit.ts';
import { reception } from './shape.ts';
import { i32s, parameters } from './states.ts';
import {
  branch,
  branchIf,
  type Code,
  type FunctionBuilder,
  i32,
  type Label,
  type Local,
  leave,
  loop,
  select,
  when,
} from './wasm.ts';

/** Records a question to the model: the steps of a process (`receptions` 0), or the local after a message. */
export function ask(kit: Kit, process: Code, local: Code, receptions: Code): Code {
  const end = i32.load(zero, kit.at(area.query));
  return [
    kit.makeRoom(area.query, 12),
    i32.store(end, process),
    i32.store(end, local, 4),
    i32.store(end, receptions, 8),
    i32.store(zero, i32.add(end, i32.const(12)), kit.at(area.query)),
  ];
}

/** Records a question for a reception, once. */
export function askReception(kit: Kit, process: Code, local: Code, receptions: Code, entry: Local): Code {
  return when(i32.eq(entry.get, i32.const(reception.unknown)), [
    i32.store(i32.add(receptions, times4(local)), i32.const(reception.asked)),
    ask(kit, process, local, receptions),
  ]);
}

/**
 * `deliver`: delivers a list of messages to `area.after`. Returns 0, or the reason why there is no successor:
 * 1: not known, 2: blocked.
 */
export function defineDeliver(kit: Kit): FunctionBuilder {
  const fn = kit.module.function('deliver', ['i32'], 'i32');
  const [list] = parameters(fn);
  const [left, process, entry, local] = i32s(fn, 4);
  const receptions = i32.load(list.get, 4);
  const after = kit.at(area.after);
  fn.body = [
    left.set(i32.load(list.get)),
    loop((again) => [
      process.set(i32.load(list.get, 8)),
      local.set(i32.load(times4(process.get), after)),
      entry.set(i32.load(i32.add(receptions, times4(local.get)))),
      when(i32.ltU(entry.get, i32.const(reception.blocked)), [
        askReception(kit, process.get, local.get, receptions, entry),
        leave(i32.const(1)),
      ]),
      when(i32.eq(entry.get, i32.const(reception.blocked)), leave(i32.const(2))),
      i32.store(times4(process.get), i32.sub(entry.get, i32.const(reception.first)), after),
      next(list, 8),
      branchIf(left.tee(i32.sub(left.get, i32.const(1))), again),
    ]),
    zero,
  ];
  return fn;
}

/**
 * Skips successors that need not be inserted. Suppose the state's tag says that it was reached by a step of
 * another process that comes earlier in order and shares no process with the current step. The two steps commute.
 * So the state after both is also reached from another state of the same level, with the other step last.
 * Among the shortest paths to every state, those whose last process is the least are never skipped.
 */
export class Pruning {
  private readonly on: boolean;
  private readonly half: number;
  private readonly prunable: Local;
  private readonly untouched: Local;
  private readonly mover: Local;

  constructor(kit: Kit, fn: FunctionBuilder) {
    this.half = kit.shape.plan.tagBits / 2;
    this.on = this.half > 0 && !kit.shape.match;
    [this.prunable, this.untouched, this.mover] = i32s(fn, 3);
  }

  /** Reads the tag of a state: the processes that its last step did not touch, and the later ones among them. */
  read(tag: Local): Code {
    if (!this.on) return [];
    const bit = (process: Code) => i32.shl(i32.const(1), process);
    const touched = i32.or(bit(this.mover.get), bit(i32.shrU(tag.get, i32.const(this.half))));
    return [
      this.mover.set(i32.and(tag.get, i32.const(2 ** this.half - 1))),
      this.untouched.set(i32.xor(i32.shrU(touched, i32.const(1)), i32.const(-1))),
      this.prunable.set(
        select(i32.and(this.untouched.get, i32.shl(i32.const(-1), this.mover.get)), zero, this.mover.get),
      ),
    ];
  }

  /**
   * Counts the step and branches to `skip` if it need not be taken. `target` is the process that the step sends
   * to, if any.
   */
  prune(process: number, target: Local | null, enabled: Local, skip: Label): Code {
    if (!this.on) return [];
    const late = i32.shrU(this.prunable.get, i32.const(process));
    const apart = target === null ? late : i32.and(late, i32.shrU(this.untouched.get, target.get));
    return when(i32.and(apart, i32.const(1)), [next(enabled, 1), branch(skip)]);
  }

  /** The tag of a step's successor: the step's process and the process that it sends to, counted from 1. */
  tag(process: number, target: Local | null): Code {
    if (this.half === 0) return zero;
    const mover = i32.const(process + 1);
    if (target === null) return mover;
    return i32.or(mover, i32.shl(i32.add(target.get, i32.const(1)), i32.const(this.half)));
  }
}
