import type { EventObject } from 'xstate';

/* What our machines may be started with and told, in a mesh of three: all of it at any time. */

const sites = ['a', 'b', 'c'];
const epochs = [0, 1, 2];
const types = (...names: readonly string[]): readonly EventObject[] => names.map((type) => ({ type }));
/** Of nobody: only a wildcard takes it. */
const foreign = types('nobody knows it');

export const epochInputs = [true, false].flatMap((strict) => [
  ...['a', 'b'].map((founder) => ({ self: 'a', founder, voters: sites, disk: 'none', strict })),
  { self: 'a', founder: 'b', voters: sites, disk: 'lost', strict },
  { self: 'a', founder: 'b', voters: sites, disk: { promised: 1, epoch: 0, root: 'b' }, strict },
  { self: 'a', founder: 'b', voters: ['b', 'c'], disk: 'none', strict },
]);

export const epochEvents: readonly EventObject[] = [
  ...types('ask', 'release', 'again', 'try', 'withdraw', 'suspect', 'heartbeat', 'promiseOver'),
  ...epochs.flatMap((epoch) =>
    ['a', 'b'].flatMap((root) => [
      { type: 'REQUEST', epoch, root, origin: 'c' },
      { type: 'TOKEN', epoch, root, k: 1 },
      { type: 'NEW', epoch, root },
      { type: 'REFUSE', epoch, root, promise: epoch + 1 },
      { type: 'HEARTBEAT', epoch, root, origin: 'b', round: 1, stays: root === 'b' },
      { type: 'PROMISE', epoch, root, voter: 'b', round: 1 },
    ]),
  ),
  ...epochs.flatMap((epoch) => [
    { type: 'VOTE_REQUEST', epoch, candidate: 'b' },
    { type: 'VOTE', epoch, voter: 'b', holds: epoch === 2 ? 1 : null },
    { type: 'leaseOver', epoch, round: 1 },
  ]),
  ...foreign,
];

export const naimiTrehelEvents: readonly EventObject[] = [
  ...types('ask', 'release', 'again', 'try', 'withdraw', 'leave', 'TOKEN', 'GOODBYE'),
  ...sites.flatMap((site) => [
    { type: 'REQUEST', origin: site },
    { type: 'LEAVE', leaver: site },
  ]),
  ...foreign,
];

export const linkInputs = [{ incarnation: 'mine', limit: 2 }];

export const linkEvents: readonly EventObject[] = [
  ...['first', 'second'].map((payload) => ({ type: 'post', payload })),
  ...types('finish', 'flushAck'),
  ...[1, 2].flatMap((connection) => [
    { type: 'connected', connection },
    { type: 'disconnected', connection },
    ...['one life', 'another'].flatMap((incarnation) => [
      { type: 'HELLO', connection, incarnation },
      ...[0, 1].map((ack) => ({ type: 'WELCOME', connection, incarnation, ack })),
    ]),
    ...[0, 1, 2].flatMap((ack) => [
      { type: 'ACK', connection, ack },
      { type: 'DATA', connection, seq: 1, ack, payload: 'of the peer' },
      { type: 'DATA', connection, seq: 2, ack, payload: 'of the peer' },
    ]),
  ]),
  ...foreign,
];

export const sketchEvents: readonly EventObject[] = [
  ...types('ask', 'quit', 'enter', 'exit', 'sendToken', 'giveUp'),
  ...sites.flatMap((port) => [
    { type: 'TOKENREQUEST', port, contenu: { type: 'TOKENREQUEST', port } },
    { type: 'TOKEN', port, contenu: { type: 'TOKEN' } },
  ]),
  ...foreign,
];
