/**
 * Another policy for an enrolled project, put in force in one act: checked and tested before anything is written, then written,
 * then enrolled, with the proof of who stands behind it. A crash in between leaves a project that denies everything until a
 * person enrols it again; one that is not as it was enrolled is refused, whoever asks.
 */
import { LokiError } from '../errors.ts';
import { join } from '../base/paths.ts';
import type { Prove } from '../approvals/proof.ts';
import { assertUsable, enrolmentAsItStands, renewPins } from './enrol.ts';
import { requireProject, type Installation } from './installation.ts';
import { loadLayers, projectPolicyName, readLayers } from './policy.ts';

const usualName = '.loki/policies.yaml';

/** Throws `policy.invalid` with every mistake and every failing test, `project.unknown`, `project.changed`, `auth.proof`. */
export async function replacePolicy(installation: Installation, text: string, who: { readonly by: string; readonly prove: Prove }): Promise<void> {
  const attempted = 'replace the policy';
  const { host: { disk } } = installation;
  const { project } = requireProject(installation);
  const known = enrolmentAsItStands(installation, project, attempted);
  if (known === undefined) throw new LokiError('project.unknown', { attempted, found: 'the project is not enrolled', hint: 'Enrol it where it is: loki init' });
  const name = projectPolicyName(disk, project.dir) ?? usualName;
  const path = join(project.dir, name);
  const others = readLayers(installation).filter(({ layer }) => layer !== 'project');
  assertUsable(installation, loadLayers([...others, { layer: 'project', filename: path, text }]), attempted);
  const bytes = Buffer.from(text, 'utf8');
  disk.replace(project.dir, path, bytes, 0o600);
  await renewPins(installation, known, new Map([[name, bytes]]), who);
}
