import { joinCluster } from '../../../dist/runtime/index.js';

/* A member that guests attach to: `<index> <port of each member>...`. */

const [index, ...ports] = process.argv.slice(2).map(Number);
const members = ports.map((port, at) => [`m${at}`, { host: '127.0.0.1', port }] as const);
const [site, listen] = members[index!]!;
await joinCluster({
  cluster: 'bench',
  site,
  listen,
  peers: Object.fromEntries(members.filter(([name]) => name !== site)),
});
