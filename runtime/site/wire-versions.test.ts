import { expect, test } from 'vitest';
import type { StampedEnvelope } from '../api/peer.ts';
import { Decoder } from '../wire/decoder.ts';
import { type Frame, oldestVersion, protocolVersion } from '../wire/frames.ts';
import type { Field } from '../wire/layout.ts';
import { since, siteCodec, vocabulary } from './protocol.ts';

/*
 * The bytes of each version of the wire. Sites of the build that wrote them are still met, so no bytes here are ever
 * changed: another form of a message is another message, with a version of its own in `since`.
 */

const sample: Readonly<Record<Field, unknown>> = {
  site: 's',
  count: 300,
  'count?': 5,
  flag: true,
  name: 'n x',
  ids: { a: 'i' },
  configuration: { term: 1, version: 2, base: 3, voters: { 'a/x': true } },
  addresses: { a: { host: 'h', port: 80 } },
  fence: { generation: 1, epoch: 2, k: 3 },
  sites: ['a', 'b'],
};

/** Written by the build of that version. */
const byVersion: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  7: {
    REQUEST: '00ac0201730173',
    TOKEN: '01ac020173ac020201610162',
    NEW: '02ac020173',
    VOTE_REQUEST: '03ac020173ac02ac02',
    VOTE: '04ac0201730105',
    REFUSE: '05ac020173ac02',
    OVER: '06ac02017301',
    HEARTBEAT: '07ac0201730173ac0201ac02ac02',
    PROMISE: '08ac0201730173ac02',
    PROPOSE: '09ac020101610169036e2078',
    ACCEPTED: '0aac02036e2078',
    REFUSED: '0bac02',
    FOUNDED: '0cac020101610169036e2078',
    MEMBERS_JOIN: '0dac02036e2078',
    MEMBERS_CONFIGURATION: '0eac020102030101610178036e2078',
    MEMBERS_ACKNOWLEDGE: '0fac02ac02ac02036e2078ac02',
    MEMBERS_VOTE_REQUEST: '10ac02ac02036e20780102030101610178',
    MEMBERS_VOTE: '11ac02ac02036e2078',
    MEMBERS_REFUSE: '12ac02ac020102030101610178',
    ADDRESSES: '13010161016850',
    ASK: '14ac02ac02ac02',
    RELEASE: '15ac02ac02ac0201',
    GRANT: '16ac02010203',
    NO_ROOM: '17ac02',
    LOST: '18ac02',
    INVITE: '19',
  },
  8: { FORGET: '1aac0201730173', MINORITY: '1b' },
};

const handshake = {
  hello: '0000001c016261746f6eVVOO0163017801790161016201690102613102016850',
  welcome: '0000001d026261746f6eVVOO016301780179016101620169010261310201685003',
};

const codec = siteCodec();
const envelope: Omit<StampedEnvelope, 'message'> = {
  source: 'a',
  target: 'b',
  lock: 'l',
  stamp: { seq: 1, clock: null },
};
/** A data frame up to its message. */
const head = '03010001610162016c0100';

const framed = (payload: string) => (payload.length / 2).toString(16).padStart(8, '0') + payload;

const identity = {
  ...{ cluster: 'c', configuration: 'x', founders: 'y', site: 'a', target: 'b', incarnation: 'i' },
  ...{ life: 1, id: 'a1', run: 2, host: 'h', port: 80 },
};

test('each message has the bytes that it had in the version with which it came', () => {
  const written: Record<number, Record<string, string>> = {};
  for (const [type, fields] of Object.entries(vocabulary)) {
    const values = Object.entries(fields).map(([key, field]) => [key, sample[field as Field]]);
    const message = { type, ...Object.fromEntries(values) };
    const bytes = codec.encode({ type: 'data', seq: 1, ack: 0, envelope: { ...envelope, message } } as Frame);
    const version = (since as Readonly<Record<string, number>>)[type] ?? oldestVersion;
    written[version] ??= {};
    written[version][type] = bytes.toString('hex').slice(framed(head).length);
  }
  expect(written).toEqual(byVersion);
  expect(Object.keys(written).map(Number)).toEqual(
    Array.from({ length: protocolVersion - oldestVersion + 1 }, (_, at) => oldestVersion + at),
  );
});

test('the handshake has the bytes that it has in the oldest version', () => {
  const [hello, welcome] = [
    codec.encode({ type: 'hello', ...codec.versions, ...identity }),
    codec.encode({ type: 'welcome', ...codec.versions, ...identity, ack: 3 }),
  ].map((bytes) => bytes.toString('hex'));
  const versions = Buffer.from([protocolVersion, oldestVersion]).toString('hex');
  for (const [frame, bytes] of [
    [hello, handshake.hello],
    [welcome, handshake.welcome],
  ])
    expect(frame).toBe(bytes!.replace('VVOO', versions));
});

test('a message of a later version than both sides speak is refused, and taken where both speak it', () => {
  const after = (version: number): readonly string[] => {
    const decoder = new Decoder(codec);
    const hello = codec.encode({ type: 'hello', version, oldest: oldestVersion, ...identity });
    decoder.push(Buffer.concat([hello, Buffer.from(framed(head + byVersion[8]!['FORGET']), 'hex')]));
    const types: string[] = [];
    try {
      for (let frame = decoder.next(); frame; frame = decoder.next()) types.push(frame.type);
    } catch (error) {
      types.push((error as { code: string }).code);
    }
    return types;
  };
  expect([after(7), after(8), after(9)]).toEqual([
    ['hello', 'FRAME_UNKNOWN'],
    ['hello', 'data'],
    ['hello', 'data'],
  ]);
});
