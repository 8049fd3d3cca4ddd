import type { InspectionEvent, Observer } from 'xstate';
import type { SiteId } from '../../machines/actor.ts';
import type { Clock, Random } from '../api/clock.ts';
import type { InvariantError } from '../api/errors.ts';
import type { TelemetryOptions } from '../observe/telemetry-options.ts';
import type { Limits } from './limits.ts';
import type { Tls } from './security.ts';
import type { Strict } from './strict.ts';
import type { Timing } from './timing.ts';

/** Where a site listens. */
export interface Address {
  readonly host: string;
  /** 0 takes a free one; `Cluster.address` tells which. */
  readonly port: number;
}

/** What a site must know; `docs/configuration.md` has all keys in one table. */
export interface ClusterOptions {
  /** 1 to 128 printable characters. Sites of another cluster are refused at the handshake. */
  readonly cluster: string;
  /** This site. Ids are 1 to 64 letters, digits, `.`, `_` and `-`, and begin with a letter or a digit. */
  readonly site: SiteId;
  readonly listen: Address;
  /**
   * The other sites. Of each pair the one whose id comes first in code-unit order dials the other. At the address of
   * a peer whose id comes before this site's it is only asked, after a break, whether anybody listens there: where
   * that address is wrong, the peer's death shows by silence alone.
   */
  readonly peers: Readonly<Record<SiteId, Address>>;
  /** The site that starts with the token of every lock. Default: for each lock a voter, by its name (`rootOf`). */
  readonly root?: SiteId;
  /**
   * Where what was promised is kept (R7): a directory of this site alone. A file of this site's earlier life there
   * is read; no file there is refused with `DISK_MISSING`, unless this is a `newcomer`. Default: in memory only, and
   * then the site never comes back under its name after its process ended.
   */
  readonly dataDir?: string;
  /** This site never ran before under its name, so that nothing can be missing from `dataDir` (R8). Default false. */
  readonly newcomer?: boolean;
  /**
   * The sites that vote, the same at every site: 3 to 7 are recommended; 2 tolerate no failure. Without a
   * majority of them in reach nothing is granted. Default: all sites.
   */
  readonly voters?: readonly SiteId[];
  /**
   * Strict mode: locks are held by leases that a majority of voters promises, so that under clocks of bounded drift
   * no two critical sections with a valid lease overlap, whatever the resource does. Given to every site alike, or to
   * none. Default: no leases.
   */
  readonly strict?: Strict;
  /** When a peer is believed dead, and when that is acted upon. Of no effect on what is safe. */
  readonly timing?: Partial<Timing>;
  readonly limits?: Partial<Limits>;
  /** Records what this site does as NDJSON into `<traceDir>/<site>.ndjson`, which must not exist yet. Default: no record. */
  readonly traceDir?: string;
  /**
   * Told what XState tells of each lock's actor, whose id is the site's: any XState inspector. `sourceRef` of a message's
   * event has the sender's site id as its `id`. For @statelyai/inspect: `throughStately`.
   */
  readonly inspect?: Observer<InspectionEvent> | ((event: InspectionEvent) => void);
  /** TLS 1.3 with both sides authenticated (SECURITY.md). Read once: what is renewed needs a new start. Default: none. */
  readonly tls?: Tls;
  /**
   * What every site of the cluster knows and nobody else, at least 32 bytes, drawn at random: who records a handshake
   * can try out what a person made up. It never travels. A line end at its end does not count. Default: none.
   */
  readonly secret?: string | Buffer;
  /**
   * Listens beyond loopback, or calls peers there, though there is neither `tls` nor `secret`. Default false:
   * `INSECURE_LISTEN`, `INSECURE_PEER`.
   */
  readonly insecure?: boolean;
  /** Told everything worth a log line. Default: nobody is. */
  readonly logger?: Logger;
  /** Metrics and spans by OpenTelemetry. Default: to the global providers; nothing, where there are none. */
  readonly telemetry?: TelemetryOptions;
  /** Told of a broken invariant after the site has stopped. Default: thrown as an uncaught exception, which ends the process. */
  readonly onCrash?: (error: InvariantError) => void;
  readonly clock?: Clock;
  readonly chance?: Random;
}

/** Pino's fits, and so does the console. */
export interface Logger {
  trace(what: object, message: string): void;
  debug(what: object, message: string): void;
  info(what: object, message: string): void;
  warn(what: object, message: string): void;
  error(what: object, message: string): void;
}
