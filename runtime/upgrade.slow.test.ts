import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { BuiltSiteHears, BuiltSiteSays } from './testing/built-site.ts';
import { eventually } from './testing/eventually.ts';
import { freePort } from './testing/free-ports.ts';

/*
 * Two builds side by side: the last one that spoke version 7 of the wire, out of the history of this repository, and this one. Three sites
 * with their disks, as processes, are upgraded one by one and back, while all of them use one lock.
 */

const root = join(import.meta.dirname, '..');
/** The last commit before a message was added to version 7. */
const lastOf7 = '08535c4';

const isThere = (() => {
  try {
    execFileSync('git', ['cat-file', '-e', `${lastOf7}^{commit}`], { cwd: root, stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

function unpackedBuild(commit: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'baton-build-'));
  const archive = execFileSync(
    'git',
    ['archive', commit, 'runtime', 'machines', 'statechart', 'package.json'],
    {
      cwd: root,
      maxBuffer: 1 << 28,
    },
  );
  execFileSync('tar', ['-x', '-C', dir], { input: archive });
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'));
  return dir;
}

const names = ['a', 'b', 'c'];

// A shallow clone has not got the commit.
test.runIf(isThere)(
  'sites of a build of version 7 and of this one are one cluster, upgraded one by one and back',
  async () => {
    const [old, dir] = [unpackedBuild(lastOf7), mkdtempSync(join(tmpdir(), 'baton-upgrade-'))];
    const running = new Map<string, ChildProcess>();
    onTestFinished(() => {
      for (const child of running.values()) child.kill('SIGKILL');
      for (const made of [old, dir]) rmSync(made, { recursive: true, force: true });
    });
    const ports = new Map<string, number>();
    for (const name of names) ports.set(name, await freePort());
    const address = (name: string) => ({ host: '127.0.0.1', port: ports.get(name)! });
    const inside = new Set<string>();
    const grants = new Map(names.map((name) => [name, 0]));
    const counts = new Map<string, Extract<BuiltSiteSays, { type: 'counted' }>>();
    const faults: string[] = [];
    let highest = [0, 0];
    const start = async (name: string, build: string) => {
      const options = {
        cluster: 'upgraded',
        site: name,
        listen: address(name),
        peers: Object.fromEntries(names.filter((peer) => peer !== name).map((peer) => [peer, address(peer)])),
        dataDir: join(dir, name),
        // The build of version 7 has no such option.
        ...(build === root && { timing: { forgetAfterMs: 300 } }),
      };
      mkdirSync(options.dataDir, { recursive: true });
      const program = join(root, 'runtime/testing/built-site.ts');
      const words = [join(build, 'runtime/index.ts'), JSON.stringify(options)];
      const child = fork(program, words, { execArgv: ['--import', import.meta.resolve('tsx')] });
      running.set(name, child);
      child.on('exit', () => inside.delete(name));
      child.on('message', (says: BuiltSiteSays) => {
        if (says.type === 'counted') counts.set(name, says);
        else if (says.type === 'failed' || says.type === 'error') faults.push(`${name}: ${says.code}`);
        else if (says.type === 'outside') inside.delete(name);
        else if (says.type === 'inside') {
          if (inside.size > 0) faults.push(`${name} is inside beside ${[...inside].join()}`);
          inside.add(name);
          grants.set(name, grants.get(name)! + 1);
          const { epoch, k } = says.fence;
          if (epoch < highest[0]! || (epoch === highest[0] && k <= highest[1]!))
            faults.push(`${name} is granted (${epoch}, ${k}) after (${highest.join(', ')})`);
          highest = [epoch, k];
          setTimeout(() => child.connected && child.send('leave' satisfies BuiltSiteHears), 2);
        }
      });
      await new Promise<void>((resolve) =>
        child.on('message', (says: BuiltSiteSays) => says.type === 'ready' && resolve()),
      );
    };
    const tell = (what: BuiltSiteHears) => {
      for (const child of running.values()) child.send(what);
    };
    const stop = async (name: string) => {
      const child = running.get(name)!;
      running.delete(name);
      child.send('end' satisfies BuiltSiteHears);
      await new Promise((resolve) => child.on('exit', resolve));
    };
    const allServed = async () => {
      const before = new Map(grants);
      await eventually(() => {
        for (const [name, count] of grants) expect(count).toBeGreaterThan(before.get(name)! + 20);
      });
    };
    const counted = async () => {
      counts.clear();
      tell('count');
      await eventually(() => expect(counts.size).toBe(names.length));
      return [...counts.values()];
    };
    await Promise.all(names.map((name) => start(name, old)));
    await allServed();
    for (const name of ['a', 'b']) {
      await stop(name);
      await start(name, root);
      await allServed();
    }
    await sleep(1_000);
    expect((await counted()).map(({ forgotten }) => forgotten)).toEqual([0, 0, 0]);
    await stop('c');
    await start('c', root);
    await allServed();
    tell('pause');
    await eventually(async () => {
      const all = await counted();
      expect(all.reduce((sum, { forgotten }) => sum + forgotten, 0)).toBeGreaterThan(0);
      expect(all.map(({ locks }) => locks)).toEqual([0, 0, 0]);
    });
    tell('go');
    for (const name of names) {
      await stop(name);
      await start(name, old);
      await allServed();
    }
    expect(faults).toEqual([]);
    for (const name of names) await stop(name);
  },
  180_000,
);
