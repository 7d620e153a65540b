/** What a command line is made of, as `reader.ts` tells it: words with where their text comes from, commands, and what encloses them. */

export interface Word {
  /** The word as the program would see it; unknown parts keep their `$name`. */
  readonly text: string;
  /** Some part is known only at run time. */
  readonly dynamic: boolean;
  /** Some part outside quotes is a pattern that the shell would expand to file names. */
  readonly pattern: boolean;
  readonly quoted: boolean;
  /** Commands whose output is part of the word. */
  readonly inner: readonly SimpleCommand[] | undefined;
}

export interface Redirect {
  readonly operator: string;
  readonly target: Word;
}

export interface SimpleCommand {
  readonly is: 'command';
  readonly words: readonly Word[];
  readonly redirects: readonly Redirect[];
  /** Bodies of here-documents and here-strings: what the command reads. */
  readonly input: readonly Word[];
  /** Its standard input is a pipe. */
  readonly piped: boolean;
  /** The sign after it: `&&`, `||`, `;`, `|`, `&`, or a line end (`\n`). */
  readonly next: string;
}

/** A command, or the begin and end of a part whose changes of directory and variables stay inside it. */
export type ShellEvent = SimpleCommand | { readonly is: 'open' } | { readonly is: 'close' };

/** A word as if it had been written in single quotes, or without any. */
export function literalWord(text: string, quoted = false): Word {
  return { text, dynamic: false, pattern: false, quoted, inner: undefined };
}
