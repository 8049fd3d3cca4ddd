import type { SiteId } from '../../machines/actor.ts';
import { Refused } from './nonconformance.ts';
import type { RecordedMachine } from './recorded-machine.ts';
import type { SiteRecord } from './site-record.ts';

/** The runs of each site, in order. */
export type Lives = ReadonlyMap<SiteId, readonly [SiteRecord, ...SiteRecord[]]>;

/**
 * The runs of the sites that used one lock. A run between two others may have no record: its process was
 * killed as it began, or did not use the lock. If it had done more, its disk or another site would know.
 *
 * `told` are the sites that have files.
 */
export function livesOf(records: readonly SiteRecord[], told: ReadonlySet<SiteId>): Lives {
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
  const mesh = meshOf(records);
  const untold = mesh.filter((site) => !told.has(site));
  for (const record of records) {
    const named = [record.site, ...record.start.peers].sort();
    if (named.join('\n') === mesh.join('\n') && untold.length === 0) continue;
    const there = mesh.filter((site) => told.has(site));
    record.refuse(
      'REPLAY_MESH',
      `it names the sites ${named.join(', ')}; there are records of ${there.join(', ')}`,
    );
  }
  return lives;
}

/** Every site that one of `records` names. */
export function meshOf(records: readonly SiteRecord[]): readonly SiteId[] {
  return [...new Set(records.flatMap(({ site, start }) => [site, ...start.peers]))].sort();
}

/**
 * The sites that have files. A file is empty when its process was killed as it began, or used no lock.
 *
 * @param empty names of files: `<site>.ndjson`, or `<site>@<run>.ndjson`
 */
export function toldOf(empty: readonly string[], records: readonly SiteRecord[]): ReadonlySet<SiteId> {
  const mesh = meshOf(records);
  const told = new Set(records.map(({ site }) => site));
  for (const file of empty) {
    const site = file.replace(/(@\d+)?\.ndjson$/, '');
    if (mesh.includes(site)) told.add(site);
    else {
      const reason = 'the file is empty, and no other names its site';
      throw new Refused({ code: 'REPLAY_MALFORMED', file, line: 1, reason });
    }
  }
  return told;
}

/** The machine that all `records` ran. */
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
