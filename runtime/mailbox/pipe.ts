import type { Duplex } from 'node:stream';
import type { SiteId } from '../../machines/actor.ts';
import type { OperatingError } from '../api/errors.ts';
import type { Address } from '../api/peer.ts';

/** The sites that a connection proves its other end to be: one of these. `null`: it proves nothing. */
export type Proven = readonly SiteId[] | null;

/** A stream of bytes both ways, as a mailbox uses it: a socket, or one over NATS. */
export interface Pipe extends Duplex {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  setNoDelay(noDelay: boolean): unknown;
  unref(): unknown;
  /** Destroys it once all has been written. */
  destroySoon(): void;
}

/** Where calls come in. */
export interface Listening {
  readonly address: Address;
  /** Resolves when nothing that came in by it is open any more. */
  close(): Promise<void>;
  /** It does not keep the process alive any more. */
  unref(): void;
}

/** Takes the connections that come in. */
export interface Callers {
  /** Bytes can go both ways. */
  stands(socket: Pipe, proven: Proven): void;
  /** The handshake failed: the bytes are no handshake of ours, or prove nothing. The socket closes. */
  refused(error: OperatingError, remote: string | null): void;
}

/** The one place that makes sockets. */
export interface Transport {
  /** Calls `called`; errors come by the socket. */
  call(address: Address, called: SiteId, stands: () => void): Pipe;
  /** Finds out whether a process listens at `address`, and sends nothing. */
  knock(address: Address, stands: () => void): Pipe;
  /** Rejects with why it cannot listen. `failed`: of what goes wrong later. */
  listen(
    address: Address,
    accept: (socket: Pipe) => void,
    failed: (cause: Error) => void,
  ): Promise<Listening>;
  /** Whether a host may be called: one that another site has named. */
  mayCall(host: string): boolean;
  /** Makes the function that greets each caller; `callers` hear of the result. */
  greet(callers: Callers): (socket: Pipe) => void;
}
