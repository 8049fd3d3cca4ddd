export type { SiteId } from '../machines/actor.ts';
export type { Suspicion, SuspicionReason } from '../machines/epoch/messages.ts';
export { type Clock, type Random, systemClock, systemRandom } from './api/clock.ts';
export type { ChangeOptions, CloseOptions, Cluster, ClusterEvents } from './api/cluster.ts';
export { type InvariantCode, InvariantError, type OperatingCode, OperatingError } from './api/errors.ts';
export type { Leadership, LeadOptions } from './api/leadership.ts';
export type { AcquireOptions, Held, HeldAll, HoldOptions, Lock, RunOptions } from './api/lock.ts';
export type {
  LockHolder,
  LockReport,
  LockReports,
  ReadLocksOptions,
  WaitingSite,
} from './api/lock-report.ts';
export type { Membership, Voter } from './api/members.ts';
export type { NatsConnection, NatsMessage } from './api/nats.ts';
export type { Logger, Notice } from './api/notice.ts';
export type { Address, DownReason, PeerChange } from './api/peer.ts';
export type {
  ClusterStatus,
  Counters,
  LockStatus,
} from './api/status.ts';
export type { Viewer, WatchServer, WatchServerOptions, WatchSession } from './api/watch.ts';
export {
  type Discovery,
  type DiscoveryListener,
  type DiscoverySource,
  fromFunction,
  type PollOptions,
} from './discovery/discovery.ts';
export { type DnsOptions, fromDns } from './discovery/dns.ts';
export { fromFile } from './discovery/file.ts';
export { joinCluster } from './join.ts';
export { compareFences, type Fence, FenceGate } from './lock/fence-gate.ts';
export { LockReader, readLocks } from './observe/lock-reader.ts';
export { type StatelyInspector, throughStately } from './observe/stately.ts';
export { serveWatch } from './observe/watch-server.ts';
export type {
  ClusterOptions,
  Limits,
  MembersSettings,
  Strict,
  TelemetryOptions,
  Timing,
  Tls,
} from './options/schema.ts';
export { type FoundAnewOptions, type FoundedAnew, foundAnew } from './site/found-anew.ts';
export { rootOf } from './site/root.ts';
