/**
 * The policy that is in force for a project right now: every layer's file as it stands on disk, and the enrolment that pins
 * the project's own. Read again for each decision, compiled again only when a file's text has changed; nothing compiled is
 * ever kept on disk, where it would be a policy that an agent can edit.
 */
import { LokiError, messageOf } from '../errors.ts';
import type { Disk } from '../ports.ts';
import { join, resolveFrom, type PathProbe } from '../base/paths.ts';
import { organisationFiles } from '../config/layout.ts';
import { createPolicy, type Policy, type PolicyParts } from '../policy/evaluate.ts';
import { choosePolicyFile, loadPolicyFile, unreadablePolicyFile } from '../policy/load.ts';
import { scanners } from '../policy/scan/scanners.ts';
import { analyzeCommand, rememberLast, type AnalyzeCommand } from '../policy/shell/analyze.ts';
import type { Layer, PolicyFile } from '../policy/rules.ts';
import { readEnrolment } from '../gate/enrolment.ts';
import { refused } from '../gate/gate.ts';
import { changedPins, pinsNow } from '../gate/pins.ts';
import type { Installation } from './installation.ts';

/** A layer's file as read: text, or why it cannot be had. */
export type LayerText =
  | { readonly layer: Layer; readonly filename: string; readonly text: string }
  | { readonly layer: Layer; readonly filename: string; readonly problem: string };

const largestPolicy = 1 << 20;

/** What the judge of paths may ask of the disk. */
export function probeOf(disk: Disk): PathProbe {
  return { realpath: (path) => disk.realpath(path), readlink: (path) => disk.readlink(path), list: (path) => listed(disk, path) };
}

/** A folder that cannot be read names nothing. */
function listed(disk: Disk, path: string): readonly string[] {
  try {
    return disk.list(path);
  } catch {
    return [];
  }
}

/** The files of all layers, strongest first. */
export function readLayers(installation: Installation): readonly LayerText[] {
  const { host: { disk }, home, config, project } = installation;
  const managed = config.managedPolicy;
  return [
    readLayer(disk, 'organisation', organisationFiles.policies),
    managed === undefined ? undefined : readLayer(disk, 'managed', managed) ?? { layer: 'managed' as const, filename: managed, problem: 'LOKI_MANAGED_POLICY names this file and it does not exist' },
    readFolder(disk, 'user', home.home),
    project === undefined ? undefined : readFolder(disk, 'project', join(project.dir, '.loki')),
  ].filter((layer) => layer !== undefined);
}

/** The project's policy file by its name below the project, or undefined. Two of them are an error. */
export function projectPolicyName(disk: Disk, projectDir: string): string | undefined {
  const name = choosePolicyFile(disk.list(join(projectDir, '.loki')));
  return name === undefined ? undefined : `.loki/${name}`;
}

function readFolder(disk: Disk, layer: Layer, folder: string): LayerText | undefined {
  try {
    const name = choosePolicyFile(disk.list(folder));
    return name === undefined ? undefined : readLayer(disk, layer, join(folder, name));
  } catch (error) {
    return { layer, filename: folder, problem: messageOf(error) };
  }
}

function readLayer(disk: Disk, layer: Layer, filename: string): LayerText | undefined {
  try {
    const bytes = disk.read(filename, largestPolicy);
    return bytes === undefined ? undefined : { layer, filename, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch (error) {
    return { layer, filename, problem: error instanceof TypeError ? 'it is not UTF-8' : messageOf(error) };
  }
}

/** Each layer's file, parsed; problems travel with it. */
export function loadLayers(layers: readonly LayerText[]): readonly PolicyFile[] {
  return layers.map((layer) => ('text' in layer ? loadPolicyFile(layer) : unreadablePolicyFile(layer.filename, layer.layer, layer.problem)));
}

/** Reads commands for every judge of this process. */
const analyze: AnalyzeCommand = rememberLast(analyzeCommand);

/** What a policy is judged with on this machine. */
export function partsOf({ host: { disk, clock }, surroundings }: Installation): PolicyParts {
  return { probe: probeOf(disk), monotonic: () => clock.monotonic(), scanners, analyze, homeDir: surroundings.homeDirectory };
}

/** The judge of contexts over some files. */
export function policyOf(installation: Installation, files: readonly PolicyFile[]): Policy {
  return createPolicy(files, partsOf(installation));
}

/** A policy file that somebody named, which need not be in force, read as one of `layer`. Throws `not_found` and `usage`. */
export function loadNamedPolicy({ host: { disk }, surroundings }: Installation, name: string, attempted: string, layer: Layer = 'project'): PolicyFile {
  const path = resolveFrom(surroundings.cwd, name);
  const real = disk.realpath(path);
  if (real !== undefined && disk.stat(real)?.kind === 'directory') throw new LokiError('usage', { attempted, found: 'it is a directory', hint: 'Name a policy file' });
  const bytes = disk.read(path, largestPolicy);
  if (bytes === undefined) throw new LokiError('not_found', { attempted, found: 'there is no such file', hint: 'Name a policy file' });
  return loadPolicyFile({ text: decodedText(bytes, attempted), filename: name, layer });
}

function decodedText(bytes: Uint8Array, attempted: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new LokiError('policy.invalid', { attempted, found: 'it is not UTF-8', hint: 'Save the file as UTF-8' });
  }
}

/** The policy that was compiled last, and from what; kept by a process that judges again and again, of one project. */
export interface PolicyMemory {
  known?: { readonly texts: readonly LayerText[]; readonly policy: Policy };
}

/** Gives the policy as it stands; the same object as long as no text has changed. */
export function createPolicySource(installation: Installation, memory: PolicyMemory = {}): () => Policy {
  return () => {
    const texts = readLayers(installation);
    if (memory.known === undefined || !sameTexts(memory.known.texts, texts)) memory.known = { texts, policy: policyOf(installation, loadLayers(texts)) };
    return memory.known.policy;
  };
}

function sameTexts(a: readonly LayerText[], b: readonly LayerText[]): boolean {
  return a.length === b.length && a.every((layer, at) => {
    const other = b[at];
    return other !== undefined && other.filename === layer.filename && wordsOf(other) === wordsOf(layer);
  });
}

function wordsOf(layer: LayerText): string {
  return 'text' in layer ? layer.text : `\0${layer.problem}`;
}

/**
 * How an enrolled project differs from what was enrolled, in words; undefined when it does not, or was never enrolled. `judged` is
 * the policy that was judged by: read before, it must be the enrolled one too, whatever stands on disk by now.
 */
export function changeSinceEnrolment({ host: { disk }, home, project }: Installation, judged?: Policy): string | undefined {
  const enrolment = project === undefined ? undefined : readEnrolment(disk, home.home, home.project(project.id));
  if (project === undefined || enrolment === undefined) return undefined;
  // A folder under another name is not protected under that name.
  if (disk.readlink(join(project.dir, '.loki')) !== undefined) return '.loki is a symbolic link';
  const name = projectPolicyName(disk, project.dir);
  const change = changedPins(enrolment.files, pinsNow(disk, project.dir, name));
  if (change !== undefined || judged === undefined) return change;
  const enrolled = name === undefined ? undefined : enrolment.files[name];
  return judged.files.find(({ layer }) => layer === 'project')?.digest === enrolled ? undefined : `${name ?? '.loki/policies.yaml'} was another one while it was judged by`;
}

/** Throws `project.changed` when the project was enrolled and its pinned files are not what a person enrolled. */
export function assertAsEnrolled(installation: Installation, judged?: Policy): void {
  const change = changeSinceEnrolment(installation, judged);
  if (change === undefined) return;
  throw new LokiError('project.changed', { attempted: `act in the enrolled project "${installation.project?.dir ?? ''}"`, found: change, hint: repairOf(change) });
}

/** The policy, while the project is as a person enrolled it; otherwise one that denies everything, for whoever asks it outside of the gate. */
export function pinnedPolicy(installation: Installation, policy: Policy): Policy {
  try {
    assertAsEnrolled(installation, policy);
    return policy;
  } catch (error) {
    const { decision } = refused(error, {});
    return { ...policy, evaluate: () => decision };
  }
}

/** What a person does about a change, in one line. */
export function repairOf(change: string): string {
  return change.startsWith('.loki/policies.') ? 'A person brings back what was enrolled with: loki policy restore; or accepts what is there with: loki init' : 'A person puts it back, or accepts it as it is with: loki init';
}
