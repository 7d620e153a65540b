/**
 * The commands that a project file names. A repository could bring any, so they run only after a person has confirmed
 * them; the confirmation is remembered by the digest of the whole list. Commands that a user or organisation file names
 * are not listed: whoever can write those files can run commands anyway.
 */
import { sha256Hex } from '../base/digest.ts';
import type { Config } from './config.ts';

/** A command line and what it would be run as. */
export interface NamedCommand {
  /** `provider`, or `gate unit-tests`. */
  readonly what: string;
  readonly command: string;
}

/** Commands in effect that come from the project file, in the order of the file's settings. */
export function commandsNamedByProject(config: Pick<Config, 'runs' | 'origin'>): readonly NamedCommand[] {
  const { provider, gates } = config.runs;
  const named: NamedCommand[] = [];
  if (provider?.command !== undefined && isProjects('runs.provider')) named.push({ what: 'provider', command: provider.command });
  if (isProjects('runs.gates')) named.push(...gates.map((gate) => ({ what: `gate ${gate.name}`, command: gate.command })));
  return named;

  function isProjects(key: string): boolean {
    return config.origin(key).layer === 'project';
  }
}

/** SHA-256 (hex) of a list of commands: any change of a name, a command or their order changes it. */
export function commandsDigest(commands: readonly NamedCommand[]): string {
  return sha256Hex(JSON.stringify(commands.map(({ what, command }) => [what, command])));
}
