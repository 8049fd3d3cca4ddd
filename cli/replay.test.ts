import { describe, expect, it, onTestFinished } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import { siteMachine } from '../machines/epoch/site.ts';
import type { Cluster, Strict } from '../runtime/index.ts';
import { joinWith } from '../runtime/join.ts';
import { editorOf } from '../verification/system/edit.ts';
import { baton } from './testing/baton.ts';
import { directory } from './testing/directory.ts';

type Sites = Record<'a' | 'b' | 'c', Cluster>;

/** Sites `a`, `b`, `c` over TCP in this process, `a` the root and running `statechart`. */
async function threeSites(traceDir: string, statechart: AnyStateMachine, strict?: Strict): Promise<Sites> {
  const peers = Object.fromEntries(['a', 'b', 'c'].map((id) => [id, { host: '127.0.0.1', port: 1 }]));
  const open = async (site: string) => {
    const { [site]: listen, ...dialled } = peers;
    const common = {
      cluster: 'replay',
      root: 'a',
      traceDir,
      site,
      listen: { ...listen!, port: 0 },
      peers: dialled,
      ...(strict && { strict }),
    };
    const opened = await joinWith(site === 'a' ? statechart : siteMachine, common);
    onTestFinished(() => opened.close({ graceful: false }));
    peers[site] = opened.address;
    return opened;
  };
  // The last first: a site dials those that come after it.
  const [c, b, a] = [await open('c'), await open('b'), await open('a')];
  await Promise.all([a.ready(), b.ready(), c.ready()]);
  return { a, b, c };
}

/** b has its turn, then c; a has to forward the request of c to b. */
async function takeTurns({
  statechart = siteMachine as AnyStateMachine,
  strict = undefined as Strict | undefined,
} = {}): Promise<string> {
  const trace = directory();
  const { a, b, c } = await threeSites(trace, statechart, strict);
  await b.lock('main').run(() => undefined);
  await c.lock('main').run(() => undefined);
  await Promise.all([a, b, c].map((site) => site.close({ graceful: false })));
  return trace;
}

describe('baton replay', () => {
  it('accepts the record of real sites', async () => {
    const { status, stdout } = await baton('replay', await takeTurns());
    expect(stdout).toContain('lock main (epoch) at a, b, c: ');
    expect(stdout).toMatch(/, 2 critical sections\naccepted/);
    expect(status).toBe(0);
  });

  it('accepts the record of real sites under leases', async () => {
    const { status, stdout } = await baton('replay', await takeTurns({ strict: { leaseMs: 100 } }));
    expect(stdout).toMatch(/, 2 critical sections\naccepted/);
    expect(status).toBe(0);
  });

  it('refuses the record of a site with a faulty statechart, and shows the correct step', async () => {
    // The pointer is not turned to the origin of a request that is passed on.
    const statechart = editorOf(siteMachine).remove('routing.forwarding.on.REQUEST.actions.1');
    const { status, stdout } = await baton('replay', await takeTurns({ statechart }));
    expect(status).toBe(1);
    expect(stdout.split('\n').slice(1, -1)).toEqual([
      'refused at a.ndjson:3: the machine takes REQUEST here, with other snapshot (REPLAY_STEP)',
      '  event     REQUEST(epoch=0, root=a, origin=c) from c, at a',
      '  differs   snapshot.context.last: recorded "b", the machine "c"',
      '  possible  ask; release; releaseAndAsk; again; try; suspect; REQUEST(epoch=0, root=a, origin=c) from c',
    ]);
  });
});
