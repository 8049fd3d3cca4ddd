import { OperatingError } from 'batonlock';
import fastify from 'fastify';
import { cluster } from './cluster.js';

const app = fastify();
const locks = await cluster();

app.post<{ Params: { id: string } }>('/orders/:id/pay', async (request, reply) => {
  try {
    return await locks
      .lock(`order:${request.params.id}`)
      .run(async ({ fence, signal }) => ({ paid: !signal.aborted, fence }), { timeoutMs: 2_000 });
  } catch (error) {
    if (error instanceof OperatingError && error.code === 'ACQUIRE_TIMEOUT') return reply.code(409).send();
    throw error;
  }
});
app.get('/ready', async (_, reply) =>
  locks.status().majority ? 'ready' : reply.code(503).send('no majority'),
);
app.addHook('onClose', () => locks.close());

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void app.close());
await app.listen({ port: 3000 });
