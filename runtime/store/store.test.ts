import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decode } from './content.ts';
import type { Processes } from './processes.ts';
import { memoryStore, openStore, type Store, type StoreOptions } from './store.ts';
import { type DiskOptions, PowerLoss, SimulatedDisk } from './testing/disk.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'baton-store-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const open = (options: Partial<StoreOptions> = {}): Store =>
  openStore({ dataDir, site: 'a', cluster: 'test', newcomer: false, ...options });
const path = () => join(dataDir, 'a.json');
const code = (expected: string) => expect.objectContaining({ code: expected });

/** A store of one life, closed. */
const life = (options: Partial<StoreOptions>, live: (store: Store) => void): void => {
  const store = open(options);
  live(store);
  store.close();
};
const began = () => life({ newcomer: true }, () => {});

describe('R7: after a restart', () => {
  test('a lock has what was synced last', () => {
    life({ newcomer: true }, (store) => {
      expect(store.read('x', 'b')).toBe('none');
      store.put('x', { promised: 0, epoch: 0, root: 'b' });
      store.put('x', { promised: 2, epoch: 1, root: 'c' });
      store.put('__proto__', { promised: 3, epoch: 3, root: 'a' });
      store.sync();
      store.put('x', { promised: 9, epoch: 9, root: 'c' });
    });
    life({}, (store) => {
      expect(store.read('x', 'b')).toEqual({ promised: 2, epoch: 1, root: 'c' });
      expect(store.read('__proto__', 'b')).toEqual({ promised: 3, epoch: 3, root: 'a' });
      expect(store.locks()).toEqual(['__proto__', 'x']);
    });
  });

  test('a lock of which nothing was kept is closed in epoch 0', () => {
    life({ newcomer: true }, (store) => {
      store.put('x', { promised: 0, epoch: 0, root: 'b' });
      expect(store.read('x', 'b')).toEqual({ promised: 0, epoch: 0, root: 'b' });
      store.sync();
    });
    life({}, (store) => expect(store.read('x', 'b')).toEqual({ promised: 0, epoch: 0, root: 'b' }));
  });

  test('the site is in a life of its own', () => {
    for (const expected of [0, 1, 2]) {
      life({ newcomer: true }, (store) => expect(store.life).toBe(expected));
    }
  });

  test('a newcomer that crashed at once is none any more', () => {
    began();
    life({ newcomer: true }, (store) =>
      expect(store.read('x', 'b')).toEqual({ promised: 0, epoch: 0, root: 'b' }),
    );
  });
});

test('what is on the disk already is not written again', () => {
  const disk = new SimulatedDisk();
  const store = open({ dataDir: '/data', files: disk, newcomer: true });
  const operationsOf = (action: () => void) => {
    const before = disk.operations;
    action();
    return disk.operations - before;
  };
  const put = (promised: number) => store.put('x', { promised, epoch: 0, root: 'b' });
  expect(operationsOf(() => [put(0), store.sync()])).toBe(0);
  expect(operationsOf(() => [put(1), put(2)])).toBe(0);
  const once = operationsOf(() => store.sync());
  expect(once).toBeGreaterThan(0);
  expect(operationsOf(() => [put(2), store.sync()])).toBe(0);
  expect(operationsOf(() => [put(3), store.sync()])).toBe(once);
});

test('a change costs what it says, and not what the file does, which does not grow without end', () => {
  let written = 0;
  class CountingDisk extends SimulatedDisk {
    override write(file: number, bytes: Uint8Array): number {
      written += bytes.length;
      return super.write(file, bytes);
    }
  }
  const disk = new CountingDisk();
  const store = open({ dataDir: '/data', files: disk, newcomer: true });
  for (let index = 0; index < 1_000; index++)
    store.put(`lock ${index}`, { promised: 1, epoch: 0, root: 'b' });
  store.sync();
  const whole = disk.read('/data/a.json')!.length;
  written = 0;
  for (let promised = 2; promised < 2_002; promised++) {
    store.put('lock 7', { promised, epoch: 0, root: 'b' });
    store.sync();
  }
  expect(written / 2_000).toBeLessThan(500);
  expect(disk.read('/data/a.json')!.length).toBeLessThan(2 * whole);
  expect(
    open({ dataDir: '/data', files: disk, processes: { self: '2-2', isAlive: () => false } }).read(
      'lock 7',
      'b',
    ),
  ).toEqual({
    promised: 2_001,
    epoch: 0,
    root: 'b',
  });
});

test('R8: without its file a site that is no newcomer is refused, and nothing is made', () => {
  expect(() => open()).toThrow(code('DISK_MISSING'));
  expect(readdirSync(dataDir)).toEqual([]);
});

test('the file of another site or cluster is refused', () => {
  life({ newcomer: true, site: 'b' }, () => {});
  writeFileSync(path(), readFileSync(join(dataDir, 'b.json')));
  expect(() => open()).toThrow(code('DISK_FOREIGN'));
  expect(() => open({ site: 'b', cluster: 'other' })).toThrow(code('DISK_FOREIGN'));
});

describe('a file that is not whole is refused, and left as it is', () => {
  const written = (): Buffer => {
    life({ newcomer: true }, (store) => {
      for (const lock of ['x', 'yé']) store.put(lock, { promised: 2, epoch: 1, root: 'c' });
      store.sync();
    });
    life({}, (store) => {
      for (const promised of [3, 4]) {
        store.put('x', { promised, epoch: 1, root: 'c' });
        store.sync();
      }
    });
    return readFileSync(path());
  };
  const refused = (bytes: Uint8Array) => {
    writeFileSync(path(), bytes);
    expect(() => open({ newcomer: true })).toThrow(code('DISK_CORRUPT'));
    expect(readFileSync(path())).toEqual(Buffer.from(bytes));
  };

  test('any byte changed', () => {
    const whole = written();
    for (let at = 0; at < whole.length; at++) {
      const other = Buffer.from(whole);
      other[at] = other[at]! ^ (1 << (at % 8));
      refused(other);
    }
  });

  test('cut anywhere in its first part, longer, or something else', () => {
    const whole = written();
    const first = whole.indexOf('\n', whole.indexOf('],"checksum"')) + 1;
    expect(first).toBeLessThan(whole.length - 100);
    for (let length = 0; length < first; length++) refused(whole.subarray(0, length));
    refused(Buffer.concat([whole, Buffer.from('\n')]));
    for (const text of ['null', '{}', '[]', `${whole.toString().trimEnd()} \n`]) refused(Buffer.from(text));
  });

  test('without a change that is not the last, or with one twice', () => {
    const whole = written();
    const lines = whole.toString().split('\n').slice(0, -1);
    const [last, middle] = [lines.at(-1)!, lines.at(-2)!];
    const start = lines.slice(0, -2);
    const file = (...rest: readonly string[]) => Buffer.from(`${[...start, ...rest].join('\n')}\n`);
    expect(file(middle, last)).toEqual(whole);
    for (const rest of [[last], [last, middle], [middle, middle, last], [middle, last, last]])
      refused(file(...rest));
  });

  test('but for a last change that was not written to its end: it is none', () => {
    const whole = written();
    const last = whole.lastIndexOf('\n', whole.length - 2) + 1;
    const promised = (bytes: Uint8Array) => {
      writeFileSync(path(), bytes);
      let found = 0;
      life({}, (store) => {
        found = (store.read('x', 'b') as { promised: number }).promised;
      });
      return found;
    };
    expect(promised(whole)).toBe(4);
    // But for its line end it is all there.
    expect(promised(whole.subarray(0, -1))).toBe(4);
    for (let length = last; length < whole.length - 1; length++) {
      expect(promised(whole.subarray(0, length))).toBe(3);
      expect(promised(Buffer.concat([whole.subarray(0, length), Buffer.alloc(40)]))).toBe(3);
    }
  });
});

describe('when the power goes at any moment', () => {
  const runs = fc.record({
    epochs: fc.array(fc.record({ lock: fc.constantFrom('x', 'y'), ahead: fc.nat({ max: 3 }) }), {
      minLength: 1,
      maxLength: 12,
    }),
    powerOffAt: fc.nat({ max: 90 }),
    chunk: fc.integer({ min: 1, max: 300 }),
    changes: fc.nat({ max: 8 }),
    bytes: fc.nat({ max: 400 }),
    zeros: fc.boolean(),
    leastBytes: fc.constantFrom(0, 65_536),
  });

  /** After the loss, the store must hold what the last sync that returned put there, or what was being synced. */
  const property = (Disk: typeof SimulatedDisk, seen: { lost: number; afterSync: number }) =>
    fc.property(runs, ({ epochs, powerOffAt, chunk, changes, bytes, zeros, leastBytes }) => {
      const options: DiskOptions = { powerOffAt, chunk };
      const disk = new Disk(options);
      const state: Record<string, number> = {};
      const allowed: (string | null)[] = [null];
      const keep = () => JSON.stringify(Object.entries(state).sort());
      try {
        allowed.push(keep());
        const store = open({ dataDir: '/data', files: disk, newcomer: true, leastBytes });
        allowed.shift();
        for (const { lock, ahead } of epochs) {
          state[lock] = (state[lock] ?? 0) + 1 + ahead;
          store.put(lock, { promised: state[lock], epoch: 0, root: 'b' });
          allowed.push(keep());
          store.sync();
          allowed.shift();
          seen.afterSync++;
        }
      } catch (error) {
        if (!(error instanceof PowerLoss)) throw error;
        seen.lost++;
      }
      const found = new SimulatedDisk({}, disk.afterPowerLoss(changes, bytes, zeros));
      if (!allowed.includes(null)) expect(found.read('/data/a.json')).not.toBeNull();
      if (found.read('/data/a.json') === null) return;
      const store = open({ dataDir: '/data', files: found, processes: nobody });
      const kept = store
        .locks()
        .map((lock) => [lock, (store.read(lock, 'b') as { promised: number }).promised]);
      expect(allowed).toContain(JSON.stringify(kept));
    });
  const nobody: Processes = { self: '2-2', isAlive: () => false };

  test('a restart finds the old or the new, whole, and never less than was synced', () => {
    const seen = { lost: 0, afterSync: 0 };
    fc.assert(property(SimulatedDisk, seen), { numRuns: 1_000 });
    expect(seen.lost).toBeGreaterThan(200);
    expect(seen.afterSync).toBeGreaterThan(200);
  });

  test.each([
    [
      'does not sync the file',
      class extends SimulatedDisk {
        override sync(): void {}
      },
    ],
    [
      'does not sync the directory',
      class extends SimulatedDisk {
        override syncDirectory(): void {}
      },
    ],
  ])('and a disk that %s is seen to break that', (_, Disk) => {
    const { failed } = fc.check(property(Disk, { lost: 0, afterSync: 0 }), { numRuns: 2_000 });
    expect(failed).toBe(true);
  });
});

describe('a disk that refuses', () => {
  test('full, at any size: sync throws, now and ever after, and the old stays', () => {
    let refusals = 0;
    for (let capacity = 0; capacity < 700; capacity += 7) {
      const disk = new SimulatedDisk({ capacity, chunk: 50 });
      let store: Store;
      try {
        store = open({ dataDir: '/data', files: disk, newcomer: true });
      } catch (error) {
        expect(error).toEqual(code('DISK_FAILED'));
        expect(disk.read('/data/a.json')).toBeNull();
        continue;
      }
      const before = disk.read('/data/a.json');
      store.put('x', { promised: 1, epoch: 0, root: 'b' });
      try {
        store.sync();
      } catch (error) {
        refusals++;
        expect(error).toEqual(code('DISK_FAILED'));
        expect(decode(disk.read('/data/a.json')!)).toEqual(decode(before!));
        expect(() => store.sync()).toThrow(code('DISK_FAILED'));
        expect(() => store.sync()).toThrow(error as Error);
      }
    }
    expect(refusals).toBeGreaterThan(10);
  });

  test.runIf(process.platform === 'linux')('by the kernel: ENOSPC', () => {
    const store = open({ newcomer: true });
    const before = readFileSync(path());
    symlinkSync('/dev/full', `${path()}.tmp`);
    // So many that the file is written anew.
    for (let index = 0; index < 2_000; index++)
      store.put(`lock ${index}`, { promised: 1, epoch: 0, root: 'b' });
    expect(() => store.sync()).toThrow(
      expect.objectContaining({ code: 'DISK_FAILED', cause: expect.objectContaining({ code: 'ENOSPC' }) }),
    );
    expect(readFileSync(path())).toEqual(before);
    store.close();
  });

  test('a data directory that is a file', () => {
    writeFileSync(join(dataDir, 'file'), '');
    expect(() => open({ dataDir: join(dataDir, 'file'), newcomer: true })).toThrow(code('DISK_FAILED'));
  });
});

describe('one process at a time', () => {
  test('a second store of the same site is refused until the first is closed', () => {
    const first = open({ newcomer: true });
    expect(() => open()).toThrow(code('STORE_IN_USE'));
    life({ newcomer: true, site: 'b' }, () => {});
    first.close();
    open().close();
    expect(readdirSync(dataDir)).toEqual(['a.json', 'b.json']);
  });

  test('a living process keeps it, a killed one does not', async () => {
    const { href } = new URL('./store.ts', import.meta.url);
    const options = JSON.stringify({ dataDir, site: 'a', cluster: 'test', newcomer: true });
    const script = `import { openStore } from ${JSON.stringify(href)};
      openStore(${options}); console.log('open'); setInterval(() => {}, 1_000);`;
    const args = ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', script];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await new Promise((resolve) => child.stdout.once('data', resolve));
      expect(() => open()).toThrow(code('STORE_IN_USE'));
    } finally {
      child.kill('SIGKILL');
      await new Promise((resolve) => child.once('exit', resolve));
    }
    open().close();
    expect(readdirSync(dataDir)).toEqual(['a.json']);
  });

  test('whoever has the number of a dead owner is not taken for it', () => {
    began();
    writeFileSync(join(dataDir, `a.owner.${process.ppid}-0123456789ab`), '');
    if (process.platform === 'linux') open().close();
    else expect(() => open()).toThrow(code('STORE_IN_USE'));
  });

  test('of two that begin at once at most one has it', () => {
    const process = (self: string): Processes => ({ self, isAlive: () => true });
    const disk = new SimulatedDisk();
    const inside: string[] = [];
    const attempt = (self: string, files: SimulatedDisk) => {
      try {
        open({ dataDir: '/data', newcomer: true, files, processes: process(self) });
        inside.push(self);
      } catch (error) {
        expect(error).toEqual(code('STORE_IN_USE'));
      }
    };
    // The second comes to be between the first's making its file and its looking for others.
    const list = disk.list.bind(disk);
    disk.list = () => {
      disk.list = list;
      attempt('2-2', disk);
      return list();
    };
    attempt('1-1', disk);
    attempt('3-3', disk);
    expect(inside).toHaveLength(1);
  });
});

test('a store in memory keeps what was put, for as long as it lives', () => {
  const store = memoryStore();
  expect(store.read('x', 'b')).toBe('none');
  store.put('x', { promised: 1, epoch: 0, root: 'b' });
  store.sync();
  expect(store.read('x', 'b')).toEqual({ promised: 1, epoch: 0, root: 'b' });
  expect(memoryStore().read('x', 'b')).toBe('none');
});
