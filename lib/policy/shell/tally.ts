/** What has been found about a command so far: bounded, each thing once. */
import type { Action } from '../../base/action.ts';

export interface ShellAnalysis {
  /** `exec` for each command run (words joined by one space), and the files and addresses touched. */
  readonly actions: readonly Action[];
  /** What could not be understood, each in a few words. */
  readonly uncertain: readonly string[];
  /** Words that a program which is not known to only read was given: places it may change. */
  readonly mentions: readonly string[];
  /** Programs that go on with what is typed into them. */
  readonly opens: readonly string[];
  /** Other spellings of the commands that mean the same, and the texts that shells, interpreters and clients of databases are fed, behind `<`. */
  readonly readings: readonly string[];
}

const mostActions = 1000;
/** Commands whose other spellings are told; a line of more is nothing that anybody reviews. */
const mostSpelled = 250;

export class Tally {
  readonly #actions = new Map<string, Action>();
  readonly #uncertain = new Set<string>();
  readonly #mentions = new Set<string>();
  readonly #opens = new Set<string>();
  readonly #spellings: (() => Iterable<string>)[] = [];

  action(action: Action): void {
    if (this.#actions.size >= mostActions) return this.doubt(`the command does more than ${mostActions} things`);
    this.#actions.set(`${action.kind} ${action.command ?? action.file_path ?? action.url ?? ''}`, action);
  }

  doubt(what: string): void {
    this.#uncertain.add(what);
  }

  mention(text: string): void {
    this.#mentions.add(text);
  }

  opens(program: string): void {
    this.#opens.add(program);
  }

  /** Other spellings of one command, worked out when a rule asks about commands. */
  spellings(of: () => Iterable<string>): void {
    if (this.#spellings.length >= mostSpelled) return this.doubt(`the line has more than ${mostSpelled} commands`);
    this.#spellings.push(of);
  }

  result(): ShellAnalysis {
    const spellings = this.#spellings;
    let readings: readonly string[] | undefined;
    return {
      actions: [...this.#actions.values()], uncertain: [...this.#uncertain], mentions: [...this.#mentions], opens: [...this.#opens],
      get readings() { return readings ??= [...new Set(spellings.flatMap((of) => [...of()]))]; },
    };
  }
}
