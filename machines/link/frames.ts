/** Data that the host passes to the link to be carried: plain JSON, never inspected. */
export type Payload = unknown;

/**
 * The frames of a link on the wire. `seq` numbers the payloads that one incarnation sends to the other, from
 * 1. `ack` is cumulative: every payload up to that number has been delivered. 0: none has.
 *
 * - `HELLO`: the first frame of a connection, from the site that dialled.
 * - `WELCOME`: the answer to HELLO, and then the answer to that answer. Its sender has received a frame of
 *   the other on this very connection. So neither site is misled by frames that a dead incarnation once
 *   wrote.
 * - `DATA`: the next payload. `ACK`: an acknowledgement without a payload.
 */
export type Frame =
  | { readonly type: 'HELLO'; readonly incarnation: string }
  | { readonly type: 'WELCOME'; readonly incarnation: string; readonly ack: number }
  | { readonly type: 'DATA'; readonly seq: number; readonly ack: number; readonly payload: Payload }
  | { readonly type: 'ACK'; readonly ack: number };

/** A frame as it arrives, with the host's number of its connection. */
export type Arrival = Frame & { readonly connection: number };

/**
 * The events from the host. The host gives every connection a number of its own, and closes a connection when
 * it reports the next.
 *
 * - `post`: `payload` is for the peer.
 * - `connected`: the connection that this site dialled is established. (The dialled site receives HELLO
 *   instead.)
 * - `disconnected`: nothing more is read from that connection.
 * - `finish`: nothing more will be posted. The link reports `drained` when nothing waits any more.
 * - `flushAck`: for a while no frame has gone out that would have carried the acknowledgement.
 */
export type HostEvent =
  | { readonly type: 'post'; readonly payload: Payload }
  | { readonly type: 'connected'; readonly connection: number }
  | { readonly type: 'disconnected'; readonly connection: number }
  | { readonly type: 'finish' }
  | { readonly type: 'flushAck' };
