// A process of its own for sites under test: it needs the TypeScript loader first.
import { register } from 'tsx/esm/api';

register();
await import('./site-driver.ts');
