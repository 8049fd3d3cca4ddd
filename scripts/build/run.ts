import { build } from './build.ts';

// `npm run build [directory]`: what the package consists of, into `dist` or the directory.
await build(process.argv[2] ?? 'dist');
