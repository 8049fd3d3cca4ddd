import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { EventLine, RecordLine } from '../../machines/record.ts';
import { systemClock } from '../api/clock.ts';
import { eventually } from '../testing/eventually.ts';
import { FileRecorder, type FileRecorderOptions } from './file-recorder.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'baton-trace-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const line = (seq: number): EventLine => ({
  version: 1,
  kind: 'event',
  site: 'a',
  lock: 'main',
  seq,
  clock: { a: seq },
  cause: null,
  event: { type: 'ask' },
  snapshot: { value: 'idle', context: {} },
  effects: [],
});

const first: RecordLine = {
  version: 1,
  kind: 'start',
  site: 'a',
  lock: 'main',
  machine: 'epoch',
  input: {},
  peers: [],
  snapshot: { value: 'idle', context: {} },
};

const read = (file = 'a.ndjson'): RecordLine[] =>
  readFileSync(join(dir, file), 'utf8')
    .split('\n')
    .filter((text) => text !== '')
    .map((text) => JSON.parse(text))
    .map(({ at, ...line }) => {
      expect(Math.abs(at - Date.now())).toBeLessThan(60_000);
      return line;
    });

const open = (options: Partial<FileRecorderOptions> = {}) =>
  new FileRecorder({ dir, site: 'a', clock: systemClock, failed: vi.fn(), ...options });

describe('a recorded site', () => {
  test('has every line on disk once it is closed, in order', () => {
    const recorder = open();
    for (let seq = 1; seq <= 5_000; seq++) recorder.record(line(seq));
    recorder.close();
    recorder.record(line(5_001));
    expect(read()).toEqual(Array.from({ length: 5_000 }, (_, i) => line(i + 1)));
  });

  test('gathers lines, and writes them a little later though nothing more happens', async () => {
    const recorder = open();
    recorder.record(line(1));
    expect(read()).toEqual([]);
    await eventually(() => expect(read()).toEqual([line(1)]));
    recorder.close();
  });

  test('writes its first line at once, and all the others when they have to outlive the process', () => {
    const recorder = open();
    recorder.record(first);
    expect(read()).toEqual([first]);
    recorder.record(line(1));
    recorder.flush();
    expect(read()).toEqual([first, line(1)]);
    recorder.close();
  });

  test('writes each of its lives into a file of its own', () => {
    open().close();
    const second = open({ life: 1 });
    second.record(first);
    second.close();
    expect(read()).toEqual([]);
    expect(read('a@1.ndjson')).toEqual([first]);
    expect(() => open({ life: 1 })).toThrow(expect.objectContaining({ code: 'TRACE_FAILED' }));
  });

  test('writes what it has gathered when its process exits', () => {
    const script = join(dir, 'exit.mts');
    const { href } = new URL('./file-recorder.ts', import.meta.url);
    const clock = '{ now: () => 0, after: () => () => {}, nextTurn: () => {} }';
    writeFileSync(
      script,
      `import { FileRecorder } from ${JSON.stringify(href)};
       const recorder = new FileRecorder({ dir: ${JSON.stringify(dir)}, site: 'a', clock: ${clock}, failed: () => {} });
       recorder.record(${JSON.stringify(line(1))});
       process.exit(0);`,
    );
    const run = spawnSync(process.execPath, ['--import', import.meta.resolve('tsx'), script], {
      encoding: 'utf8',
    });
    expect([run.status, run.stderr]).toEqual([0, '']);
    expect(read()).toEqual([line(1)]);
  });

  test('goes on when the disk refuses, and says once that the record has ended', () => {
    const failures: string[] = [];
    let closed = 0;
    const full = () => {
      throw new Error('no space left on device');
    };
    const recorder = open({
      failed: ({ message }) => failures.push(message),
      openDisk: () => ({ append: full, close: () => (closed += 1) }),
    });
    for (let seq = 1; seq <= 5_000; seq++) recorder.record(line(seq));
    recorder.close();
    expect(failures).toEqual([expect.stringMatching(/^TRACE_FAILED: .*a\.ndjson: no space left on device/)]);
    expect(closed).toBe(1);
  });

  test('does not write over the record of another run', () => {
    open().close();
    expect(() => open()).toThrow(expect.objectContaining({ code: 'TRACE_FAILED' }));
  });
});
