import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Decoder } from '../../runtime/frame/decoder.ts';
import type { DataFrame } from '../../runtime/frame/frames.ts';
import { Writer } from '../../runtime/frame/writer.ts';
import type { Address } from '../../runtime/options.ts';
import { aligned, median, whole } from '../columns.ts';
import { codec, mailboxSide, rawDialler, request, type Side, token } from './side.ts';

/**
 * What a message costs on its way: to be written and read, in ns, and to go to another process and back over a
 * mailbox, beside as many bytes that go back and forth over a plain socket, in turns in one run.
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

/** How often a second it goes there and back. */
async function tripsPerSecond(side: Side, arrivals: { hear: () => void }): Promise<number> {
  let trips = 0;
  const begun = performance.now();
  await new Promise<void>((done) => {
    arrivals.hear = () => {
      trips += 1;
      if (performance.now() - begun < roundMs) side.send();
      else done();
    };
    side.send();
  });
  return (trips * 1_000) / (performance.now() - begun);
}

const codecLines = frames.map(([name, frame]) => [
  name,
  String(codec.encode(frame).length),
  whole(encodeNs(frame)),
  whole(decodeNs(frame)),
]);
console.log(aligned([['', 'bytes', 'encode ns', 'decode ns'], ...codecLines]));

const echo = fork(new URL('./echo.ts', import.meta.url));
const [addresses] = (await once(echo, 'message')) as [{ readonly raw: Address; readonly mailbox: Address }];
const heard = { raw: { hear: () => {} }, mailbox: { hear: () => {} } };
const raw = await rawDialler(addresses.raw, () => heard.raw.hear());
const mailbox = await mailboxSide('a', addresses.mailbox, () => heard.mailbox.hear());

const figures = { raw: [] as number[], mailbox: [] as number[], ratio: [] as number[] };
for (let round = -2; round < rounds; round++) {
  const plainly = await tripsPerSecond(raw, heard.raw);
  const posted = await tripsPerSecond(mailbox, heard.mailbox);
  if (round < 0) continue;
  figures.raw.push(plainly);
  figures.mailbox.push(posted);
  figures.ratio.push(posted / plainly);
}
echo.kill();
const line = (name: string, values: readonly number[]) => [
  name,
  whole(median(values)),
  whole(Math.min(...values)),
  whole(Math.max(...values)),
];
console.log();
console.log(
  aligned([
    ['there and back / s', 'median', 'min', 'max'],
    line('plain socket', figures.raw),
    line('mailbox', figures.mailbox),
    [
      'mailbox / plain',
      ...[median(figures.ratio), Math.min(...figures.ratio), Math.max(...figures.ratio)].map((ratio) =>
        ratio.toFixed(2),
      ),
    ],
  ]),
);
process.exit();
