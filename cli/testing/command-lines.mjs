// A process that takes one command line after another, and answers each with its output and exit status.
import { inspect } from 'node:util';
import { register } from 'tsx/esm/api';

register();
process.stdout.setMaxListeners(0);

let said = { stdout: '', stderr: '' };
for (const name of /** @type {const} */ (['stdout', 'stderr'])) {
  process[name].write = (/** @type {string | Uint8Array} */ text) => {
    said[name] += typeof text === 'string' ? text : Buffer.from(text).toString();
    return true;
  };
}

// `baton` tells by its presence that another `baton` has started it.
const answer = process.send?.bind(process);
process.send = undefined;

let runs = 0;
process.on('message', async (/** @type {string[]} */ args) => {
  said = { stdout: '', stderr: '' };
  process.argv.splice(2, process.argv.length, ...args);
  process.exitCode = 0;
  try {
    // Another query evaluates this module again. Its imports are kept.
    await import(`../main.ts?run=${runs++}`);
  } catch (error) {
    said.stderr += `${inspect(error)}\n`;
    process.exitCode = 1;
  }
  answer?.({ ...said, status: process.exitCode });
});
process.on('disconnect', () => process.exit());
