// Runs before the tests. The tests of the page need a Chromium: a machine that has none gets one from the system's
// installer, or from Playwright's. Without one they are skipped, and the closing line counts them.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { findBrowser } from './find-browser.ts';

const playwright = join(
  dirname(createRequire(import.meta.url).resolve('playwright-core/package.json')),
  'cli.js',
);
const installMs = 240_000;

const aptGet = 'apt-get install -qq --yes --no-install-recommends chromium';
const ways: readonly (readonly string[])[] = [
  ...(process.platform === 'linux' && process.getuid?.() === 0
    ? [
        ['sh', '-c', `${aptGet} || (apt-get update -qq && ${aptGet})`],
        ['apk', 'add', '--no-cache', 'chromium'],
      ]
    : []),
  [process.execPath, playwright, 'install', 'chromium'],
];

function install([command = '', ...args]: readonly string[]): void {
  process.stderr.write(`baton: no browser is here; installing one (${[command, ...args].join(' ')}) ...\n`);
  const { status, error, signal } = spawnSync(command, args, {
    stdio: ['ignore', 'ignore', process.stderr.fd],
    timeout: installMs,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (status !== 0) process.stderr.write(`baton: that failed (${error?.message ?? status ?? signal})\n`);
}

for (const way of ways) {
  if (findBrowser() !== null) break;
  install(way);
}
if (findBrowser() === null)
  process.stderr.write(
    'baton: NO BROWSER: the tests of the page will be skipped. Install Chromium, or say where one is in CHROME_PATH.\n',
  );
