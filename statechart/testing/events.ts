import type { EventObject } from 'xstate';

/*
 * Inputs and events of this project's machines in a mesh of three sites. All of them may occur at any time.
 */

const sites = ['a', 'b', 'c'];
const epochs = [0, 1, 2];
const types = (...names: readonly string[]): readonly EventObject[] => names.map((type) => ({ type }));
/** Events that no machine names: only a wildcard takes them. */
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
      { type: 'HEARTBEAT', epoch, root, origin: 'b', round: 1, stays: root === 'b', term: 0, version: 1 },
      { type: 'PROMISE', epoch, root, voter: 'b', round: 1 },
    ]),
  ),
  ...epochs.flatMap((epoch) => [
    { type: 'VOTE_REQUEST', epoch, candidate: 'b', term: 0, version: 1 },
    { type: 'VOTE', epoch, voter: 'b', holds: epoch === 2 ? 1 : null },
    { type: 'leaseOver', epoch, round: 1 },
    {
      type: 'configured',
      term: 0,
      version: 2,
      base: epoch,
      voters: { a: true, b: true },
      joins: epoch === 2,
    },
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

const founding = (b: string) => ({ generation: 2, ids: { a: 'a1', b } });
const foundingOf = { self: 'a', id: 'a1', founders: ['a', 'b'] };

export const foundingInputs = [
  { ...foundingOf, proposer: 'a', disk: null },
  { ...foundingOf, proposer: 'b', disk: null },
  { ...foundingOf, proposer: 'a', disk: { ...founding('b1'), stage: 'accepted' } },
  { ...foundingOf, proposer: 'b', disk: { ...founding('b1'), stage: 'founded' } },
  { ...foundingOf, proposer: 'b', disk: { ...founding('b1'), stage: 'settled' } },
];

export const foundingEvents: readonly EventObject[] = [
  ...['b1', 'b2'].flatMap((id) => [
    { type: 'met', peer: 'b', id },
    { type: 'PROPOSE', proposer: id, ...founding(id) },
    { type: 'FOUNDED', knower: id, ...founding(id) },
    { type: 'ACCEPTED', generation: 2, voter: id },
  ]),
  { type: 'FOUNDED', knower: 'b1', generation: 2, ids: { a: 'a2', b: 'b1' } },
  ...[1, 2, 3].map((generation) => ({ type: 'REFUSED', generation })),
  { type: 'found', generation: 2 },
  ...foreign,
];

const voters = { a: true, b: true, c: true };
const configurations = [0, 1, 2].map((term) => ({ term, version: 1, base: 0, voters }));

export const membersInputs = [
  { self: 'a', disk: { configuration: configurations[0], promised: 0, top: 0 } },
  { self: 'a', disk: { configuration: null, promised: 0, top: 0 } },
  { self: 'a', disk: { configuration: configurations[1], promised: 2, top: 1 } },
];

export const membersEvents: readonly (EventObject & Readonly<Record<string, unknown>>)[] = [
  ...types('stand'),
  ...configurations.flatMap((configuration) => [
    { type: 'CONFIGURATION', configuration, origin: 'b' },
    { type: 'REFUSE', term: configuration.term, configuration },
    { type: 'VOTE_REQUEST', term: configuration.term + 1, candidate: 'b', configuration },
  ]),
  ...[1, 2].flatMap((term) => [
    { type: 'VOTE', term, voter: 'b' },
    ...[1, 2].map((version) => ({ type: 'ACKNOWLEDGE', term, version, voter: 'b', top: 1 })),
  ]),
  { type: 'change', change: { add: 'd' } },
  { type: 'change', change: { remove: 'c' } },
  { type: 'JOIN', site: 'd' },
  { type: 'tell', peer: 'b' },
  { type: 'join', peer: 'b' },
  { type: 'promised', epoch: 1 },
  ...foreign,
];
