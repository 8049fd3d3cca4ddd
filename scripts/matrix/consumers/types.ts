// The matrix: the code of a TypeScript service, under each version and each way of resolution.
import { type Cluster, type Held, joinCluster, type LockStatus, OperatingError } from 'batonlock';

export async function service(): Promise<number> {
  const cluster: Cluster = await joinCluster({
    cluster: 'c',
    site: 'a',
    listen: { host: '127.0.0.1', port: 0 },
    peers: {},
  });
  const status: LockStatus = cluster.lock('x').status();
  try {
    await using held: Held = await cluster.lock('x').acquire({ timeoutMs: 1_000 });
    return held.fence.k + status.waiting;
  } catch (error) {
    // @ts-expect-error: there is no such code
    if (error instanceof OperatingError && error.code === 'NO_SUCH_CODE') return 1;
    return 0;
  } finally {
    await cluster.close();
  }
}
