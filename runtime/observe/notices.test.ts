import { Writable } from 'node:stream';
import pino from 'pino';
import { describe, expect, expectTypeOf, it, onTestFinished } from 'vitest';
import { InvariantError, OperatingError } from '../api/errors.ts';
import type { Logger, Notice } from '../api/notice.ts';
import { joinCluster } from '../index.ts';
import { anyPort } from '../testing/cluster.ts';
import { logTo, Notices } from './notices.ts';

const origin = { cluster: 'test', site: 'a' };

/** Pino's, and the lines that it has written. */
function logged() {
  const lines: Record<string, unknown>[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _, done) => {
      lines.push(JSON.parse(chunk.toString()));
      done();
    },
  });
  return { lines, logger: pino({ level: 'trace', base: null, timestamp: false }, stream) };
}

const refused = new OperatingError('FOREIGN_CLUSTER', 'it is of another');

const notices: readonly [Notice, number, string][] = [
  [{ type: 'listening', address: { host: '127.0.0.1', port: 4001 } }, 20, 'listens on 127.0.0.1:4001'],
  [{ type: 'connected', peer: 'b', incarnation: 'x' }, 20, 'b is connected'],
  [{ type: 'connection-lost', peer: 'b', reason: 'reset' }, 20, 'the connection to b is lost: reset'],
  [{ type: 'up', peer: 'b', incarnation: 'x' }, 30, 'b is up'],
  [{ type: 'down', peer: 'b', why: 'silent' }, 40, 'b is down: nothing is heard of it'],
  [{ type: 'down', peer: 'b', why: 'left' }, 20, 'b is down: it has left'],
  [{ type: 'left', peer: 'b' }, 30, 'b has left'],
  [
    { type: 'restarted', peer: 'b', incarnation: 'x', lost: [] },
    40,
    'b is up again, and knows nothing of what was under way to it',
  ],
  [
    { type: 'suspected', lock: 'l', because: { reason: 'death', down: { b: 'refused' } } },
    30,
    'stands for a new epoch: a site died, and callers wait',
  ],
  [{ type: 'elected', lock: 'l', epoch: 2, root: 'a' }, 30, 'has won epoch 2'],
  [{ type: 'adopted', lock: 'l', epoch: 2, root: 'a' }, 30, 'follows epoch 2, whose root is a'],
  [
    { type: 'lost', lock: 'l', fence: { generation: 1, epoch: 1, k: 4 } },
    50,
    'lost the critical section under fence (1, 4)',
  ],
  [
    { type: 'dropped', peer: 'b', count: 3 },
    40,
    '3 messages for b are dropped: they were for a life that is over',
  ],
  [
    { type: 'dropped', peer: 'b', count: 1 },
    40,
    '1 message for b is dropped: it was for a life that is over',
  ],
  [
    { type: 'dial-failed', peer: 'b', reason: 'no', retryInMs: 9 },
    40,
    'b is not linked yet, dialling again until it is: no',
  ],
  [
    { type: 'error', error: new OperatingError('UNDELIVERED', 'late'), peer: 'b', remote: null },
    20,
    'UNDELIVERED: late',
  ],
  [{ type: 'error', error: refused, peer: 'b', remote: null }, 40, 'FOREIGN_CLUSTER: it is of another'],
  [
    { type: 'crash', error: new InvariantError('MACHINE_ERROR', 'no') },
    50,
    'MACHINE_ERROR: no\nThis site has stopped: what it knows can no longer be trusted.',
  ],
];

describe('a log', () => {
  it('may be pino, or the console', () => {
    expectTypeOf<pino.Logger>().toExtend<Logger>();
    expectTypeOf<Console>().toExtend<Logger>();
  });

  it.each(notices)('has %o at level %i', (notice, level, msg) => {
    const { lines, logger } = logged();
    logTo(logger, origin)(notice);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ level, msg, ...origin, event: notice.type });
  });

  it('has what is there to search for, and no messages', () => {
    const { lines, logger } = logged();
    const log = logTo(logger, origin);
    log({ type: 'error', error: refused, peer: 'b', remote: '127.0.0.1:9' });
    const stamp = { seq: 1, clock: null };
    const envelope = { source: 'a', target: 'b', lock: 'l', message: { type: 'X' }, stamp };
    log({ type: 'restarted', peer: 'b', incarnation: 'x', lost: [envelope] });
    log({ type: 'lost', lock: 'l', fence: { generation: 1, epoch: 1, k: 4 } });
    expect(lines[0]).toMatchObject({ code: 'FOREIGN_CLUSTER', peer: 'b', err: { code: 'FOREIGN_CLUSTER' } });
    expect(lines[1]).toMatchObject({ incarnation: 'x', lost: 1 });
    expect(lines[2]).toMatchObject({ lock: 'l', fence: { generation: 1, epoch: 1, k: 4 } });
  });

  it('is warned once of what repeats, again after a connection to that peer, and remembers no end of texts', () => {
    const told = new Notices();
    const failed = (reason: string): Notice => ({ type: 'dial-failed', peer: 'b', reason, retryInMs: 9 });
    const level = (notice: Notice) => told.entry(notice).level;
    expect([level(failed('no')), level(failed('no')), level(failed('gone'))]).toEqual([
      'warn',
      'debug',
      'warn',
    ]);
    level({ type: 'connected', peer: 'c', incarnation: 'x' });
    expect(level(failed('no'))).toBe('debug');
    level({ type: 'connected', peer: 'b', incarnation: 'x' });
    expect(level(failed('no'))).toBe('warn');
    const error = (untold: number): Notice => ({
      type: 'error',
      error: refused,
      peer: 'b',
      remote: null,
      untold,
    });
    expect([level(error(1)), level(error(2))]).toEqual(['warn', 'debug']);
    for (let reason = 0; reason < 1_000; reason += 1) level(failed(String(reason)));
    expect(level(failed('no'))).toBe('warn');
  });

  it('is written by a site that joins', async () => {
    const { lines, logger } = logged();
    await using _ = await joinCluster({ cluster: 'test', site: 'a', listen: anyPort, peers: {}, logger });
    expect(lines).toContainEqual(expect.objectContaining({ event: 'listening', cluster: 'test', site: 'a' }));
  });

  it('that throws disturbs nobody', async () => {
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    const caught = new Promise((resolve) => process.on('uncaughtException', resolve));
    onTestFinished(() => {
      process.removeAllListeners('uncaughtException');
      for (const listener of others) process.on('uncaughtException', listener);
    });
    const { logger } = logged();
    logger.debug = () => {
      throw new Error('the disk is full');
    };
    await using cluster = await joinCluster({
      cluster: 'test',
      site: 'a',
      listen: anyPort,
      peers: {},
      logger,
    });
    expect(await cluster.lock('main').run(() => 'ran')).toBe('ran');
    expect(await caught).toMatchObject({ message: 'the disk is full' });
  });
});
