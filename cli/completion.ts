import type { Command, Option } from 'commander';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** A command, its options, and the values of those that name them. */
interface Verb {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly Option[];
  /** Words that its first argument may be, in addition to files. */
  readonly words: readonly string[];
}

/**
 * Returns the script by which `shell` completes `baton`: commands, options, and known values. `known`: values
 * of arguments, by the argument's name, that may also be files.
 */
export function completionScript(
  shell: Shell,
  program: Command,
  known: Readonly<Record<string, readonly string[]>> = {},
): string {
  const verbs = program.commands
    .filter((command) => !('_hidden' in command && command._hidden))
    .map((command): Verb => {
      const words = command.registeredArguments.flatMap((one) => one.argChoices ?? known[one.name()] ?? []);
      return { name: command.name(), summary: command.summary(), options: command.options, words };
    });
  return shell === 'fish' ? fish(verbs) : `${shell === 'zsh' ? zshHead : ''}${bash(verbs)}`;
}

const zshHead = 'autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n';

function flagsOf({ options }: Verb): readonly string[] {
  return [...options.flatMap(({ long }) => long ?? []), '--help'];
}

function bash(verbs: readonly Verb[]): string {
  const cases = verbs.map((verb) => {
    const values = verb.options.flatMap(({ long, argChoices }) =>
      argChoices === undefined ? [] : [`        ${long}) words='${argChoices.join(' ')}' ;;`],
    );
    const wordsOf = values.length === 0 ? [] : ['      case "$before" in', ...values, '      esac'];
    return [
      `    ${verb.name})`,
      `      words='${[...flagsOf(verb), ...verb.words].join(' ')}'`,
      ...wordsOf,
      '      ;;',
    ].join('\n');
  });
  return `_baton() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" words=''
  if [ "$COMP_CWORD" -eq 1 ]; then
    words='${verbs.map(({ name }) => name).join(' ')} --help --version'
  else
    case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _baton baton
`;
}

function fish(verbs: readonly Verb[]): string {
  const quoted = (text: string) => `'${text.replaceAll(/['\\]/g, '\\$&')}'`;
  const lines = verbs.flatMap((verb) => {
    const within = `complete -c baton -n '__fish_seen_subcommand_from ${verb.name}'`;
    return [
      `complete -c baton -n __fish_use_subcommand -a ${verb.name} -d ${quoted(verb.summary)}`,
      ...verb.options.flatMap(({ long, description, argChoices, required }) => {
        if (!long) return [];
        const values = argChoices === undefined ? '' : ` -x -a ${quoted(argChoices.join(' '))}`;
        const asks = values === '' && required ? ' -r' : values;
        return [`${within} -l ${long.slice(2)}${asks} -d ${quoted(description)}`];
      }),
      ...(verb.words.length === 0 ? [] : [`${within} -a ${quoted(verb.words.join(' '))}`]),
    ];
  });
  return `${lines.join('\n')}\n`;
}
