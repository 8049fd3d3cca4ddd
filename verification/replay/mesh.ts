import type { SiteId } from '../../machines/actor.ts';
import type { RecordedMachine } from './recorded-machine.ts';
import { Refused } from './refusal.ts';
import type { SiteRecord } from './site-record.ts';

/** By site, its lives in order. */
export type Lives = ReadonlyMap<SiteId, readonly [SiteRecord, ...SiteRecord[]]>;

/**
 * The lives of one lock's sites: each site of the mesh has some. One between two others may have no record: its
 * process was killed as it began. Had it done more, its disk would tell, or whoever heard of it.
 */
export function livesOf(records: readonly SiteRecord[]): Lives {
  const lives = new Map<SiteId, [SiteRecord, ...SiteRecord[]]>();
  for (const record of [...records].sort((left, right) => left.life - right.life)) {
    const { site, life } = record;
    const earlier = lives.get(site);
    if (earlier === undefined) {
      lives.set(site, [record]);
      continue;
    }
    if (earlier.at(-1)!.life === life) {
      record.refuse('REPLAY_MESH', `there are two records of life ${life} of site ${site}`);
    }
    earlier.push(record);
  }
  const mesh = [...lives.keys()].sort();
  for (const record of records) {
    const named = [record.site, ...record.start.peers].sort();
    if (named.join('\n') === mesh.join('\n')) continue;
    record.refuse(
      'REPLAY_MESH',
      `it names the sites ${named.join(', ')}; there are records of ${mesh.join(', ')}`,
    );
  }
  return lives;
}

/**
 * A file is empty when its process was killed as it began; then its site has other lives.
 *
 * @param empty names of files: `<site>.ndjson`, or `<site>@<life>.ndjson`
 */
export function refuseEmpty(empty: readonly string[], records: readonly SiteRecord[]): void {
  const orphan = empty.find((name) => {
    const site = name.replace(/(@\d+)?\.ndjson$/, '');
    return records.every((record) => record.site !== site);
  });
  if (orphan === undefined) return;
  const reason = 'the file is empty: it has to begin with a start line';
  throw new Refused({ code: 'REPLAY_MALFORMED', file: orphan, line: 1, reason });
}

/** What all `records` ran. */
export function protocolOf(
  records: readonly SiteRecord[],
  machines: Readonly<Record<string, RecordedMachine>>,
): RecordedMachine {
  const [first, ...others] = records as readonly [SiteRecord, ...SiteRecord[]];
  const { machine } = first.start;
  for (const other of others) {
    if (other.start.machine === machine) continue;
    other.refuse('REPLAY_MESH', `it ran ${other.start.machine}, and ${first.site} ran ${machine}`);
  }
  const known = Object.hasOwn(machines, machine) ? machines[machine] : undefined;
  const names = Object.keys(machines).join(', ');
  return known ?? first.refuse('REPLAY_MESH', `unknown machine ${machine}; known: ${names}`);
}
