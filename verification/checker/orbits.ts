import { Memo } from './memo.ts';
import type { Model, Symmetry } from './model.ts';
import { violatedNames } from './packed/results.ts';
import type { Found, SearchOptions, SearchResult, StopReason } from './packed/types.ts';
import { PropertyMonitor } from './property-monitor.ts';
import { createCanonicalizer } from './symmetry/index.ts';

/**
 * Breadth-first search over canonical forms, in one thread and in memory. The canonical form is the main cost
 * of a state. It needs renamings all the time, and the thread that holds the model answers them at once.
 *
 * The options `workers` and those that name directories have no effect.
 */
export async function searchOrbits(
  model: Model,
  symmetry: Symmetry,
  options: SearchOptions,
): Promise<SearchResult> {
  const run = new OrbitSearch(model, symmetry, options);
  return run.toTheEnd();
}

const DEFAULT_MEMORY = 8 * 2 ** 30;
const PAUSE_EVERY = 256;

class OrbitSearch {
  readonly #model: Model;
  readonly #options: SearchOptions;
  readonly #memo: Memo;
  readonly #canonicalizer: ReturnType<typeof createCanonicalizer>;
  readonly #forms: Forms;
  readonly #judges: readonly PropertyMonitor[];
  readonly #constraint: PropertyMonitor | null;
  readonly #found: (Found | null)[];
  #deadlock: Found | null = null;
  #deadlocks = 0;
  #transitions = 0;
  #cut = 0;
  #depth = 0;
  /** Number of states that the orbits stand for, in completed levels and in the level being found. */
  #represented = 0;
  #representedNext = 0;
  readonly #started = performance.now();
  #toldAt = this.#started;
  #toldStates = 0;

  constructor(model: Model, symmetry: Symmetry, options: SearchOptions) {
    this.#model = model;
    this.#options = options;
    this.#memo = new Memo(model);
    this.#canonicalizer = createCanonicalizer(symmetry, model.width);
    this.#forms = new Forms(model.width);
    this.#judges = (options.predicates ?? []).map(
      ({ predicate }) => new PropertyMonitor(predicate, model.width),
    );
    this.#constraint =
      options.constraint === undefined ? null : new PropertyMonitor(options.constraint, model.width);
    this.#found = this.#judges.map(() => null);
  }

  async toTheEnd(): Promise<SearchResult> {
    const form = new Int32Array(this.#model.width);
    for (const state of this.#model.initial) {
      form.set(state);
      this.#meet(form, 0);
    }
    let reason: StopReason | null = null;
    for (let from = 0; from < this.#forms.size && reason === null; this.#depth++) {
      const to = this.#forms.size;
      const expanded = this.#representedNext;
      this.#representedNext = 0;
      reason = await this.#expand(from, to);
      if (reason === null) this.#represented += expanded;
      from = to;
      if (this.#forms.size === to) break;
      const { stopAtFirst, predicates } = this.#options;
      if (reason === null && stopAtFirst && violatedNames(predicates, this.#found).length > 0) {
        reason = 'stop-at-first';
      }
    }
    return this.#result(reason ?? (this.#cut > 0 ? 'constraint' : null));
  }

  async #expand(from: number, to: number): Promise<StopReason | null> {
    const form = new Int32Array(this.#model.width);
    for (let at = from; at < to; at++) {
      if (at % PAUSE_EVERY === 0) {
        const reason = await this.#pause(to - at);
        if (reason !== null) return reason;
      }
      this.#forms.read(at, form);
      if (this.#constraint !== null && !this.#constraint.holds(form, 0)) {
        this.#cut++;
        continue;
      }
      if (this.#successors(form)) continue;
      this.#deadlocks++;
      this.#deadlock = smaller(this.#deadlock, form, this.#depth);
      this.#judge('quiescent', form, this.#depth);
    }
    return null;
  }

  /** Takes every enabled step. Returns true if any step leads to another state. */
  #successors(form: Int32Array): boolean {
    const memo = this.#memo;
    const after = new Int32Array(form.length);
    let moved = false;
    for (let process = 0; process < form.length; process++) {
      const first = memo.first(process, form[process]!);
      const end = first + memo.count(process, form[process]!);
      for (let step = first; step < end; step++) {
        after.set(form);
        if (!memo.apply(step, after)) continue;
        this.#transitions++;
        moved ||= after.some((local, at) => local !== form[at]);
        this.#meet(after, this.#depth + 1);
      }
    }
    return moved;
  }

  #meet(state: Int32Array, depth: number): void {
    const size = this.#canonicalizer.canonicalize(state);
    if (!this.#forms.add(state)) return;
    if (this.#constraint === null || this.#constraint.holds(state, 0)) this.#representedNext += size;
    this.#judge('always', state, depth);
    this.#judge('reachable', state, depth);
  }

  #judge(expect: 'always' | 'reachable' | 'quiescent', state: Int32Array, depth: number): void {
    for (const [index, predicate] of (this.#options.predicates ?? []).entries()) {
      const found = this.#found[index]!;
      if (predicate.expect !== expect || (found !== null && found.depth < depth)) continue;
      if (this.#judges[index]!.holds(state, 0) === (expect === 'reachable')) {
        this.#found[index] = smaller(found, state, depth);
      }
    }
  }

  async #pause(frontier: number): Promise<StopReason | null> {
    const { signal, timeoutMs, maxStates, maxMemoryBytes = DEFAULT_MEMORY, onProgress } = this.#options;
    const now = performance.now();
    if (now - this.#toldAt >= 250) {
      const states = this.#forms.size;
      onProgress?.({
        states,
        transitions: this.#transitions,
        statesPerSecond: ((states - this.#toldStates) / (now - this.#toldAt)) * 1000,
        depth: this.#depth,
        frontier,
        statesToCome: null,
        memoryBytes: this.#memoryBytes(),
        violated: violatedNames(this.#options.predicates, this.#found),
      });
      this.#toldAt = now;
      this.#toldStates = states;
      // An abort happens in another turn of the event loop.
      await new Promise(setImmediate);
    }
    if (signal?.aborted) return 'aborted';
    if (timeoutMs !== undefined && now - this.#started > timeoutMs) return 'timeout';
    if (maxStates !== undefined && this.#forms.size >= maxStates) return 'max-states';
    return this.#memoryBytes() > maxMemoryBytes ? 'max-memory' : null;
  }

  /** Bytes of the forms. Steps and renamings are small beside them once the limit matters. */
  #memoryBytes(): number {
    return this.#forms.bytes;
  }

  #result(reason: StopReason | null): SearchResult {
    const states = this.#forms.size;
    const elapsedMs = performance.now() - this.#started;
    return {
      states,
      transitions: this.#transitions,
      depth: this.#depth,
      deadlocks: this.#deadlocks,
      deadlock: this.#deadlock,
      cut: this.#cut,
      representedStates: BigInt(this.#represented),
      omissionProbability: 0,
      found: this.#found,
      complete: reason === null,
      reason,
      locals: this.#memo.locals,
      workers: 1,
      elapsedMs,
      statesPerSecond: (states / elapsedMs) * 1000,
      peakMemoryBytes: this.#memoryBytes(),
      bytesPerState: this.#memoryBytes() / states,
    };
  }
}

/** The state of least depth, and among those of equal depth the smaller as a tuple. */
function smaller(known: Found | null, state: Int32Array, depth: number): Found {
  if (known === null || depth < known.depth) return { state: [...state], depth };
  if (known.depth < depth) return known;
  const at = known.state.findIndex((local, process) => local !== state[process]);
  return at === -1 || known.state[at]! < state[at]! ? known : { state: [...state], depth };
}

/** Canonical forms, numbered in the order in which they were added. */
class Forms {
  size = 0;
  readonly #width: number;
  /** Number of forms per chunk. Stored forms are never copied. */
  readonly #perChunk = 2 ** 16;
  readonly #chunks: Int32Array[] = [];
  /** For each slot: a form's number, plus one. 0: free. */
  #slots = new Int32Array(2 ** 12);

  constructor(width: number) {
    this.#width = width;
  }

  get bytes(): number {
    return 4 * (this.#slots.length + this.#chunks.length * this.#perChunk * this.#width);
  }

  /** Adds a form. Returns false when it is already known. */
  add(form: Int32Array): boolean {
    const mask = this.#slots.length - 1;
    let slot = hash(form, 0, this.#width) & mask;
    for (; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
      if (this.#equals(this.#slots[slot]! - 1, form)) return false;
    }
    const index = this.size++;
    this.#slots[slot] = index + 1;
    if (index % this.#perChunk === 0) this.#chunks.push(new Int32Array(this.#perChunk * this.#width));
    this.#chunks.at(-1)!.set(form, (index % this.#perChunk) * this.#width);
    if (this.size > 0.7 * this.#slots.length) this.#grow();
    return true;
  }

  read(index: number, into: Int32Array): void {
    const chunk = this.#chunks[Math.floor(index / this.#perChunk)]!;
    const base = (index % this.#perChunk) * this.#width;
    for (let process = 0; process < this.#width; process++) into[process] = chunk[base + process]!;
  }

  #equals(index: number, form: Int32Array): boolean {
    const chunk = this.#chunks[Math.floor(index / this.#perChunk)]!;
    const base = (index % this.#perChunk) * this.#width;
    for (let process = 0; process < this.#width; process++)
      if (chunk[base + process] !== form[process]) return false;
    return true;
  }

  #grow(): void {
    this.#slots = new Int32Array(this.#slots.length * 2);
    const mask = this.#slots.length - 1;
    for (let index = 0; index < this.size; index++) {
      const chunk = this.#chunks[Math.floor(index / this.#perChunk)]!;
      let slot = hash(chunk, (index % this.#perChunk) * this.#width, this.#width) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = index + 1;
    }
  }
}

function hash(locals: Int32Array, from: number, width: number): number {
  let mixed = 0;
  for (let at = from; at < from + width; at++) {
    mixed = Math.imul(mixed ^ locals[at]!, 0x9e3779b1);
    mixed ^= mixed >>> 15;
  }
  return mixed >>> 1;
}
