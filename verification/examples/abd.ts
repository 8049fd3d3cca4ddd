import { type Handled, machineOf, toEach } from '../system/handlers.ts';
import { type Peer, registerOf, type Size } from './register.ts';

/**
 * A register on replicas that outlives the failure of a minority (H. Attiya, A. Bar-Noy, D. Dolev, "Sharing Memory Robustly in
 * Message-Passing Systems", 1995): a read writes back, too. Stateright's `linearizable-register`, with its 544 states for two
 * clients of two replicas.
 */
type Stored = { readonly seq: readonly [number, string]; readonly value: string };
type Type = 'PUT' | 'GET' | 'QUERY' | 'ACK_QUERY' | 'RECORD' | 'ACK_RECORD';
type Event = Stored & { readonly type: Type; readonly from: string; readonly of: string };
type Heard = Readonly<Record<string, Stored>>;
const idle = {
  phase: 'idle',
  of: '',
  client: '',
  write: null as string | null,
  read: '',
  heard: {} as Heard,
};
type Replica = ReturnType<typeof start>;
const start = (me: Peer) => ({ ...me, seq: [0, me.self] as Stored['seq'], value: '', ...idle });

const isLater = ({ seq: [one, by] }: Stored, { seq: [two, of] }: Stored) =>
  one > two || (one === two && by > of);
const isQuorum = ({ peers }: Peer, heard: Heard) => Object.keys(heard).length * 2 > peers.length + 1;
const stored = ({ seq, value }: Stored): Stored => ({ seq, value });

function begin(me: Replica, { type, from: client, value }: Event): Handled<Replica> | null {
  if (me.phase !== 'idle') return null;
  const [of, write, heard] = [`${client} ${type}`, type === 'PUT' ? value : null, { [me.self]: stored(me) }];
  return [{ phase: 'query', of, client, write, heard }, ...toEach(me.peers, { type: 'QUERY', of })];
}

export const replica = machineOf<Event>()('replica', start, {
  PUT: begin,
  GET: begin,
  QUERY: (me, { from, of }) => [{}, [from, { type: 'ACK_QUERY', of, ...stored(me) }]],
  ACK_QUERY: (me, event) => {
    if (me.phase !== 'query' || me.of !== event.of) return null;
    const heard = { ...me.heard, [event.from]: stored(event) };
    if (!isQuorum(me, heard)) return [{ heard }];
    const latest = Object.values(heard).reduce((one, two) => (isLater(two, one) ? two : one));
    const next = { seq: [latest.seq[0] + 1, me.self], value: me.write } as Stored;
    const now = me.write === null ? latest : next;
    const job = { phase: 'record', read: me.write === null ? now.value : '', heard: { [me.self]: now } };
    return [
      { ...(isLater(now, me) && now), ...job },
      ...toEach(me.peers, { type: 'RECORD', of: me.of, ...now }),
    ];
  },
  RECORD: (me, event) => [
    isLater(event, me) ? stored(event) : {},
    [event.from, { type: 'ACK_RECORD', of: event.of }],
  ],
  ACK_RECORD: (me, { from, of }) => {
    if (me.phase !== 'record' || me.of !== of) return null;
    const heard = { ...me.heard, [from]: me.heard[me.self]! };
    if (!isQuorum(me, heard)) return [{ heard }];
    return [idle, [me.client, me.write === null ? { type: 'GET_OK', value: me.read } : { type: 'PUT_OK' }]];
  },
});

export const abd = (size: Size = {}) => registerOf('ABD register', replica, { servers: 2, ...size });
export default abd();
