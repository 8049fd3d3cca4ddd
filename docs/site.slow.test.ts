import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';

/* The site and the recipes, with the packages of docs/site. */

const site = join(import.meta.dirname, 'site');
const checkout = join(import.meta.dirname, '..');
const node = (args: readonly string[]) =>
  execFileSync(process.execPath, args, { cwd: site, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

beforeAll(() => {
  const ci = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'];
  execFileSync('npm', ci, { cwd: site, stdio: ['ignore', 'ignore', 'inherit'] });
});

it('the recipes fit the types of what they use', () => {
  const guide = readFileSync(join(import.meta.dirname, 'recipes.md'), 'utf8');
  const blocks = [...guide.matchAll(/^```ts\n\/\/ (\S+)\n(.*?)^```$/gms)];
  expect(blocks.map(([, name]) => name)).toEqual([
    ...['cluster.ts', 'server.ts', 'locks.module.ts', 'worker.ts', 'nightly.ts', 'instrumentation.ts'],
  ]);
  const dir = join(site, 'node_modules/.recipes');
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir);
  for (const [, name, code] of blocks) writeFileSync(join(dir, name!), code!);
  const compilerOptions = {
    ...{ target: 'ES2022', lib: ['ES2023', 'ESNext.Disposable'], module: 'NodeNext', strict: true },
    ...{ exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, experimentalDecorators: true },
    ...{ skipLibCheck: true, noEmit: true, allowImportingTsExtensions: true, types: ['node'] },
    ...{
      typeRoots: ['../../../../node_modules/@types'],
      paths: { batonlock: ['../../../../runtime/index.ts'] },
    },
  };
  writeFileSync(join(dir, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
  expect(node([join(checkout, 'node_modules/typescript/bin/tsc'), '-p', dir])).toBe('');
});

it('the site is built, and each of its links leads to a page and a heading', () => {
  node(['build.mjs']);
  const dist = join(site, 'dist');
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' });
  const pages = files.filter((file) => file.endsWith('.html') && file !== '404.html');
  expect(pages.length).toBeGreaterThan(20);
  const read = (page: string) => readFileSync(join(dist, page), 'utf8');
  const broken = pages.flatMap((page) =>
    [...read(page).matchAll(/<a [^>]*href="([^"]+)"/g)].flatMap(([, href]) => {
      if (/^\w+:/.test(href!)) return [];
      const [path = '', anchor] = decodeURI(href!).split('#');
      const target = path === '' ? page : path.startsWith('/') ? path.slice(1) : join(dirname(page), path);
      const file = [target, `${target}.html`, join(target, 'index.html')].find(
        (one) => one.endsWith('.html') && existsSync(join(dist, one)),
      );
      if (file === undefined) return [`${page}: ${href}`];
      const isFound = anchor === undefined || anchor === '' || read(file).includes(`id="${anchor}"`);
      return isFound ? [] : [`${page}: ${href} is no heading`];
    }),
  );
  expect(broken).toEqual([]);
  // The search looks in an index that is built with the pages.
  const index = files.find((file) => /localSearchIndex/.test(file));
  expect(readFileSync(join(dist, index!), 'utf8').includes('/docs/errors.html#operatingerror')).toBe(true);
});
