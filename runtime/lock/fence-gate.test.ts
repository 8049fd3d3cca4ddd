import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import initSqlJs from 'sql.js';
import { describe, expect, test } from 'vitest';
import { compareFences, type Fence, FenceGate } from './fence-gate.ts';

const [createTable, acceptFence] = sqlOf(new URL('../../docs/fencing.md', import.meta.url));
const sqlite = await initSqlJs();

/** The blocks of SQL in a document. */
function sqlOf(document: URL): string[] {
  return [...readFileSync(document, 'utf8').matchAll(/```sql\n(.*?)```/gs)].map(([, sql]) => sql!);
}

/** The gate of the documentation, in a real database. */
function sqlGate(statement = acceptFence!) {
  const database = new sqlite.Database();
  database.run(createTable!);
  const accept = (lock: string, { generation, epoch, k }: Fence) =>
    database.exec(statement, [lock, generation, epoch, k]).flatMap(({ values }) => values).length === 1;
  return { accept, close: () => database.close() };
}

const fences = fc.record({
  generation: fc.nat({ max: 2 }),
  epoch: fc.nat({ max: 2 }),
  k: fc.nat({ max: 3 }),
});
const visits = fc.array(fc.tuple(fc.constantFrom('x', 'y'), fences), { maxLength: 30 });

/** A history judged by the definition: no accepted fence was below one accepted before, of the same lock. */
const expected = (history: readonly (readonly [string, Fence])[]) => {
  const seen: [string, Fence][] = [];
  return history.map(([lock, fence]) => {
    const isLower = seen.some(([other, before]) => {
      const g = fence.generation - before.generation;
      const e = fence.epoch - before.epoch;
      const k = fence.k - before.k;
      return other === lock && (g < 0 || (g === 0 && (e < 0 || (e === 0 && k < 0))));
    });
    if (!isLower) seen.push([lock, fence]);
    return !isLower;
  });
};

describe('a gate', () => {
  const opened = [
    ['in memory', () => Object.assign(new FenceGate(), { close: () => {} })],
    ['in SQL, as documented', () => sqlGate()],
  ] as const;
  for (const [where, open] of opened) {
    test(`${where} accepts exactly what is not below the highest`, () => {
      fc.assert(
        fc.property(visits, (history) => {
          const gate = open();
          try {
            const accepted = history.map(([lock, fence]) => gate.accept(lock, fence));
            expect(accepted).toEqual(expected(history));
          } finally {
            gate.close();
          }
        }),
      );
    });
  }

  test.each([
    ['does not accept the same critical section twice', '>=', '>'],
    [
      'compares k alone',
      '(excluded.generation, excluded.epoch, excluded.k) >= (fences.generation, fences.epoch, fences.k)',
      'excluded.k >= fences.k',
    ],
    [
      'does not compare the generation',
      '(excluded.generation, excluded.epoch, excluded.k) >= (fences.generation, fences.epoch, fences.k)',
      '(excluded.epoch, excluded.k) >= (fences.epoch, fences.k)',
    ],
    ['accepts all', 'WHERE', 'WHERE true OR'],
  ])('that %s is seen to', (_, from, to) => {
    expect(acceptFence).toContain(from);
    const { failed } = fc.check(
      fc.property(visits, (history) => {
        const gate = sqlGate(acceptFence!.replace(from, to));
        const accepted = history.map(([lock, fence]) => gate.accept(lock, fence));
        gate.close();
        return JSON.stringify(accepted) === JSON.stringify(expected(history));
      }),
    );
    expect(failed).toBe(true);
  });

  test('is one for each lock, and tells the highest', () => {
    const gate = new FenceGate();
    expect(gate.highest('x')).toBeNull();
    expect(gate.accept('x', { generation: 1, epoch: 2, k: 1 })).toBe(true);
    expect(gate.accept('x', { generation: 1, epoch: 1, k: 9 })).toBe(false);
    expect(gate.accept('y', { generation: 1, epoch: 1, k: 9 })).toBe(true);
    expect(gate.highest('x')).toEqual({ generation: 1, epoch: 2, k: 1 });
  });
});

test('fences are ordered by generation, then by epoch, then by k', () => {
  const shuffled = [
    { generation: 1, epoch: 1, k: 0 },
    { generation: 1, epoch: 0, k: 2 },
    { generation: 1, epoch: 10, k: 1 },
    { generation: 2, epoch: 0, k: 0 },
    { generation: 1, epoch: 0, k: 1 },
  ];
  expect(
    shuffled.sort(compareFences).map(({ generation, epoch, k }) => `${generation}.${epoch}.${k}`),
  ).toEqual(['1.0.1', '1.0.2', '1.1.0', '1.10.1', '2.0.0']);
});

test.each([
  ['orders', undefined],
  ['orders', {}],
  ['orders', { generation: 1, epoch: 1, k: Number.NaN }],
  ['orders', { generation: 1, epoch: '1', k: '2' }],
  ['orders', { generation: 1, epoch: -1, k: 0 }],
  ['orders', { epoch: 1, k: 3 }],
  ['orders', { generation: 1, epoch: 0, k: 0.5 }],
  [{ generation: 1, epoch: 1, k: 1 }, undefined],
])('what is no fence of a lock is refused, and shuts or opens nothing: %j %j', (lock, fence) => {
  const gate = new FenceGate();
  gate.accept('orders', { generation: 1, epoch: 1, k: 3 });
  expect(() => gate.accept(lock as string, fence as unknown as Fence)).toThrow(
    expect.objectContaining({ code: 'OPTIONS_INVALID' }),
  );
  expect(gate.highest('orders')).toEqual({ generation: 1, epoch: 1, k: 3 });
  expect(gate.accept('orders', { generation: 1, epoch: 1, k: 2 })).toBe(false);
});
