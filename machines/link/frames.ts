/** What the host hands over to be carried: plain JSON, never looked into. */
export type Payload = unknown;

/**
 * The vocabulary of a link on the wire. `seq` numbers what one incarnation sends the other, from 1; `ack` is
 * cumulative: every payload up to that number has been delivered, 0 for none.
 *
 * - `HELLO`: the first frame of a connection, from the site that dialled.
 * - `WELCOME`: the answer to HELLO, and then the answer to that. Whoever says it has heard the other on this
 *   very connection, so that neither is taken in by what a dead incarnation once wrote.
 * - `DATA`: the next payload. `ACK`: the same without one.
 */
export type Frame =
  | { readonly type: 'HELLO'; readonly incarnation: string }
  | { readonly type: 'WELCOME'; readonly incarnation: string; readonly ack: number }
  | { readonly type: 'DATA'; readonly seq: number; readonly ack: number; readonly payload: Payload }
  | { readonly type: 'ACK'; readonly ack: number };

/** A frame as it arrives: with the host's number of the connection that brought it. */
export type Arrival = Frame & { readonly connection: number };

/**
 * What the host says. It gives every connection a number of its own, and closes one when it comes with the next.
 *
 * - `post`: `payload` is for the peer.
 * - `connected`: the connection that this site dialled stands. (Who was dialled hears HELLO instead.)
 * - `disconnected`: nothing more is read from that connection.
 * - `finish`: nothing more will be posted; when nothing waits any more, say `drained`.
 * - `flushAck`: nothing has gone out for a while that would have carried the acknowledgement.
 */
export type HostEvent =
  | { readonly type: 'post'; readonly payload: Payload }
  | { readonly type: 'connected'; readonly connection: number }
  | { readonly type: 'disconnected'; readonly connection: number }
  | { readonly type: 'finish' }
  | { readonly type: 'flushAck' };
