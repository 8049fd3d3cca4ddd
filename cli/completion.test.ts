import { spawnSync } from 'node:child_process';
import { Argument, Command, Option } from 'commander';
import { expect, it } from 'vitest';
import { completionScript } from './completion.ts';
import { baton } from './testing/baton.ts';

function program(): Command {
  const made = new Command('baton');
  made
    .command('verify')
    .summary("check a system's states")
    .argument('<system>')
    .addArgument(new Argument('[way]').choices(['all']))
    .addOption(new Option('--network <order>', 'how').choices(['fifo', 'unordered']))
    .option('--sites <n>', 'how many');
  made.command('site').option('--id <id>', 'its id');
  made.command('demo-site', { hidden: true });
  return made;
}

/** The words that bash offers after these words; the last is being typed. */
function offered(...words: readonly string[]): readonly string[] {
  const script = `${completionScript('bash', program(), { system: ['epoch', 'epoch-strict'] })}
    COMP_WORDS=(baton "$@"); COMP_CWORD=$#; _baton; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync('bash', ['-c', script, 'bash', ...words], {
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
  return stdout.trim().split('\n');
}

it('the bash script completes commands, options and known values', () => {
  expect(offered('')).toEqual(['verify', 'site', '--help', '--version']);
  expect(offered('ver')).toEqual(['verify']);
  expect(offered('verify', '--')).toEqual(['--network', '--sites', '--help']);
  expect(offered('verify', '--network', '')).toEqual(['fifo', 'unordered']);
  expect(offered('verify', 'epoch')).toEqual(['epoch', 'epoch-strict']);
  expect(offered('site', '--i')).toEqual(['--id']);
});

it('the fish script has the same completions', () => {
  expect(completionScript('fish', program(), { system: ['epoch', 'line'] })).toBe(
    `complete -c baton -n __fish_use_subcommand -a verify -d 'check a system\\'s states'
complete -c baton -n '__fish_seen_subcommand_from verify' -l network -x -a 'fifo unordered' -d 'how'
complete -c baton -n '__fish_seen_subcommand_from verify' -l sites -r -d 'how many'
complete -c baton -n '__fish_seen_subcommand_from verify' -a 'epoch line all'
complete -c baton -n __fish_use_subcommand -a site -d ''
complete -c baton -n '__fish_seen_subcommand_from site' -l id -r -d 'its id'
`,
  );
});

it('baton completion prints the script', async () => {
  const { status, stdout } = await baton('completion', 'zsh');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^autoload -U \+X compinit/);
  for (const word of ['verify', 'locks', '--symmetry', 'naimi-trehel-leaving'])
    expect(stdout).toContain(word);
  expect(await baton('completion', 'tcsh')).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/^baton: .*Allowed choices are bash, zsh, fish/),
  });
});
