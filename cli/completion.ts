/**
 * Completion scripts for bash, zsh and fish, written from the tables. The scripts hold everything they need: completing a
 * word starts no process. Every word in them comes from our own tables, never from outside.
 */
import { globalFlags } from './global-flags.ts';
import type { Command, FlagRow } from './command.ts';
import type { LoadedCommand } from './reference.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;

export type Shell = (typeof shells)[number];

export function isShell(text: string): text is Shell {
  return shells.some((shell) => shell === text);
}

export function completionScript(shell: Shell, commands: readonly LoadedCommand[]): string {
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](commands);
}

/** What may follow the words typed so far: `''` for none, `audit`, `audit verify` … */
function nextWords(commands: readonly LoadedCommand[]): ReadonlyMap<string, readonly string[]> {
  const next = new Map<string, Set<string>>();
  const add = (after: string, word: string): void => {
    next.set(after, (next.get(after) ?? new Set()).add(word));
  };
  for (const { row, command } of commands) {
    const words = row.name.split(' ');
    words.forEach((word, at) => add(words.slice(0, at).join(' '), word));
    for (const word of command.operands.flatMap(({ choices }) => choices ?? [])) add(row.name, word);
    for (const { name } of [...command.flags, ...globalFlags]) add(row.name, `--${name}`);
  }
  add('', 'help');
  return new Map([...next].map(([after, words]) => [after, [...words]]));
}

/** The choices of each flag that has some, by `command --flag`. */
function flagChoices(commands: readonly LoadedCommand[]): readonly (readonly [string, readonly string[]])[] {
  return commands.flatMap(({ row, command }) => flagsWithChoices(command).map((flag) => [`${row.name} --${flag.name}`, flag.choices ?? []] as const));
}

function flagsWithChoices(command: Command): readonly FlagRow[] {
  return command.flags.filter(({ choices }) => choices !== undefined);
}

/** `case` arms of the words that may come next. */
function caseArms(commands: readonly LoadedCommand[]): string {
  const choices = flagChoices(commands).map(([key, words]) => `    '${key}') words='${words.join(' ')}' ;;`);
  const words = [...nextWords(commands)].map(([after, next]) => `    '${after}') words='${next.join(' ')}' ;;`);
  return [...choices, ...words].join('\n');
}

/** The typed words are cut back until they name a command or group, so that flags and operands may stand between. */
function bashScript(commands: readonly LoadedCommand[]): string {
  const known = [...nextWords(commands).keys()].filter((name) => name !== '').map((name) => `'${name}'`).join('|');
  return `# bash completion for loki
_loki_words() {
  local words=''
  case "$1" in
${caseArms(commands)}
  esac
  printf '%s' "$words"
}
_loki() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" name='' word next
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    next="\${name:+$name }$word"
    case "$next" in
      ${known}) name="$next" ;;
    esac
  done
  local words=''
  case "$previous" in
    --*) words="$(_loki_words "$name $previous")" ;;
  esac
  [ -n "$words" ] || words="$(_loki_words "$name")"
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _loki loki
`;
}

function zshScript(commands: readonly LoadedCommand[]): string {
  const known = [...nextWords(commands).keys()].filter((name) => name !== '').map((name) => `'${name}'`).join('|');
  return `#compdef loki
# zsh completion for loki
_loki_words() {
  local words=''
  case "$1" in
${caseArms(commands)}
  esac
  print -rn -- "$words"
}
_loki() {
  local previous="\${words[CURRENT-1]}" name='' word next found=''
  for word in "\${(@)words[2,CURRENT-1]}"; do
    next="\${name:+$name }$word"
    case "$next" in
      ${known}) name="$next" ;;
    esac
  done
  case "$previous" in
    --*) found="$(_loki_words "$name $previous")" ;;
  esac
  [[ -n "$found" ]] || found="$(_loki_words "$name")"
  compadd -- \${=found} || _files
}
if [ "$funcstack[1]" = '_loki' ]; then _loki "$@"; else compdef _loki loki; fi
`;
}

function fishScript(commands: readonly LoadedCommand[]): string {
  const lines = commands.flatMap(({ row, command }) => {
    const words = row.name.split(' ');
    const here = `__loki_at ${row.name}`;
    return [
      ...words.map((word, at) => {
        const summary = at + 1 === words.length ? row.summary : '';
        return fishLine(`__loki_before ${words.slice(0, at).join(' ')}`.trim(), `-a ${word}`, summary);
      }),
      ...command.operands.flatMap(({ choices }) => choices ?? []).map((word) => fishLine(here, `-a ${word}`, '')),
      ...[...command.flags, ...globalFlags].map((flag) => fishLine(here, fishFlag(flag), flag.summary)),
    ];
  });
  return `# fish completion for loki
function __loki_words
  set -l found
  for word in (commandline -opc)[2..]
    string match -q -- '-*' $word; or set -a found $word
  end
  string join \\n -- $found
end
function __loki_before
  test (string join ' ' -- (__loki_words)) = (string join ' ' -- $argv)
end
function __loki_at
  string match -q -- (string join ' ' -- $argv)'*' (string join ' ' -- (__loki_words))
end
complete -c loki -f
complete -c loki -n '__loki_before' -a help -d 'Explain a command'
${[...new Set(lines)].join('\n')}
`;
}

function fishLine(condition: string, what: string, summary: string): string {
  return `complete -c loki -n '${condition}' ${what}${summary === '' ? '' : ` -d '${summary.replaceAll('\\', '\\\\').replaceAll('\'', '\\\'')}'`}`;
}

function fishFlag(flag: FlagRow): string {
  const short = flag.short === undefined ? '' : ` -s ${flag.short}`;
  const value = flag.kind === 'switch' ? '' : flag.choices === undefined ? ' -rF' : ` -xa '${flag.choices.join(' ')}'`;
  return `-l ${flag.name}${short}${value}`;
}
