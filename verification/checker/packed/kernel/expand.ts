import { area } from '../memory.ts';
import type { Keys } from './keys.ts';
import { type Kit, next, times4, zero } from './kit.ts';
import { Marks } from './marks.ts';
import { defineJudge, KernelPredicates } from './predicates.ts';
import { reception, record, step, stepBytes } from './shape.ts';
import { i32s, i64s, parameters, range } from './states.ts';
import { ask, askReception, defineDeliver, Pruning } from './steps.ts';
import {
  block,
  branch,
  branchIf,
  type Code,
  copyMemory,
  type FunctionBuilder,
  i32,
  i64,
  type Label,
  type Local,
  loop,
  when,
} from './wasm.ts';

/** `expand`: predicates each state of a chunk, takes all its steps, and gathers the successors. */
export class Expand {
  private readonly kit: Kit;
  private readonly keys: Keys;
  private readonly fn: FunctionBuilder;
  private readonly deliver: FunctionBuilder;
  private readonly pruning: Pruning;
  private readonly predicates: KernelPredicates;
  private readonly marks: Marks;
  private readonly state: Local[];
  private readonly after: Local[];
  private readonly locals: Local[];
  private readonly tag: Local;
  private readonly nextTag: Local;
  private readonly unknown: Local;
  private readonly enabled: Local;
  /** Not 0: an enabled step leads to another state. */
  private readonly moved: Local;
  private readonly steps: Local;
  private readonly left: Local;
  private readonly receptions: Local;
  private readonly target: Local;
  private readonly received: Local;
  private readonly entry: Local;
  private readonly place: Local;
  private readonly partition: Local;
  private readonly change: Local;
  private readonly scratch: Local;

  constructor(kit: Kit, keys: Keys) {
    this.kit = kit;
    this.keys = keys;
    this.deliver = defineDeliver(kit);
    const judge = defineJudge(kit);
    const fn = kit.module.function('expand', ['i32', 'i32'], null);
    this.fn = fn;
    this.state = kit.states.words(fn);
    this.after = kit.states.words(fn);
    this.locals = range(kit.shape.plan.width).map(() => fn.local('i32'));
    [this.tag, this.nextTag, this.unknown, this.enabled, this.moved] = i32s(fn, 5);
    [this.steps, this.left, this.receptions] = i32s(fn, 3);
    [this.target, this.received, this.entry, this.place, this.partition] = i32s(fn, 5);
    [this.change, this.scratch] = i64s(fn, 2);
    this.pruning = new Pruning(kit, fn);
    this.predicates = new KernelPredicates(kit, fn, this.locals, judge);
    this.marks = new Marks(kit);
    fn.body = this.everyState();
  }

  private everyState(): Code {
    const { kit, state, tag, locals } = this;
    const { plan } = kit.shape;
    const [from, to] = parameters(this.fn);
    const verdict = this.fn.local('i32');
    return loop((again) => [
      kit.states.load(state, tag, from.get),
      this.pruning.read(tag),
      locals.map((local, process) => [
        local.set(kit.states.extract(state, process)),
        i32.store(zero, local.get, kit.at(area.locals) + 4 * process),
      ]),
      this.predicates.predicate(state, verdict),
      kit.shape.predicatesOnly ? [] : this.everyStep(verdict),
      branchIf(i32.ltU(from.tee(i32.add(from.get, i32.const(plan.stateBytes))), to.get), again),
    ]);
  }

  /** Takes the steps of a state that is inside the constraint. */
  private everyStep(verdict: Local): Code {
    const { plan, match } = this.kit.shape;
    return block((outside) => [
      branchIf(i32.and(verdict.get, i32.const(2)), outside),
      this.unknown.set(zero),
      this.enabled.set(zero),
      this.moved.set(zero),
      this.partition.set(zero),
      range(plan.width).map((process) => this.stepsOf(process)),
      match ? this.copyMatch() : this.conclude(),
    ]);
  }

  /** Counts the state's steps, or defers the state until the model has been asked. */
  private conclude(): Code {
    const { kit, unknown, enabled } = this;
    const transitions = kit.at(area.transitions);
    return [
      kit.shape.symmetric ? when(i32.eqz(unknown.get), unknown.set(i32.eqz(kit.imports.orbit.call()))) : [],
      when(unknown.get, kit.put(area.deferred, this.state, this.tag.get), [
        i64.store(zero, i64.add(i64.load(zero, transitions), i64.extend(enabled.get)), transitions),
        when(i32.eqz(this.moved.get), this.predicates.deadlock()),
      ]),
    ];
  }

  private copyMatch(): Code {
    return when(this.partition.get, this.kit.put(area.out, this.state, this.tag.get));
  }

  private stepsOf(process: number): Code {
    const { steps, left } = this;
    const at = this.kit.shape.records[process]!;
    const recordOf = this.predicates.recordOf(process);
    return [
      steps.set(i32.load(recordOf, at + record.steps)),
      block((over) => [
        when(i32.ltU(steps.get, i32.const(2)), [
          when(i32.eqz(steps.get), [
            i32.store(recordOf, i32.const(1), at + record.steps),
            ask(this.kit, i32.const(process), this.locals[process]!.get, zero),
          ]),
          this.unknown.set(i32.const(1)),
          branch(over),
        ]),
        branchIf(i32.eqz(left.tee(i32.load(recordOf, at + record.count))), over),
        loop((again) => [
          block((skip) => this.take(process, skip)),
          next(steps, stepBytes),
          branchIf(left.tee(i32.sub(left.get, i32.const(1))), again),
        ]),
      ]),
    ];
  }

  /** Takes one step. Its successor is gathered, unless the step is disabled, unknown or pruned. */
  private take(process: number, skip: Label): Code {
    const { kit, after, receptions, steps, change } = this;
    return [
      change.set(i64.load32(steps.get, step.change)),
      when(
        i32.gtU(receptions.tee(i32.load(steps.get, step.receptions)), i32.const(1)),
        this.sendOne(process, skip),
        when(receptions.get, this.sendList(process, skip), this.sendNone(process, skip)),
      ),
      next(this.enabled, 1),
      kit.shape.symmetric ? this.canonicalize(skip) : [],
      kit.shape.match
        ? [kit.states.mix(after, this.scratch), this.marks.find(after, this.place, this.partition)]
        : this.keys.gather(after, this.nextTag.get, [this.scratch, change], this.partition, this.place),
    ];
  }

  /** Notes whether the step leads to another state. `changed` is not 0 if it does. */
  private note(changed: Code): Code {
    return this.moved.set(i32.or(this.moved.get, changed));
  }

  private sendNone(process: number, skip: Label): Code {
    return [
      this.note(i32.wrap(this.change.get)),
      this.pruning.prune(process, null, this.enabled, skip),
      this.copyState(),
      this.kit.states.deposit(this.after, process, this.change),
      this.nextTag.set(this.pruning.tag(process, null)),
    ];
  }

  private sendOne(process: number, skip: Label): Code {
    const { kit, after, receptions, steps, change, target, received, entry, place } = this;
    return [
      target.set(i32.load(steps.get, step.process)),
      received.set(i32.load(times4(target.get), kit.at(area.locals))),
      entry.set(i32.load(i32.add(receptions.get, times4(received.get)))),
      when(i32.ltU(entry.get, i32.const(reception.first)), [
        branchIf(i32.eq(entry.get, i32.const(reception.blocked)), skip),
        askReception(kit, target.get, received.get, receptions.get, entry),
        this.unknown.set(i32.const(1)),
        branch(skip),
      ]),
      entry.set(i32.xor(i32.sub(entry.get, i32.const(reception.first)), received.get)),
      this.note(i32.or(i32.wrap(change.get), entry.get)),
      this.pruning.prune(process, target, this.enabled, skip),
      this.copyState(),
      kit.states.deposit(after, process, change),
      place.set(i32.load(steps.get, step.offset)),
      change.set(i64.extend(entry.get)),
      kit.states.depositAt(after, place, change),
      this.nextTag.set(this.pruning.tag(process, target)),
    ];
  }

  private sendList(process: number, skip: Label): Code {
    const { kit, after, steps, change, entry } = this;
    const { width } = kit.shape.plan;
    const own = i32.xor(i32.wrap(change.get), this.locals[process]!.get);
    return [
      copyMemory(i32.const(kit.at(area.after)), i32.const(kit.at(area.locals)), i32.const(4 * width)),
      i32.store(zero, own, kit.at(area.after) + 4 * process),
      when(entry.tee(this.deliver.call(i32.load(steps.get, step.list))), [
        when(i32.eq(entry.get, i32.const(1)), this.unknown.set(i32.const(1))),
        branch(skip),
      ]),
      kit.states.pack(after, change, (c) => i32.load(zero, kit.at(area.after) + 4 * c)),
      after.map((word, k) => this.note(i64.ne(word.get, this.state[k]!.get))),
      this.nextTag.set(zero),
    ];
  }

  private canonicalize(skip: Label): Code {
    const { kit, after, change } = this;
    const at = kit.at(area.after);
    return [
      this.locals.map((_, c) => i32.store(zero, kit.states.extract(after, c), at + 4 * c)),
      when(i32.eqz(kit.imports.canonicalize.call()), [this.unknown.set(i32.const(1)), branch(skip)]),
      kit.states.pack(after, change, (c) => i32.load(zero, at + 4 * c)),
    ];
  }

  private copyState(): Code {
    return this.after.map((word, k) => word.set(this.state[k]!.get));
  }
}
