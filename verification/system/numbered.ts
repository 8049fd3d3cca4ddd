/** Numbers values from 0, in the order of discovery. Values with the same `Key` have one number. */
export class Numbered<Key, Value> {
  readonly #byKey = new Map<Key, number>();
  readonly #values: Value[] = [];

  get size(): number {
    return this.#values.length;
  }

  numberOf(key: Key, value: Value): number {
    let number = this.#byKey.get(key);
    if (number === undefined) {
      number = this.#values.push(value) - 1;
      this.#byKey.set(key, number);
    }
    return number;
  }

  at(number: number): Value {
    return this.#values[number]!;
  }
}
