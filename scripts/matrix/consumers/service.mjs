// A service as the matrix runs it: three sites in one process take turns at one lock. `service.mjs MODE DIRECTORY`: the
// certificates are in the working directory, what is written goes to DIRECTORY.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { joinCluster, OperatingError } from 'batonlock';

const [mode = 'plain', dir = '.'] = process.argv.slice(2);
const ids = ['a', 'b', 'c'];

/** Free ports, as many as `count`. All are held until the last is found, so that they differ. */
async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
  return ports;
}

const optionsOf = {
  plain: () => ({}),
  secret: () => ({ secret: 'no-secret-of-anybody-since-it-stands-in-the-sources' }),
  tls: (site) => ({
    tls: {
      ca: readFileSync('ca.crt', 'utf8'),
      cert: readFileSync(`${site}.crt`, 'utf8'),
      key: readFileSync(`${site}.key`, 'utf8'),
    },
  }),
  disk: (site) => ({ dataDir: `${dir}/data-${site}`, traceDir: `${dir}/trace` }),
};

const overdue = setTimeout(() => {
  console.log('no end within 30 s');
  process.exit(1);
}, 30_000);
try {
  const ports = await freePorts(ids.length);
  const at = (id) => ({ host: '127.0.0.1', port: ports[ids.indexOf(id)] });
  const clusters = await Promise.all(
    ids.map((site) => {
      const peers = Object.fromEntries(ids.filter((id) => id !== site).map((id) => [id, at(id)]));
      return joinCluster({ cluster: 'orders', site, listen: at(site), peers, ...optionsOf[mode](site) });
    }),
  );
  await Promise.all(clusters.map((cluster) => cluster.ready()));
  const fences = [];
  for (let turn = 0; turn < 9; turn++)
    await clusters[turn % 3].lock('x').run(({ fence }) => fences.push(fence));
  const isRising = fences.every(
    ({ epoch, k }, at) =>
      at === 0 || epoch > fences[at - 1].epoch || (epoch === fences[at - 1].epoch && k > fences[at - 1].k),
  );
  const refusal = await clusters[0]
    .lock('x')
    .acquire({ timeoutMs: -1 })
    .catch((error) => error);
  for (const cluster of clusters) await cluster.close();
  const isRight = isRising && refusal instanceof OperatingError && refusal.code === 'OPTIONS_INVALID';
  console.log(isRight ? 'works' : `wrong: ${JSON.stringify([fences, String(refusal)])}`);
} catch (error) {
  console.log(`refused: ${error.message}`);
  // A site that did start would go on.
  process.exit(0);
}
clearTimeout(overdue);
