/*
 * Functions made of functions. A closure that calls the functions of a list shares its code with every other such closure, so V8 finds
 * many targets at its one call and inlines none. A function with source text of its own has one target at each call, and becomes
 * straight-line code. Where a process may not make code from text (`node --disallow-code-generation-from-strings`), a list is called
 * in a loop.
 */

export const makesCode: boolean = mayMakeCode();

function mayMakeCode(): boolean {
  try {
    new Function('');
    return true;
  } catch {
    return false;
  }
}

/** Source text, and the values that it names. */
export class Source {
  readonly #values: unknown[] = [];
  #text = '';

  /** The name of `value` in the text. */
  name(value: unknown): string {
    const known = this.#values.indexOf(value);
    return `v${known < 0 ? this.#values.push(value) - 1 : known}`;
  }

  add(text: string): void {
    this.#text += `${text}\n`;
  }

  /** The function with these parameters and the added text as its body. */
  function(parameters: string): unknown {
    const names = this.#values.map((_, index) => `v${index}`);
    return new Function(...names, `'use strict'; return (${parameters}) => {\n${this.#text}}`)(
      ...this.#values,
    );
  }
}
