/** Remembers a value for each row (a small integer) and key. */
export class Memo<Key, Value> {
  readonly #rows: (Map<Key, Value> | undefined)[] = [];

  get(row: number, key: Key, make: () => Value): Value {
    this.#rows[row] ??= new Map();
    const known = this.#rows[row].get(key);
    if (known !== undefined) return known;
    const made = make();
    this.#rows[row].set(key, made);
    return made;
  }
}
