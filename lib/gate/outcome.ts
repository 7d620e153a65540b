/** An outcome as entries of the agent chain: which of the six actions it was, and what may be said about it. */
import type { JsonObject } from '../base/json.ts';
import type { Action } from '../base/action.ts';
import { isInside } from '../base/paths.ts';
import type { AgentAction, AgentEntry } from '../audit/agent-chain.ts';
import { analyzeCommand } from '../policy/shell/analyze.ts';
import type { ActionOutcome } from './reply.ts';

/** A commit that was made while the action ran, as git itself tells it. */
export interface MadeCommit {
  readonly id: string;
  readonly message: string;
  readonly filesChanged: number;
  readonly insertions: number;
  readonly deletions: number;
}

/** Where and for whom an outcome is told. */
export interface OutcomePlace {
  readonly agent: string;
  readonly branch: string | null;
  /** The project's real directory: paths below it are told from there. */
  readonly projectDir: string;
  /** Takes secrets out of texts. */
  readonly redact: (text: string) => string;
}

/** Commands, messages and paths are cut to this length. */
const longestText = 2000;
/** So many paths of each kind are named; what follows is counted. */
const mostPaths = 20;

/** Subcommands of git that may make a commit. */
const committing = /^git (?:commit|merge|cherry-pick|revert|am)(?= |$)/;

/** Whether a command is found to run git in a way that makes commits. Whether it did make one, git is asked. */
export function mayCommit({ kind, command }: Action): boolean {
  if (kind !== 'exec' || command === undefined || !command.includes('git')) return false;
  return analyzeCommand(command).actions.some((found) => found.kind === 'exec' && committing.test(found.command ?? ''));
}

/**
 * The entries, none when the chain does not speak of this kind of action: `git_commit` for each of `commits`, oldest first,
 * else one for the action. `result` is what every one of them carries.
 */
export function agentEntriesOf({ action }: ActionOutcome, result: JsonObject, place: OutcomePlace, commits: readonly MadeCommit[]): readonly AgentEntry[] {
  const name = actionNames[action.kind];
  if (name === undefined) return [];
  const { agent, branch, projectDir, redact } = place;
  const { command, file_path } = action;
  // Cut last: half a secret is not recognised as one.
  const shown = (text: string): string => redact(text).slice(0, longestText);
  const told = { ...(command === undefined ? {} : { command: shown(command) }), ...(file_path === undefined ? {} : { file_path: shown(file_path) }) };
  if (commits.length === 0) {
    const files = command === undefined ? undefined : filesOf(command, action.cwd ?? projectDir, projectDir, shown);
    return [{ action: name, agent, branch, details: { ...told, ...(files === undefined ? {} : { files }), ...result } }];
  }
  return commits.map(({ id, message, filesChanged, insertions, deletions }) => ({
    action: 'git_commit', agent, branch,
    details: { message: shown(message), files_changed: filesChanged, insertions, deletions, commit: id, ...told, ...result },
  }));
}

const actionNames: { readonly [kind in Action['kind']]?: AgentAction } = { 'fs.write': 'file_write', 'fs.delete': 'file_delete', 'exec': 'cli_invoke' };

/** Files that a command is found to write and to delete, from its text alone; undefined when it names none. */
function filesOf(command: string, cwd: string, projectDir: string, shown: (text: string) => string): JsonObject | undefined {
  const { actions } = analyzeCommand(command, { cwd });
  const named = (kind: 'fs.write' | 'fs.delete'): readonly string[] => actions.flatMap((found) => (found.kind === kind && found.file_path !== undefined ? [found.file_path] : []));
  const told = (paths: readonly string[]): readonly string[] => paths.slice(0, mostPaths).map((path) => shown(path !== projectDir && isInside(path, projectDir) ? path.slice(projectDir.length + 1) : path));
  const [written, deleted] = [named('fs.write'), named('fs.delete')];
  if (written.length + deleted.length === 0) return undefined;
  const more = Math.max(0, written.length - mostPaths) + Math.max(0, deleted.length - mostPaths);
  return {
    ...(written.length === 0 ? {} : { written: told(written) }), ...(deleted.length === 0 ? {} : { deleted: told(deleted) }), ...(more === 0 ? {} : { more }),
  };
}
