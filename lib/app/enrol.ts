/**
 * Putting a project under governance: `.loki/` with a commented configuration and policy, and the enrolment in LOKI_HOME that
 * pins them. Nothing that exists is overwritten. A policy with mistakes, or whose own tests fail, is not enrolled.
 */
import { LokiError, type Problem } from '../errors.ts';
import { sha256Hex } from '../base/digest.ts';
import type { JsonObject } from '../base/json.ts';
import { join } from '../base/paths.ts';
import { atTerminal, type Prove } from '../approvals/proof.ts';
import type { AuditEvent } from '../audit/entry.ts';
import { chooseConfigFile } from '../config/layout.ts';
import { commandsDigest, commandsNamedByProject, type NamedCommand } from '../config/commands.ts';
import { initialConfigText } from '../config/initial.ts';
import { initialPolicyText } from '../policy/initial.ts';
import type { PolicyFile } from '../policy/rules.ts';
import { runPolicyTests } from '../policy/self-test.ts';
import { readEnrolment, writeEnrolment, type Enrolment } from '../gate/enrolment.ts';
import { namesChanged, pinOfBytes, pinsNow, type Pins } from '../gate/pins.ts';
import { keepPolicy } from './restore.ts';
import type { Project } from '../gate/project.ts';
import { proven } from './approver.ts';
import { openRecord } from './audit/record.ts';
import { prepareHome, requireProject, type Installation } from './installation.ts';
import { loadLayers, policyOf, projectPolicyName, readLayers } from './policy.ts';
import { filedUnder } from './tenancy.ts';

/** A file that `loki init` would write. */
export interface PlannedFile {
  /** Absolute. */
  readonly path: string;
  readonly text: string;
}

/** What `loki init` would do. */
export interface InitPlan {
  readonly project: Project;
  readonly writes: readonly PlannedFile[];
  /** The enrolment as it stands, if there is one. */
  readonly enrolled: Enrolment | undefined;
  /** Files that would be pinned and are not what was enrolled, by name below the project. */
  readonly changed: readonly string[];
  /** What would be pinned: of each file what a person was shown, so that nothing else is enrolled. */
  readonly pins: Pins;
}

const gitignoreText = '# Everything loki keeps here stays on this machine; only the configuration and the policy belong to the repository.\n*\n!.gitignore\n!config.yaml\n!config.json\n!policies.yaml\n!policies.yml\n!policies.json\n';

/** Looks at a project and says what would be written. `monitor`: the policy records what it would do and lets it pass. */
export function planInit(installation: Installation, project: Project, monitor: boolean): InitPlan {
  const { host: { disk }, home } = installation;
  const folder = join(project.dir, '.loki');
  const names = disk.list(folder);
  const writes: PlannedFile[] = [];
  if (chooseConfigFile(names) === undefined) writes.push({ path: join(folder, 'config.yaml'), text: initialConfigText });
  const policy = projectPolicyName(disk, project.dir) === undefined ? initialPolicyText({ monitor }) : undefined;
  if (policy !== undefined) writes.push({ path: join(folder, 'policies.yaml'), text: policy });
  if (!names.includes('.gitignore')) writes.push({ path: join(folder, '.gitignore'), text: gitignoreText });
  const enrolled = readEnrolment(disk, home.home, home.project(project.id));
  const pins = { ...pinnedNow(installation, project), ...(policy === undefined ? {} : { '.loki/policies.yaml': sha256Hex(policy) }) };
  return { project, writes, enrolled, changed: enrolled === undefined ? [] : changedFiles(installation, enrolled, project), pins };
}

function changedFiles(installation: Installation, enrolled: Enrolment, project: Project): readonly string[] {
  return namesChanged(enrolled.files, pinnedNow(installation, project));
}

function pinnedNow({ host: { disk } }: Installation, project: Project): Pins {
  return pinsNow(disk, project.dir, projectPolicyName(disk, project.dir));
}

/** Writes what was planned, checks the policy, enrols, and records it. `by` is an actor such as `user:alice`; `prove` gives their fresh proof. */
export async function performInit(installation: Installation, plan: InitPlan, by: string, prove: Prove = atTerminal): Promise<Enrolment> {
  const { host: { disk } } = installation;
  prepareHome(installation);
  const folder = join(plan.project.dir, '.loki');
  disk.ensureDirectory(plan.project.dir, folder, 0o700);
  for (const { path, text } of plan.writes) disk.create(plan.project.dir, path, Buffer.from(text), 0o600);
  const inProject = { ...installation, project: plan.project };
  assertUsable(inProject, loadLayers(readLayers(inProject)), 'enrol the project');
  assertAsShown(installation, plan);
  return enrol(installation, plan.project, { by, prove, pins: plan.pins, commands: plan.enrolled?.commands_digest ?? null, before: plan.enrolled });
}

/** Between the question and the answer a program may put another policy there. Throws `project.changed` when one did. */
function assertAsShown(installation: Installation, { project, pins }: InitPlan): void {
  const changed = namesChanged(pins, pinnedNow(installation, project));
  if (changed.length === 0) return;
  throw new LokiError('project.changed', { attempted: 'enrol the project', found: `${changed.join(', ')} changed while you were asked`, hint: 'Read it again, and find out what changes it; then: loki init' });
}

/** Throws `policy.invalid` with every mistake, and with every test of the policy that fails. */
export function assertUsable(inProject: Installation, files: readonly PolicyFile[], attempted: string): void {
  const problems: readonly Problem[] = files.flatMap((file) => file.problems);
  if (problems.length > 0) throw new LokiError('policy.invalid', { attempted, found: `its policy has ${count(problems.length, 'mistake')}`, problems });
  const failed = runPolicyTests(policyOf(inProject, files)).filter(({ passed }) => !passed);
  if (failed.length === 0) return;
  throw new LokiError('policy.invalid', {
    attempted, found: `${count(failed.length, 'test')} of its policy failed`,
    problems: failed.map((test) => ({ message: `test "${test.name}": ${test.because}`, file: test.place })),
  });
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

/** Who enrols, what is pinned, which commands are confirmed, and the enrolment that the new one takes the place of. */
interface Enrolling {
  readonly by: string;
  readonly prove: Prove;
  readonly pins: Pins;
  readonly commands: string | null;
  readonly before: Enrolment | undefined;
}

async function enrol(installation: Installation, project: Project, { by, prove, pins, commands, before }: Enrolling): Promise<Enrolment> {
  const { host: { disk, clock }, home } = installation;
  const enrolment: Enrolment = {
    version: 1, id: project.id, path: project.dir, enrolled_at: new Date(clock.now()).toISOString(), enrolled_by: by,
    files: pins, commands_digest: commands,
  };
  const log = openRecord(installation);
  try {
    // Recorded before it counts: an enrolment nobody knows of would be a way in.
    const entries = enrolmentEntries(enrolment, before).map((entry) => ({ ...entry, actor: by, resource: `project:${project.id}`, metadata: filedUnder({ ...installation, project }) }));
    for (const entry of entries.map((each) => proven(installation, each, prove, 'enrol the project'))) await log.record(entry);
    keepPolicy(installation, project);
    writeEnrolment(disk, home.home, home.project(project.id), enrolment);
  } finally {
    await log.close();
  }
  return enrolment;
}

/** What is said of an enrolment: what was enrolled, and what differs from the enrolment before. */
function enrolmentEntries({ path, files, commands_digest }: Enrolment, before: Enrolment | undefined): readonly (Pick<AuditEvent, 'event'> & { readonly details: JsonObject })[] {
  const changed = namesChanged(before?.files ?? {}, files).map((name) => ({ name, from: before?.files[name] ?? null, to: files[name] ?? null }));
  const enrolled = { event: 'project.enrol', details: { path, files, commands_digest } } as const;
  if (before === undefined) return [enrolled];
  return [
    enrolled,
    ...(changed.length === 0 ? [] : [{ event: 'policy.change', details: { path, changed } } as const]),
    ...(before.commands_digest === commands_digest ? [] : [{ event: 'config.change', details: { what: 'confirmed commands', path, from: before.commands_digest, to: commands_digest } } as const]),
  ];
}

/** The commands that the project's configuration names, and whether a person has confirmed this very list. */
export interface TrustState {
  readonly commands: readonly NamedCommand[];
  readonly digest: string;
  readonly confirmed: boolean;
}

export function trustState(installation: Installation): TrustState {
  const { host: { disk }, home, config, project } = installation;
  const commands = commandsNamedByProject(config);
  const digest = commandsDigest(commands);
  const enrolment = project === undefined ? undefined : readEnrolment(disk, home.home, home.project(project.id));
  return { commands, digest, confirmed: commands.length === 0 || enrolment?.commands_digest === digest };
}

/** Remembers that a person has read the commands and confirms them. The project must be enrolled, and unchanged since. */
export async function confirmCommands(installation: Installation, by: string, prove: Prove = atTerminal): Promise<Enrolment> {
  const { project } = requireProject(installation);
  const { host: { disk }, home } = installation;
  const known = readEnrolment(disk, home.home, home.project(project.id));
  if (known === undefined) throw new LokiError('project.unknown', { attempted: 'confirm the commands of the project', found: `"${project.dir}" is not enrolled`, hint: 'Run: loki init' });
  const changed = changedFiles(installation, known, project);
  if (changed.length > 0) throw new LokiError('project.changed', { attempted: 'confirm the commands of the project', found: `${changed.join(', ')} changed since it was enrolled` });
  return enrol(installation, project, { by, prove, pins: known.files, commands: trustState(installation).digest, before: known });
}

/** The project's enrolment, if it has one and nothing that is pinned has changed since. Throws `project.changed` otherwise. */
export function enrolmentAsItStands(installation: Installation, project: Project, attempted: string): Enrolment | undefined {
  const { host: { disk }, home } = installation;
  const known = readEnrolment(disk, home.home, home.project(project.id));
  const changed = known === undefined ? [] : changedFiles(installation, known, project);
  if (changed.length > 0) throw new LokiError('project.changed', { attempted, found: `${changed.join(', ')} changed since the project was enrolled` });
  return known;
}

/** Files of a project that were just written, by name below it: their bytes, undefined for those that were removed. */
export type WrittenFiles = ReadonlyMap<string, Uint8Array | undefined>;

/** Pins what a person was shown and what was then written, and nothing else. Throws `project.changed` when more has changed. */
export async function renewPins(installation: Installation, known: Enrolment, written: WrittenFiles, { by, prove }: { readonly by: string; readonly prove: Prove }): Promise<Enrolment> {
  const project: Project = { id: known.id, dir: known.path };
  const pins = new Map(Object.entries(known.files));
  for (const [name, bytes] of written) {
    const pin = bytes === undefined ? undefined : pinOfBytes(name, bytes);
    if (pin === undefined) pins.delete(name);
    else pins.set(name, pin);
  }
  const files = Object.fromEntries(pins);
  const others = namesChanged(files, pinnedNow(installation, project));
  if (others.length > 0) throw new LokiError('project.changed', { attempted: 'renew the enrolment', found: `${others.join(', ')} changed at the same time` });
  return namesChanged(files, known.files).length === 0 ? known : enrol(installation, project, { by, prove, pins: files, commands: known.commands_digest, before: known });
}
