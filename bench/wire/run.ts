import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { Address } from '../../runtime/api/peer.ts';
import { Authority } from '../../runtime/testing/credentials.ts';
import { Decoder } from '../../runtime/wire/decoder.ts';
import type { DataFrame } from '../../runtime/wire/frames.ts';
import { Writer } from '../../runtime/wire/writer.ts';
import { aligned, median, whole } from '../columns.ts';
import {
  codec,
  mailboxSide,
  type Proofs,
  rawDialler,
  request,
  type Side,
  token,
  transports,
} from './side.ts';

/**
 * Measures the cost of a message. First the time to encode and decode it, in ns. Then a round trip to another
 * process over a mailbox with each of its transports, and of the same number of bytes over a plain socket, in
 * turns in one run.
 */
const rounds = Number(process.argv[2] ?? 7);
const roundMs = 500;

const frames: readonly (readonly [string, DataFrame])[] = [
  ['REQUEST', { type: 'data', seq: 12_345, ack: 12_344, envelope: request('b', 'a') }],
  ['TOKEN', { type: 'data', seq: 12_345, ack: 12_344, envelope: token('b', 'a') }],
];

const times = 200_000;

function nsEach(work: () => void): number {
  const figures = Array.from({ length: rounds }, () => {
    const begun = process.hrtime.bigint();
    work();
    return Number(process.hrtime.bigint() - begun) / times;
  });
  return median(figures);
}

function encodeNs(frame: DataFrame): number {
  const writer = new Writer();
  return nsEach(() => {
    for (let i = 0; i < times; i++) {
      codec.write(frame, writer);
      if (i % 16 === 15) writer.take();
    }
  });
}

function decodeNs(frame: DataFrame): number {
  const chunk = Buffer.concat(Array.from({ length: 16 }, () => codec.encode(frame)));
  const decoder = new Decoder(codec);
  return nsEach(() => {
    for (let i = 0; i < times; i += 16) {
      decoder.push(chunk);
      while (decoder.next() !== null);
    }
  });
}

/** Round trips per second, and the CPU time of this process for each, in µs. */
async function trip(side: Side, arrivals: { hear: () => void }) {
  let trips = 0;
  const cpu = process.cpuUsage();
  const begun = performance.now();
  await new Promise<void>((done) => {
    arrivals.hear = () => {
      trips += 1;
      if (performance.now() - begun < roundMs) side.send();
      else done();
    };
    side.send();
  });
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: (trips * 1_000) / (performance.now() - begun), cpuUs: (user + system) / trips };
}

const codecLines = frames.map(([name, frame]) => [
  name,
  String(codec.encode(frame).length),
  whole(encodeNs(frame)),
  whole(decodeNs(frame)),
]);
console.log(aligned([['', 'bytes', 'encode ns', 'decode ns'], ...codecLines]));

const authority = new Authority('bench');
const proofs: Proofs = { a: authority.tls('bench', 'a'), b: authority.tls('bench', 'b') };
const echo = fork(new URL('./echo.ts', import.meta.url));
echo.send(proofs);
const [addresses] = (await once(echo, 'message')) as [{ raw: Address; mailboxes: readonly Address[] }];

/** One kind of round trip, and its figures by round. */
interface Way {
  readonly name: string;
  readonly side: Side;
  readonly arrivals: { hear: () => void };
  readonly figures: number[];
  /** CPU time of this process for each round trip, in µs. Other load adds little to it. */
  readonly cpuUs: number[];
}

async function way(name: string, open: (received: () => void) => Promise<Side>): Promise<Way> {
  const arrivals = { hear: () => {} };
  return { name, side: await open(() => arrivals.hear()), arrivals, figures: [], cpuUs: [] };
}

const socket = await way('plain socket', (received) => rawDialler(addresses.raw, received));
const mailboxes: Way[] = [];
for (const [index, [name, transport]] of Object.entries(transports('a', proofs.a)).entries())
  mailboxes.push(
    await way(`mailbox, ${name}`, (received) =>
      mailboxSide('a', addresses.mailboxes[index]!, transport, received),
    ),
  );

for (let round = -4; round < rounds; round++)
  for (const { side, arrivals, figures, cpuUs } of [socket, ...mailboxes]) {
    const made = await trip(side, arrivals);
    if (round < 0) continue;
    figures.push(made.perSecond);
    cpuUs.push(made.cpuUs);
  }
echo.kill();

const line = (name: string, values: readonly number[], shown: (value: number) => string) => [
  name,
  shown(median(values)),
  shown(Math.min(...values)),
  shown(Math.max(...values)),
];
const share = (of: Way, among: Way) =>
  line(
    `${of.name} / ${among.name}`,
    of.figures.map((figure, round) => figure / among.figures[round]!),
    (ratio) => ratio.toFixed(2),
  );
const [unproved, ...proved] = mailboxes as [Way, ...Way[]];
console.log();
console.log(
  aligned([
    ['there and back / s', 'median', 'min', 'max'],
    ...[socket, ...mailboxes].map(({ name, figures }) => line(name, figures, whole)),
    share(unproved, socket),
    ...proved.map((mailbox) => share(mailbox, unproved)),
  ]),
);
console.log();
console.log(
  aligned([
    ['µs of this process, there and back', 'median', 'min', 'max'],
    ...[socket, ...mailboxes].map(({ name, cpuUs }) => line(name, cpuUs, (us) => us.toFixed(1))),
  ]),
);
process.exit();
