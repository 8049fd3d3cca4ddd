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

/** Who may import whom; each rule says what is wrong with an import, or nothing. */
const rules: Readonly<Record<string, (use: Import) => boolean>> = {
  'machines import xstate and nothing else': ({ file, target }) =>
    file.startsWith('machines/') && target !== 'xstate' && !target.startsWith('machines/'),
  'runtime and verification never import each other': ({ file, target }) =>
    (file.startsWith('runtime/') && target.startsWith('verification/')) ||
    (file.startsWith('verification/') && target.startsWith('runtime/')),
  'the checker imports nothing of ours': ({ file, target }) =>
    file.startsWith('verification/checker/') &&
    !target.startsWith('verification/checker/') &&
    !target.startsWith('node:') &&
    /^(machines|runtime|verification|cli|inspector)\//.test(target),
  'the system room knows the checker and the actor contract, and no protocol': ({ file, target }) =>
    file.startsWith('verification/system/') &&
    /^(machines|verification)\//.test(target) &&
    !/^(verification\/(checker|system)\/|machines\/actor\.ts$)/.test(target),
  'only the TCP transport opens sockets': ({ file, target }) =>
    /^node:(net|tls|dgram)$/.test(target) && !/^(runtime\/mailbox\/tcp|cli\/|bench\/|examples\/)/.test(file),
  'the inspector imports no other room': ({ file, target }) =>
    file.startsWith('inspector/') && /^(machines|runtime|verification|cli|bench)\//.test(target),
  'of the inspector, other rooms know the formats': ({ file, target }) =>
    target.startsWith('inspector/') &&
    !file.startsWith('inspector/') &&
    !/^inspector\/(timeline|protocol)\.ts$/.test(target),
  'no room imports the cli': ({ file, target }) => target.startsWith('cli/') && !/^(cli|bench)\//.test(file),
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
    ['machines/x.ts', "import { readFile } from 'node:fs';", 'machines import xstate and nothing else'],
    [
      'runtime/x.ts',
      "import { check } from '../verification/check.ts';",
      'runtime and verification never import each other',
    ],
    [
      'verification/x.ts',
      "const host = await import('../runtime/index.ts');",
      'runtime and verification never import each other',
    ],
    [
      'verification/checker/x.ts',
      "import type { Effect } from '../../machines/actor.ts';",
      'the checker imports nothing of ours',
    ],
    [
      'verification/system/x.ts',
      "import { siteMachine } from '../../machines/naimi-trehel/site.ts';",
      'the system room knows the checker and the actor contract, and no protocol',
    ],
    ['runtime/lock/x.ts', "import net from 'node:net';", 'only the TCP transport opens sockets'],
    [
      'inspector/page/x.tsx',
      "import { transition } from '../../machines/actor.ts';",
      'the inspector imports no other room',
    ],
    [
      'cli/inspect/x.ts',
      "import { Forest } from '../../inspector/page/forest.tsx';",
      'of the inspector, other rooms know the formats',
    ],
    ['runtime/x.ts', "import '../cli/main.ts';", 'no room imports the cli'],
  ])('%s: %s is refused', (file, line, rule) => {
    expect(importsOf(file, line).filter(rules[rule]!)).toHaveLength(1);
  });

  it('machines read no clock and no chance, and order no ids', () => {
    const holds = (file: string, pattern: RegExp) => pattern.test(readFileSync(join(root, file), 'utf8'));
    const impure = files.filter(
      (file) =>
        file.startsWith('machines/') &&
        (holds(file, /\bDate\b|Math\.random|performance\.|crypto|localeCompare/) ||
          // What orders states, as XState does, knows no ids.
          (!file.startsWith('machines/statechart/') && holds(file, /\.sort\(/))),
    );
    expect(impure).toEqual([]);
  });
});
