import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { build } from 'esbuild';
import { publint } from 'publint';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePorts } from '../../runtime/testing/free-ports.ts';
import {
  checkout,
  inProject,
  install,
  pack,
  project,
  reachableFrom,
  removeProject,
} from './testing/project.ts';

/* Packs this checkout, installs it into an empty project, and uses it as a service does. */

const manifest = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8'));
let tarball: Buffer;

beforeAll(async () => {
  const path = await pack();
  tarball = readFileSync(path);
  await install(path);
});
afterAll(removeProject);

test.each(['20.x', '22.x', '24.x'])(
  'every package of the lock file runs on Node.js %s: npm ci prints no warning',
  (line) => {
    const { packages } = JSON.parse(readFileSync(join(checkout, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { engines?: { node?: string } }>;
    };
    const { intersects } = createRequire(import.meta.url)('semver');
    const others = Object.entries(packages).flatMap(([path, { engines }]) =>
      engines?.node && !intersects(line, engines.node) ? [`${path}: ${engines.node}`] : [],
    );
    expect(others).toEqual([]);
  },
);

describe('the tarball', () => {
  test('passes publint', async () => {
    const { messages } = await publint({ pack: { tarball: new Uint8Array(tarball).buffer }, strict: true });
    expect(messages).toEqual([]);
  });

  test('has types that every resolution finds, of ES modules and of CommonJS', async () => {
    const { types, ...analysis } = await checkPackage(createPackageFromTarballData(new Uint8Array(tarball)));
    expect(types).toEqual({ kind: 'included' });
    const { problems } = analysis as {
      problems: { kind: string; resolutionKind?: string; entrypoint?: string }[];
    };
    // The checker alone has no build for CommonJS, whose `require` accepts ES modules since Node 20.19, and none for
    // resolutions that do not know `exports`.
    const known = ['CJSResolvesToESM node16-cjs ./verification', 'NoResolution node10 ./verification'];
    const texts = problems.map(({ kind, resolutionKind, entrypoint }) =>
      [kind, resolutionKind, entrypoint].filter((word) => word !== undefined).join(' '),
    );
    expect(texts.filter((text) => !known.includes(text))).toEqual([]);
  });

  test('contains the page and the notices for the work of others', () => {
    const dist = join(project, 'node_modules/batonlock/dist');
    expect(existsSync(join(dist, 'inspector/dist/page.js'))).toBe(true);
    const notices = readFileSync(join(dist, 'THIRD-PARTY-LICENSES.txt'), 'utf8');
    for (const name of ['commander', 'pure-rand', 'react-dom', 'elkjs'])
      expect(notices).toMatch(new RegExp(`^${name} \\d`, 'm'));
  });

  test('brings no texts of errors in other languages into the bundle of a service', async () => {
    const input = join(project, 'bundled.mjs');
    writeFileSync(input, "export { joinCluster } from 'batonlock';\n");
    const options = { bundle: true, platform: 'node', format: 'esm', write: false, metafile: true } as const;
    const { metafile } = await build({ entryPoints: [input], ...options });
    const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs));
    const rendered = inputs.flatMap(([id, { bytesInOutput }]) => (bytesInOutput > 0 ? id : []));
    expect(rendered.filter((id) => id.includes('/zod/')).length).toBeGreaterThan(0);
    expect(rendered.filter((id) => /\/locales\/(?!en\.js)/.test(id))).toEqual([]);
  });

  test('depends exactly on the packages that its modules import', () => {
    const named = Object.keys(manifest.dependencies).sort();
    const ofRuntime = reachableFrom('dist/runtime/index.js');
    const ofVerification = reachableFrom('dist/verification/index.js');
    const ofCommand = reachableFrom('dist/cli/main.js');
    expect([...ofRuntime.packages].sort()).toEqual(named);
    const optional = Object.keys(manifest.peerDependencies).sort();
    expect(optional).toEqual(
      expect.arrayContaining([...ofVerification.packages].filter((name) => !named.includes(name))),
    );
    const vendored = /^(bufferutil|utf-8-validate)$/;
    const ofOthers = [...ofCommand.packages].filter((name) => !named.includes(name) && !vendored.test(name));
    expect(ofOthers.sort()).toEqual(optional);
    expect([...ofRuntime.files].filter((file) => /dist\/(cli|vendor|verification)\//.test(file))).toEqual([]);
  });

  test('is built by npm pack as here', () => expect(manifest.scripts.prepack).toBe('npm run build'));
});

describe('a project that has installed it', () => {
  test('compiles against it with the strictest settings, and three sites take turns', async () => {
    mkdirSync(join(project, 'source'));
    cpSync(join(checkout, 'scripts/build/testing/service.ts'), join(project, 'source/service.ts'));
    const compilerOptions = {
      target: 'ES2022',
      lib: ['ES2023', 'ESNext.Disposable'],
      module: 'NodeNext',
      strict: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
      types: ['node'],
      rootDir: 'source',
      outDir: 'built',
    };
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['source'] }));
    expect(await inProject('node', 'node_modules/typescript/bin/tsc')).toMatchObject({
      status: 0,
      stdout: '',
    });
    const ports = await freePorts(3);
    const { status, stdout, stderr } = await inProject('node', 'built/service.js', ...ports.map(String));
    expect([status, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toEqual({
      entries: 63,
      rising: true,
      code: 'SITE_CLOSED',
      states: 4,
      steps: 2,
    });
  });

  test('which requires it, in CommonJS', async () => {
    const service = `const { joinCluster, OperatingError } = require('batonlock');
      joinCluster({ cluster: 'c', site: 'a', listen: { host: '127.0.0.1', port: 0 }, peers: {} }).then(async (cluster) => {
        const fence = await cluster.lock('x').run(({ fence }) => fence);
        const late = await cluster.lock('x').acquire({ timeoutMs: -1 }).catch((error) => error);
        await cluster.close();
        console.log(JSON.stringify([fence, late instanceof OperatingError]));
      });`;
    writeFileSync(join(project, 'service.cjs'), service);
    const { status, stdout, stderr } = await inProject('node', 'service.cjs');
    expect([status, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toEqual([expect.objectContaining({ epoch: 0, k: 1 }), true]);
  });

  test('npx baton verify naimi-trehel, by two threads', async () => {
    const { status, stdout } = await inProject(
      'npx',
      'baton',
      'verify',
      'naimi-trehel',
      '--sites',
      '3',
      '--workers',
      '2',
    );
    expect(stdout).toMatch(/^282 states, 642 transitions, depth 18/m);
    expect(status).toBe(0);
  });

  test('npx baton verify of a mutant', async () => {
    const mutant = 'naimi-trehel/an idle root copies the token';
    const { status, stdout } = await inProject('npx', 'baton', 'verify', mutant);
    expect(stdout).toMatch(/^VIOLATED +always +exactly one token/m);
    expect(status).toBe(1);
  });

  test('npx baton verify of its own TypeScript, as the guide shows', async () => {
    const guide = readFileSync(join(checkout, 'docs/model-your-machines.md'), 'utf8');
    mkdirSync(join(project, 'shop'));
    for (const [, name, code] of guide.matchAll(/^```ts\n\/\/ examples\/shop\/(\S+)\n(.*?)^```$/gms))
      writeFileSync(join(project, 'shop', name!), code!);
    const page = join(project, 'page.html');
    const { status, stdout } = await inProject(
      'npx',
      'baton',
      'verify',
      'shop/system.ts',
      '--workers',
      '2',
      '--html',
      page,
    );
    expect(stdout).toMatch(/^VIOLATED +always +no customer pays twice/m);
    expect(status).toBe(1);
    expect(readFileSync(page, 'utf8')).toMatch(/<script/);
  });

  test('npx baton demo: its children find the command', async () => {
    const { status, stdout } = await inProject('npx', 'baton', 'demo', '--seconds', '1', '--sites', '3');
    expect(stdout).toMatch(/^overlaps +0$/m);
    expect(status).toBe(0);
  });
});
