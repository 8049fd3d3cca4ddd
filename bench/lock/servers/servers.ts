import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** A server of clients, on loopback, with its own folder that is removed when it stops. */
export interface Server {
  readonly ports: readonly number[];
  stop(): Promise<void>;
}

/** Starts the server, or returns the reason why it is not available here. */
export type StartServer = (freePort: () => Promise<number>) => Promise<Server | string>;

export const startCentralFifo: StartServer = async (freePort) => {
  const port = await freePort();
  const program = fileURLToPath(new URL('./central-fifo.ts', import.meta.url));
  return run(process.execPath, ['--import', 'tsx', program, String(port)], port);
};

/** Three members, each in a process of its own. */
export const startMembers: StartServer = async (freePort) => {
  const program = fileURLToPath(new URL('../contenders/baton-member.ts', import.meta.url));
  const ports = await Promise.all([freePort(), freePort(), freePort()]);
  const members = await Promise.all(
    ports.map((port, index) =>
      run(process.execPath, ['--import', 'tsx', program, String(index), ...ports.map(String)], port),
    ),
  );
  return { ports, stop: async () => void (await Promise.all(members.map((member) => member.stop()))) };
};

export const startRedis: StartServer = async (freePort) => {
  const file = onPath('redis-server');
  if (file === null) return 'no redis-server on the PATH (Debian: apt install redis-server)';
  const port = await freePort();
  return run(file, ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'], port);
};

export const startEtcd: StartServer = async (freePort) => {
  const file = onPath('etcd');
  if (file === null) return 'no etcd on the PATH (Debian: apt install etcd-server)';
  const [port, peerPort] = [await freePort(), await freePort()];
  const [clients, peers] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${peerPort}`];
  const urls = ['--listen-client-urls', clients, '--advertise-client-urls', clients];
  const cluster = ['--listen-peer-urls', peers, '--initial-advertise-peer-urls', peers];
  return run(
    file,
    ['--data-dir', 'data', ...urls, ...cluster, '--initial-cluster', `default=${peers}`],
    port,
  );
};

export const startPostgres: StartServer = async (freePort) => {
  const [initdb, postgres] = [onPath('initdb', debianPostgres()), onPath('postgres', debianPostgres())];
  if (initdb === null || postgres === null) return 'no initdb and postgres (Debian: apt install postgresql)';
  const who = await unprivileged();
  const folder = newFolder(who);
  await promisify(execFile)(initdb, ['-D', 'data', '-U', 'baton', '-A', 'trust', '--locale=C'], {
    cwd: folder,
    ...who,
  });
  const port = await freePort();
  const sockets = ['-k', folder, '-c', 'listen_addresses=127.0.0.1', '-c', 'max_connections=600'];
  return run(postgres, ['-D', 'data', '-p', String(port), ...sockets], port, folder, who);
};

/** Debian keeps these programs out of the PATH, below the version number. */
function debianPostgres(): readonly string[] {
  const home = '/usr/lib/postgresql';
  return existsSync(home) ? readdirSync(home).map((version) => join(home, version, 'bin')) : [];
}

function onPath(name: string, more: readonly string[] = []): string | null {
  const { PATH = '' } = process.env;
  const places = [...PATH.split(delimiter), ...more].map((folder) => join(folder, name));
  return places.find((file) => existsSync(file)) ?? null;
}

interface User {
  readonly uid?: number;
  readonly gid?: number;
}

/** PostgreSQL refuses to run as root. */
async function unprivileged(): Promise<User> {
  if (process.getuid?.() !== 0) return {};
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (flag) => Number((await promisify(execFile)('id', [flag, 'nobody'])).stdout)),
  );
  return { uid: uid!, gid: gid! };
}

function newFolder({ uid, gid }: User): string {
  const folder = mkdtempSync(join(tmpdir(), 'baton-bench-lock-'));
  const { uid: ownUid, gid: ownGid } = statSync(folder);
  chownSync(folder, uid ?? ownUid, gid ?? ownGid);
  return folder;
}

async function run(
  file: string,
  args: readonly string[],
  port: number,
  folder = newFolder({}),
  who: User = {},
): Promise<Server> {
  const cwd = file === process.execPath ? process.cwd() : folder;
  const child = spawn(file, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'], ...who });
  let complaints = '';
  child.stderr.on('data', (data) => (complaints = (complaints + data).slice(-2_000)));
  const stop = async () => {
    await stopChild(child);
    rmSync(folder, { recursive: true });
  };
  try {
    await untilListening(port, child);
  } catch (cause) {
    await stop();
    throw new Error(`${file} did not start: ${complaints}`, { cause });
  }
  return { ports: [port], stop };
}

export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function untilListening(port: number, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (child.exitCode !== null) throw new Error(`exit status ${child.exitCode}`);
    const socket = connect({ port, host: '127.0.0.1' });
    const connected = once(socket, 'connect').then(
      () => true,
      () => false,
    );
    const isThere = await connected;
    socket.destroy();
    if (isThere) return;
    await sleep(50);
  }
  throw new Error(`nothing listens on port ${port} after 15 s`);
}
