import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** The door to the other processes of this machine. */
export interface Processes {
  /** Names this process, and no other before or after it on this machine: `<pid>-<hex digits>`. */
  readonly self: string;
  isAlive(id: string): boolean;
}

export const processIdPattern = /^\d+-[0-9a-f]+$/;

export const systemProcesses: Processes = {
  self: `${process.pid}-${birthOf(process.pid) ?? '0'}`,
  isAlive: (id) => {
    const [pid, birth] = id.split('-') as [string, string];
    try {
      process.kill(Number(pid), 0);
    } catch (error) {
      // Of somebody else, and there.
      if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
    }
    const known = birthOf(Number(pid));
    return known === null || known === birth;
  },
};

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
    // Hidden, or gone just now: who cannot tell must take it for alive.
    return null;
  }
  // proc(5): the name stands in parentheses and may hold any character; state is field 3, starttime field 22.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return 'gone';
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8');
  return createHash('sha256').update(`${boot} ${fields[19]}`).digest('hex').slice(0, 12);
}
