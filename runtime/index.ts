export type { SiteId } from '../machines/actor.ts';
export { type Clock, type Random, systemChance, systemClock } from './api/clock.ts';
export { type InvariantCode, InvariantError, type OperatingCode, OperatingError } from './api/errors.ts';
export { joinCluster } from './join.ts';
export { compareFences, type Fence, FenceGate } from './lock/fence-gate.ts';
export type { DownReason, PeerChange } from './mailbox/mailbox.ts';
export type { TapSession, Viewer } from './observe/live-feed.ts';
export { type StatelyInspector, throughStately } from './observe/stately.ts';
export type { TelemetryOptions } from './observe/telemetry-options.ts';
export { serveWatch, type WatchServer, type WatchServerOptions } from './observe/watch-server.ts';
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
  RunOptions,
  Strict,
  Timing,
  Tls,
} from './options/index.ts';
export { rootOf } from './site/root.ts';
