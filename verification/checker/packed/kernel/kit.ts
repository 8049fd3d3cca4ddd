import { type area, memoryPages, regions } from '../memory.ts';
import type { KernelImports, KernelShape } from './shape.ts';
import { StateCode } from './states.ts';
import { type Code, type FunctionBuilder, i32, type Local, ModuleBuilder, when } from './wasm.ts';

export const zero = i32.const(0);
export const one = i32.const(1);
/** Advances a pointer. */
export const next = (pointer: Local, bytes: number): Code =>
  pointer.set(i32.add(pointer.get, i32.const(bytes)));
/** Converts an index of 4-byte numbers to bytes. */
export const times4 = (index: Code): Code => i32.shl(index, i32.const(2));

/** The data that the parts of the kernel share while it is built. */
export class Kit {
  readonly shape: KernelShape;
  readonly states: StateCode;
  readonly module = new ModuleBuilder(memoryPages);
  readonly imports: Readonly<Record<keyof KernelImports, FunctionBuilder>>;
  private readonly base: number;

  constructor(shape: KernelShape) {
    this.shape = shape;
    this.states = new StateCode(shape.plan);
    this.base = regions.workers + shape.worker * regions.workerBytes;
    this.imports = {
      more: this.module.import('more', ['i32'], null),
      grow: this.module.import('grow', ['i32'], null),
      spill: this.module.import('spill', ['i32'], null),
      judgeSums: this.module.import('judgeSums', [], 'i32'),
      judgeTuples: this.module.import('judgeTuples', ['i32'], null),
      inside: this.module.import('inside', [], 'i32'),
      deadlock: this.module.import('deadlock', [], null),
      canonicalize: this.module.import('canonicalize', [], 'i32'),
      orbit: this.module.import('orbit', [], 'i32'),
    };
  }

  /** The address of an offset in this worker's area. */
  at(offset: number): number {
    return this.base + offset;
  }

  /** Makes room for `bytes` more at `area[which]`. The end of the chunk is stored 4 bytes after it. */
  makeRoom(which: number, bytes: number): Code {
    return when(
      i32.gtU(i32.add(i32.load(zero, this.at(which)), i32.const(bytes)), i32.load(zero, this.at(which + 4))),
      this.imports.more.call(i32.const(which)),
    );
  }

  /** Writes a state at `area[which]`. */
  put(which: typeof area.out | typeof area.deferred, state: Local[], tag: Code): Code {
    const { stateBytes } = this.shape.plan;
    const end = i32.load(zero, this.at(which));
    return [
      this.makeRoom(which, stateBytes),
      this.states.store(state, tag, end),
      i32.store(zero, i32.add(end, i32.const(stateBytes)), this.at(which)),
    ];
  }
}
