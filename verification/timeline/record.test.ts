import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { mutants } from '../protocols/naimi-trehel/mutants.ts';
import { Steps } from '../runs/steps.ts';
import { DrivenMesh, type Records } from '../runs/testing/driven-mesh.ts';
import { epoch } from '../runs/testing/driven-protocols.ts';
import { Follower } from './follow.ts';
import { Post } from './post.ts';
import { Recording } from './record.ts';

/** A directory with these records. */
function written(records: Records): string {
  const dir = mkdtempSync(join(tmpdir(), 'baton-test-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  for (const [name, lines] of Object.entries(records)) {
    writeFileSync(join(dir, `${name}.ndjson`), textOf(lines));
  }
  return dir;
}

const textOf = (lines: readonly unknown[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('');

const handedOver = () =>
  new DrivenMesh(3)
    .client('b', 'ask')
    .client('c', 'ask')
    .deliver('b', 'a')
    .deliver('c', 'a')
    .deliver('a', 'b')
    .deliver('a', 'b')
    .client('b', 'release')
    .deliver('b', 'c');

describe('a recorded run as a timeline', () => {
  it('reports its progress in each phase, so that reading a large recording is not silent', () => {
    const told = new Map<string, number[]>();
    const mesh = new DrivenMesh(2);
    for (let turn = 0; turn < 1_200; turn++) mesh.client('a', 'ask').client('a', 'release');
    const dir = written(mesh.records);
    new Recording(dir, (phase, share) => told.set(phase, [...(told.get(phase) ?? []), share])).timeline(
      'main',
    );
    expect([...told.keys()].filter((phase) => phase.startsWith('reads'))).toHaveLength(2);
    for (const phase of ['orders and judges lock main', 'compares it with the statecharts']) {
      const shares = told.get(phase)!;
      expect(shares, phase).toEqual(shares.toSorted((one, other) => one - other));
      // A phase is at its end once, and between its ends before.
      expect(shares.indexOf(1), phase).toBe(shares.length - 1);
      expect(shares.filter((share) => share > 0.1 && share < 0.9).length, phase).toBeGreaterThan(0);
    }
  });

  it('has an order that respects causality, and every message from sending to receipt', () => {
    const dir = written(handedOver().records);
    expect(new Recording(dir).locks).toEqual([{ lock: 'main', sites: 3, events: 8 }]);
    const { steps, messages, properties, notes } = new Recording(dir).timeline('main');
    expect(steps).toHaveLength(8);
    expect(messages).toHaveLength(5);
    for (const { sent, ended, fate, target } of messages) {
      expect(fate).toBe('received');
      expect(ended).toBeGreaterThan(sent);
      expect(steps[ended! - 1]).toMatchObject({ kind: 'deliver', site: target });
    }
    for (const { taken } of steps) expect(taken.length).toBeGreaterThan(0);
    expect(properties.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['mutual exclusion', 'the model takes every step']),
    );
    expect(notes).toBeUndefined();
    for (const { verdicts } of steps) expect(verdicts).toEqual({});
  });

  it('of a mutant shows the step that the model rejects, and the properties that it violates', () => {
    const mutant = new Steps(mutants['an idle root copies the token']);
    const mesh = new DrivenMesh(2, { a: mutant })
      .client('b', 'ask')
      .deliver('b', 'a')
      .client('a', 'ask')
      .deliver('a', 'b');
    const { steps, properties, notes } = new Recording(written(mesh.records)).timeline('main');
    const at = (name: string) => {
      const index = properties.findIndex((property) => property.name === name);
      return steps.findIndex(({ verdicts }) => verdicts[index]?.verdict === 'violated');
    };
    expect(steps[at('the model takes every step')]!.text).toBe('a receives REQUEST(origin=b) from b');
    expect(steps[at('mutual exclusion')]!.text).toBe('b receives TOKEN from a');
    expect(notes).toHaveLength(1);
  });

  it('shows crashes and runs', () => {
    const mesh = new DrivenMesh(3, {}, epoch).client('a', 'ask').client('a', 'release').client('b', 'ask');
    mesh.crash('a').restart('a');
    const { steps, start } = new Recording(written(mesh.records)).timeline('main');
    expect(steps.map(({ kind, site }) => `${kind} ${site}`)).toEqual(
      expect.arrayContaining(['crash a', 'restart a']),
    );
    const crash = steps.findIndex(({ kind }) => kind === 'crash');
    expect(steps[crash]!.sites).toMatchObject({ a: { up: false } });
    expect(steps[crash + 1]!.sites).toMatchObject({ a: { up: true } });
    expect(start.sites['a']).toMatchObject({ up: true });
  });
});

describe('following a run', () => {
  it('gives the same result as reading it at the end, wherever the writing paused', () => {
    const { records } = handedOver();
    const whole = new Recording(written(records)).timeline('main');
    const dir = written(Object.fromEntries(Object.keys(records).map((name) => [name, []])));
    const follower = new Follower(dir);
    const rest = new Map(Object.entries(records).map(([name, lines]) => [name, textOf(lines)]));
    while ([...rest.values()].some((text) => text !== '')) {
      for (const [name, text] of rest) {
        appendFileSync(join(dir, `${name}.ndjson`), text.slice(0, 97));
        rest.set(name, text.slice(97));
      }
      follower.follow(1_000);
    }
    const told = follower.telling!.timeline;
    expect(told.steps).toHaveLength(whole.steps.length);
    expect(new Set(told.steps.map(({ text }) => text))).toEqual(new Set(whole.steps.map(({ text }) => text)));
    expect(told.messages.map(({ fate }) => fate)).toEqual(whole.messages.map(({ fate }) => fate));
  });

  it('keeps the newest steps when it becomes too long: the state before them is the start', () => {
    const mesh = new DrivenMesh(2)
      .client('b', 'ask')
      .deliver('b', 'a')
      .deliver('a', 'b')
      .client('b', 'release');
    const follower = new Follower(written(mesh.records));
    follower.follow(3);
    const { start, steps, messages, forgotten } = follower.telling!.timeline;
    expect(forgotten).toBe(2);
    expect(start.sites['b']).toMatchObject({ value: { client: 'requesting' } });
    expect(messages).toHaveLength(1);
    expect(messages[0]).toMatchObject({ source: 'a', target: 'b', sent: 0, ended: 1, fate: 'received' });
    expect(steps.map(({ text, message }) => [text.slice(0, 16), message])).toEqual([
      ['b receives TOKEN', 0],
      ['b: release', null],
    ]);
  });
});

it('a record in which thousands of messages are never received takes as much work a step as any other', () => {
  const looked = vi.spyOn(Post.prototype, 'inbox');
  onTestFinished(() => looked.mockRestore());
  const work = (elections: number) => {
    const mesh = new DrivenMesh(3, {}, epoch);
    for (let count = 0; count < elections; count++) mesh.client('a', 'suspect');
    const dir = written(mesh.records);
    looked.mockClear();
    const { steps, messages, notes } = new Recording(dir).timeline('main');
    expect(messages.filter(({ fate }) => fate === 'under way')).toHaveLength(elections * 2);
    const all = looked.mock.results.reduce((sum, { value }) => sum + (value as unknown[]).length, 0);
    return { each: all / steps.length, notes };
  };
  const [few, many] = [work(500), work(2_000)];
  expect(many.each).toBeLessThan(few.each * 1.5);
  expect(many.notes).toEqual(['While many messages are under way, not every moment is judged.']);
});
