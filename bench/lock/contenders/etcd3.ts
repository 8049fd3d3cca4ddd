import { setTimeout as sleep } from 'node:timers/promises';
import { Etcd3, EtcdLockFailedError } from 'etcd3';
import type { Open } from '../client.ts';

/** `lock()` rejects when the lock is held, so a waiting client has to ask again: here every 5 ms. */
export const open: Open = async ({ ports }) => {
  const client = new Etcd3({ hosts: `http://127.0.0.1:${ports[0]!}` });
  return {
    acquire: async (name) => {
      for (;;) {
        try {
          const held = await client.lock(name).ttl(10).acquire();
          return () => held.release();
        } catch (error) {
          if (!(error instanceof EtcdLockFailedError)) throw error;
          await sleep(5);
        }
      }
    },
  };
};
