// The matrix: CommonJS.
const { joinCluster, OperatingError } = require('batonlock');

async function main() {
  const listen = { host: '127.0.0.1', port: 0 };
  const cluster = await joinCluster({ cluster: 'c', site: 'a', listen, peers: {} });
  const fence = await cluster.lock('x').run((held) => held.fence);
  const error = await cluster
    .lock('x')
    .acquire({ timeoutMs: -1 })
    .catch((reason) => reason);
  await cluster.close();
  console.log(fence.k === 1 && error instanceof OperatingError ? 'works' : `wrong: ${JSON.stringify(fence)}`);
}

main();
