/** Gives texts names that are identifiers of C, Promela and TLA+, each another one. */
export class Names {
  readonly #taken = new Set<string>();

  /** `REQUEST(origin=b)` becomes `REQUEST_b`; what is taken gets a number. */
  of(text: string): string {
    const words = text.replace(/\w+=/g, ' ').match(/[A-Za-z0-9]+/g) ?? [];
    const plain = words.join('_').replace(/^(?=\d|$)/, 'n');
    let name = plain;
    for (let number = 2; this.#taken.has(name); number++) name = `${plain}_${number}`;
    this.#taken.add(name);
    return name;
  }
}
