export type { SiteId } from '../machines/actor.ts';
export { joinCluster } from './cluster.ts';
export { type Chance, type Clock, systemChance, systemClock } from './doors.ts';
export { type InvariantCode, InvariantError, type OperatingCode, OperatingError } from './errors.ts';
export { compareFences, type Fence, FenceGate } from './fence/gate.ts';
export { epoch } from './host/epoch.ts';
export { naimiTrehel } from './host/naimi-trehel.ts';
export type { Protocol } from './host/protocol.ts';
export { rootOf } from './host/root.ts';
export { type StatelyInspector, throughStately } from './inspect/stately.ts';
export { serveWatch, type WatchServer, type WatchServerOptions } from './inspect/watch-server.ts';
export type { DownReason, PeerChange } from './mailbox/mailbox.ts';
export type {
  AcquireOptions,
  Address,
  Cluster,
  ClusterEvents,
  ClusterOptions,
  ClusterStatus,
  Counters,
  Held,
  HeldAll,
  Leadership,
  LeadOptions,
  Limits,
  Lock,
  LockStatus,
  Logger,
  Notice,
  Strict,
  Timing,
  Tls,
} from './options.ts';
export type { TelemetryOptions } from './telemetry/options.ts';
export type { TapSession, Viewer } from './trace/tap.ts';
