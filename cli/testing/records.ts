import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SnapshotFrom } from 'xstate';
import { type NamedAction, start, take } from '../../machines/actor.ts';
import { type SiteEvent, siteMachine } from '../../machines/naimi-trehel/site.ts';
import type { EventLine, RecordLine, VectorClock } from '../../machines/record.ts';

interface Recorded {
  readonly lines: RecordLine[];
  snapshot: SnapshotFrom<typeof siteMachine>;
  clock: VectorClock;
}

/** The records of two sites that take turns, `turns` times: the machine itself makes them. By site, its lines. */
export function passing(
  first: string,
  second: string,
  turns: number,
): Readonly<Record<string, readonly RecordLine[]>> {
  const sites = new Map<string, Recorded>();
  for (const [self, peer] of [
    [first, second],
    [second, first],
  ] as const) {
    const input = { self, root: first, peers: 1 };
    const { snapshot } = start(siteMachine, input);
    const { value, context } = snapshot;
    const line: RecordLine = {
      version: 1,
      kind: 'start',
      site: self,
      lock: 'main',
      machine: 'naimi-trehel',
      input,
      peers: [peer],
      snapshot: { value, context },
    };
    sites.set(self, { lines: [line], snapshot, clock: {} });
  }
  const tell = (site: string, event: SiteEvent, sender: EventLine | null): void => {
    const own = sites.get(site)!;
    const { snapshot, effects } = take(siteMachine, own.snapshot, event);
    const seq = own.lines.length;
    const heard = Object.entries(sender?.clock ?? {}).map(([id, at]) => [
      id,
      Math.max(at, own.clock[id] ?? 0),
    ]);
    const clock = { ...own.clock, ...Object.fromEntries(heard), [site]: seq };
    const { value, context } = snapshot;
    const cause = sender === null ? null : { site: sender.site, seq: sender.seq };
    const line: EventLine = {
      version: 1,
      kind: 'event',
      site,
      lock: 'main',
      seq,
      clock,
      cause,
      event,
      snapshot: { value, context },
      effects,
    };
    own.lines.push(line);
    Object.assign(own, { snapshot, clock });
    for (const { target, message } of effects.filter(isSend)) tell(target, message, line);
  };
  for (let turn = 0; turn < turns; turn++) {
    const site = turn % 2 === 0 ? first : second;
    tell(site, { type: 'ask' }, null);
    tell(site, { type: 'release' }, null);
  }
  return Object.fromEntries([...sites].map(([site, { lines }]) => [site, lines]));
}

export function writeLines(directory: string, site: string, lines: readonly RecordLine[]): void {
  appendFileSync(
    join(directory, `${site}.ndjson`),
    lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
  );
}

function isSend(effect: NamedAction): effect is NamedAction & { target: string; message: SiteEvent } {
  return effect.type === 'send';
}
