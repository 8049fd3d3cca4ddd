/** What a caller gives (`options/`) and what it gets (`api/`). */
export type { Cluster, ClusterEvents } from '../api/cluster.ts';
export type { Leadership, LeadOptions } from '../api/leadership.ts';
export type { AcquireOptions, Held, HeldAll, Lock, RunOptions } from '../api/lock.ts';
export type { Notice } from '../api/notice.ts';
export type { ClusterStatus, Counters, LockStatus } from '../api/status.ts';
export type { Address, ClusterOptions, Logger } from './cluster.ts';
export type { Limits } from './limits.ts';
export type { Tls } from './security.ts';
export type { Strict } from './strict.ts';
export type { Timing } from './timing.ts';
