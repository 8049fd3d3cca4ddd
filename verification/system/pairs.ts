/** Interns pairs of integers from 0 as dense integers, in 16 bytes a pair at most half full. */
export class Pairs {
  #first = new Int32Array(64);
  #second = new Int32Array(64);
  /** Open addressing; id + 1, or 0 for an empty slot. Always twice as long as the columns. */
  #slots = new Int32Array(128);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  first(id: number): number {
    return this.#first[id]!;
  }

  second(id: number): number {
    return this.#second[id]!;
  }

  intern(first: number, second: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hash(first, second) & mask; ; slot = (slot + 1) & mask) {
      const id = this.#slots[slot]! - 1;
      if (id < 0) return this.#add(slot, first, second);
      if (this.#first[id] === first && this.#second[id] === second) return id;
    }
  }

  #add(slot: number, first: number, second: number): number {
    const id = this.#size++;
    this.#slots[slot] = id + 1;
    this.#first[id] = first;
    this.#second[id] = second;
    if (this.#size === this.#first.length) this.#grow();
    return id;
  }

  #grow(): void {
    const length = this.#first.length * 2;
    const [first, second] = [new Int32Array(length), new Int32Array(length)];
    first.set(this.#first);
    second.set(this.#second);
    [this.#first, this.#second] = [first, second];
    this.#slots = new Int32Array(length * 2);
    const mask = length * 2 - 1;
    for (let id = 0; id < this.#size; id++) {
      let slot = hash(first[id]!, second[id]!) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = id + 1;
    }
  }
}

function hash(first: number, second: number): number {
  const mixed = Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b);
  return Math.imul(mixed ^ (mixed >>> 15), 0xc2b2ae35) >>> 3;
}
