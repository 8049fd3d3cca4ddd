import { emitEntries, root } from '../build.ts';
import { emitModules } from '../modules.ts';

// `node --import tsx scripts/build/testing/modules.ts DIRECTORY` emits the modules of the package alone: no types, no page.
const dir = process.argv[2]!;
await emitModules(root, dir);
emitEntries(dir);
