// Runs before every command, in plain Node. A fresh clone has no node_modules, and a stale one is out of
// date.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** @param {string} file the lock file, or npm's record of what it installed */
function packagesOf(file) {
  const { packages } = JSON.parse(readFileSync(file, 'utf8'));
  return Object.entries(packages)
    .filter(([path, entry]) => path !== '' && !entry.optional)
    .map(([path, entry]) => `${path}@${entry.version}`);
}

/** True when node_modules has every package that the lock file requires and no platform may omit. */
function installed() {
  const record = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const present = new Set(packagesOf(record));
  return packagesOf(join(root, 'package-lock.json')).every((wanted) => present.has(wanted));
}

export function installMissing() {
  if (!existsSync(join(root, 'package-lock.json')) || installed()) return;
  process.stderr.write('baton: installing the packages of package-lock.json (npm ci) ...\n');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const done = spawnSync(npm, ['ci', '--include=dev', '--no-audit', '--no-fund'], {
    cwd: root,
    stdio: ['ignore', process.stderr.fd, process.stderr.fd],
    shell: process.platform === 'win32',
  });
  if (done.status !== 0) {
    process.stderr.write(
      `baton: npm ci failed (status ${done.status ?? done.signal}): see its lines above\n`,
    );
    process.exit(done.status ?? 1);
  }
}

installMissing();
