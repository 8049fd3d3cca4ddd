import pg from 'pg';
import type { Open } from '../client.ts';

/** Advisory locks belong to a connection. Each lock that is held or waited for needs its own. */
export const open: Open = async ({ ports, clients }) => {
  const pool = new pg.Pool({
    host: '127.0.0.1',
    port: ports[0]!,
    user: 'baton',
    database: 'postgres',
    max: Math.max(1, Math.floor(90 / clients)),
  });
  return {
    acquire: async (lock) => {
      const connection = await pool.connect();
      await connection.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [lock]);
      return async () => {
        await connection.query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', [lock]);
        connection.release();
      };
    },
  };
};
