import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';

/** The door to the other processes of this machine. */
export interface Processes {
  /**
   * Names this process, and no other before or after it on this machine: `<pid>-<hex digits>`; where there are
   * containers, followed by `-<hex digits>` of the one that it is in.
   */
  readonly self: string;
  /** `null`: it is, or was, in another container or on another machine, where this process cannot look. */
  isAlive(id: string): boolean | null;
  /** Lets processes of other containers know by this path, a socket in a directory that they share, that this one lives. */
  answerAt(path: string): Promise<() => void>;
  /** Whether the process lives that answers, or did, at this path; `null`: none ever did, as far as is known. */
  answers(path: string): Promise<boolean | null>;
}

export const processIdPattern = /^\d+-[0-9a-f]+(-[0-9a-f]+)?$/;

const container = containerOf();

export const systemProcesses: Processes = {
  self: [process.pid, birthOf(process.pid) ?? '0', ...(container === null ? [] : [container])].join('-'),
  isAlive: (id) => {
    const [pid, birth, elsewhere] = id.split('-') as [string, string, string?];
    if (elsewhere !== undefined && elsewhere !== container) return null;
    try {
      process.kill(Number(pid), 0);
    } catch (error) {
      // A process of another user, and alive.
      if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
    }
    const known = birthOf(Number(pid));
    return known === null || known === birth;
  },
  answerAt: async (path) => {
    if (container === null || Buffer.byteLength(path) > longestSocketPath) return () => undefined;
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.destroy();
    });
    // A worker of node:cluster would have its primary listen, and answer when it is dead itself.
    server.listen({ path, exclusive: true });
    try {
      await once(server, 'listening');
    } catch {
      // A file system without sockets: a process that cannot be asked is taken for alive.
      return () => undefined;
    }
    server.on('error', () => undefined);
    server.unref();
    return () => server.close();
  },
  answers: async (path) => {
    if (!existsSync(path)) return null;
    const socket = connect({ path });
    try {
      await once(socket, 'connect', { signal: AbortSignal.timeout(answerTimeoutMs) });
      return true;
    } catch (error) {
      return !['ECONNREFUSED', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '');
    } finally {
      socket.on('error', () => undefined);
      socket.destroy();
    }
  },
};

/** As unix(7) has it. */
const longestSocketPath = 107;
const answerTimeoutMs = 1_000;

/** The space of process numbers that this process is in: that of its container, on this machine, since this start of it. */
function containerOf(): string | null {
  if (process.platform !== 'linux') return null;
  try {
    return digest(`${bootId()} ${readlinkSync('/proc/self/ns/pid')}`);
  } catch {
    // Hidden: then only the number is known.
    return null;
  }
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8');
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

/**
 * Tells a process from others that had or will have its number, across reboots too; `null` where the system
 * does not say (only Linux does). A process that is dead and only waits for its parent to hear of it is `gone`.
 */
function birthOf(pid: number): string | null {
  if (process.platform !== 'linux') return null;
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    // Hidden, or gone just now: without knowing, it is taken for alive.
    return null;
  }
  // proc(5): the name stands in parentheses and may hold any character; state is field 3, starttime field 22.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return 'gone';
  return digest(`${bootId()} ${fields[19]}`);
}
