import type { Edge, Model, Send, Step, Symmetry } from '../model.ts';
import type { Sourced } from '../packed/types.ts';

/**
 * Naimi-Trehel in plain code, without any statechart: a model with published counts against which the checker
 * is tested. Process 0 starts as the idle root. All processes are interchangeable.
 */
export type NaimiTrehel = Model &
  Symmetry & {
    readonly site: (process: number, local: number) => Site;
    /** The meaning of an action. There is one delivery for each source and process. */
    readonly describe: (action: number) => { readonly kind: string; readonly process: number };
  };

type Client = 'idle' | 'requesting' | 'inCS';
/** A number is a REQUEST from that process. */
type Message = number | 'TOKEN';

export interface Site {
  readonly client: Client;
  readonly last: number | null;
  readonly next: number | null;
  readonly token: boolean;
  /** For each source: the messages on their way, in order on `fifo`, sorted on `unordered`. */
  readonly inbox: readonly (readonly Message[])[];
}

interface Envelope {
  readonly source: number;
  readonly message: Message;
}

/** Kinds of actions. From `DELIVER` on: delivery from source 0, 1, ... */
const [ASK, RELEASE, DELIVER] = [0, 1, 2] as const;

export function createNaimiTrehel(n: number, order: 'fifo' | 'unordered' = 'fifo'): NaimiTrehel {
  const processes = Array.from({ length: n }, (_, process) => process);
  const sites = processes.map(() => createTable<Site>());
  const envelopes = createTable<Envelope>();
  const labels = createTable<string>();

  const send = (source: number, target: number, message: Message): Send => ({
    process: target,
    message: envelopes.intern({ source, message }),
  });
  const arrange = (queue: readonly Message[]) =>
    order === 'fifo' ? queue : [...queue].sort((a, b) => String(a).localeCompare(String(b)));

  function deliver(process: number, site: Site, message: Message): [Site, Send[]] {
    if (message === 'TOKEN') return [{ ...site, client: 'inCS', token: true }, []];
    const origin = message;
    if (site.last !== null) return [{ ...site, last: origin }, [send(process, site.last, origin)]];
    if (site.token && site.client === 'idle') {
      return [{ ...site, token: false, last: origin }, [send(process, origin, 'TOKEN')]];
    }
    return [{ ...site, next: origin, last: origin }, []];
  }

  function local(process: number, site: Site): [Site, Send[]] {
    if (site.client === 'idle') {
      if (site.token) return [{ ...site, client: 'inCS' }, []];
      return [{ ...site, client: 'requesting', last: null }, [send(process, site.last!, process)]];
    }
    if (site.next === null) return [{ ...site, client: 'idle' }, []];
    return [{ ...site, client: 'idle', token: false, next: null }, [send(process, site.next, 'TOKEN')]];
  }

  function steps(process: number, number: number): Step[] {
    const site = sites[process]!.at(number);
    const found: Step[] = [];
    const add = (kind: number, [after, sends]: [Site, Send[]]) =>
      found.push({ action: process * (n + DELIVER) + kind, to: sites[process]!.intern(after), sends });
    if (site.client !== 'requesting') add(site.client === 'idle' ? ASK : RELEASE, local(process, site));
    site.inbox.forEach((queue, source) => {
      const ready = order === 'fifo' ? queue.slice(0, 1) : [...new Set(queue)];
      for (const message of ready) {
        const rest = queue.toSpliced(queue.indexOf(message), 1);
        add(DELIVER + source, deliver(process, { ...site, inbox: site.inbox.with(source, rest) }, message));
      }
    });
    return found;
  }

  function receive(process: number, number: number, envelope: number): number {
    const site = sites[process]!.at(number);
    const { source, message } = envelopes.at(envelope);
    const queue = arrange([...site.inbox[source]!, message]);
    return sites[process]!.intern({ ...site, inbox: site.inbox.with(source, queue) });
  }

  function edges(process: number, number: number): Edge[] {
    const { client, last, next, token, inbox } = sites[process]!.at(number);
    const found: Edge[] = [{ label: labels.intern(`${client} ${token}`), refs: [] }];
    const add = (label: string, refs: readonly number[]) => found.push({ label: labels.intern(label), refs });
    if (last !== null) add('last', [last]);
    if (next !== null) add('next', [next]);
    const describe = (source: number, messages: readonly Message[]) =>
      add(`inbox ${messages.map((message) => typeof message)}`, [
        source,
        ...messages.filter((message) => message !== 'TOKEN'),
      ]);
    inbox.forEach((queue, source) => {
      if (order === 'unordered') for (const message of queue) describe(source, [message]);
      else if (queue.length > 0) describe(source, queue);
    });
    return found;
  }

  function rename(process: number, number: number, to: readonly number[]): number {
    const site = sites[process]!.at(number);
    const image = (named: number | null) => (named === null ? null : to[named]!);
    const inbox: Message[][] = processes.map(() => []);
    site.inbox.forEach((queue, source) => {
      inbox[to[source]!] = [
        ...arrange(queue.map((message) => (message === 'TOKEN' ? message : to[message]!))),
      ];
    });
    return sites[to[process]!]!.intern({ ...site, last: image(site.last), next: image(site.next), inbox });
  }

  const initial = processes.map((process) =>
    sites[process]!.intern({
      client: 'idle',
      last: process === 0 ? null : 0,
      next: null,
      token: process === 0,
      inbox: processes.map(() => []),
    }),
  );
  return {
    width: n,
    initial: [initial],
    processes,
    steps,
    receive,
    edges,
    rename,
    site: (process, local) => sites[process]!.at(local),
    describe: (action) => {
      const kind = action % (n + DELIVER);
      const process = (action - kind) / (n + DELIVER);
      if (kind < DELIVER) return { kind: kind === ASK ? 'ask' : 'release', process };
      return { kind: `deliver from ${kind - DELIVER}`, process };
    },
  };
}

/** Source from which threads load the model that is explored by orbits. */
export function orbitsOf(sites: number): Sourced {
  const model = createNaimiTrehel(sites);
  return { model, symmetry: model };
}

/** Plain values by number, from 0, in the order of discovery. */
function createTable<T>() {
  const numbers = new Map<string, number>();
  const values: T[] = [];
  return {
    at: (number: number): T => values[number]!,
    intern(value: T): number {
      const key = JSON.stringify(value);
      const known = numbers.get(key);
      if (known !== undefined) return known;
      numbers.set(key, values.length);
      values.push(value);
      return values.length - 1;
    },
  };
}
