import type { Predicate } from '../model.ts';
import type { NamedPredicate, Sourced } from '../packed/types.ts';
import { createNaimiTrehel, type NaimiTrehel, type Site } from './naimi-trehel.ts';

/**
 * Naimi-Trehel with the properties of protocol.md §1 that plain code can judge: exclusion, one token, L1, T.
 */
export function judgedNaimiTrehel(
  sites: number,
): Sourced & { readonly model: NaimiTrehel; readonly predicates: readonly NamedPredicate[] } {
  const model = createNaimiTrehel(sites);
  const counted = (
    project: (site: Site, process: number) => number,
    judge: (sum: number) => boolean,
  ): Predicate => ({
    kind: 'sum',
    project: (process, local) => project(model.site(process, local), process),
    judge,
  });
  const predicates: NamedPredicate[] = [
    {
      name: 'at most one site is inside',
      expect: 'always',
      predicate: counted(
        ({ client }) => Number(client === 'inCS'),
        (inside) => inside <= 1,
      ),
    },
    {
      name: 'exactly one token',
      expect: 'always',
      predicate: counted(
        ({ token, inbox }) => Number(token) + inbox.flat().filter((message) => message === 'TOKEN').length,
        (tokens) => tokens === 1,
      ),
    },
    {
      // L1: 4 bits per site count the places in which it waits. A token on its way is a place of its target.
      name: 'a waiting site waits in one place',
      expect: 'always',
      predicate: counted(
        ({ client, next, inbox }, process) => {
          const places = inbox.flat().map((message) => (message === 'TOKEN' ? process : message));
          if (next !== null) places.push(next);
          const waits = client === 'requesting' ? 16 ** process : 0;
          return places.reduce((weight, place) => weight + 16 ** place, -waits);
        },
        (weight) => weight === 0,
      ),
    },
    {
      // T: `last`, or else the site that the site's request is on its way to, leads to one root.
      name: 'the pointers are a tree',
      expect: 'always',
      predicate: {
        kind: 'tuple',
        observe: (process, local) => {
          const { last, next, inbox } = model.site(process, local);
          const named = inbox
            .flat()
            .reduce<number>((set, message) => (message === 'TOKEN' ? set : set | (1 << message)), 0);
          return ((last ?? 15) << 4) | (next ?? 15) | (named << 8);
        },
        judge: (observed) => isTree(observed, sites),
      },
    },
    {
      name: 'every site but one may wait',
      expect: 'reachable',
      predicate: counted(
        ({ client }) => Number(client === 'requesting'),
        (waiting) => waiting === sites - 1,
      ),
    },
  ];
  return { model, predicates };
}

function isTree(observed: Int32Array, sites: number): boolean {
  let roots = 0;
  const parent = (site: number): number | null => {
    const last = (observed[site]! >> 4) & 15;
    if (last !== 15) return last;
    // The head of the queue that contains the site, found backwards along `next`.
    let head = site;
    for (let hops = 0; hops < sites; hops++) {
      const before = observed.findIndex((o) => (o & 15) === head);
      if (before === -1) break;
      head = before;
    }
    const target = observed.findIndex((o) => ((o >> 8) & (1 << head)) !== 0);
    return target === -1 ? null : target;
  };
  for (let site = 0; site < sites; site++) {
    if (parent(site) === null) roots++;
    let at: number | null = site;
    for (let hops = 0; at !== null; hops++) {
      if (hops > sites) return false;
      at = parent(at);
    }
  }
  return roots === 1;
}
