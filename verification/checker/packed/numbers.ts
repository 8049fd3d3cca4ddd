/** A growing list of 32-bit numbers. It can be longer than an array, and takes a quarter of the memory. */
export class Numbers {
  length = 0;
  private numbers = new Int32Array(1024);

  push(...added: readonly number[]): void {
    const length = this.length + added.length;
    if (length > this.numbers.length) {
      const larger = new Int32Array(Math.max(length, 2 * this.numbers.length));
      larger.set(this.numbers);
      this.numbers = larger;
    }
    this.numbers.set(added, this.length);
    this.length = length;
  }

  get(index: number): number {
    return this.numbers[index]!;
  }

  /** A copy from `begin` on. */
  slice(begin = 0): Int32Array {
    return this.numbers.slice(begin, this.length);
  }
}
