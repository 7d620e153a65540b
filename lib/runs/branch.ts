/**
 * Branch protection: the run works on a branch of its own, so that nothing it does reaches the branch a person works on
 * without that person's merge. Looks before the run starts, so that a refusal leaves no trace.
 */
import type { Clock, ProcessFacts } from '../ports.ts';
import { LokiError } from '../errors.ts';
import type { RunContext } from './context.ts';
import { hasGit, openRepository, Repository, type GitPorts } from './git.ts';

/** Where the run starts from in git. */
export interface Ground {
  readonly repository: Repository | undefined;
  readonly base: string | null;
  /** The branch to work on; null without protection. */
  readonly branch: string | null;
}

/** How many names a message lists. */
const namesShown = 5;

/** Looks at the repository. With `protect`, refuses a project without commits or with changes that are not committed. */
export async function surveyGround(ports: GitPorts, protect: boolean, clock: Clock, facts: Pick<ProcessFacts, 'pid'>): Promise<Ground> {
  if (!protect && !hasGit(ports)) return { repository: undefined, base: null, branch: null };
  const repository = await openRepository(ports);
  const base = await repository?.head();
  if (!protect) return { repository, base: base ?? null, branch: null };
  const refuse = (found: string, hint: string): LokiError => new LokiError('conflict', { attempted: `work on a branch of its own in "${ports.projectDir}"`, found, hint });
  if (repository === undefined) throw refuse('it is in no git repository', 'Run git init and commit once, or set runs.branch_protection to false');
  if (base === undefined) throw refuse('there is no commit yet', 'Commit once, or set runs.branch_protection to false');
  const modified = await repository.modified();
  if (modified.length > 0) {
    const names = modified.slice(0, namesShown).join(', ');
    throw refuse(`${modified.length} changed files are not committed (${names}${modified.length > namesShown ? ', …' : ''})`, 'Commit or stash them, then start again');
  }
  return { repository, base, branch: branchName(clock.now(), facts.pid) };
}

/** `loki/session-20260215-143022-12345`, in UTC. */
export function branchName(nowMs: number, pid: number): string {
  const [date = '', time = ''] = new Date(nowMs).toISOString().slice(0, 19).split('T');
  return `loki/session-${date.replaceAll('-', '')}-${time.replaceAll(':', '')}-${pid}`;
}

/** The run's branch is checked out: made now, or found again after a crash. */
export async function ensureBranch({ repository, timeline }: RunContext): Promise<void> {
  const { branch } = timeline.progress;
  if (branch === null || repository === undefined || (await repository.branch()) === branch) return;
  await repository.startBranch(branch);
  await timeline.write({ events: [{ event_type: 'log', details: { level: 'info', message: `Working on branch ${branch}`, branch } }] });
}

/** Refuses to take up a run while another branch than its own is checked out. */
export async function assertOnBranch(repository: Repository, branch: string, runId: string): Promise<void> {
  const current = await repository.branch();
  if (current === branch || !(await repository.has(branch))) return;
  throw new LokiError('conflict', { attempted: `take up run ${runId}`, found: `its branch is "${branch}", and "${current ?? 'no branch'}" is checked out`, hint: `Run: git switch ${branch}` });
}
