import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../testing/eventually.ts';
import { decode } from './content.ts';
import type { Processes } from './processes.ts';
import { memoryStore, openStore, readStore, type Store, type StoreOptions } from './store.ts';
import { type DiskOptions, PowerLoss, SimulatedDisk } from './testing/disk.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'baton-store-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const optionsOf = (options: Partial<StoreOptions>): StoreOptions => ({
  dataDir,
  site: 'a',
  cluster: 'test',
  newId: 'data-1',
  ...options,
});
/** Opens the store of a directory that is this process's own. */
const open = (options: Partial<StoreOptions> = {}): Store => readStore(optionsOf(options));
/** The same, when it has been made its own. */
const openOwn = (options: Partial<StoreOptions> = {}): Promise<Store> => openStore(optionsOf(options));
const path = () => join(dataDir, 'a.json');
const code = (expected: string) => expect.objectContaining({ code: expected });

/** A store of one life, closed. */
const life = (options: Partial<StoreOptions>, live: (store: Store) => void): void => {
  const store = open(options);
  live(store);
  store.close();
};
const founded = { generation: 1, ids: { a: 'data-1' }, stage: 'settled' } as const;
const began = () =>
  life({}, (store) => {
    store.putFounding(founded);
    store.sync();
  });

describe('R7: after a restart', () => {
  test('a lock has what was synced last', () => {
    life({}, (store) => {
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

  test('a lock without a record is closed in epoch 0', () => {
    life({}, (store) => {
      store.put('x', { promised: 0, epoch: 0, root: 'b' });
      expect(store.read('x', 'b')).toEqual({ promised: 0, epoch: 0, root: 'b' });
      store.putFounding(founded);
      store.sync();
    });
    life({}, (store) => expect(store.read('x', 'b')).toEqual({ promised: 0, epoch: 0, root: 'b' }));
  });

  test('the site is in a life of its own', () => {
    for (const expected of [0, 1, 2]) {
      life({}, (store) => expect(store.life).toBe(expected));
    }
  });

  test('no lock ran before the cluster was founded', () => {
    life({}, (store) => {
      store.putFounding({ ...founded, stage: 'accepted' });
      store.sync();
    });
    life({}, (store) => {
      store.putFounding(founded);
      store.sync();
      expect(store.read('x', 'b')).toBe('none');
    });
    life({}, (store) => expect(store.read('x', 'b')).toEqual({ promised: 0, epoch: 0, root: 'b' }));
  });

  test('a first life that crashed at once was one all the same', () => {
    began();
    life({}, (store) => expect(store.read('x', 'b')).toEqual({ promised: 0, epoch: 0, root: 'b' }));
  });
});

test('data that is on the disk already is not written again', () => {
  const disk = new SimulatedDisk();
  const store = open({ dataDir: '/data', files: disk });
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
  const store = open({ dataDir: '/data', files: disk });
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
  expect(open({ dataDir: '/data', files: disk }).read('lock 7', 'b')).toEqual({
    promised: 2_001,
    epoch: 0,
    root: 'b',
  });
});

test('R8: a directory has an id, as long as its file is there, and what was accepted of the founding', () => {
  const founding = { generation: 7, ids: { b: 'data-b', a: 'data-1' }, stage: 'settled' } as const;
  life({}, (store) => {
    expect([store.id, store.founding]).toEqual(['data-1', null]);
    store.putFounding({ ...founding, stage: 'accepted' });
    store.sync();
    store.putFounding(founding);
  });
  life({ newId: 'data-2' }, (store) => {
    expect([store.id, store.founding]).toEqual(['data-1', { ...founding, stage: 'accepted' }]);
    store.putFounding(founding);
    store.put('x', { promised: 1, epoch: 1, root: 'b' });
    store.sync();
    store.put('x', { promised: 2, epoch: 2, root: 'b' });
    store.sync();
  });
  life({ newId: 'data-2' }, (store) => {
    expect([store.id, store.founding]).toEqual(['data-1', founding]);
    expect(store.read('x', 'b')).toEqual({ promised: 2, epoch: 2, root: 'b' });
  });
  rmSync(path());
  life({ newId: 'data-2' }, (store) => expect([store.id, store.founding]).toEqual(['data-2', null]));
});

test('the file of another site or cluster is refused', () => {
  life({ site: 'b' }, () => {});
  writeFileSync(path(), readFileSync(join(dataDir, 'b.json')));
  expect(() => open()).toThrow(code('DISK_FOREIGN'));
  expect(() => open({ site: 'b', cluster: 'other' })).toThrow(code('DISK_FOREIGN'));
});

describe('a file that is not whole is refused, and left as it is', () => {
  const written = (): Buffer => {
    life({}, (store) => {
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
    expect(() => open({})).toThrow(/^DISK_(CORRUPT|VERSION): /);
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

  test('a file that lacks or repeats a change', () => {
    const whole = written();
    const lines = whole.toString().split('\n').slice(0, -1);
    const [last, middle] = [lines.at(-1)!, lines.at(-2)!];
    const start = lines.slice(0, -2);
    const file = (...rest: readonly string[]) => Buffer.from(`${[...start, ...rest].join('\n')}\n`);
    expect(file(middle, last)).toEqual(whole);
    for (const rest of [[last], [last, middle], [middle, middle, last], [middle, last, last]])
      refused(file(...rest));
  });

  test('not a last change that is incomplete: that one is ignored', () => {
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

  /** After the loss, the store must hold the content of the last sync that returned, or of the sync under way. */
  const property = (Disk: typeof SimulatedDisk, seen: { lost: number; afterSync: number }) =>
    fc.property(runs, ({ epochs, powerOffAt, chunk, changes, bytes, zeros, leastBytes }) => {
      const options: DiskOptions = { powerOffAt, chunk };
      const disk = new Disk(options);
      const state: Record<string, number> = {};
      const allowed: (string | null)[] = [null];
      const keep = () => JSON.stringify(Object.entries(state).sort());
      try {
        allowed.push(keep());
        const store = open({ dataDir: '/data', files: disk, leastBytes });
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
      const store = open({ dataDir: '/data', files: found });
      const kept = store
        .locks()
        .map((lock) => [lock, (store.read(lock, 'b') as { promised: number }).promised]);
      expect(allowed).toContain(JSON.stringify(kept));
    });

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
        store = open({ dataDir: '/data', files: disk });
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

  // A limit on the size of files makes the kernel refuse a write, and needs no rights.
  test.runIf(process.platform === 'linux')('by the kernel: EFBIG, and the old stays', () => {
    const run = inProcess(`
      const store = await openStore({ ...options });
      store.put('x', { promised: 1, epoch: 0, root: 'b' });
      store.sync();
      execFileSync('prlimit', ['--pid', String(process.pid), '--fsize=' + statSync(path).size + ':unlimited']);
      store.put('x', { promised: 2, epoch: 0, root: 'b' });
      const codes = [];
      for (const attempt of [1, 2]) try { store.sync(); } catch (error) { codes.push(error.code, error.cause.code); }
      store.close();
      answer(codes);`);
    expect(run).toEqual(['DISK_FAILED', 'EFBIG', 'DISK_FAILED', 'EFBIG']);
    life({}, (store) => expect(store.read('x', 'b')).toMatchObject({ promised: 1 }));
  });

  test.runIf(process.platform === 'linux')(
    'no descriptor that is left: what was promised is kept all the same',
    () => {
      const run = inProcess(`
      const store = await openStore({ ...options, leastBytes: 300 });
      const left = [];
      try { for (;;) left.push(openSync('/dev/null', 'r')); } catch (error) { left.push(error.code); }
      for (let promised = 1; promised <= 50; promised++) {
        store.put('x', { promised, epoch: 0, root: 'b' });
        store.sync();
      }
      const grown = statSync(path).size;
      closeSync(left[0]);
      closeSync(left[1]);
      for (let promised = 51; promised <= 60; promised++) {
        store.put('x', { promised, epoch: 0, root: 'b' });
        store.sync();
      }
      answer([left.at(-1), grown > 3_000, statSync(path).size < 1_500]);`);
      expect(run).toEqual(['EMFILE', true, true]);
      life({}, (store) => expect(store.read('x', 'b')).toMatchObject({ promised: 60 }));
    },
  );

  test('a file that was taken away, or that another has put its own in the place of, takes no more', () => {
    const instead = [
      () => undefined,
      () => writeFileSync(path(), ''),
      () => symlinkSync('/dev/null', path()),
    ];
    for (const put of instead) {
      const store = open({});
      store.put('x', { promised: 1, epoch: 0, root: 'b' });
      rmSync(path());
      put();
      expect(() => store.sync()).toThrow(/DISK_FAILED: .* is no longer the file that this process writes/);
      store.close();
      rmSync(path(), { force: true });
    }
  });

  test.runIf(process.platform !== 'win32')('a planted link is not followed', () => {
    const elsewhere = join(dataDir, 'elsewhere');
    writeFileSync(elsewhere, 'untouched');
    for (const planted of [path(), `${path()}.tmp`]) {
      symlinkSync(elsewhere, planted);
      expect(() => open({})).toThrow(/DISK_FAILED: .*a symbolic link stands in its place/);
      rmSync(planted);
    }
    expect(readFileSync(elsewhere, 'utf8')).toBe('untouched');
  });

  test.runIf(process.platform !== 'win32')('nor is a pipe waited for', () => {
    for (const planted of [path(), `${path()}.tmp`]) {
      execFileSync('mkfifo', [planted]);
      expect(() => open({})).toThrow(code('DISK_FAILED'));
      rmSync(planted);
    }
  });

  test.runIf(process.platform !== 'win32')('its files are for its own user alone', async () => {
    const made = join(dataDir, 'made', 'here');
    const store = await openOwn({ dataDir: made });
    const modes = [made, ...readdirSync(made).map((name) => join(made, name))].map((at) => statSync(at));
    expect(modes.filter((stat) => !stat.isSocket()).map(({ mode }) => mode & 0o077)).toEqual([0, 0, 0]);
    store.close();
  });

  test('a data directory by a relative name', () => {
    const run = inProcess(`
      process.chdir(dataDir);
      const names = [];
      for (const dataDir of ['d', './e/f', 'd']) {
        const store = await openStore({ ...options, dataDir });
        names.push(existsSync(dataDir + '/a.json'));
        store.close();
      }
      answer(names);`);
    expect(run).toEqual([true, true, true]);
  });

  test('a file of another version is told as that', () => {
    began();
    const text = readFileSync(path(), 'utf8');
    for (const version of [0, 2, 17]) {
      writeFileSync(path(), text.replace('"version":3', `"version":${version}`));
      expect(() => open()).toThrow(new RegExp(`^DISK_VERSION: .* is of version ${version} of the file`));
    }
  });

  test('a data directory that is a file', async () => {
    writeFileSync(join(dataDir, 'file'), '');
    await expect(openOwn({ dataDir: join(dataDir, 'file') })).rejects.toEqual(code('DISK_FAILED'));
  });
});

describe('one process at a time', () => {
  test('a second store of the same site is refused until the first is closed', async () => {
    const first = await openOwn({});
    await expect(openOwn()).rejects.toEqual(code('STORE_IN_USE'));
    (await openOwn({ site: 'b' })).close();
    first.close();
    (await openOwn()).close();
    await eventually(() => expect(readdirSync(dataDir)).toEqual(['a.json', 'b.json']));
  });

  /** A process that has the store open: this command is run with node and its arguments behind it. */
  async function keeper(...command: readonly string[]) {
    const { href } = new URL('./store.ts', import.meta.url);
    const options = JSON.stringify({ dataDir, site: 'a', cluster: 'test', newId: 'data-1' });
    const script = `import { openStore } from ${JSON.stringify(href)};
      await openStore(${options}); console.log('open'); setInterval(() => {}, 1_000);`;
    const words = [...command, process.execPath, '--import', import.meta.resolve('tsx')];
    const [file, ...args] = [...words, '--input-type=module', '-e', script];
    const child = spawn(file!, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    await new Promise((resolve) => child.stdout.once('data', resolve));
    return child;
  }

  const killed = async (child: ChildProcess) => {
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
  };

  test('a living process keeps it, a killed one does not', async () => {
    const child = await keeper();
    await expect(openOwn()).rejects.toEqual(code('STORE_IN_USE'));
    await killed(child);
    (await openOwn()).close();
    await eventually(() => expect(readdirSync(dataDir)).toEqual(['a.json']));
  });

  const canUnshare =
    process.platform === 'linux' && spawnSync('unshare', ['--pid', '--fork', 'true']).status === 0;
  test.runIf(canUnshare)('a process of another container keeps it too, until it is killed', async () => {
    const child = await keeper('unshare', '--pid', '--fork', '--kill-child', '--mount-proc');
    await expect(openOwn()).rejects.toEqual(code('STORE_IN_USE'));
    await killed(child);
    await eventually(async () => (await openOwn()).close());
    await eventually(() => expect(readdirSync(dataDir)).toEqual(['a.json']));
  });

  test('an owner in another container that cannot be asked is taken for alive', async () => {
    began();
    writeFileSync(join(dataDir, `a.owner.1-0123456789ab-0123456789ab`), '');
    if (process.platform !== 'linux') return;
    await expect(openOwn()).rejects.toThrow(
      /STORE_IN_USE: process 1 of another container or machine runs .* delete /,
    );
  });

  test('a process with the number of a dead owner is not taken for it', async () => {
    began();
    writeFileSync(join(dataDir, `a.owner.${process.ppid}-0123456789ab`), '');
    if (process.platform === 'linux') (await openOwn()).close();
    else await expect(openOwn()).rejects.toEqual(code('STORE_IN_USE'));
  });

  test('if two begin at once, at most one has it', async () => {
    const process = (self: string): Processes => ({
      self,
      isAlive: () => true,
      answerAt: async () => () => undefined,
      answers: async () => null,
    });
    const disk = new SimulatedDisk();
    const inside: string[] = [];
    const attempt = async (self: string, files: SimulatedDisk) => {
      try {
        await openOwn({ dataDir: '/data', files, processes: process(self) });
        inside.push(self);
      } catch (error) {
        expect(error).toEqual(code('STORE_IN_USE'));
      }
    };
    await Promise.all([attempt('1-1', disk), attempt('2-2', disk)]);
    await attempt('3-3', disk);
    expect(inside.length).toBeLessThanOrEqual(1);
  });

  test('a file that cannot be removed at the close is left to the next owner', async () => {
    class StuckDisk extends SimulatedDisk {
      stuck = false;
      override remove(path: string): void {
        if (this.stuck) throw Object.assign(new Error('read-only file system'), { code: 'EROFS' });
        super.remove(path);
      }
    }
    const files = new StuckDisk();
    const of = (self: string): Processes => ({
      self,
      isAlive: () => false,
      answerAt: async () => () => undefined,
      answers: async () => null,
    });
    const store = await openOwn({ dataDir: '/data', files, processes: of('1-1') });
    files.stuck = true;
    store.close();
    files.stuck = false;
    (await openOwn({ dataDir: '/data', files, processes: of('2-2') })).close();
    expect(files.list()).toEqual(['a.json']);
  });
});

/** The answer of `script` in a process of its own, which it may spoil. */
function inProcess(script: string): unknown {
  const { href } = new URL('./store.ts', import.meta.url);
  const whole = `import { execFileSync } from 'node:child_process';
    import { closeSync, existsSync, openSync, statSync, writeSync } from 'node:fs';
    import { openStore } from ${JSON.stringify(href)};
    const dataDir = ${JSON.stringify(dataDir)}, path = ${JSON.stringify(path())};
    const options = { dataDir, site: 'a', cluster: 'test', newId: 'data-1' };
    const answer = (what) => writeSync(1, JSON.stringify(what));
    ${script}`;
  const args = ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', whole];
  const run = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 20_000 });
  if (run.stdout === '') throw new Error(run.stderr);
  return JSON.parse(run.stdout);
}

test.runIf(process.platform === 'linux')(
  'a data directory that cannot be made is an error at once: /proc, a file, a link to nothing, a part of the path that is a file',
  () => {
    const told = inProcess(`
    import { symlinkSync, writeFileSync } from 'node:fs';
    import { join } from 'node:path';
    writeFileSync(join(dataDir, 'file'), '');
    symlinkSync(join(dataDir, 'nowhere'), join(dataDir, 'link'));
    const places = ['/proc/baton/x', join(dataDir, 'file'), join(dataDir, 'link'), join(dataDir, 'file', 'x')];
    const codes = [];
    for (const place of places)
      await openStore({ ...options, dataDir: place }).then(() => codes.push('made'), (error) => codes.push(error.code));
    answer([...codes, existsSync(join(dataDir, 'nowhere'))]);
  `);
    expect(told).toEqual(['DISK_FAILED', 'DISK_FAILED', 'DISK_FAILED', 'DISK_FAILED', false]);
  },
);

test('a store in memory keeps what was put, for as long as it lives', () => {
  const store = memoryStore('data-1');
  expect(store.read('x', 'b')).toBe('none');
  store.put('x', { promised: 1, epoch: 0, root: 'b' });
  store.sync();
  expect(store.read('x', 'b')).toEqual({ promised: 1, epoch: 0, root: 'b' });
  expect(memoryStore('data-1').read('x', 'b')).toBe('none');
});
