import type { Limits, Timing } from './index.ts';

export const defaultLimits: Limits = {
  maxOutbox: 10_000,
  maxHandshakes: 64,
  handshakeTimeoutMs: 5_000,
  dialMinMs: 20,
  dialMaxMs: 1_000,
  closeTimeoutMs: 2_000,
  maxLocks: 1_000_000,
  maxLocksOfPeer: 250_000,
  combine: 16,
};

export const defaultTiming: Timing = {
  heartbeatMs: 250,
  silentMs: 1_200,
  suspectMinMs: 5,
  suspectMaxMs: 45,
  electionMinMs: 100,
  electionMaxMs: 2_000,
  patienceMs: 15_000,
};

export const defaultDriftShare = 0.01;
