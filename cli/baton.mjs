#!/usr/bin/env node
import '../scripts/install-missing.mjs';

const { register } = await import('tsx/esm/api');
register();
await import('./main.ts');
