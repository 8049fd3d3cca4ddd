import { Argument, type Command } from 'commander';
import { type Shell, shells } from '../completion.ts';

export function addCompletion(program: Command): void {
  program
    .command('completion')
    .summary('print the script by which a shell completes baton')
    .description('Prints a script that has your shell complete the commands, options and values of baton.')
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .addHelpText(
      'after',
      `
bash: add to ~/.bashrc              eval "$(npx baton completion bash)"
zsh: add to ~/.zshrc                eval "$(npx baton completion zsh)"
fish: once                          npx baton completion fish > ~/.config/fish/completions/baton.fish

The shell completes the command baton: in a project, alias baton='npx baton'.`,
    )
    .action(async (shell: Shell) => {
      const [{ completionScript }, { systems }] = await Promise.all([
        import('../completion.ts'),
        import('../../verification/protocols/systems.ts'),
      ]);
      process.stdout.write(completionScript(shell, program, { system: Object.keys(systems) }));
    });
}
