/**
 * The enrolled policy, kept in LOKI_HOME as it was, so that a project whose policy was deleted, stashed or edited is repaired
 * in one line. Nothing is ever judged by the copy: it is only written back, and only while it is what the enrolment pins.
 */
import { LokiError } from '../errors.ts';
import { sha256Hex } from '../base/digest.ts';
import { join } from '../base/paths.ts';
import { policyFileNames } from '../policy/load.ts';
import { readEnrolment } from '../gate/enrolment.ts';
import type { Project } from '../gate/project.ts';
import type { Installation } from './installation.ts';
import { projectPolicyName } from './policy.ts';

const largestPolicy = 1 << 20;

/** Keeps a copy of the project's policy as it is being enrolled; of a project without one, none. */
export function keepPolicy({ host: { disk }, home }: Installation, project: Project): void {
  const name = projectPolicyName(disk, project.dir);
  const bytes = name === undefined ? undefined : disk.read(join(project.dir, name), largestPolicy);
  disk.ensureDirectory(home.home, home.projects, 0o700);
  if (bytes === undefined) disk.remove(home.projectPolicy(project.id));
  else disk.replace(home.home, home.projectPolicy(project.id), bytes, 0o600);
}

export interface Restored {
  /** Below the project. */
  readonly name: string;
  /** False when the policy was as it should be. */
  readonly written: boolean;
}

/**
 * Writes the enrolled policy back. Throws `project.unknown` for a project that is not enrolled, and `project.changed` when
 * there is no copy, the copy is not what is pinned, or another policy file stands beside it.
 */
export function restorePolicy({ host: { disk }, home }: Installation, project: Project): Restored {
  const attempted = `bring back the enrolled policy of "${project.dir}"`;
  const enrolment = readEnrolment(disk, home.home, home.project(project.id));
  if (enrolment === undefined) throw new LokiError('project.unknown', { attempted, found: 'the project is not enrolled', hint: 'Run: loki init' });
  const name = policyFileNames.map((file) => `.loki/${file}`).find((file) => Object.hasOwn(enrolment.files, file));
  if (name === undefined) throw new LokiError('project.changed', { attempted, found: 'the project was enrolled without a policy', hint: 'Remove the policy that is there, or accept it with: loki init' });
  const others = policyFileNames.filter((file) => `.loki/${file}` !== name && disk.list(join(project.dir, '.loki')).includes(file));
  if (others.length > 0) throw new LokiError('project.changed', { attempted, found: `.loki/${others.join(' and .loki/')} was not there when it was enrolled`, hint: `Remove it, then run this again` });
  const bytes = disk.readRecord(home.home, home.projectPolicy(project.id), largestPolicy);
  if (bytes === undefined || sha256Hex(bytes) !== enrolment.files[name]) throw new LokiError('project.changed', { attempted, found: 'the kept copy is missing or is not what was enrolled', hint: 'Bring the file back from version control, or accept what is there with: loki init' });
  const there = disk.read(join(project.dir, name), largestPolicy);
  if (there !== undefined && sha256Hex(there) === enrolment.files[name]) return { name, written: false };
  disk.ensureDirectory(project.dir, join(project.dir, '.loki'), 0o700);
  disk.replace(project.dir, join(project.dir, name), bytes, 0o600);
  return { name, written: true };
}
