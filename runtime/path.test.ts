import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { WaitQueue } from './lock/wait-queue.ts';
import { Connection } from './mailbox/tcp/connection.ts';
import { openMembers } from './testing/cluster.ts';

/* How many calls a message passes, and in how many files. A reader has to follow all of them. */

afterEach(() => void vi.restoreAllMocks());

/** The runtime's calls that are on the stack, the outermost first, each with its file. */
function calls(): { readonly call: string; readonly file: string }[] {
  const lines = (new Error().stack ?? '').split('\n').reverse();
  return lines.flatMap((line) => {
    const found = /at (?:async )?(\S+) .*\/runtime\/((?:[\w-]+\/)+[\w-]+\.ts)/.exec(line);
    return found ? [{ call: found[1]!, file: found[2]! }] : [];
  });
}

function unlimited(): void {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 100;
  onTestFinished(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });
}

const filesOf = (path: readonly { readonly file: string }[]) => new Set(path.map(({ file }) => file)).size;

test('from the bytes of a token to its grant: 12 calls in 6 files', async () => {
  unlimited();
  await using group = await openMembers(['a', 'b']);
  const { grant } = WaitQueue.prototype;
  let path: ReturnType<typeof calls> = [];
  vi.spyOn(WaitQueue.prototype, 'grant').mockImplementation(function (this: WaitQueue, fence) {
    path = calls();
    grant.call(this, fence);
  });
  await group.members[1]!.lock.run(() => undefined);
  const begun = path.slice(path.findIndex(({ call }) => call === 'Connection.#read'));
  // The spy stands in place of the last call, and of its file.
  expect([begun.length + 1, filesOf(begun) + 1]).toEqual([12, 6]);
});

test('from run to the bytes of its request: in 7 files', async () => {
  unlimited();
  await using group = await openMembers(['a', 'b']);
  const { sendData } = Connection.prototype;
  let path: ReturnType<typeof calls> = [];
  vi.spyOn(Connection.prototype, 'sendData').mockImplementation(function (this: Connection, ...sent) {
    if (path.length === 0) path = calls();
    sendData.apply(this, sent);
  });
  await group.members[1]!.lock.run(() => undefined);
  const names = new Set([...path.map(({ file }) => file), 'mailbox/tcp/connection.ts']);
  expect([...names].filter((file) => !file.startsWith('testing/'))).toHaveLength(7);
});
