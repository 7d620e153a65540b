/**
 * Commits that an action made, read from git after the fact. What a repository says is what its owner, and so an agent, made
 * it say; it helps people look back, and decides nothing. Git runs bounded, without anything that the repository could have
 * run (lib/runs/git.ts), and whatever goes wrong means that no commit is told of.
 */
import type { Action } from '../../base/action.ts';
import { isPlainObject, objectIn } from '../../base/json.ts';
import { isInside } from '../../base/paths.ts';
import { linesBackward } from '../../audit/lines-backward.ts';
import type { MadeCommit } from '../../gate/outcome.ts';
import { allowedEnvironment } from '../../runs/environment.ts';
import { Repository } from '../../runs/git.ts';
import type { Installation } from '../installation.ts';

const gitTimeoutMs = 5000;
/** More commits of one command are not told one by one. */
const mostCommits = 20;
/** So far back the chain is read for commits that it has told of already. */
const linesBack = 200;
/** An action whose decision is not known began within this time. */
const longestActionMs = 10 * 60_000;

/**
 * The commits that HEAD has and that were made since the decision (`since`, milliseconds), those left out that the project's
 * chain tells of already; the oldest first.
 */
export async function commitsMadeBy(installation: Installation, action: Action, since: number | undefined): Promise<readonly MadeCommit[]> {
  const { host: { disk, spawn, clock }, project, layout, surroundings } = installation;
  if (project === undefined || layout === undefined) return [];
  const at = action.cwd === undefined ? project.dir : disk.realpath(action.cwd) ?? project.dir;
  const env = allowedEnvironment(surroundings.env);
  if (spawn.find('git', env['PATH']) === undefined) return [];
  const repository = new Repository({ spawn, disk, env, timeoutMs: gitTimeoutMs, projectDir: isInside(at, project.dir) ? at : project.dir });
  const commits = await repository.newestCommits(mostCommits).catch(() => undefined) ?? [];
  const told = toldCommits(installation, layout.agentAudit);
  // Git dates commits by the second.
  const from = Math.floor((since ?? clock.now() - longestActionMs) / 1000) * 1000;
  const old = commits.findIndex(({ id, committedMs }) => committedMs < from || told.has(id));
  return commits.slice(0, old === -1 ? commits.length : old).toReversed();
}

function toldCommits({ host: { disk } }: Installation, chain: string): ReadonlySet<string> {
  const told = new Set<string>();
  const file = disk.openRead(chain);
  if (file === undefined) return told;
  try {
    let looked = 0;
    for (const line of linesBackward(file, file.stat().size)) {
      looked += 1;
      if (looked > linesBack) break;
      const commit = commitIn(line);
      if (commit !== undefined) told.add(commit);
    }
  } finally {
    file.close();
  }
  return told;
}

function commitIn(line: Buffer): string | undefined {
  if (!line.includes('"action":"git_commit"')) return undefined;
  const details = objectIn(line)?.['details'];
  const commit = isPlainObject(details) ? details['commit'] : undefined;
  return typeof commit === 'string' ? commit : undefined;
}
