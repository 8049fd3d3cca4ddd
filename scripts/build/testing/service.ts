import {
  type Cluster,
  type ClusterOptions,
  compareFences,
  type Fence,
  FenceGate,
  type Held,
  joinCluster,
  OperatingError,
} from 'batonlock';
import { always, check, count, type Report, type System, traceText } from 'batonlock/verification';
import { setup } from 'xstate';

/*
 * A service as a user of the package writes it. `node service.js PORT PORT PORT`: three sites take turns at
 * one lock.
 */

const ports = process.argv.slice(2).map(Number);
const listen = (at: number) => ({ host: '127.0.0.1', port: ports[at]! });
const ids = ['a', 'b', 'c'];

function optionsOf(site: string): ClusterOptions {
  const peers = Object.fromEntries(ids.flatMap((id, at) => (id === site ? [] : [[id, listen(at)]])));
  return { cluster: 'shop', site, listen: listen(ids.indexOf(site)), peers, timing: { heartbeatMs: 200 } };
}

const clusters: Cluster[] = await Promise.all(ids.map((id) => joinCluster(optionsOf(id))));
await Promise.all(clusters.map((cluster) => cluster.ready()));

const gate = new FenceGate();
const fences: Fence[] = [];
let inside = 0;

async function work(cluster: Cluster): Promise<void> {
  for (let turn = 0; turn < 20; turn++) {
    await cluster.lock('invoices').run(async ({ fence, signal }) => {
      if (++inside > 1 || signal.aborted || !gate.accept('invoices', fence)) throw new Error('not alone');
      fences.push(fence);
      await new Promise(setImmediate);
      inside--;
    });
  }
  await using held: Held = await cluster.lock('invoices').acquire({ timeoutMs: 10_000 });
  fences.push(held.fence);
}

await Promise.all(clusters.map(work));
const rising = fences.every((fence, at) => at === 0 || compareFences(fences[at - 1]!, fence) < 0);
for (const cluster of clusters) await cluster.close();

const refusal = await clusters[0]!
  .lock('invoices')
  .acquire()
  .catch((error: unknown) => error);
const code = refusal instanceof OperatingError ? refusal.code : refusal;

const lamp = setup({ types: {} as { events: { type: 'press' } } }).createMachine({
  initial: 'dark',
  states: { dark: { on: { press: 'lit' } }, lit: { on: { press: 'dark' } } },
});
const lamps: System = {
  name: 'lamps',
  actors: {
    left: { machine: lamp, environment: [{ event: { type: 'press' } }] },
    right: { machine: lamp, environment: [{ event: { type: 'press' } }] },
  },
  network: { order: 'fifo' },
  properties: [
    always(
      'one lamp is lit at most',
      count(
        (actor) => actor.in('lit'),
        (lit) => lit <= 1,
      ),
    ),
  ],
};
const report: Report = await check(lamps);
const violated = report.properties.find(({ verdict }) => verdict === 'violated');
const steps = violated?.trace ? traceText(violated.trace).match(/^\d+\. \w+: press/gm) : null;
console.log(
  JSON.stringify({ entries: fences.length, rising, code, states: report.states, steps: steps?.length }),
);
