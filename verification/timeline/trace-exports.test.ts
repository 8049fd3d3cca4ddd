import { describe, expect, it } from 'vitest';
import { assign, createMachine } from 'xstate';
import { successors } from '../checker/model.ts';
import { compile, type PathStep, replayTrace, type Trace, traceOf, traceText } from '../system/index.ts';
import { alone, envelopes, systemOf, tokenPassing } from '../system/testing/systems.ts';
import { actionText } from '../system/text.ts';
import { traceMermaid } from './mermaid.ts';
import { traceShiViz } from './shiviz.ts';

/** The path of the actions with these descriptions. */
function pathOf(compiled: ReturnType<typeof compile>, ...wanted: readonly string[]): readonly PathStep[] {
  let state = compiled.model.initial[0]!;
  return wanted.map((text) => {
    for (const { process, step, after } of successors(compiled.model, state)) {
      if (actionText(compiled.action(step.action)) !== text) continue;
      const index = compiled.model
        .steps(process, state[process]!)
        .findIndex(({ action }) => action === step.action);
      state = after;
      return { process, step: index };
    }
    throw new Error(`Nobody can do '${text}'.`);
  });
}

const compiled = compile(tokenPassing(['a', 'b', 'c']));
const path = pathOf(compiled, 'b: ask', 'a receives ASK(origin=b) from b', 'b receives TOKEN from a');
const trace = traceOf(compiled, path);

describe('a trace', () => {
  it('describes each step in words, and the state of all actors after it', () => {
    expect(traceText(trace)).toMatchInlineSnapshot(`
      "0. At first
           a    token=true
           b    token=false
           c    token=false
      1. b: ask, sends ASK(origin=b) to all others
         * a    token=true  <- ASK(origin=b) from b
           b    token=false
         * c    token=false  <- ASK(origin=b) from b
      2. a receives ASK(origin=b) from b, sends TOKEN to b
         * a    token=false
         * b    token=false  <- TOKEN from a
           c    token=false  <- ASK(origin=b) from b
      3. b receives TOKEN from a
           a    token=false
         * b    token=true
           c    token=false  <- ASK(origin=b) from b"
    `);
  });

  it('shows a lasso', () => {
    expect(traceText({ ...trace, loop: 1 })).toMatch(
      /Now all is as after step 1: what came since goes on for ever\.$/,
    );
    expect(traceText({ ...trace, loop: 0 })).toMatch(/Now all is as at first/);
    expect(traceText({ ...trace, loop: 3 })).toMatch(/From here on nothing need happen, for ever\.$/);
  });

  it('is drawn as a sequence', () => {
    expect(traceMermaid({ ...trace, loop: 1 })).toMatchInlineSnapshot(`
      "sequenceDiagram
        participant p0 as a
        participant p1 as b
        participant p2 as c
        Note over p1: b: ask
        loop for ever
        p1->>p0: ASK(origin=b)
        p0->>p1: TOKEN
        end
        p1--)p2: ASK(origin=b) (under way)"
    `);
  });

  it('is a log whose clocks follow the messages', () => {
    expect(traceShiViz(trace)).toMatchInlineSnapshot(`
      "(?<event>.*)\\n(?<host>\\S*) (?<clock>{.*})

      b: ask
      b {"b":1}
      a receives ASK(origin=b) from b
      a {"b":1,"a":1}
      b receives TOKEN from a
      b {"b":2,"a":1}
      "
    `);
  });

  it('shows the faults of the network, of actors and of machines', () => {
    const lossy = compile(envelopes(3, { order: 'fifo', loss: 1, duplication: 1, breaks: 1 }));
    const unlucky = traceOf(
      lossy,
      pathOf(
        lossy,
        'b receives a copy of M(n=1) from a',
        'M(n=2) from a to b is lost',
        'the link from a to b breaks and loses the last 1 under way',
        'b receives M(n=1) from a',
      ),
    );
    expect(traceText(unlucky)).toMatch(/\* b +got=\[1,1\]$/);
    expect(traceMermaid(unlucky)).toContain('p0-xp1: break: 1 lost');
    expect(traceMermaid(unlucky)).toContain('p0-xp1: M(n=2)');
    expect(traceShiViz(unlucky)).toContain('M(n=2) from a to b is lost\nnetwork {"network":1}');
    const boom = () => {
      throw new Error('boom; and #1');
    };
    const failing = compile(
      alone(createMachine({ id: 'failing', on: { go: { actions: assign(boom) } } }), {
        environment: [{ event: { type: 'go' } }],
        crash: { times: 1 },
      }),
    );
    const failed = traceOf(failing, pathOf(failing, 'a: go'));
    expect(traceText(failed)).toContain('FAILED: boom; and #1');
    expect(traceMermaid(failed)).toContain('FAILED: boom#59; and #35;1');
    expect(traceText(traceOf(failing, pathOf(failing, 'a crashes')))).toMatch(/\* a {2}down$/);
  });
});

describe('a replayed trace', () => {
  const written = (change: (trace: { initial: object; steps: object[]; loop?: number }) => void): Trace => {
    const copy = JSON.parse(JSON.stringify(trace));
    change(copy);
    return copy;
  };

  it('leads to the same states', () => {
    expect(
      replayTrace(
        compiled,
        written(() => {}),
      ),
    ).toEqual(path);
    const own = compile(tokenPassing(['a', 'b', 'c']));
    expect(replayTrace(own, trace)).toEqual(path);
  });

  it.each<
    [
      string,
      (trace: {
        initial: object;
        steps: { action: object; effects: object[]; state: object }[];
        loop?: number;
      }) => void,
      RegExp,
    ]
  >([
    [
      'starts elsewhere',
      (it) => {
        it.initial = it.steps[0]!.state;
      },
      /does not start as the trace does/,
    ],
    [
      'lacks a step',
      (it) => {
        it.steps.splice(0, 1);
      },
      /cannot take step 1 \(a receives ASK\(origin=b\) from b\)\. It could have taken: b: ask; c: ask/,
    ],
    [
      'has another effect',
      (it) => {
        it.steps[0]!.effects = [];
      },
      /takes step 1 \(b: ask\) with other effects, or to another state/,
    ],
    [
      'leads to another state',
      (it) => {
        it.steps[1]!.state = it.steps[0]!.state;
      },
      /takes step 2 .* to another state/,
    ],
    [
      'is no lasso',
      (it) => {
        it.loop = 1;
      },
      /not where it was after step 1/,
    ],
  ])('is refused when it %s', (_, change, says) => {
    const altered = written(change as Parameters<typeof written>[0]);
    expect(() => replayTrace(compiled, altered)).toThrow(
      expect.objectContaining({ code: 'TRACE_REFUSED', message: expect.stringMatching(says) }),
    );
  });

  it('is the same, independent of earlier exploration', () => {
    const bags = () => compile(tokenPassing(['a', 'b', 'c'], { order: 'unordered-by-target' }));
    const [one, other] = [bags(), bags()];
    other.model.steps(2, other.model.initial[0]![2]!);
    const both = traceOf(one, pathOf(one, 'b: ask', 'c: ask'));
    expect(traceOf(other, pathOf(other, 'b: ask', 'c: ask'))).toEqual(both);
    expect(replayTrace(other, both)).toHaveLength(2);
  });

  it('may be a lasso', () => {
    const swing = createMachine({
      id: 'swing',
      initial: 'to',
      states: { to: { on: { go: 'fro' } }, fro: { on: { go: 'to' } } },
    });
    const swinging = compile(alone(swing, { environment: [{ event: { type: 'go' } }] }));
    const lasso = traceOf(swinging, pathOf(swinging, 'a: go', 'a: go'), 0);
    expect(replayTrace(swinging, lasso)).toHaveLength(2);
  });
});

describe('coverage', () => {
  it('names the transitions that no step took', () => {
    const machine = createMachine(
      {
        id: 'door',
        initial: 'shut',
        states: {
          shut: { on: { push: [{ guard: 'isLocked', target: 'shut' }, { target: 'open' }] } },
          open: { on: { push: 'open', pull: 'shut' }, always: { guard: 'isWindy', target: 'shut' } },
        },
      },
      { guards: { isLocked: () => false, isWindy: () => false } },
    );
    const system = systemOf({ a: { machine, environment: [{ event: { type: 'push' } }] }, b: { machine } });
    const door = compile(system);
    for (let state = door.model.initial[0]!, step = 0; step < 3; step++) {
      state = [...successors(door.model, state)][0]!.after;
    }
    expect(door.coverage()).toEqual([
      {
        machine: 'door',
        transitions: 5,
        never: [
          { state: 'door.shut', event: 'push', guard: 'isLocked', targets: ['door.shut'] },
          { state: 'door.open', event: 'pull', guard: null, targets: ['door.shut'] },
          { state: 'door.open', event: '', guard: 'isWindy', targets: ['door.shut'] },
        ],
      },
    ]);
  });
});
