/** The rules of docs/protocol.md in words, by the names of their properties. */
export const ruleTitles: Readonly<Record<string, string>> = {
  L1: 'A waiting site is in exactly one place',
  L2: 'The token is where it is needed',
  L3: 'An idle site keeps nothing',
  T: 'The requests lead to one root',
  Q: 'A queue lies on its path',
  S1: 'One token in an epoch',
  S2: 'One winner of an epoch',
  S3: 'No fence is granted twice',
  S4: 'When critical sections may overlap',
  S5: 'Fences rise',
  S6: 'No two valid leases',
  routing: 'A site knows that it is the root exactly when it points at no other site',
  promise: 'A site follows no epoch below the one that it promised',
  fence: 'A site has a fence exactly while it is in the critical section',
  lease: 'In the critical section a site has a lease',
  left: 'A site that has left keeps nothing',
};
