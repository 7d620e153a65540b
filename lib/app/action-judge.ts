/**
 * The judge of a project's actions, put together: the policy as it stands at each action, the built-in rules for this
 * machine's places, and the enrolment that pins the policy. It decides and writes nothing; recording is the gate's.
 */
import type { Disk } from '../ports.ts';
import type { Action } from '../base/action.ts';
import { createBuiltins, type Builtins } from '../policy/builtin.ts';
import { actionHash } from '../policy/canonical.ts';
import type { Policy } from '../policy/evaluate.ts';
import { createJudge, type Judge, type Surroundings as JudgedIn } from '../policy/judge.ts';
import { withResidency } from '../policy/residency.ts';
import { scanners } from '../policy/scan/scanners.ts';
import { recordedContext } from '../policy/simulate/recorded.ts';
import { refused, type Judgement } from '../gate/gate.ts';
import { currentBranch } from '../gate/project.ts';
import type { Installation } from './installation.ts';
import { assertAsEnrolled, probeOf } from './policy.ts';
import { residencyOf } from './residency.ts';
import { tenantOf } from './tenancy.ts';

/** Judges one action; with `explain`, the decision says what every rule made of it. */
export type ActionJudge = (action: Action, options?: { readonly explain?: boolean }) => Judgement;

/** The phase of the run that the surroundings name. */
export function phaseOf({ surroundings }: Installation): string {
  return surroundings.env['LOKI_PHASE'] ?? 'none';
}

/** The judge of what `agent` does in the project of the installation. An agent that is about to be started counts among the active ones. */
export function createActionJudge(installation: Installation, agent: string, policyNow: () => Policy, activeAgents: () => number = () => 1): ActionJudge {
  const { host, project, surroundings } = installation;
  const projectDir = projectDirOf(installation);
  const judgeBy = createJudgeSource(installation, projectDir);
  return (action, options = {}) => {
    const sessionId = action.session_id ?? 'none';
    const around: JudgedIn = {
      project_dir: projectDir, actor: `agent:${agent}`, active_agents: activeAgents() + (action.kind === 'agent' ? 1 : 0), provider: surroundings.env['LOKI_PROVIDER'] ?? agent,
      branch: currentBranch(host.disk, projectDir) ?? 'none', phase: phaseOf(installation), tenant: tenantOf(installation) ?? 'none', project: project?.id ?? 'none', session_id: sessionId,
    };
    const context = recordedContext(around, agent);
    const policy = policyNow();
    const decision = judgeBy(policy)({ ...action, cwd: action.cwd ?? surroundings.cwd, session_id: sessionId }, around, options);
    try {
      assertAsEnrolled(installation, policy);
    } catch (error) {
      // Judged all the same: the record says what was tried while the project was not what a person enrolled.
      return refused(error, decision.canonical, context);
    }
    return { decision, canonical: decision.canonical, actionHash: actionHash(decision.canonical), context };
  };
}

/** The project's directory; without a project, where the program was started. */
export function projectDirOf({ host, project, surroundings }: Installation): string {
  return project?.dir ?? host.disk.realpath(surroundings.cwd) ?? surroundings.cwd;
}

/** The judge for a policy; the same one as long as the policy is. */
function createJudgeSource(installation: Installation, projectDir: string): (policy: Policy) => Judge {
  const { host } = installation;
  const probe = probeOf(host.disk);
  const builtins = builtinsOf(installation, projectDir);
  let known: { readonly policy: Policy; readonly judge: Judge } | undefined;
  return (policy) => {
    if (known?.policy !== policy) known = { policy, judge: createJudge({ policy, builtins, probe, monotonic: () => host.clock.monotonic(), scanners }) };
    return known.judge;
  };
}

/** The built-in rules for a project. */
export function builtinsOf(installation: Installation, projectDir: string): Builtins {
  const { host: { disk }, home, surroundings: { homeDirectory } } = installation;
  return withResidency(createBuiltins({
    lokiHome: home.home, projectDirs: [projectDir], homeDir: disk.realpath(homeDirectory) ?? homeDirectory,
    controlPlane: controlPlaneAddresses(installation), keyFiles: keyFilesOf(installation), copies: copiesOf(installation),
  }), residencyOf(installation));
}

/** The files with the log's key and the keys of TLS, as they are named and as they are really called. */
function keyFilesOf({ host: { disk }, config: { audit, siem, server, telemetry } }: Installation): readonly string[] {
  return named([audit.keyFile, siem.syslog.key, server.tls.key, telemetry.key, ...telemetry.destinations.map(({ key }) => key)], disk);
}

/** Where checkpoints are copied to. */
function copiesOf({ host: { disk }, config: { audit } }: Installation): readonly string[] {
  return named([audit.checkpointCopy], disk);
}

function named(paths: readonly (string | undefined)[], disk: Disk): readonly string[] {
  return paths.flatMap((path) => (path === undefined ? [] : [path, disk.realpath(path) ?? path]));
}

/** The address that is configured, and the one a control plane that runs has written down. */
function controlPlaneAddresses(installation: Installation): readonly string[] {
  const { host, home, config } = installation;
  const written = host.disk.read(`${home.run}/address`, 256);
  const ports = new Set([config.server.port, 57374, ...(written === undefined ? [] : [Number(/:(\d+)\s*$/.exec(Buffer.from(written).toString('utf8'))?.[1])])]);
  return [...ports].filter(Number.isInteger).flatMap((port) => [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`, `0.0.0.0:${port}`, `${config.server.host}:${port}`]);
}
