import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Leadership, LeadOptions } from '../api/leadership.ts';
import type { Held } from '../api/lock.ts';
import { type Member, openMembers } from '../testing/cluster.ts';
import { eventually } from '../testing/eventually.ts';

/** Leads until it is told to stop. */
const forEver = ({ signal }: Held) => sleep(60_000, undefined, { signal });
const retryMs = 5;

const lead = (
  { cluster }: Member,
  work: (held: Held) => void | Promise<void>,
  options?: LeadOptions,
): Leadership => cluster.lead('cron', work, { retryMs, ...options });

describe('among sites that campaign', () => {
  test('one leads; when it closes, or its site does, another does', async () => {
    await using group = await openMembers(['a', 'b', 'c']);
    const terms: number[] = [];
    const all = group.members.map((member) =>
      lead(member, (held) => {
        terms.push(held.fence.epoch * 1_000 + held.fence.k);
        return forEver(held);
      }),
    );
    const leaders = () => all.flatMap(({ leading }, index) => (leading ? [index] : []));
    await eventually(() => expect(leaders()).toHaveLength(1));
    const [first] = leaders();
    await all[first!]!.close();
    expect(all[first!]!.leading).toBe(false);
    await eventually(() => expect(leaders()).toHaveLength(1));
    const [second] = leaders();
    expect(second).not.toBe(first);
    await group.members[second!]!.cluster.close();
    await all[second!]!.close();
    await eventually(() => expect(leaders()).toHaveLength(1));
    expect(terms).toEqual([...new Set(terms)].sort((one, other) => one - other));
    for (const leadership of all) await leadership.close();
    expect(leaders()).toEqual([]);
  });

  test('one whose work returns campaigns again', async () => {
    await using group = await openMembers(['a', 'b']);
    let terms = 0;
    await using _ = lead(group.members[0]!, () => void terms++);
    await eventually(() => expect(terms).toBeGreaterThan(2));
  });

  test('one whose signal aborts ends, and its work learns why', async () => {
    await using group = await openMembers(['a', 'b']);
    const stop = new AbortController();
    const reasons: unknown[] = [];
    const leadership = lead(
      group.members[0]!,
      async ({ signal }) => {
        await forEver({ signal } as Held).catch(() => reasons.push(signal.reason));
      },
      { signal: stop.signal },
    );
    await eventually(() => expect(leadership.leading).toBe(true));
    stop.abort('enough');
    await leadership.close();
    expect(reasons).toEqual(['enough']);
    await eventually(() => expect(group.members[0]!.cluster.lock('cron').status().client).toBe('idle'));
  });
});

describe('an error that the work throws', () => {
  test('is told to onError, and it campaigns again', async () => {
    await using group = await openMembers(['a', 'b']);
    const errors: unknown[] = [];
    const work = () => {
      throw new Error(`term ${errors.length}`);
    };
    await using leadership = lead(group.members[0]!, work, { onError: (error) => errors.push(error) });
    await eventually(() => expect(errors.length).toBeGreaterThan(2));
    expect(errors[1]).toEqual(new Error('term 1'));
    await leadership.close();
  });

  test('else ends it, and close rejects with it', async () => {
    await using group = await openMembers(['a', 'b']);
    let terms = 0;
    const leadership = lead(group.members[0]!, async () => {
      terms += 1;
      throw new Error('of the application');
    });
    await expect(leadership.close()).rejects.toThrow('of the application');
    expect(terms).toBe(1);
    expect(leadership.leading).toBe(false);
  });

  test('is not reported if its signal caused it', async () => {
    await using group = await openMembers(['a', 'b']);
    const errors: unknown[] = [];
    const leadership = lead(group.members[0]!, forEver, { onError: (error) => errors.push(error) });
    await eventually(() => expect(leadership.leading).toBe(true));
    await leadership.close();
    expect(errors).toEqual([]);
  });
});
