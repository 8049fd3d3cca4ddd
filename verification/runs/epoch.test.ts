import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import type { EventLine } from '../../machines/record.ts';
import { forgetfulMutants, mutants } from '../protocols/epoch/mutants.ts';
import { epoch as recordedEpoch } from './epoch.ts';
import type { Nonconformance, RefusalCode } from './nonconformance.ts';
import { replay, replayFiles } from './replay.ts';
import { Steps } from './steps.ts';
import { DrivenMesh, filesOf } from './testing/driven-mesh.ts';
import { epoch } from './testing/driven-protocols.ts';

type Lines = Readonly<Record<string, readonly unknown[]>>;

const meshOf = (sites: number, machines: Readonly<Record<string, Steps>> = {}) =>
  new DrivenMesh(sites, machines, epoch);
const refusalOf = (records: Lines): Nonconformance | undefined => replayFiles(filesOf(records)).refusal;
const at = (name: string, index: number) => ({ file: `${name}.ndjson`, line: index + 1 });

const choices = fc.array(fc.nat({ max: 100_000 }), { minLength: 60, maxLength: 200, size: 'max' });
const runs = fc
  .record({ sites: fc.integer({ min: 2, max: 4 }), choices })
  .map((run) => meshOf(run.sites).random(run.choices).records);

/** A run, and one of its event lines. */
const runsWithLine = fc.tuple(runs, fc.nat(), fc.nat()).map(([records, file, line]) => {
  const names = Object.keys(records).filter((name) => records[name]!.some(({ kind }) => kind === 'event'));
  const name = names[file % names.length]!;
  const indices = [...records[name]!.keys()].filter((index) => records[name]![index]!.kind === 'event');
  return { records, name, index: indices[line % indices.length]! };
});

/** a holds the token and crashes; b and c go on, and a comes back. */
const holderDies = () =>
  meshOf(3)
    .client('a', 'ask')
    .client('b', 'ask')
    .deliver('b', 'a')
    .crash('a')
    .client('b', 'suspect')
    .deliver('b', 'c')
    .deliver('c', 'b');

describe('replay accepts', () => {
  it('every run of the machine, with crashes, restarts, lost links and suspicions', () => {
    const sum = { restarts: 0, lost: 0, criticalSections: 0, elections: 0 };
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 4 }), choices, (size, picks) => {
        const { refusal, locks } = replayFiles(filesOf(meshOf(size).random(picks, true).records));
        expect(refusal).toBeUndefined();
        const { lives, sites, lost, criticalSections, elections } = locks[0]!;
        sum.restarts += lives - sites.length;
        sum.lost += lost;
        sum.criticalSections += criticalSections;
        sum.elections += elections;
      }),
      { seed: 1, numRuns: 35 },
    );
    for (const count of Object.values(sum)) expect(count).toBeGreaterThan(30);
  });

  it('a holder that dies, its successor, and its next life', () => {
    const mesh = holderDies().restart('a').client('a', 'suspect').client('a', 'suspect');
    const { records } = mesh.deliver('a', 'c').deliver('a', 'c').deliver('c', 'a');
    const { refusal, locks } = replayFiles(filesOf(records));
    expect(refusal).toBeUndefined();
    expect(locks).toMatchObject([{ lives: 4, criticalSections: 2, elections: 2 }]);
  });

  it('a critical section beside one whose site took no part in the election between', () => {
    const mesh = meshOf(3).client('a', 'ask').client('b', 'ask').client('b', 'suspect');
    const { records } = mesh
      .deliver('b', 'c')
      .deliver('c', 'b')
      .client('b', 'release')
      .client('a', 'release');
    const { refusal, locks } = replayFiles(filesOf(records));
    expect(refusal).toBeUndefined();
    expect(locks).toMatchObject([{ criticalSections: 2, elections: 1 }]);
  });

  it('an incarnation that ended before its last event was on the disk, or known to another site', () => {
    const early = () => holderDies().client('c', 'ask').crashEarly('b').restart('b');
    // b does again what it did first and forgot: it wins an epoch, and is granted the lock under the same
    // fence.
    const { records } = early().client('b', 'ask').client('b', 'suspect').deliver('b', 'c').deliver('c', 'b');
    const { refusal, locks } = replayFiles(filesOf(records));
    expect(refusal).toBeUndefined();
    expect(locks).toMatchObject([{ criticalSections: 2, elections: 1 }]);
  });

  it('a record that begins in a later life, and lives that were over before anything was heard of them', () => {
    const { a, b, c, 'c@1': second } = meshOf(3).crash('c').restart('c').records;
    expect(refusalOf({ a: a!, b: b!, 'c@1': second! })).toBeUndefined();
    const third = [{ ...second![0], life: 2 }];
    expect(refusalOf({ a: a!, b: b!, c: c!, 'c@1': [], 'c@2': third })).toBeUndefined();
    expect(refusalOf({ a: a!, b: b!, c: c!, 'c@2': third })).toBeUndefined();
  });

  it('a last line that its process was killed over, and only that', () => {
    const directory = mkdtempSync(join(tmpdir(), 'baton-replay-'));
    try {
      const { records } = meshOf(2).client('a', 'ask').client('a', 'release');
      const texts = filesOf(records).map(({ name, lines }) => [name, `${lines.join('\n')}\n`] as const);
      for (const [name, text] of texts) writeFileSync(join(directory, name), text);
      const [name, text] = texts[0]!;
      const last = text.trimEnd().lastIndexOf('\n') + 1;
      for (let length = last; length < text.length; length++) {
        writeFileSync(join(directory, name), text.slice(0, length));
        expect(replay(directory)).toMatchObject({ accepted: true, locks: [{ events: 1 }] });
      }
      writeFileSync(join(directory, name), `${text.slice(0, last - 10)}\n${text.slice(last)}`);
      expect(replay(directory).refusal).toMatchObject({ code: 'REPLAY_MALFORMED', file: name, line: 2 });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe('replay refuses, at the right line', () => {
  const alterations: Readonly<Record<string, (line: EventLine) => unknown>> = {
    'another event': (line) => ({
      ...line,
      event: { ...line.event, type: line.event.type === 'release' ? 'ask' : 'release' },
    }),
    'an event with one more param': (line) => ({ ...line, event: { ...line.event, urgent: true } }),
    'one effect more': (line) => ({
      ...line,
      effects: [...line.effects, { type: 'grant', fence: { epoch: 0, k: 1 } }],
    }),
    'another snapshot': (line) => ({
      ...line,
      snapshot: { ...line.snapshot, context: { ...(line.snapshot.context as object), promised: 99 } },
    }),
    'a clock that runs ahead': (line) => {
      const other = line.site === 'a' ? 'b' : 'a';
      return { ...line, clock: { ...line.clock, [other]: (line.clock[other] ?? 0) + 1 } };
    },
    'a seq of another life': (line) => ({ ...line, seq: line.seq + 1_000_000_000 }),
  };
  for (const [what, alter] of Object.entries(alterations)) {
    it(what, () => {
      fc.assert(
        fc.property(runsWithLine, ({ records, name, index }) => {
          const lines: unknown[] = [...records[name]!];
          // Two events that a state ignores are told apart by nothing.
          fc.pre((lines[index] as EventLine).effects.length > 0);
          lines[index] = alter(lines[index] as EventLine);
          expect(refusalOf({ ...records, [name]: lines })).toMatchObject(at(name, index));
        }),
        { numRuns: 10 },
      );
    });
  }

  it('a line taken out, doubled, or put after the next', () => {
    fc.assert(
      fc.property(runsWithLine, ({ records, name, index }) => {
        const lines = records[name]!;
        fc.pre(lines[index + 1]?.kind === 'event');
        const [before, line, after] = [lines.slice(0, index), lines[index]!, lines.slice(index + 1)];
        const [next, ...rest] = after;
        const refused = (changed: readonly unknown[]) => refusalOf({ ...records, [name]: changed });
        const code = 'REPLAY_SEQUENCE';
        expect(refused([...before, ...after])).toMatchObject({ code, ...at(name, index) });
        expect(refused([...before, line, line, ...after])).toMatchObject({ code, ...at(name, index + 1) });
        expect(refused([...before, next!, line, ...rest])).toMatchObject({ code, ...at(name, index) });
      }),
      { numRuns: 10 },
    );
  });

  it('a link line taken out where something was lost', () => {
    const { a, b } = meshOf(2)
      .client('b', 'ask')
      .renewLink('b', 'a')
      .client('b', 'suspect')
      .deliver('b', 'a').records;
    expect(refusalOf({ a: a!, b: b! })).toBeUndefined();
    expect(refusalOf({ a: a!, b: b!.filter(({ kind }) => kind !== 'link') })).toMatchObject({
      code: 'REPLAY_RECEIPT',
      ...at('a', 1),
    });
  });

  it('a life that is missing, when a peer knows of it, or its disk', () => {
    const mesh = () => meshOf(2).crash('b').restart('b').client('b', 'suspect');
    const { 'b@1': known, ...others } = mesh().deliver('b', 'a').records;
    expect(refusalOf({ ...others, 'b@1': known! })).toBeUndefined();
    expect(refusalOf(others)).toMatchObject({ code: 'REPLAY_CAUSE', ...at('a', 1) });
    const { 'b@1': kept, ...rest } = mesh().crash('b').restart('b').records;
    expect(refusalOf({ ...rest, 'b@1': kept! })).toBeUndefined();
    expect(refusalOf(rest)).toMatchObject({ code: 'REPLAY_DISK', ...at('b@2', 0) });
  });

  it('lives that are doubled, or of a machine that has but one', () => {
    const { records } = meshOf(2).crash('b').restart('b').crash('b').restart('b');
    expect(refusalOf(records)).toBeUndefined();
    expect(refusalOf({ ...records, copy: records['b@1']! })).toMatchObject({ code: 'REPLAY_MESH', line: 1 });
    const machine = { epoch: { ...recordedEpoch, survives: false } };
    expect(replayFiles(filesOf(records), machine).refusal).toMatchObject({ code: 'REPLAY_MESH', line: 1 });
    // A site may have used no lock, and then no other site knows of it.
    expect(refusalOf({ a: records['a']!, b: [] })).toBeUndefined();
    expect(refusalOf({ ...records, z: [] })).toMatchObject({ code: 'REPLAY_MALFORMED', ...at('z', 0) });
  });
});

/** Runs that random ones seldom contain. In those of an election, b has the token of epoch 0, and c wins epoch 1. */
const scripts: Readonly<Record<string, (mesh: DrivenMesh) => DrivenMesh>> = {
  'c wins without b, which is inside': (mesh) =>
    inside(mesh)
      .client('c', 'suspect')
      .deliver('c', 'a')
      .deliver('a', 'c')
      .deliver('c', 'b')
      .deliver('c', 'b'),
  'c wins with b, which is inside': (mesh) =>
    inside(mesh).client('c', 'suspect').deliver('c', 'b').deliver('b', 'c').deliver('c', 'b'),
  'c wins without b, which stands for epoch 2': (mesh) => {
    inside(mesh).client('b', 'release').client('c', 'suspect').deliver('c', 'a').deliver('a', 'c');
    mesh.client('b', 'suspect').renewLink('b', 'c').client('b', 'suspect');
    return mesh.deliver('b', 'c').deliver('c', 'b');
  },
  'c wins with b, which hears of it by a request of c': (mesh) =>
    inside(mesh)
      .client('c', 'suspect')
      .deliver('c', 'b')
      .deliver('b', 'c')
      .renewLink('c', 'b')
      .client('c', 'ask')
      .deliver('c', 'b'),
  'c wins, or would, if b had not lost its disk': (mesh) =>
    mesh.crash('b').restart('b', 'lost').client('c', 'suspect').deliver('c', 'b'),
  'b waits and keeps the request of c, and the token comes with an entry of a': (mesh) => twoInLine(mesh),
  'b hands the token on with a line of two': (mesh) => twoInLine(mesh).client('b', 'release'),
};
const inside = (mesh: DrivenMesh) => mesh.client('b', 'ask').deliver('b', 'a').deliver('a', 'b');
const twoInLine = (mesh: DrivenMesh) => {
  mesh.client('c', 'ask').deliver('c', 'a').deliver('a', 'c').client('b', 'ask').deliver('b', 'a');
  // From here on `last` of c is b.
  mesh.deliver('a', 'c').client('c', 'release').deliver('c', 'b').client('b', 'release');
  mesh.client('a', 'ask').deliver('a', 'b').deliver('b', 'a').client('b', 'ask').deliver('b', 'a');
  return mesh.client('c', 'ask').deliver('c', 'b').client('a', 'releaseAndAsk').deliver('a', 'b');
};

const rare: Readonly<Record<string, keyof typeof scripts>> = {
  'R1: the message that brings an epoch is dropped': 'c wins with b, which hears of it by a request of c',
  'R2: nobody is told that the section is lost': 'c wins without b, which is inside',
  'R2: the token of before is kept': 'c wins without b, which is inside',
  'R2: the fence rises inside a critical section': 'c wins with b, which is inside',
  'R6: the token of the lowest epoch counts': 'c wins without b, which stands for epoch 2',
  'R12: entries of the token go before the own line':
    'b waits and keeps the request of c, and the token comes with an entry of a',
  'R12: an entry stands twice': 'b hands the token on with a line of two',
  'R8: a restart without disk votes': 'c wins, or would, if b had not lost its disk',
};

describe('a site that runs another machine is refused', () => {
  const expectAtB = (refusal: Nonconformance) => {
    expect(refusal.file).toMatch(/^b[.@]/);
    expect(refusal.code).toMatch(/^REPLAY_(STEP|UNEXPECTED|START)$/);
  };
  const machines: Readonly<Record<string, AnyStateMachine>> = {
    ...Object.fromEntries(Object.entries(mutants).map(([name, [, machine]]) => [name, machine])),
    ...forgetfulMutants,
  };

  for (const [name, machine] of Object.entries(machines)) {
    const script = rare[name];
    if (script !== undefined) {
      it(`${name}: ${script}`, () => {
        const run = scripts[script]!;
        expect(refusalOf(run(meshOf(3)).records)).toBeUndefined();
        expectAtB(refusalOf(run(meshOf(3, { b: new Steps(machine) })).records)!);
      });
      continue;
    }
    it(name, () => {
      const steps = new Steps(machine);
      let refused = 0;
      // Some mistakes show in few runs only: the same runs every time, as many as it takes.
      for (let seed = 1; refused === 0 && seed <= 60; seed++) {
        fc.assert(
          fc.property(fc.integer({ min: 2, max: 4 }), choices, (sites, picks) => {
            const refusal = refusalOf(meshOf(sites, { b: steps }).random(picks).records);
            if (refusal === undefined) return;
            refused++;
            expectAtB(refusal);
          }),
          { numRuns: 5, seed },
        );
      }
      expect(refused).toBeGreaterThan(0);
    });
  }
});

describe('replay judges more than single steps', () => {
  /** Is some run of `machine` at every site refused with `code`, when it is held against `machine` itself? */
  const isSeen = (machine: AnyStateMachine, code: RefusalCode) => {
    const steps = new Steps(machine);
    const machines = { epoch: { ...recordedEpoch, machine } };
    const property = fc.property(choices, (picks) => {
      const { records } = meshOf(3, { a: steps, b: steps, c: steps }).random(picks);
      return replayFiles(filesOf(records), machines).refusal?.code !== code;
    });
    return fc.check(property, { seed: 2, numRuns: 200, endOnFailure: true }).failed;
  };

  it.each([
    ['S1', 'R2: every site that adopts makes the token', 'REPLAY_TOKEN'],
    ['S1', 'R0: a message below the promise is heard', 'REPLAY_TOKEN'],
    ['S3', 'fence: entries are not counted', 'REPLAY_FENCE'],
    ['S4', 'R6: the winner takes the token from any holder', 'REPLAY_OVERLAP'],
    ['S5', 'fence: the token forgets its count', 'REPLAY_FENCE'],
  ] as const)('%s, where every site runs the same mistake: %s', (_, name, code) => {
    expect(isSeen(mutants[name]![1], code)).toBe(true);
  });

  /** Random runs elect b and c in one epoch too seldom. */
  it.each<[string, (mesh: DrivenMesh) => DrivenMesh]>([
    [
      'R5: a vote is given twice',
      (mesh) =>
        mesh
          .client('b', 'suspect')
          .client('c', 'suspect')
          .deliver('b', 'a')
          .deliver('c', 'a')
          .deliver('a', 'b')
          .deliver('a', 'c'),
    ],
    [
      'R4: a candidate does not promise what it stands for',
      (mesh) =>
        mesh
          .client('c', 'suspect')
          .deliver('c', 'b')
          .client('b', 'suspect')
          .deliver('b', 'a')
          .deliver('a', 'b')
          .deliver('b', 'c'),
    ],
  ])('S2, where every site runs the same mistake: %s', (name, elect) => {
    const [, machine] = mutants[name]!;
    const steps = new Steps(machine);
    const { records } = elect(meshOf(3, { a: steps, b: steps, c: steps }));
    const machines = { epoch: { ...recordedEpoch, machine } };
    expect(replayFiles(filesOf(records), machines).refusal).toMatchObject({ code: 'REPLAY_ELECTION' });
  });

  const disk = (promised: number) => ({ promised, epoch: 0, root: 'a' });
  const voted = () => meshOf(3).client('c', 'suspect').deliver('c', 'b');

  it('R7: a life begins with less than its site had told a peer', () => {
    const { records } = voted().deliver('b', 'c').crash('b').restart('b', disk(0));
    expect(refusalOf(records)).toMatchObject({ code: 'REPLAY_DISK', ...at('c', 2) });
    const later = voted().crash('b').restart('b', disk(0)).deliver('b', 'c').records;
    expect(refusalOf(later)).toMatchObject({ code: 'REPLAY_DISK', ...at('c', 2) });
    expect(refusalOf(voted().deliver('b', 'c').crash('b').restart('b', disk(1)).records)).toBeUndefined();
  });

  it('R7: a life begins with less than its site had told its client', () => {
    const mesh = holderDies().client('b', 'release').crash('b').restart('b', disk(1));
    expect(refusalOf(mesh.records)).toMatchObject({ code: 'REPLAY_DISK', ...at('b@1', 0) });
  });

  it('R7: a life begins with what its site never kept', () => {
    const { records } = voted().crash('b').restart('b', disk(2));
    expect(refusalOf(records)).toMatchObject({ code: 'REPLAY_DISK', ...at('b@1', 0) });
  });

  it('R8: a site that ran before begins as one that never did', () => {
    const { records } = meshOf(3).crash('b').restart('b', 'none');
    expect(refusalOf(records)).toMatchObject({ code: 'REPLAY_DISK', ...at('b@1', 0) });
    expect(refusalOf(meshOf(3).crash('b').restart('b', 'lost').records)).toBeUndefined();
  });
});
