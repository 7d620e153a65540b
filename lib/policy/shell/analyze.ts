/**
 * What a shell command would do, as actions: commands run, files read, written and deleted, addresses called. It is kept
 * conservative: what it cannot follow it says, in `uncertain`, and the judge then asks a person. Text in data positions
 * (messages, patterns, here-documents no shell reads) is never taken for a path.
 */
import { longestCommand } from './limits.ts';
import type { ShellAnalysis } from './tally.ts';
import { Walk } from './walk.ts';

export interface ShellOptions {
  /** Where relative paths start. */
  readonly cwd?: string | undefined;
  /** What `~` and `$HOME` stand for. */
  readonly home?: string | undefined;
}

/** The commands of a command line. */
export interface CommandsFound {
  /** As they are written, words joined by one blank. An empty one stands for what was not understood: no pattern but `*` permits it. */
  readonly written: readonly string[];
  /** Other spellings that mean the same, to forbid by. */
  readonly canonical: readonly string[];
}

/** NUL ends a command for some programs and not for others; characters that turn the line around mislead whoever reads it. */
const misleading = /[\0\u202a-\u202e\u2066-\u2069]/;
/** What stands for bytes that were no text, and halves of characters: the shell will see something else. */
const unreadable = /[\ufffd\p{Cs}]/u;

/** The form of `analyzeCommand`. */
export type AnalyzeCommand = (command: string, options?: ShellOptions) => ShellAnalysis;

/** What the command would do. Never throws; never looks at the disk. */
export function analyzeCommand(command: string, options: ShellOptions = {}): ShellAnalysis {
  const walk = new Walk(options.cwd, options.home);
  if (command.length > longestCommand) walk.doubt(`the command is longer than ${longestCommand} characters`);
  else {
    if (misleading.test(command)) walk.doubt('the command holds invisible characters');
    if (unreadable.test(command)) walk.doubt('the command holds characters that cannot be read');
    walk.script(command, 0);
  }
  return walk.result();
}

/** The commands that were found, for conditions on `command`. */
export function commandsOf({ actions, uncertain, readings }: ShellAnalysis): CommandsFound {
  const written = actions.flatMap((action) => action.kind === 'exec' && action.command !== undefined ? [action.command] : []);
  return { written: uncertain.length === 0 ? written : [...written, ''], canonical: readings.filter((reading) => !written.includes(reading)) };
}

/** The same analysis, not made again for the command that was asked about last: several judges ask about one command. */
export function rememberLast(analyze: AnalyzeCommand): AnalyzeCommand {
  let last: { readonly command: string; readonly cwd: string | undefined; readonly home: string | undefined; readonly analysis: ShellAnalysis } | undefined;
  return (command, { cwd, home } = {}) => {
    if (last === undefined || last.command !== command || last.cwd !== cwd || last.home !== home) last = { command, cwd, home, analysis: analyze(command, { cwd, home }) };
    return last.analysis;
  };
}
