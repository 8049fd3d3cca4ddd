/** Reserved words of the languages, and names that the exports use. */
const reserved = (
  'After Append Assert BatonAsks CASE CHOOSE DOMAIN ELSE ENABLED EXCEPT FALSE Head IF IN LET OTHER PrintT Room SelectSeq Seq SubSeq ' +
  'TLCGet TLCSet THEN TRUE Told UNCHANGED active assert atomic bit bool break byte chan channel do else empty eval fi full history hidden if init inline int j k ' +
  'len link local m mtype n nempty never nfull od of proctype run short skip timeout unless vars Actors Drops DropsOfAll ' +
  'broken duplicated lost started outside within begin missing deadlock observe told Within Read Listed MessageOrder ' +
  'Init Len Links Messages Next Put Spec Tail Target auto case char const continue default double enum extern float for goto long ' +
  'now register return signed sizeof static struct switch typedef union unsigned void volatile while'
).split(' ');

/** Gives texts names that are identifiers of C, Promela and TLA+, each another one. */
export class Names {
  readonly #taken = new Set<string>(reserved);

  /** `REQUEST(origin=b)` becomes `REQUEST_b`; a name that is taken gets a number. */
  of(text: string): string {
    const words = text.replace(/\w+=/g, ' ').match(/[A-Za-z0-9]+/g) ?? [];
    const plain = words.join('_').replace(/^(?=\d|$)/, 'n');
    let name = plain;
    for (let number = 2; this.#taken.has(name); number++) name = `${plain}_${number}`;
    this.#taken.add(name);
    return name;
  }
}
