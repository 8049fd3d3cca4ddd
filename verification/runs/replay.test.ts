import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assign } from 'xstate';
import { type SiteContext, siteMachine } from '../../machines/naimi-trehel/site.ts';
import type { EventLine, RecordLine } from '../../machines/record.ts';
import { leavingMutants, mutants, slowMutants } from '../protocols/naimi-trehel/mutants.ts';
import { naimiTrehel, tokenCount } from './naimi-trehel.ts';
import type { Nonconformance } from './nonconformance.ts';
import { OneToken, type TokenCount, Turns } from './promises/one-token.ts';
import { replay, replayFiles } from './replay.ts';
import { Steps } from './steps.ts';
import { DrivenMesh, filesOf, type Records } from './testing/driven-mesh.ts';

/** The token is copied, not moved, when it is handed over. */
const copiesToken = siteMachine.provide({ actions: { surrenderToken: assign({ next: null }) } });
const copying = new Steps(copiesToken);

const choices = fc.array(fc.nat({ max: 1_000 }), { minLength: 60, maxLength: 200, size: 'max' });
const runs = fc
  .record({ sites: fc.integer({ min: 2, max: 4 }), choices })
  .map((run) => new DrivenMesh(run.sites).random(run.choices).records);

/** A run, and one of its event lines. */
const runsWithLine = fc.tuple(runs, fc.nat(), fc.nat()).map(([records, site, line]) => {
  const sites = Object.keys(records).filter((id) => records[id]!.length > 1);
  const chosen = sites[site % sites.length]!;
  return { records, site: chosen, index: 1 + (line % (records[chosen]!.length - 1)) };
});

const threeSites = new DrivenMesh(3)
  .client('b', 'ask')
  .deliver('b', 'a')
  .deliver('a', 'b')
  .client('c', 'ask')
  .deliver('c', 'a')
  .deliver('a', 'b')
  .client('b', 'release')
  .deliver('b', 'c').records;

function refusalOf(records: Readonly<Record<string, readonly unknown[]>>): Nonconformance | undefined {
  return replayFiles(filesOf(records)).refusal;
}

/** `records` with the line at `index` of `site` replaced. */
function altered(
  { records, site, index }: { records: Records; site: string; index: number },
  alter: (line: EventLine) => unknown,
) {
  const lines: unknown[] = [...records[site]!];
  lines[index] = alter(lines[index] as EventLine);
  return { ...records, [site]: lines };
}

const at = (site: string, index: number) => ({ file: `${site}.ndjson`, line: index + 1 });

describe('replay accepts', () => {
  it('every run of the machine, leaving included', () => {
    let [left, sections] = [0, 0];
    fc.assert(
      fc.property(runs, (records) => {
        const report = replayFiles(filesOf(records));
        expect(report.refusal).toBeUndefined();
        const events = Object.values(records).reduce((sum, lines) => sum + lines.length - 1, 0);
        expect(report.locks).toMatchObject([{ lock: 'main', machine: 'naimi-trehel', events }]);
        left += JSON.stringify(records).split('"type":"left"').length - 1;
        sections += report.locks[0]!.criticalSections;
      }),
    );
    expect(left).toBeGreaterThan(20);
    expect(sections).toBeGreaterThan(500);
  });

  it('messages that are under way when the records end, and says which', () => {
    const mesh = new DrivenMesh(2);
    expect(replayFiles(filesOf(mesh.records)).locks[0]!.underWay).toEqual([]);
    mesh.client('b', 'ask');
    expect(replayFiles(filesOf(mesh.records)).locks[0]!.underWay).toEqual([
      { source: 'b', target: 'a', message: { type: 'REQUEST', origin: 'b' }, seq: 1 },
    ]);
  });

  it('a line whose keys stand in another order', () => {
    const records = threeSites;
    const reversed = Object.entries(records).map(([site, lines]) => [
      site,
      lines.map((line) => Object.fromEntries(Object.entries(line).reverse())),
    ]);
    expect(refusalOf(Object.fromEntries(reversed))).toBeUndefined();
  });
});

describe('replay refuses, at the right line', () => {
  const otherTypes: Readonly<Record<string, string>> = {
    ask: 'release',
    try: 'release',
    TOKEN: 'GOODBYE',
    REQUEST: 'TOKEN',
  };
  const alterations: Readonly<Record<string, (line: EventLine) => unknown>> = {
    'another event': (line) => ({
      ...line,
      event: { ...line.event, type: otherTypes[line.event.type] ?? 'ask' },
    }),
    'an event with one more param': (line) => ({ ...line, event: { ...line.event, urgent: true } }),
    'an event with no type': (line) => ({ ...line, event: {} }),
    'one effect more': (line) => ({ ...line, effects: [...line.effects, { type: 'grant' }] }),
    'another snapshot': (line) => ({
      ...line,
      snapshot: { ...line.snapshot, context: { ...(line.snapshot.context as object), peers: 9 } },
    }),
    'another cause': (line) => ({
      ...line,
      cause: line.cause === null ? { site: 'a', seq: 1 } : { ...line.cause, seq: line.cause.seq + 1 },
    }),
    'an earlier cause': (line) => ({
      ...line,
      cause: line.cause === null || line.cause.seq === 1 ? { site: 'z', seq: 1 } : { ...line.cause, seq: 1 },
    }),
    'no clock for itself': (line) => ({ ...line, clock: { ...line.clock, [line.site]: line.seq + 1 } }),
    'a clock that runs ahead': (line) => {
      const other = line.site === 'a' ? 'b' : 'a';
      return { ...line, clock: { ...line.clock, [other]: (line.clock[other] ?? 0) + 1 } };
    },
    'another site': (line) => ({ ...line, site: line.site === 'a' ? 'b' : 'a' }),
    'another version': (line) => ({ ...line, version: 2 }),
    'a key that the schema does not know': (line) => ({ ...line, note: 'hello' }),
  };
  for (const [what, alter] of Object.entries(alterations)) {
    it(what, () => {
      fc.assert(
        fc.property(runsWithLine, (chosen) => {
          expect(refusalOf(altered(chosen, alter))).toMatchObject(at(chosen.site, chosen.index));
        }),
        { numRuns: 40 },
      );
    });
  }

  it('one effect less, or another param of it', () => {
    let judged = 0;
    fc.assert(
      fc.property(runsWithLine, fc.boolean(), (chosen, drop) => {
        const line = chosen.records[chosen.site]![chosen.index] as EventLine;
        fc.pre(line.effects.length > 0);
        judged++;
        const [first, ...rest] = line.effects;
        const effects = drop ? rest : [{ ...first, target: 'nobody' }, ...rest];
        const refusal = refusalOf(altered(chosen, (event) => ({ ...event, effects })));
        expect(refusal).toMatchObject({ code: 'REPLAY_STEP', ...at(chosen.site, chosen.index) });
        expect(refusal!.expected!.effects).toEqual(line.effects);
        expect(refusal!.recorded!.effects).toEqual(effects);
      }),
      { numRuns: 40 },
    );
    expect(judged).toBe(40);
  });

  it('a line taken out, doubled, or put after the next', () => {
    fc.assert(
      fc.property(runsWithLine, ({ records, site, index }) => {
        const lines = records[site]!;
        fc.pre(index + 1 < lines.length);
        const [before, line, after] = [lines.slice(0, index), lines[index]!, lines.slice(index + 1)];
        const [next, ...rest] = after;
        const refused = (changed: readonly RecordLine[]) => refusalOf({ ...records, [site]: changed });
        const code = 'REPLAY_SEQUENCE';
        expect(refused([...before, ...after])).toMatchObject({ code, ...at(site, index) });
        expect(refused([...before, line, line, ...after])).toMatchObject({ code, ...at(site, index + 1) });
        expect(refused([...before, next!, line, ...rest])).toMatchObject({ code, ...at(site, index) });
      }),
      { numRuns: 40 },
    );
  });

  it('a last line taken out, at the first line that needs it', () => {
    const { a, b } = new DrivenMesh(2).client('b', 'ask').deliver('b', 'a').records;
    expect(refusalOf({ a: a!, b: b!.slice(0, -1) })).toMatchObject({
      code: 'REPLAY_CAUSE',
      ...at('a', 1),
      reason: 'its cause is event 1 of b, whose record ends with event 0',
    });
  });

  it('a start line taken out, altered, or doubled', () => {
    const { a, b: recorded, c } = threeSites;
    const [first, ...rest] = recorded!;
    const refused = (b: readonly unknown[]) => refusalOf({ a: a!, b, c: c! });
    expect(refused([])).toMatchObject({
      code: 'REPLAY_CAUSE',
      reason: 'its cause is event 1 of b, whose record ends with event 0',
    });
    expect(refused(rest)).toMatchObject({ code: 'REPLAY_SEQUENCE', ...at('b', 0) });
    expect(refused([first, first, ...rest])).toMatchObject({ code: 'REPLAY_SEQUENCE', ...at('b', 1) });
    const otherRoot = { self: 'b', root: 'b', peers: 2 };
    expect(refused([{ ...first, input: otherRoot }, ...rest])).toMatchObject({
      code: 'REPLAY_START',
      ...at('b', 0),
    });
    const otherSnapshot = { value: {}, context: {} };
    expect(refused([{ ...first, snapshot: otherSnapshot }, ...rest])).toMatchObject({
      code: 'REPLAY_START',
      ...at('b', 0),
    });
    expect(refused([{ ...first, peers: ['a'] }, ...rest])).toMatchObject({
      code: 'REPLAY_MESH',
      ...at('b', 0),
    });
    expect(refused([{ ...first, machine: 'other' }, ...rest])).toMatchObject({
      code: 'REPLAY_MESH',
      ...at('b', 0),
    });
  });

  it('each lock of a file by itself, which some site may not have used', () => {
    const { a, b, c } = threeSites;
    const other = (lines: readonly object[]) => lines.map((line) => ({ ...line, lock: 'other' }));
    const mixed = (lines: readonly object[]) => [...lines.slice(0, 2), ...other(lines), ...lines.slice(2)];
    const mine = { ...(a![0] as object), lock: 'mine' };
    const records = { a: [...mixed(a!), mine], b: mixed(b!), c: mixed(c!) };
    expect(replayFiles(filesOf(records))).toMatchObject({
      accepted: true,
      locks: [
        { lock: 'main', sites: ['a', 'b', 'c'] },
        { lock: 'other', sites: ['a', 'b', 'c'] },
        { lock: 'mine', sites: ['a'] },
      ],
    });
    // The start of the other lock is taken out: its next line is refused where it stands.
    expect(refusalOf({ ...records, a: records.a.toSpliced(2, 1) })).toMatchObject({
      code: 'REPLAY_SEQUENCE',
      ...at('a', 2),
    });
  });

  it('records of a mesh in which one is missing, or doubled', () => {
    const { a, b, c } = threeSites;
    expect(refusalOf({ a: a!, b: b! })).toMatchObject({ code: 'REPLAY_MESH', line: 1 });
    expect(refusalOf({ a: a!, b: b!, c: c!, d: c! })).toMatchObject({ code: 'REPLAY_MESH', line: 1 });
  });

  it('a site that ran another machine, with what it could have done', () => {
    const { refusal } = replayFiles(
      filesOf(new DrivenMesh(2, { a: copying }).client('b', 'ask').deliver('b', 'a').records),
    );
    expect(refusal).toMatchObject({
      code: 'REPLAY_STEP',
      ...at('a', 1),
      recorded: { snapshot: { context: { last: 'b', token: true } } },
      expected: { snapshot: { context: { last: 'b', token: false } } },
      allowed: [
        { event: { type: 'ask' }, source: null },
        { event: { type: 'try' }, source: null },
        { event: { type: 'REQUEST', origin: 'b' }, source: 'b' },
      ],
    });
  });

  for (const [name, machine] of Object.entries({ ...mutants, ...slowMutants, ...leavingMutants })) {
    it(`a site where ${name}`, () => {
      const mutant = new Steps(machine);
      let refused = 0;
      // Some mistakes show in few runs only: the same runs every time, as many as it takes.
      for (let seed = 1; refused === 0 && seed <= 50; seed++) {
        fc.assert(
          fc.property(fc.integer({ min: 2, max: 4 }), choices, (sites, picks) => {
            const mesh = new DrivenMesh(sites, { b: mutant }).random(picks);
            const { refusal } = replayFiles(filesOf(mesh.records));
            if (refusal === undefined) return;
            refused++;
            expect(refusal.file).toBe('b.ndjson');
            expect(refusal.code).toMatch(/^REPLAY_(STEP|UNEXPECTED)$/);
          }),
          { numRuns: 30, seed },
        );
      }
      expect(refused).toBeGreaterThan(0);
    });
  }
});

describe('replay judges more than single steps', () => {
  /** The run of a mutant, held against the mutant itself. */
  const judged = (mesh: DrivenMesh, counts: Partial<TokenCount> = {}) => {
    const count = { ...tokenCount, ...counts };
    const promises = () => [new OneToken(count), new Turns(count)];
    const machines = { 'naimi-trehel': { ...naimiTrehel, machine: copiesToken, promises } };
    return replayFiles(filesOf(mesh.records), machines).refusal;
  };
  const handedOver = () => new DrivenMesh(2, { a: copying, b: copying }).client('b', 'ask').deliver('b', 'a');
  /** Takes copies of the token for the token. */
  const blind: Partial<TokenCount> = {
    tokensHeld: ({ context }) => ((context as SiteContext).self === 'a' ? 1 : 0),
    tokensIn: () => 0,
  };

  it('refuses a machine that copies the token even where every step is its own', () => {
    expect(judged(handedOver())).toMatchObject({
      code: 'REPLAY_TOKEN',
      ...at('a', 1),
      reason: 'there is one token, and the step makes 1 more',
    });
  });

  it('refuses two sites in their critical sections', () => {
    const mesh = handedOver().deliver('a', 'b').client('a', 'ask');
    expect(judged(mesh, blind)).toMatchObject({ code: 'REPLAY_OVERLAP', ...at('b', 2) });
  });

  it('refuses critical sections that only happened not to overlap', () => {
    const mesh = handedOver().client('a', 'ask').client('a', 'release').deliver('a', 'b');
    expect(judged(mesh, blind)).toMatchObject({
      code: 'REPLAY_OVERLAP',
      ...at('b', 2),
      reason: 'no chain of messages puts it after the critical section of a',
    });
  });

  it('refuses a mesh that starts with two tokens', () => {
    expect(judged(new DrivenMesh(2), { tokensHeld: () => 1 })).toMatchObject({
      code: 'REPLAY_TOKEN',
      line: 1,
    });
  });

  it('refuses records that wait for one another', () => {
    const { a, b } = new DrivenMesh(2).client('a', 'ask').client('b', 'ask').deliver('b', 'a').records;
    const [start, asked] = b!;
    const circular = { ...asked, clock: { a: 2, b: 1 }, cause: { site: 'a', seq: 2 } };
    expect(refusalOf({ a: a!, b: [start, circular] })).toMatchObject({ code: 'REPLAY_CAUSE' });
  });
});

describe('replay of a directory', () => {
  it('says when there is nothing to judge', () => {
    expect(() => replay('/nonexistent/record')).toThrow(/cannot read \/nonexistent\/record/);
    expect(() => replay(import.meta.dirname)).toThrow(/no \*\.ndjson/);
  });
});
