// The matrix: a test under Jest (as CommonJS) and under vitest, with their `test` and `expect` as globals.
const { joinCluster } = require('batonlock');

test('a lock is granted under Jest and vitest', async () => {
  const listen = { host: '127.0.0.1', port: 0 };
  const cluster = await joinCluster({ cluster: 'c', site: 'a', listen, peers: {} });
  try {
    expect(await cluster.lock('x').run(({ fence }) => fence.k)).toBe(1);
  } finally {
    await cluster.close();
  }
});
