import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { argumentsOf, endMember, startMembers } from '../members.ts';
import { Invoices } from './database.ts';

/*
 * Three processes number invoices in one SQLite file. One of them is stopped in the middle of a critical
 * section, so long that the others continue without it. Then it writes.
 */

const { ms, fenced } = argumentsOf(8);
const dir = mkdtempSync(join(tmpdir(), 'baton-invoices-'));
const file = join(dir, 'invoices.db');
const database = new Invoices(file, { fenced });

const service = new URL('service.ts', import.meta.url);
const members = await startMembers<{ url: string }>(service, ['a', 'b', 'c'], { file, fenced });
for (const [id, { ready }] of members) console.log(`${id} numbers invoices at ${ready.url}/invoices`);

const ends = Date.now() + ms;
const answers = new Map<number, number>();
let lateWrites = 0;
let wentOn = false;

/** A customer orders repeatedly, from the same process. */
async function order(id: string): Promise<void> {
  const { url } = members.get(id)!.ready;
  while (Date.now() < ends || !wentOn) {
    const response = await fetch(`${url}/invoices`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ customer: `of ${id}` }),
    });
    answers.set(response.status, (answers.get(response.status) ?? 0) + 1);
    if (response.status === 201) continue;
    const { code, message } = (await response.json()) as { code: string; message: string };
    if (code === 'LATE_WRITE') lateWrites++;
    console.log(`${id} answers ${response.status}: ${message}`);
  }
}

/** Stops `b` while it draws an invoice, until the others have gone on. */
async function stopInTheMiddle(): Promise<void> {
  await pause(ms / 4);
  const { child } = members.get('b')!;
  // Its messages so far concern earlier invoices.
  child.on('message', () => undefined);
  await pause(100);
  let number: number;
  do {
    child.kill('SIGCONT');
    [{ number }] = await once(child, 'message');
    child.kill('SIGSTOP');
    await pause(50);
    // On a busy machine the process may have been faster than the signal.
  } while (!isBeforeWriting(number));
  console.log(`b is stopped (SIGSTOP) while it draws invoice ${number}`);
  while (database.totals().highest < number + 3) await pause(100);
  console.log(`a and c have gone on, up to invoice ${database.totals().highest}; b goes on (SIGCONT)`);
  child.kill('SIGCONT');
  wentOn = true;
}

function isBeforeWriting(number: number): boolean {
  try {
    return database.totals().highest < number;
  } catch {
    // It is writing: the file is locked.
    return false;
  }
}

await Promise.all([stopInTheMiddle(), ...[...members.keys()].map(order)]);
await Promise.all([...members.values()].map(endMember));
const { invoices, numbers } = database.totals();
database.close();
rmSync(dir, { recursive: true });

console.log(`
invoices      ${invoices}
doubled       ${invoices - numbers}${fenced ? '' : '  (--no-fence)'}
late writes   ${lateWrites} refused
answers       ${[...answers].map(([status, count]) => `${status}: ${count}`).join(', ')}`);
process.exitCode = invoices === numbers && lateWrites > 0 ? 0 : 1;
