import { Mutex } from 'async-mutex';
import type { Open } from '../client.ts';

/** One process: the cost of a lock without communication. */
export const open: Open = async () => {
  const mutexes = new Map<string, Mutex>();
  return {
    acquire: (lock) => {
      const mutex = mutexes.get(lock) ?? new Mutex();
      mutexes.set(lock, mutex);
      return mutex.acquire();
    },
  };
};
