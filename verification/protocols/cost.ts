import type { AnyStateMachine, EventObject } from 'xstate';
import type { SiteId } from '../../machines/actor.ts';
import { compile } from '../../statechart/compile.ts';
import type { State } from '../../statechart/statechart.ts';

/** When the clients of a simulation ask; times are in message delays, and a critical section lasts one of them. */
export interface Load {
  readonly sites: number;
  /** The share of releases after which the client asks again at once. */
  readonly again: number;
  /** The mean time from any other release to the next request. */
  readonly think: number;
  /** Times to the next request are exponential, so that each next requester is drawn uniformly. Default: false, they are uniform. */
  readonly memoryless?: boolean;
  /** Critical sections to simulate; the first fifth is not counted. */
  readonly sections: number;
  readonly seed: number;
}

export interface Cost {
  readonly messagesPerSection: number;
  /** Jain's index over the critical sections of the sites: 1 when all have as many. */
  readonly fairness: number;
}

/** mulberry32: a small generator whose numbers a seed decides. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

type Sent = EventObject & { readonly target: SiteId; readonly message: EventObject };

interface Due {
  readonly at: number;
  readonly site: SiteId;
  readonly event: EventObject;
}

/**
 * Messages per critical section of a token algorithm, by stepping the statechart of each site in virtual time. Every message takes one
 * unit of time. `releaseAndAsk` is the one event of a client that asks again at once, where the machine has it.
 */
export function costOf(machine: AnyStateMachine, load: Load): Cost {
  const { sites, again, think, memoryless = false, sections, seed } = load;
  const chart = compile(machine);
  const random = generator(seed);
  const ids = Array.from({ length: sites }, (_, index) => `s${index}`);
  const states = new Map<SiteId, State>(
    ids.map((self) => [self, chart.start({ self, root: ids[0], peers: sites - 1 })]),
  );
  const hasReleaseAndAsk = JSON.stringify(machine.config).includes('releaseAndAsk');
  const entered = new Map<SiteId, number>(ids.map((id) => [id, 0]));
  const queue: Due[] = [];
  let now = 0;
  let [messages, count, counting] = [0, 0, false];

  const later = (delay: number, site: SiteId, event: EventObject) => {
    const due = { at: now + delay, site, event };
    let index = queue.length;
    while (index > 0 && queue[index - 1]!.at > due.at) index--;
    queue.splice(index, 0, due);
  };
  const pause = () => think * (memoryless ? -Math.log(1 - random()) : 2 * random());
  const thinks = (site: SiteId) => later(pause(), site, { type: 'ask' });
  const take = (site: SiteId, event: EventObject) => {
    const { configuration, context } = states.get(site)!;
    const after = chart.step(configuration, context, event);
    states.set(site, after);
    for (const effect of after.effects) {
      if (effect.type === 'send') {
        const { target, message } = effect as unknown as Sent;
        if (counting) messages++;
        later(1, target, message);
      } else if (effect.type === 'grant') {
        entered.set(site, entered.get(site)! + 1);
        count++;
        later(1, site, { type: 'release' });
      } else throw new Error(`${site} asks for ${effect.type}, which this simulation does not know`);
    }
  };

  for (const id of ids) later(again === 1 ? random() * 0.01 : pause(), id, { type: 'ask' });
  while (count < sections) {
    const { at, site, event } = queue.shift()!;
    now = at;
    counting ||= count >= sections / 5;
    if (event.type !== 'release') {
      take(site, event);
    } else if (random() >= again) {
      take(site, event);
      thinks(site);
    } else if (hasReleaseAndAsk) take(site, { type: 'releaseAndAsk' });
    else {
      take(site, event);
      take(site, { type: 'ask' });
    }
  }
  const counts = [...entered.values()];
  const sum = counts.reduce((total, times) => total + times, 0);
  const squares = counts.reduce((total, times) => total + times * times, 0);
  return {
    messagesPerSection: messages / (count - Math.ceil(sections / 5)),
    fairness: sum ** 2 / (sites * squares),
  };
}
