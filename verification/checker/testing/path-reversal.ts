import type { Model, Send, Step } from '../model.ts';
import type { NamedWatch, Sourced } from '../search/types.ts';

/** Client states, and whether the token is here. */
const idle = 0;
const root = 1;
const waiting = 2;
const inside = 3;

/** A site and what is on its way to it: a queue for each source, oldest first. */
interface Local {
  readonly client: number;
  readonly last: number | null;
  readonly next: number | null;
  readonly inbox: readonly (readonly number[])[];
}

/**
 * The algorithm of Naimi, Trehel and Arnold over fifo links (protocol.md §1), written by hand over plain
 * values: what the engine is measured with, and tested with where the number of states is known.
 */
export class PathReversal implements Model {
  readonly width: number;
  readonly initial: readonly (readonly number[])[];
  private readonly locals: Local[][] = [];
  private readonly index: Map<string, number>[] = [];
  /** A message that names no site: the token. */
  private readonly token: number;

  constructor(sites: number) {
    this.width = sites;
    this.token = sites;
    this.initial = [
      Array.from({ length: sites }, (_, site) => {
        this.locals.push([]);
        this.index.push(new Map());
        const inbox = Array.from({ length: sites }, () => []);
        return this.intern(site, {
          client: site === 0 ? root : idle,
          last: site === 0 ? null : 0,
          next: null,
          inbox,
        });
      }),
    ];
  }

  steps(site: number, index: number): readonly Step[] {
    const local = this.locals[site]![index]!;
    const { client, last, next } = local;
    const steps: Step[] = [];
    const step = (action: number, to: Local, sends: readonly Send[] = []) =>
      steps.push({ action, to: this.intern(site, to), sends });
    const send = (target: number, message: number): Send[] => [
      { cell: target, letter: site * (this.width + 1) + message },
    ];
    if (client === root) step(0, { ...local, client: inside });
    if (client === idle) step(0, { ...local, client: waiting, last: null }, send(last!, site));
    if (client === inside) {
      if (next === null) step(1, { ...local, client: root });
      else step(1, { ...local, client: idle, next: null }, send(next, this.token));
    }
    local.inbox.forEach(([message], source) => {
      if (message === undefined) return;
      const inbox = local.inbox.map((queue, s) => (s === source ? queue.slice(1) : queue));
      const after = { ...local, inbox, last: message };
      if (message === this.token) step(2 + source, { ...local, inbox, client: inside });
      else if (last !== null) step(2 + source, after, send(last, message));
      else if (client === root) step(2 + source, { ...after, client: idle }, send(message, this.token));
      else step(2 + source, { ...after, next: message });
    });
    return steps;
  }

  receive(site: number, index: number, letter: number): number {
    const local = this.locals[site]![index]!;
    const [source, message] = [Math.floor(letter / (this.width + 1)), letter % (this.width + 1)];
    const inbox = local.inbox.map((queue, s) => (s === source ? [...queue, message] : queue));
    return this.intern(site, { ...local, inbox });
  }

  local(site: number, index: number): Local {
    return this.locals[site]![index]!;
  }

  /** Every message on its way to a site, as the site it names; `sites` for the token. */
  messages(site: number, index: number): readonly number[] {
    return this.local(site, index).inbox.flat();
  }

  private intern(site: number, local: Local): number {
    const key = `${local.client} ${local.last} ${local.next} ${local.inbox.join(';')}`;
    let index = this.index[site]!.get(key);
    if (index === undefined) {
      index = this.locals[site]!.push(local) - 1;
      this.index[site]!.set(key, index);
    }
    return index;
  }
}

/** The properties of protocol.md §1 that a hand-written model can be asked: exclusion, one token, L1, T. */
export function pathReversal(
  sites: number,
): Sourced & { readonly model: PathReversal; readonly watches: NamedWatch[] } {
  const model = new PathReversal(sites);
  const token = sites;
  const count = (messages: readonly number[], what: number) =>
    messages.filter((message) => message === what).length;
  const watches: NamedWatch[] = [
    {
      name: 'at most one site is inside',
      expect: 'always',
      watch: {
        kind: 'sum',
        weigh: (site, local) => (model.local(site, local).client === inside ? 1 : 0),
        judge: (sum) => sum <= 1,
      },
    },
    {
      name: 'exactly one token',
      expect: 'always',
      watch: {
        kind: 'sum',
        weigh: (site, local) =>
          (model.local(site, local).client % 2) + count(model.messages(site, local), token),
        judge: (sum) => sum === 1,
      },
    },
    {
      // L1: 4 bits a site: how many places it waits in. A token on its way is the place of its target.
      name: 'a waiting site waits in one place',
      expect: 'always',
      watch: {
        kind: 'sum',
        weigh: (site, index) => {
          const local = model.local(site, index);
          const messages = model.messages(site, index);
          let weight = local.client === waiting ? -(16 ** site) : 0;
          if (local.next !== null) weight += 16 ** local.next;
          for (const message of messages) weight += 16 ** (message === token ? site : message);
          return weight;
        },
        judge: (sum) => sum === 0,
      },
    },
    {
      // T: `last`, or else where the site's request is under way to, leads to one root.
      name: 'the pointers are a tree',
      expect: 'always',
      watch: {
        kind: 'tuple',
        observe: (site, index) => {
          const local = model.local(site, index);
          const named = model
            .messages(site, index)
            .reduce((set, m) => (m === token ? set : set | (1 << m)), 0);
          return ((local.last ?? 15) << 4) | (local.next ?? 15) | (named << 8);
        },
        judge: (observed) => isTree(observed, sites),
      },
    },
    {
      name: 'every site but one may wait',
      expect: 'reachable',
      watch: {
        kind: 'sum',
        weigh: (site, local) => (model.local(site, local).client === waiting ? 1 : 0),
        judge: (sum) => sum === sites - 1,
      },
    },
  ];
  return { model, watches };
}

function isTree(observed: Int32Array, sites: number): boolean {
  let roots = 0;
  const parent = (site: number): number | null => {
    const last = (observed[site]! >> 4) & 15;
    if (last !== 15) return last;
    // The head of the queue that the site stands in, backwards along `next`.
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
