import { Redis } from 'ioredis';
import { Mutex } from 'redis-semaphore';
import type { Open } from '../client.ts';

export const open: Open = async ({ ports }) => {
  const redis = new Redis(ports[0]!, '127.0.0.1');
  return {
    acquire: async (lock) => {
      const mutex = new Mutex(redis, lock, { acquireTimeout: 60_000 });
      await mutex.acquire();
      return () => mutex.release();
    },
  };
};
