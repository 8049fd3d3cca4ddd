import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { parseArgs } from 'node:util';
import type { Address, ClusterOptions } from 'batonlock';

/*
 * Processes of one example, each a site of the same cluster. Your own service takes its addresses from its
 * configuration.
 */

export interface Member<Ready> {
  readonly child: ChildProcess;
  /** Its first message, sent when it was ready. */
  readonly ready: Ready;
}

/**
 * Starts `program` once for each id, with the options with which it joins. Resolves when all of them are
 * ready.
 */
export async function startMembers<Ready = unknown>(
  program: URL,
  ids: readonly string[],
  more: object = {},
): Promise<ReadonlyMap<string, Member<Ready>>> {
  const addresses = new Map<string, Address>();
  for (const id of ids) addresses.set(id, { host: '127.0.0.1', port: await freePort() });
  const children = new Map<string, ChildProcess>();
  for (const site of ids) {
    const peers = Object.fromEntries([...addresses].filter(([id]) => id !== site));
    const options = { cluster: 'example', site, listen: addresses.get(site)!, peers };
    children.set(site, fork(program, [JSON.stringify({ ...options, ...more })]));
  }
  // No child outlives this process, whatever the reason of its end.
  process.on('exit', () => {
    for (const child of children.values()) child.kill('SIGKILL');
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
  const members = [...children].map(async ([id, child]): Promise<[string, Member<Ready>]> => {
    const [ready] = await once(child, 'message');
    return [id, { child, ready }];
  });
  return new Map(await Promise.all(members));
}

/** In a member: the options with which it was started. */
export function memberOptions<More = unknown>(): ClusterOptions & More {
  return JSON.parse(process.argv[2]!);
}

/** Asks a member to end, and waits until it has ended. A stopped member cannot receive the message. */
export async function endMember({ child }: Member<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.send('end');
  await once(child, 'exit');
}

/** In a member: runs `end` when it is asked to end. */
export function whenAskedToEnd(end: () => Promise<void>): void {
  process.on('message', (message) => {
    if (message === 'end') void end().then(() => process.exit(0));
  });
  // The parent process, which could ask, is gone.
  process.on('disconnect', () => process.exit(1));
}

/** Parses `--seconds N` and `--no-fence`. */
export function argumentsOf(seconds: number): { readonly ms: number; readonly fenced: boolean } {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: `${seconds}` },
      'no-fence': { type: 'boolean', default: false },
    },
  });
  const ms = Number(values.seconds) * 1_000;
  if (!(ms > 0)) throw new Error(`--seconds is a number above 0, not ${values.seconds}`);
  return { ms, fenced: !values['no-fence'] };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
