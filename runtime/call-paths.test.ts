import { expect, onTestFinished, test } from 'vitest';
import { ElectionTrigger } from './election/election-trigger.ts';
import { Connection } from './mailbox/tcp/connection.ts';
import { LockActor } from './site/lock-actor.ts';
import { openMembers } from './testing/cluster.ts';

/* docs/architecture.md, "The way of one message": how many calls lie between a socket and a lock, and in how many files. */

test('a call of `run` reaches its connection, and the bytes of a token their lock, by few calls in few files', async () => {
  await using group = await openMembers(['a', 'b', 'c']);
  const [a, b] = [group.members[0]!.cluster.lock('orders'), group.members[1]!.cluster.lock('orders')];
  for (const lock of [a, b, a]) await lock.run(() => undefined);
  const paths = { granted: callPath(LockActor, 'execute'), sent: callPath(Connection, 'sendData') };
  await b.run(() => undefined);
  const granted = paths.granted((calls) => calls.at(-1)!.includes('connection.ts'));
  const sent = paths.sent((calls) => calls.some((call) => call.includes('wait-queue.ts')));
  expect(granted.calls.length, granted.text).toBeLessThanOrEqual(12);
  expect(granted.files.size, granted.text).toBeLessThanOrEqual(6);
  expect(sent.calls.length, sent.text).toBeLessThanOrEqual(18);
  expect(sent.files.size, sent.text).toBeLessThanOrEqual(7);
});

test('the death of a peer reaches the request for a vote by few calls in few files, over one timer', async () => {
  await using group = await openMembers(['a', 'b', 'c']);
  const [a, b, c] = group.members.map(({ cluster }) => cluster.lock('orders'));
  for (const lock of [a!, b!, c!]) await lock.run(() => undefined);
  await c!.acquire();
  const paths = { died: callPath(ElectionTrigger, 'peer'), asked: callPath(Connection, 'sendData') };
  const waiting = b!.run(() => undefined);
  await group.members[2]!.cluster.close({ graceful: false });
  await waiting;
  const died = paths.died(() => true);
  const asked = paths.asked((calls) => calls.some((call) => call.includes('election-trigger.ts')));
  const both = `${died.text}\n(the timer of the election)\n${asked.text}`;
  expect(died.calls.length + asked.calls.length, both).toBeLessThanOrEqual(23);
  expect(new Set([...died.files, ...asked.files]).size, both).toBeLessThanOrEqual(9);
});

/** Notes the calls that lead to each call of a method, the innermost first. Returns the shortest of those that `are` wanted. */
function callPath({ prototype }: { readonly prototype: object }, method: string) {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 100;
  const found: string[][] = [];
  const methods = prototype as Record<string, (...args: unknown[]) => unknown>;
  const original = methods[method]!;
  methods[method] = function (this: unknown, ...args) {
    const calls = new Error().stack!.split('\n');
    found.push(calls.filter((call) => /runtime\/(?!call-paths)[\w/-]+\.ts/.test(call)));
    return original.apply(this, args);
  };
  onTestFinished(() => {
    methods[method] = original;
    Error.stackTraceLimit = stackTraceLimit;
  });
  return (are: (calls: readonly string[]) => boolean) => {
    const calls = found.filter((one) => one.length > 0 && are(one)).sort((x, y) => x.length - y.length)[0];
    if (calls === undefined) throw new Error(`no such way to ${method}`);
    const files = new Set(calls.map((call) => /runtime\/([\w/-]+\.ts)/.exec(call)![1]));
    return { calls, files, text: calls.join('\n') };
  };
}
