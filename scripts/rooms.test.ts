import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

interface Import {
  readonly file: string;
  /** A package, a `node:` module, or a path from the top of the checkout. */
  readonly target: string;
}

const root = join(import.meta.dirname, '..');
const isTest = (file: string) => /\.test\.tsx?$|\/testing\//.test(file);

function importsOf(file: string, text: string): Import[] {
  const specifiers = text.matchAll(/(?:\bfrom|^import|\bimport\()\s*'([^']+)'/gm);
  return [...specifiers].map(([, target]) => ({
    file,
    target: target!.startsWith('.') ? normalize(join(dirname(file), target!)) : target!,
  }));
}

const ours = /^(machines|statechart|runtime|verification|inspector|cli|harness|bench|examples)\//;
const roomOf = (path: string) => ours.exec(path)?.[1];

/** The rooms that a room may import, besides itself. A room that is not listed may import every room. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  machines: [],
  statechart: [],
  runtime: ['machines', 'statechart'],
  verification: ['machines', 'statechart'],
  inspector: ['machines', 'statechart', 'verification', 'runtime'],
};

/** Each rule tells whether an import breaks it. */
const rules: Readonly<Record<string, (use: Import) => boolean>> = {
  'machines and statechart import xstate and no other package': ({ file, target }) =>
    /^(machines|statechart)\//.test(file) && target !== 'xstate' && !ours.test(target),
  'a room imports only the rooms below it': ({ file, target }) => {
    const [from, to] = [roomOf(file), roomOf(target)];
    if (from === undefined || to === undefined || from === to) return false;
    return mayImport[from] !== undefined && !mayImport[from].includes(to);
  },
  'no room imports a program': ({ file, target }) =>
    /^(cli|harness|bench|examples)\//.test(target) &&
    !/^(cli|harness|bench|examples|scripts|docs)\//.test(file),
  'the checker imports nothing of ours but the coded error': ({ file, target }) =>
    file.startsWith('verification/checker/') &&
    ours.test(target) &&
    !/^(verification\/checker\/|machines\/errors\.ts$)/.test(target),
  'system and check know no protocol': ({ file, target }) =>
    /^verification\/(system|check)\//.test(file) &&
    (/^verification\/(protocols|runs|timeline|examples)\//.test(target) || /^machines\/.+\//.test(target)),
  'only mailboxes, observers, the page server and programs open sockets': ({ file, target }) =>
    /^(node:(net|tls|dgram|http|https)|ws)$/.test(target) &&
    // This socket shows that a process is alive.
    file !== 'runtime/store/processes.ts' &&
    !/^(runtime\/(mailbox|observe)|inspector\/server|cli|harness|bench|examples)\//.test(file),
  'the runtime touches the disk in its store and its observers alone': ({ file, target }) =>
    /^node:fs(\/promises)?$/.test(target) &&
    file.startsWith('runtime/') &&
    // It reads the addresses of the others.
    file !== 'runtime/discovery/file.ts' &&
    !/^runtime\/(store|observe)\//.test(file),
  'of the runtime, the inspector imports the server for HTTP and the readers of locks and members alone': ({
    file,
    target,
  }) =>
    file.startsWith('inspector/') &&
    target.startsWith('runtime/') &&
    !/^runtime\/(observe\/(http-server|lock-reader|members-client)|api\/(lock-report|members))\.ts$/.test(
      target,
    ),
  'the public types of the runtime import nothing else of it': ({ file, target }) =>
    file.startsWith('runtime/api/') && target.startsWith('runtime/') && !target.startsWith('runtime/api/'),
  'the page imports types of the timeline, how it forgets steps, and nothing else of ours': ({
    file,
    target,
  }) =>
    file.startsWith('inspector/page/') &&
    ours.test(target) &&
    !/^(inspector\/(page\/|(protocol|sent)\.ts$)|verification\/timeline\/(format|forget)\.ts$)/.test(target),
};

const files = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts', '*.tsx'],
  {
    cwd: root,
    encoding: 'utf8',
  },
)
  .trim()
  .split('\n')
  .filter((file) => !isTest(file));
const imports = files.flatMap((file) => importsOf(file, readFileSync(join(root, file), 'utf8')));

/** The rooms that have no circles between files, nor between the folders of a room. */
const straight = /^(machines|statechart|runtime)\//;

const folderOf = (file: string) => /^runtime\/[^/]+\//.exec(file)?.[0] ?? dirname(file);

/** A configuration holds transitions, their guards and actions read a configuration: one recursive type. */
const recursiveTypes = [
  'statechart/configuration.ts > statechart/actions.ts',
  'statechart/configuration.ts > statechart/guards.ts',
];

/** Each circle of imports, by the names that `nameOf` gives to files. */
function circlesOf(all: readonly Import[], nameOf: (file: string) => string): string[] {
  const targets = new Map<string, Set<string>>();
  for (const { file, target } of all) {
    if (!straight.test(file) || !straight.test(target)) continue;
    const [from, to] = [nameOf(file), nameOf(target)];
    if (from !== to && !recursiveTypes.includes(`${file} > ${target}`))
      targets.set(from, (targets.get(from) ?? new Set()).add(to));
  }
  const circles: string[] = [];
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]): void => {
    const at = path.indexOf(name);
    if (at >= 0) circles.push([...path.slice(at), name].join(' > '));
    if (at >= 0 || done.has(name)) return;
    for (const next of targets.get(name) ?? []) visit(next, [...path, name]);
    done.add(name);
  };
  for (const name of targets.keys()) visit(name, []);
  return circles;
}

describe('circles of imports', () => {
  it('between files: none', () => expect(circlesOf(imports, (file) => file)).toEqual([]));

  it('between the folders of the runtime: none', () => {
    const inside = imports.filter(
      ({ file, target }) => `${file} ${target}`.match(/runtime\/[^ ]+\//g)?.length === 2,
    );
    expect(circlesOf(inside, folderOf)).toEqual([]);
  });

  it('are seen', () => {
    const circle = [
      { file: 'runtime/a/x.ts', target: 'runtime/b/y.ts' },
      { file: 'runtime/b/y.ts', target: 'machines/z.ts' },
      { file: 'machines/z.ts', target: 'runtime/a/x.ts' },
    ];
    expect(circlesOf(circle, (file) => file)).toEqual([
      'runtime/a/x.ts > runtime/b/y.ts > machines/z.ts > runtime/a/x.ts',
    ]);
    const folders = [
      { file: 'runtime/a/x.ts', target: 'runtime/b/y.ts' },
      { file: 'runtime/b/z.ts', target: 'runtime/a/w.ts' },
    ];
    expect(circlesOf(folders, (file) => file)).toEqual([]);
    expect(circlesOf(folders, folderOf)).toEqual(['runtime/a/ > runtime/b/ > runtime/a/']);
  });
});

describe('rooms', () => {
  it('are read: the site machine imports xstate and its messages', () => {
    const targets = imports.filter(({ file }) => file === 'machines/naimi-trehel/site.ts');
    expect(targets.map(({ target }) => target)).toEqual([
      'xstate',
      'machines/actor.ts',
      'machines/naimi-trehel/messages.ts',
    ]);
  });

  for (const [rule, breaks] of Object.entries(rules)) {
    it(rule, () => expect(imports.filter(breaks)).toEqual([]));
  }

  it.each([
    [
      'machines/x.ts',
      "import { readFile } from 'node:fs';",
      'machines and statechart import xstate and no other package',
    ],
    [
      'runtime/x.ts',
      "import { check } from '../verification/check/check.ts';",
      'a room imports only the rooms below it',
    ],
    [
      'verification/x.ts',
      "const site = await import('../runtime/index.ts');",
      'a room imports only the rooms below it',
    ],
    [
      'statechart/x.ts',
      "import type { Message } from '../machines/actor.ts';",
      'a room imports only the rooms below it',
    ],
    ['verification/x.ts', "import '../harness/demo/run-demo.ts';", 'no room imports a program'],
    [
      'verification/checker/x.ts',
      "import type { Effect } from '../../machines/actor.ts';",
      'the checker imports nothing of ours but the coded error',
    ],
    [
      'verification/system/x.ts',
      "import { siteMachine } from '../../machines/naimi-trehel/site.ts';",
      'system and check know no protocol',
    ],
    [
      'runtime/lock/x.ts',
      "import net from 'node:net';",
      'only mailboxes, observers, the page server and programs open sockets',
    ],
    [
      'runtime/site/x.ts',
      "import { readFileSync } from 'node:fs';",
      'the runtime touches the disk in its store and its observers alone',
    ],
    [
      'runtime/api/x.ts',
      "import type { Limits } from '../options/schema.ts';",
      'the public types of the runtime import nothing else of it',
    ],
    [
      'inspector/page/x.tsx',
      "import { take } from '../../machines/actor.ts';",
      'the page imports types of the timeline, how it forgets steps, and nothing else of ours',
    ],
    [
      'inspector/server/x.ts',
      "import { joinCluster } from '../../runtime/index.ts';",
      'of the runtime, the inspector imports the server for HTTP and the readers of locks and members alone',
    ],
  ])('%s: %s is refused', (file, line, rule) => {
    expect(importsOf(file, line).filter(rules[rule]!)).toHaveLength(1);
  });

  it('machines read no clock and no chance, and order no ids', () => {
    const holds = (file: string, pattern: RegExp) => pattern.test(readFileSync(join(root, file), 'utf8'));
    const impure = files.filter(
      (file) =>
        /^(machines|statechart)\//.test(file) &&
        (holds(file, /\bDate\b|Math\.random|performance\.|crypto|localeCompare/) ||
          // The engine orders states, as XState does. It knows no ids.
          (!/^(statechart|machines\/statechart)\//.test(file) && holds(file, /\.sort\(/))),
    );
    expect(impure).toEqual([]);
  });
});
