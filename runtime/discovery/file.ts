import { readFile } from 'node:fs/promises';
import { type DiscoverySource, fromFunction, type PollOptions } from './discovery.ts';

/**
 * Finds processes by a file of lines `host:port`; `#` begins a comment. The file is read again every `everyMs` (default: 1,000), so a
 * file that is replaced is followed, a ConfigMap of Kubernetes too.
 */
export function fromFile(path: string, { everyMs = 1_000 }: PollOptions = {}): DiscoverySource {
  return fromFunction(
    async () => {
      const lines = (await readFile(path, 'utf8')).split('\n');
      return lines.map((line) => line.replace(/#.*/, '').trim()).filter((line) => line !== '');
    },
    { everyMs },
  );
}
