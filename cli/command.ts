/**
 * What a command is: words about itself, tables of what it takes, and what it does. Rows are data, so help, completions and the
 * reference come from the same place as the parser.
 */
import type { Installation } from '../lib/app/installation.ts';
import type { Terminal } from '../lib/host/terminal.ts';
import type { Args } from './args.ts';
import type { Output } from './output.ts';

/** One flag. A `switch` takes no value; the others take one, as `--name value` or `--name=value`. */
export interface FlagRow {
  readonly name: string;
  /** One letter, as in `-n`. */
  readonly short?: string;
  readonly kind: 'switch' | 'text' | 'integer' | 'duration';
  /** What stands for the value in help: `DIR`. */
  readonly value?: string;
  readonly summary: string;
  /** The only texts accepted. */
  readonly choices?: readonly string[];
  /** Bounds of an integer, both included. */
  readonly least?: number;
  readonly most?: number;
  /** May be given several times; read with `Args.list`. */
  readonly repeated?: true;
}

/** One argument that is not a flag, in its place. */
export interface OperandRow {
  readonly name: string;
  readonly summary: string;
  readonly required?: true;
  readonly choices?: readonly string[];
  /** Takes all that are left; only the last operand may. */
  readonly repeated?: true;
}

/** A command line and what it does. */
export type Example = readonly [line: string, meaning: string];

/** An exit code and when it is used. */
export type Exit = readonly [code: number, meaning: string];

/** A command: everything but its name and one-line summary, which stand in the table. */
export interface Command {
  /** One or more paragraphs, parted by an empty line. */
  readonly about: string;
  readonly operands: readonly OperandRow[];
  readonly flags: readonly FlagRow[];
  readonly examples: readonly Example[];
  /** Codes beside 0 (done), 1 (failed) and 2 (wrong usage or configuration). */
  readonly exits: readonly Exit[];
  /** Does it and answers with the exit code. Throws `LokiError` for what goes wrong. */
  run(context: CommandContext): Promise<number>;
}

/** The commands of a group, by their last words. */
export type Commands<Name extends string> = Readonly<Record<Name, Command>>;

/** What a running command is given. It reaches the world through nothing else but `lib/host` and `lib/app`. */
export interface CommandContext {
  readonly args: Args;
  readonly output: Output;
  readonly terminal: Terminal;
  /** Told of the installation that it opens, where telemetry is on. */
  readonly onOpen?: (installation: Installation) => void;
}
