import { Redis } from 'ioredis';
import Redlock from 'redlock';
import type { Open } from '../client.ts';

/** Its defaults but for the number of tries: a client that gives up is no measure of waiting. */
export const open: Open = async ({ ports }) => {
  const redis = new Redis(ports[0]!, '127.0.0.1');
  // Its types are of an ioredis that is gone; its own tests use this one's calls.
  const redlock = new Redlock([redis as unknown as Redlock.CompatibleRedisClient], { retryCount: -1 });
  return {
    acquire: async (lock) => {
      const held = await redlock.lock(`redlock:${lock}`, 10_000);
      return () => held.unlock();
    },
  };
};
