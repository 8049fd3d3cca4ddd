import { setTimeout as pause } from 'node:timers/promises';
import { type Fence, FenceGate } from 'batonlock';
import { argumentsOf, endMember, startMembers } from '../members.ts';

/* Four workers share 1,000 accounts, each guarded by its own lock. The accounts are kept here. */

export interface Answer {
  readonly id: number;
  readonly balance: number;
}

interface Ask {
  readonly id: number;
  readonly account: string;
  readonly fence: Fence;
  /** The balance to be written. Missing: the account is read. */
  readonly balance?: number;
}

const { ms } = argumentsOf(6);
const accounts = 1_000;
const ids = ['a', 'b', 'c', 'd'];
const balances = new Map<string, number>();
const deposits = new Map<string, number>(ids.map((id) => [id, 0]));
const gate = new FenceGate();
let refused = 0;

const members = await startMembers(new URL('worker.ts', import.meta.url), ids, { accounts });
console.log(`${ids.length} workers share ${accounts} locks`);
for (const [site, { child }] of members) {
  child.on('message', ({ id, account, fence, balance }: Ask) => {
    const accepted = gate.accept(account, fence);
    if (!accepted) refused++;
    if (accepted && balance !== undefined) {
      balances.set(account, balance);
      deposits.set(site, deposits.get(site)! + 1);
    }
    child.send({ id, balance: balances.get(account) ?? 0 } satisfies Answer);
  });
}
await pause(ms);
await Promise.all([...members.values()].map(endMember));

const sum = (numbers: Iterable<number>) => [...numbers].reduce((total, number) => total + number, 0);
const [made, kept] = [sum(deposits.values()), sum(balances.values())];
console.log(`
accounts used ${balances.size}
deposits      ${made}: ${[...deposits].map(([id, count]) => `${id} ${count}`).join(', ')}
lost          ${made - kept}
out of turn   ${refused}`);
const allDeposit = [...deposits.values()].every((count) => count > 0);
process.exitCode = made === kept && refused === 0 && allDeposit ? 0 : 1;
