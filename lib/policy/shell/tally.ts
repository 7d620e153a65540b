/** What has been found about a command so far: bounded, each thing once. */
import type { Action } from '../../base/action.ts';

export interface ShellAnalysis {
  /** `exec` for each command run (words joined by one space), and the files and addresses touched. */
  readonly actions: readonly Action[];
  /** What could not be understood, each in a few words. */
  readonly uncertain: readonly string[];
  /** Words that a program which is not known to only read was given: places it may change. */
  readonly mentions: readonly string[];
  /** Other spellings of the commands that mean the same, and the texts that shells, interpreters and clients of databases are fed, behind `<`. */
  readonly readings: readonly string[];
}

const mostActions = 1000;
const mostReadings = 4000;

export class Tally {
  readonly #actions = new Map<string, Action>();
  readonly #uncertain = new Set<string>();
  readonly #mentions = new Set<string>();
  readonly #readings = new Set<string>();

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

  reading(text: string): void {
    if (this.#readings.size >= mostReadings) return this.doubt(`the command has more than ${mostReadings} spellings`);
    this.#readings.add(text);
  }

  result(): ShellAnalysis {
    return { actions: [...this.#actions.values()], uncertain: [...this.#uncertain], mentions: [...this.#mentions], readings: [...this.#readings] };
  }
}
