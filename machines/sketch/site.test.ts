import { describe, expect, test } from 'vitest';
import { start, take } from '../../statechart/xstate.ts';
import type { NamedAction } from '../actor.ts';
import { type SketchEvent, type SketchMessage, waitMessage } from './messages.ts';
import { type SketchSnapshot, sketchMachine } from './site.ts';

/*
 * The behaviour of the pseudocode, function by function, with its faults: site b of a, b, c. `root_port` is a
 * unless given.
 */

const request = (port: string, source: string) => waitMessage({ type: 'TOKENREQUEST', port }, source);
const token = (source: string) => waitMessage({ type: 'TOKEN' }, source);

describe('handlemessage', () => {
  test('TOKENREQUEST, last is not the root: transfers the message as it is, last becomes the emitter', () => {
    const { snapshot, effects } = run('a', request('c', 'c'), request('c', 'a'));
    expect(effects).toEqual([send('c', { type: 'TOKENREQUEST', port: 'c' })]);
    expect(snapshot.context).toMatchObject({ last: 'a', next: 'c' });
  });

  test('TOKENREQUEST, last is the root: the emitter, not the requesting site, becomes next and last', () => {
    const { snapshot, effects } = run('a', request('c', 'a'));
    expect(effects).toEqual([]);
    expect(snapshot.context).toMatchObject({ last: 'a', next: 'a' });
  });

  test('TOKEN: hastoken becomes true', () => {
    expect(run('a', token('c')).snapshot.context.hastoken).toBe(true);
  });
});

describe('CriticalSection', () => {
  test('enters with the token, requested or not, once', () => {
    const { snapshot, effects } = run('b', 'enter', 'exit', 'enter');
    expect(effects).toEqual([{ type: 'grant' }, { type: 'unexpected', event: { type: 'enter' } }]);
    expect(snapshot.context.cptSC).toBe(1);
  });

  test('starts sendToken at its end', () => {
    expect(run('b', 'enter').snapshot.value).toMatchObject({ running: { sendToken: 'notStarted' } });
    expect(run('b', 'enter', 'exit').snapshot.value).toMatchObject({
      running: { sendToken: 'waitingForNext' },
    });
  });
});

describe('sendToken', () => {
  test('waits for a next, sends the token, and only then updates next, hastoken, cptSC', () => {
    const sent = run('b', 'enter', 'exit', request('c', 'c'), 'sendToken');
    expect(sent.effects).toEqual([{ type: 'grant' }, send('c', { type: 'TOKEN' })]);
    expect(sent.snapshot.context).toMatchObject({ next: 'c', hastoken: true, cptSC: 1 });
    const given = run('b', 'enter', 'exit', request('c', 'c'), 'sendToken', 'giveUp');
    expect(given.snapshot.context).toMatchObject({ next: null, hastoken: false, cptSC: 0 });
  });

  test('does not send while there is no next', () => {
    expect(run('b', 'enter', 'exit', 'sendToken').effects).toEqual([
      { type: 'grant' },
      { type: 'unexpected', event: { type: 'sendToken' } },
    ]);
  });
});

describe('main', () => {
  test('every site starts with last = root_port; the root has the token', () => {
    expect(run('a').snapshot.context).toMatchObject({ last: 'a', hastoken: false });
    expect(run('b').snapshot.context).toMatchObject({ last: 'b', hastoken: true });
  });

  test('ask: sendCSRequest to last, then last = root_port; repeatable', () => {
    const { snapshot, effects } = run('a', request('c', 'c'), 'ask', 'ask');
    expect(snapshot.context.last).toBe('a');
    const sent: SketchMessage = { type: 'TOKENREQUEST', port: 'b' };
    expect(effects).toEqual([send('c', sent), send('a', sent)]);
  });

  test('ask with the token: prints that the token is here, and does nothing else', () => {
    const { snapshot, effects } = run('b', 'enter', 'exit', 'ask');
    expect(effects).toEqual([{ type: 'grant' }]);
    expect(snapshot.value).toMatchObject({ running: { main: 'told', CriticalSection: 'polling' } });
  });

  test('ask of a root that already waits: there is no socket to itself', () => {
    const { effects, snapshot } = run(
      'b',
      'enter',
      'exit',
      request('c', 'c'),
      'sendToken',
      'giveUp',
      'ask',
      'ask',
    );
    expect(effects).toEqual([
      { type: 'grant' },
      send('c', { type: 'TOKEN' }),
      // This is the first request. For the second, neighbors[last] is neighbors[root_port].
      send('c', { type: 'TOKENREQUEST', port: 'b' }),
    ]);
    expect(snapshot.value).toMatchObject({ running: { main: 'waiting' } });
  });

  test('quit: closes the sockets although the token is here; later messages are swallowed', () => {
    const { snapshot, effects } = run('b', 'quit', request('c', 'c'), token('c'));
    expect(snapshot.value).toBe('exited');
    expect(snapshot.context).toMatchObject({ hastoken: true, next: null });
    expect(effects).toEqual([]);
  });
});

function send(target: string, message: SketchMessage): NamedAction {
  return { type: 'send', target, message };
}

/** The snapshot after a script, and all effects on the way. */
function run(
  root_port: string,
  ...script: readonly (SketchEvent | Exclude<SketchEvent['type'], SketchMessage['type']>)[]
) {
  let snapshot: SketchSnapshot = start(sketchMachine, { port: 'b', root_port }).snapshot;
  const effects: NamedAction[] = [];
  for (const item of script) {
    const step = take(sketchMachine, snapshot, typeof item === 'string' ? { type: item } : item);
    snapshot = step.snapshot;
    effects.push(...step.effects);
  }
  return { snapshot, effects };
}
