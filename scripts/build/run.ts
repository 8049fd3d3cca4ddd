import { build } from './build.ts';

// `npm run build [directory]` builds the package into `dist` or the directory.
await build(process.argv[2] ?? 'dist');
