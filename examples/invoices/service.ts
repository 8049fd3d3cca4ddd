import { setTimeout as pause } from 'node:timers/promises';
import { joinCluster } from 'batonlock';
import fastify from 'fastify';
import { memberOptions, whenAskedToEnd } from '../members.ts';
import { Invoices, LateWriteError } from './database.ts';

/* One process of the service: `POST /invoices` returns the next number, which no other process may return. */

const { file, fenced, ...options } = memberOptions<{ file: string; fenced: boolean }>();
const cluster = await joinCluster(options);
const lock = cluster.lock('invoices');
const invoices = new Invoices(file, { fenced });

const server = fastify();
server.post<{ Body: { customer: string } }>('/invoices', async ({ body: { customer } }, reply) => {
  try {
    const number = await lock.run(
      async ({ fence }) => {
        const number = invoices.nextNumber(fence);
        // For the example: the parent process may stop this process here, between reading and writing.
        process.send!({ type: 'drawing', number });
        // Drawing an invoice takes a while.
        await pause(40);
        invoices.add(fence, number, customer, cluster.site);
        return number;
      },
      { timeoutMs: 10_000 },
    );
    return reply.code(201).send({ number });
  } catch (error) {
    if (!(error instanceof LateWriteError)) throw error;
    return reply.code(409).send({ code: error.code, message: error.message });
  }
});

whenAskedToEnd(async () => {
  await server.close();
  await cluster.close();
  invoices.close();
});
const url = await server.listen({ host: '127.0.0.1', port: 0 });
await cluster.ready();
process.send!({ type: 'ready', url });
