import { start, take } from '../../../statechart/xstate.ts';
import type { NamedAction } from '../../actor.ts';
import type { Fence } from '../messages.ts';
import { type SiteEvent, type SiteInput, type SiteSnapshot, siteMachine } from '../site.ts';

/*
 * A script lists the events of site b. The voters are a, b, c; a founded epoch 0 unless a script states
 * otherwise. Messages are written with their epoch and its root: `REQUEST 1 c, a` is a's request in c's epoch
 * 1.
 */

const lives: Readonly<Record<string, Partial<SiteInput>>> = {
  'founder a': {},
  'founder b': { founder: 'b' },
  'crashed in 1 of a': { disk: { promised: 1, epoch: 1, root: 'a' } },
  'crashed in 1 of b': { disk: { promised: 1, epoch: 1, root: 'b' } },
  'disk lost': { disk: 'lost' },
  'strict, founder a': { strict: true },
  'strict, founder b': { founder: 'b', strict: true },
  'strict, crashed in 1 of a': { disk: { promised: 1, epoch: 1, root: 'a' }, strict: true },
  'strict, the only voter, crashed in 1 of b': {
    voters: ['b'],
    disk: { promised: 1, epoch: 1, root: 'b' },
    strict: true,
  },
  'no voter': { voters: ['a', 'c', 'd'] },
};

/** Returns a line for each event: the effects of b, and its state afterwards. */
export function play(life: keyof typeof lives, ...script: readonly string[]): string {
  const input: SiteInput = { self: 'b', founder: 'a', voters: ['a', 'b', 'c'], disk: 'none', ...lives[life] };
  let { snapshot } = start(siteMachine, input);
  const lines = script.map((text) => {
    const step = take(siteMachine, snapshot, eventOf(text));
    snapshot = step.snapshot;
    const effects = step.effects.map(describeEffect).join('; ');
    return `${text}: ${effects || 'nothing'}\n    ${describeSite(snapshot)}`;
  });
  return `\n${lines.join('\n')}\n`;
}

function eventOf(text: string): SiteEvent {
  const [type, number, site, last, fourth, fifth] = text.replace(',', '').split(' ');
  const epoch = Number(number);
  const root = site!;
  switch (type) {
    case 'REQUEST':
      return { type, epoch, root, origin: last! };
    case 'TOKEN':
      return {
        type,
        epoch,
        root,
        k: Number(last),
        line: fourth === undefined ? [] : text.split(' ').slice(4),
      };
    case 'NEW':
      return { type, epoch, root };
    case 'VOTE_REQUEST':
      return { type, epoch, candidate: site!, term: 0, version: Number(last ?? 1) };
    case 'VOTE':
      return { type, epoch, voter: site!, holds: last === '-' ? null : Number(last) };
    case 'REFUSE':
      return { type, epoch, root, promise: Number(last) };
    case 'HEARTBEAT': {
      const of = { epoch, root, origin: last!, round: Number(fourth), term: 0, version: 1 };
      return { type, ...of, stays: fifth === 'stays' };
    }
    case 'PROMISE':
      return { type, epoch, root, voter: last!, round: Number(fourth) };
    case 'leaseOver':
      return { type, epoch, round: Number(site) };
    case 'configured': {
      const voters = Object.fromEntries(last!.split('+').map((voter) => [voter, true] as const));
      return { type, term: 0, version: epoch, base: Number(site), voters, joins: fourth === 'joins' };
    }
    default:
      return {
        type: type as
          | 'heartbeat'
          | 'promiseOver'
          | 'ask'
          | 'release'
          | 'releaseAndAsk'
          | 'again'
          | 'try'
          | 'withdraw'
          | 'suspect',
      };
  }
}

function describeEffect({ type, target, message, ...params }: NamedAction): string {
  if (message !== undefined) {
    const { type: kind, ...all } = message as SiteEvent & {
      readonly term?: number;
      readonly version?: number;
    };
    // The configuration of the founders is left out.
    const { term = 0, version = 1, ...others } = all;
    const rest = term === 0 && version === 1 ? others : { ...others, term, version };
    const words = Object.values(rest).map((word) =>
      Array.isArray(word) ? `[${word.join(', ')}]` : (word ?? '-'),
    );
    return [kind, ...words, 'to', target ?? 'all'].join(' ');
  }
  const { epoch, k } = (params['fence'] ?? {}) as Partial<Fence>;
  switch (type) {
    case 'persist':
      return `disk ${params['promised']} ${params['epoch']} ${params['root']}`;
    case 'elected':
      return `elected for ${params['epoch']}, root ${params['root']}`;
    case 'leaseTimer':
    case 'leased':
    case 'leaseEnded':
      return `${type} ${params['epoch']} ${params['round']}`;
    case 'promiseTimer':
    case 'promiseEnded':
      return type;
    case 'unexpected':
      return `unexpected ${(params['event'] as SiteEvent).type}`;
    default:
      return `${type} (${epoch}, ${k})`;
  }
}

function describeSite({ value, context }: SiteSnapshot): string {
  const { epoch, promised, last, line, token, fence } = context;
  const promise = promised === epoch ? '' : `, promised ${promised}`;
  const inside = fence === null ? '' : `, fence (${fence.epoch}, ${fence.k})`;
  return (
    `${value.client}, ${value.routing}, ${value.epoch} ${epoch}${promise}: last ${last ?? 'nil'}, ` +
    `line [${line.join(', ')}]${token ? ', token' : ''}${inside}${value.lease === 'bound' ? ', bound' : ''}`
  );
}
