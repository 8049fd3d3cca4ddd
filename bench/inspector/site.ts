import { joinCluster, serveWatch } from '../../runtime/index.ts';

/** What `run.ts` says to a site process, in order: how it is, then again and again how far it is. */
export interface Site {
  readonly site: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly peers: Readonly<Record<string, Site['listen']>>;
}

/** A site that takes one lock again and again, and tells how often it has when it is asked. */
process.once('message', async ({ site, listen, peers }: Site) => {
  const cluster = await joinCluster({ cluster: 'bench-inspector', site, root: 'a', listen, peers });
  const watched = await serveWatch(cluster);
  process.on('message', () => process.send!({ entered: cluster.counters().entered }));
  await cluster.ready();
  process.send!({ url: watched.url });
  const lock = cluster.lock('main');
  for (;;) await lock.run(() => undefined);
});
process.once('disconnect', () => process.exit());
