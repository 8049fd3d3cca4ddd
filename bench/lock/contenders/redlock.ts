import { Redis } from 'ioredis';
import Redlock from 'redlock';
import type { Open } from '../client.ts';

/**
 * Uses the default settings except for the number of tries, because a client that gives up cannot measure
 * waiting.
 */
export const open: Open = async ({ ports }) => {
  const redis = new Redis(ports[0]!, '127.0.0.1');
  // The library's types refer to an ioredis version that no longer exists. Its own tests use the calls of
  // this version.
  const redlock = new Redlock([redis as unknown as Redlock.CompatibleRedisClient], { retryCount: -1 });
  return {
    acquire: async (lock) => {
      const held = await redlock.lock(`redlock:${lock}`, 10_000);
      return () => held.unlock();
    },
  };
};
