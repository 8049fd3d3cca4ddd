import { machineOf, toEach } from '../system/handlers.ts';
import { type Peer, registerOf, type Size } from './register.ts';

/**
 * Single-decree Paxos (L. Lamport, "Paxos Made Simple", 2001), where each server proposes, accepts and learns: Stateright's
 * `paxos`, with its 16,668 states for two clients of three servers.
 */
type Ballot = readonly [number, string];
type Vote = {
  readonly ballot: Ballot;
  readonly proposal: { readonly client: string; readonly value: string };
};
type Type = 'PUT' | 'GET' | 'PREPARE' | 'PREPARED' | 'ACCEPT' | 'ACCEPTED' | 'DECIDED';
type Event = Vote & { type: Type; from: string; value: string; accepted: Vote | null };

const compare = ([one, by]: Ballot, [two, of]: Ballot) => one - two || (by === of ? 0 : by < of ? -1 : 1);
const isQuorum = ({ peers }: Peer, heard: object) =>
  Object.keys(heard).length === Math.ceil(peers.length / 2) + 1;

const none = { proposal: null as Vote['proposal'] | null, accepted: null as Vote | null };
/** `prepared`: what each has accepted before the ballot of this server; `accepts`: those that accept in it. */
const votes = { prepared: {} as Record<string, Vote | null>, accepts: {} as Record<string, true> };
const start = (input: Peer) => ({ ...input, ...none, ...votes, decided: false, ballot: [0, ''] as Ballot });

export const server = machineOf<Event>()('server', start, {
  PUT: (me, { from: client, value }) => {
    if (me.decided || me.proposal !== null) return null;
    const ballot = [me.ballot[0] + 1, me.self] as const;
    const now = { ballot, proposal: { client, value }, prepared: { [me.self]: me.accepted }, accepts: {} };
    return [now, ...toEach(me.peers, { type: 'PREPARE', ballot })];
  },
  PREPARE: ({ decided, ballot: mine, accepted }, { ballot, from }) =>
    decided || compare(ballot, mine) <= 0
      ? null
      : [{ ballot }, [from, { type: 'PREPARED', ballot, accepted }]],
  PREPARED: (me, { ballot, from, accepted }) => {
    if (me.decided || compare(ballot, me.ballot) !== 0) return null;
    const prepared = { ...me.prepared, [from]: accepted };
    if (!isQuorum(me, prepared)) return [{ prepared }];
    // The proposal of the highest ballot in which one was accepted; its own where none was.
    const before = Object.values(prepared).filter((vote) => vote !== null);
    const proposal = before.sort((one, two) => compare(two.ballot, one.ballot))[0]?.proposal ?? me.proposal!;
    const now = {
      prepared,
      proposal,
      accepted: { ballot, proposal },
      accepts: { ...me.accepts, [me.self]: true as const },
    };
    return [now, ...toEach(me.peers, { type: 'ACCEPT', ballot, proposal })];
  },
  ACCEPT: (me, { ballot, proposal, from }) =>
    me.decided || compare(ballot, me.ballot) < 0
      ? null
      : [{ ballot, accepted: { ballot, proposal } }, [from, { type: 'ACCEPTED', ballot }]],
  ACCEPTED: (me, { ballot, from }) => {
    if (me.decided || compare(ballot, me.ballot) !== 0) return null;
    const [accepts, proposal] = [{ ...me.accepts, [from]: true as const }, me.proposal!];
    if (!isQuorum(me, accepts)) return [{ accepts }];
    const decided = toEach(me.peers, { type: 'DECIDED', ballot, proposal });
    return [{ accepts, decided: true }, ...decided, [proposal.client, { type: 'PUT_OK' }]];
  },
  DECIDED: ({ decided }, { ballot, proposal }) =>
    decided ? null : [{ ballot, accepted: { ballot, proposal }, decided: true }],
  GET: ({ decided, accepted }, { from }) =>
    decided ? [{}, [from, { type: 'GET_OK', value: accepted!.proposal.value }]] : null,
});

export const paxos = (size: Size = {}) => registerOf('Paxos', server, { servers: 3, ...size });
export default paxos();
