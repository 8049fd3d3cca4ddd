import { setTimeout as pause } from 'node:timers/promises';
import { compareFences, type Fence } from 'batonlock';
import { argumentsOf, endMember, startMembers } from '../members.ts';

/*
 * Three processes; one runs the jobs. It is killed, and another takes over. Then that one leaves, and the third takes
 * over.
 */

const { ms } = argumentsOf(6);
const members = await startMembers(new URL('worker.ts', import.meta.url), ['a', 'b', 'c']);

interface Job {
  readonly leader: string;
  readonly fence: Fence;
  readonly at: number;
}
const jobs: Job[] = [];
let wentBack = 0;
for (const [leader, { child }] of members) {
  child.on('message', ({ fence }: { fence: Fence }) => {
    const before = jobs.at(-1);
    jobs.push({ leader, fence, at: Date.now() });
    if (before !== undefined && compareFences(fence, before.fence) < 0) wentBack++;
    if (leader !== before?.leader) console.log(`${leader} leads, under fence (${fence.epoch}, ${fence.k})`);
  });
}

/** Waits until a process other than `former` leads. */
async function nextLeader(former: string | null): Promise<string> {
  for (;;) {
    const leader = jobs.at(-1)?.leader;
    if (leader !== undefined && leader !== former) return leader;
    await pause(5);
  }
}

const first = await nextLeader(null);
await pause(ms / 3);
const killed = Date.now();
members.get(first)!.child.kill('SIGKILL');
console.log(`${first} is killed (SIGKILL)`);
const second = await nextLeader(first);
const tookOver = Date.now() - killed;
await pause(ms / 3);
console.log(`${second} is asked to end`);
await endMember(members.get(second)!);
// A process that ends hands the lock on. The others need no failure detection, and the third leads though it
// is a minority.
await pause(ms / 3);
await Promise.all([...members.values()].map(endMember));

console.log(`
jobs          ${jobs.length}
leaders       ${[...new Set(jobs.map(({ leader }) => leader))].join(', then ')}
taken over    ${tookOver} ms after the kill
out of turn   ${wentBack}`);
process.exitCode = wentBack === 0 ? 0 : 1;
