/** The scratch copy of the sample project: a git repository of its own, beside a LOKI_HOME of its own. */
import { createScratch } from '../host/scratch.ts';
import { spawn } from '../host/spawn.ts';
import { join } from '../base/paths.ts';
import { packageFile } from './package-file.ts';

export interface SamplePlaces {
  /** LOKI_HOME of the sample. */
  readonly home: string;
  readonly project: string;
  readonly prd: string;
}

/** Where the sample lives. */
export interface SampleGround {
  /** The copy that was made last, if any: a run may have been broken off in it. */
  readonly newest: SamplePlaces | undefined;
  /** Makes a new copy. Each run gets one of its own, so that what earlier runs recorded in theirs stays. */
  copy(): Promise<SamplePlaces>;
}

const gitTimeoutMs = 20_000;

/** The ground in `folder`, an absolute path; in the system's temporary folder where that cannot be written. */
export function openSampleGround(folder: string, env: Readonly<Record<string, string | undefined>>, signal: AbortSignal): SampleGround {
  const scratch = createScratch(folder);
  const home = scratch.directory('home');
  const placesIn = (project: string): SamplePlaces => ({ home, project, prd: join(project, 'PRD.md') });
  const newest = scratch.newestCopy('project-');
  return {
    newest: newest === undefined ? undefined : placesIn(newest),
    async copy() {
      const places = placesIn(scratch.copy(packageFile('fixtures/sample/project'), 'project-'));
      scratch.copyFile(packageFile('fixtures/sample/PRD.md'), places.prd);
      await makeRepository(places.project, env['PATH'], signal);
      return places;
    },
  };
}

/** A first commit, so that what the agent changes can be told apart. Without git the run goes on and says so. */
async function makeRepository(project: string, path: string | undefined, signal: AbortSignal): Promise<void> {
  const git = spawn.find('git', path);
  if (git === undefined) return;
  const identity = ['-c', 'user.name=Sample', '-c', 'user.email=sample@example.com', '-c', 'commit.gpgsign=false'];
  for (const args of [['init', '--quiet', '--initial-branch=main'], ['add', '--all'], [...identity, 'commit', '--quiet', '--message', 'The sample project as it was']]) {
    await spawn.run({ program: git, args, cwd: project, env: { PATH: path ?? '', HOME: project, GIT_CONFIG_NOSYSTEM: '1' }, timeoutMs: gitTimeoutMs, outputLimit: 65_536, signal });
  }
}
