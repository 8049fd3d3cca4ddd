/** The rules of docs/protocol.md that name properties, in words: the headings of that page. */
const rules: Readonly<Record<string, string>> = {
  L1: 'a waiting site is in exactly one place',
  L2: 'the token is where it is needed',
  L3: 'an idle site keeps nothing',
  T: 'the requests lead to one root',
  Q: 'a queue lies on its path',
  S1: 'one token in an epoch',
  S2: 'one winner of an epoch',
  S3: 'no fence is granted twice',
  S4: 'when critical sections may overlap',
  S5: 'fences rise',
  S6: 'no two valid leases',
  S7: 'quorums that can still decide meet',
  S8: 'epochs rise across changes',
  S9: 'a new voter is not asked about earlier decisions',
};

/** Invariants of one site that have a word for a name. */
const words: Readonly<Record<string, string>> = {
  routing: 'both regions agree on whether the site is the root',
  promise: 'no site follows an epoch below its promise',
  fence: 'exactly the holder has a fence, and none is of an epoch to come',
  lease: 'in strict mode a holder has a lease',
  left: 'a site that has left keeps nothing',
};

/** The name of a property for a person: a rule's name with its words. */
export function nameInWords(name: string): string {
  const meaning = rules[name] ?? words[name];
  return meaning === undefined ? name : `${name}: ${meaning}`;
}
