/**
 * Putting hooks into agents' settings and taking them out: planned first, for a person to read; then done exactly so, with what was
 * there kept, recorded, and the enrolment's pins renewed. Taking hooks out is what an attacker would want, so it takes a fresh proof
 * and says in the log of record who did it and why.
 */
import { LokiError } from '../../errors.ts';
import type { AgentName } from '../../agents/hook.ts';
import { installChanges, installedHooks, targetFile, uninstallChanges, type TextChange } from '../../agents/settings/changes.ts';
import { agentNames, agentSigns, notJson, readsComments, type Scope } from '../../agents/settings/places.ts';
import type { Prove } from '../../approvals/proof.ts';
import { sha256Hex } from '../../base/digest.ts';
import { isInside } from '../../base/paths.ts';
import { parseJsonc } from '../../formats/jsonc/parse.ts';
import type { Enrolment } from '../../gate/enrolment.ts';
import { proven } from '../approver.ts';
import { openRecord } from '../audit/record.ts';
import { enrolmentAsItStands, renewPins } from '../enrol.ts';
import { prepareHome } from '../installation.ts';
import type { HttpPlan } from './over-http.ts';
import { assertAsShown, assertPlain, keepBefore, textBefore, writeChange } from './files.ts';
import { removeHookKey, writeHookKey } from '../hook/tokens.ts';
import { agentsHere, hookFacts, targetOf, type HookChoices, type HookGround } from './ground.ts';

/** What would change for one agent. */
export interface AgentPlan {
  readonly agent: AgentName;
  readonly changes: readonly TextChange[];
}

export interface HookPlan {
  readonly does: 'install' | 'uninstall';
  readonly scope: Scope;
  /** Agents that were asked for, also those for which nothing is to do. */
  readonly agents: readonly AgentPlan[];
  /** Claude Code asks over HTTP. */
  readonly http?: HttpPlan;
}

/** The changes of a plan, all of them. */
export function changesOf({ agents }: HookPlan): readonly TextChange[] {
  return agents.flatMap(({ changes }) => changes);
}

/** Hooks for the named agents, or for those that are here. */
export function planInstall(ground: HookGround, scope: Scope, named: readonly AgentName[], choices: HookChoices = {}, http?: HttpPlan): HookPlan {
  const wanted = named.length > 0 ? named : agentsHere(ground).filter((agent) => scope !== 'managed' || agent !== 'opencode');
  const facts = { ...hookFacts(ground, scope, choices), ...(http === undefined ? {} : { http: http.facts }) };
  return { does: 'install', scope, ...(http === undefined ? {} : { http }), agents: wanted.map((agent) => ({ agent, changes: installChanges(targetOf(ground, agent, scope), facts) })) };
}

/** Whether Claude Code's hooks of this project ask over HTTP. */
export function asksOverHttp(ground: HookGround): boolean {
  return installedHooks(targetOf(ground, 'claude', 'project')).some(({ http }) => http !== undefined);
}

/** The way back for the named agents, or for those that have hooks of this reach. */
export function planUninstall(ground: HookGround, scope: Scope, named: readonly AgentName[]): HookPlan {
  const wanted = named.length > 0 ? named : agentNames.filter((agent) => installedHooks(targetOf(ground, agent, scope)).length > 0);
  return { does: 'uninstall', scope, agents: wanted.map((agent) => ({ agent, changes: uninstallChanges(targetOf(ground, agent, scope)).map((change) => exactly(ground, agent, scope, change)) })) };
}

/** So many installations, one upon the other, are gone back through. */
const mostSteps = 20;

/**
 * Where nobody has touched the file since, the very bytes that it had before. Not of a file that other hooks share, such as Codex's
 * configuration with the trust of every project's: what it was before may be without theirs.
 */
function exactly(ground: HookGround, agent: AgentName, scope: Scope, change: TextChange): TextChange {
  const { read, ...target } = targetOf(ground, agent, scope);
  if (change.path !== targetFile(target)) return change;
  let text = change.before;
  for (let step = 0; step < mostSteps && text !== undefined; step += 1) {
    const before = textBefore(ground.installation, change.path, text);
    if (before === undefined) return change;
    const asIt = uninstallChanges({ ...target, read: (path) => (path === change.path ? before : read(path)) });
    if (!asIt.some(({ path }) => path === change.path)) return { ...change, after: before };
    text = before;
  }
  return change;
}

/** Who stands behind it, and why. */
export interface HookDecision {
  readonly by: string;
  readonly prove: Prove;
  /** Why hooks are taken out. */
  readonly reason?: string;
}

/** What must hold before anybody is asked: nothing that is pinned has changed, and no symlink is in the way. */
export function assertPossible({ installation, project }: HookGround, plan: HookPlan): Enrolment | undefined {
  if (project === undefined) return undefined;
  const changes = changesOf(plan);
  const inProject = changes.some(({ path }) => isInside(path, project.dir));
  if (!inProject) return undefined;
  assertPlain(installation, project.dir, changes);
  return enrolmentAsItStands(installation, project, plan.does === 'install' ? 'install hooks' : 'take hooks out');
}

/** Does what was planned. Throws `conflict` when a file has changed since, `project.changed` when something else of the project has. */
export async function performPlan(ground: HookGround, plan: HookPlan, decision: HookDecision): Promise<void> {
  const { installation, project } = ground;
  const enrolled = assertPossible(ground, plan);
  assertAsShown(installation, changesOf(plan));
  prepareHome(installation);
  for (const { agent, changes } of plan.agents) for (const change of changes) keepBefore(installation, agent, change);
  await recordPlan(ground, plan, decision);
  // A token counts before anybody shows it, and no longer than its hooks stand.
  if (plan.http !== undefined) writeHookKey(installation, plan.http.projectId, plan.http.key);
  for (const change of changesOf(plan)) writeChange(installation, project?.dir, change);
  if (plan.http === undefined && plan.scope === 'project' && project !== undefined && plan.agents.some(({ agent }) => agent === 'claude')) removeHookKey(installation, project.id);
  if (enrolled === undefined || project === undefined) return;
  const written = changesOf(plan).filter(({ path }) => isInside(path, project.dir)).map(({ path, after }) => [path.slice(project.dir.length + 1), after === undefined ? undefined : Buffer.from(after)] as const);
  await renewPins(installation, enrolled, new Map(written), decision);
}

/** Recorded before it counts, as everything that changes who is asked. */
async function recordPlan({ installation, project }: HookGround, { does, scope, agents, http }: HookPlan, { by, prove, reason = 'uninstalled' }: HookDecision): Promise<void> {
  const log = openRecord(installation);
  try {
    for (const { agent, changes } of agents) {
      if (changes.length === 0) continue;
      const files = changes.map(({ path, before, after }) => ({ path, from: digestOf(before), to: digestOf(after) }));
      const ofProject = scope === 'project' && project !== undefined ? { resource: `project:${project.id}`, metadata: { project_id: project.id } } : {};
      const details = { agent, scope, files, ...(http === undefined ? {} : { asks: http.facts.address }), ...(does === 'install' ? {} : { reason }) };
      await log.record(proven(installation, { event: does === 'install' ? 'hooks.install' : 'hooks.disable', actor: by, ...ofProject, details }, prove, does === 'install' ? 'install hooks' : 'take hooks out'));
    }
  } finally {
    await log.close();
  }
}

function digestOf(text: string | undefined): string | null {
  return text === undefined ? null : sha256Hex(text);
}

/** Whether the agent reads it: what is no strict JSON, not everybody does. */
function isReadBy(agent: AgentName, text: string): boolean {
  return readsComments.includes(agent) || parseJsonc(text, 'settings').isStrict;
}

/** What would keep the hooks from being in force although they are put in. */
export function warningsOn({ does, agents }: HookPlan): readonly string[] {
  if (does === 'uninstall') return [];
  return agents.flatMap(({ agent, changes }) => changes.flatMap(({ path, after }) => (
    after === undefined || !path.endsWith('.json') || isReadBy(agent, after) ? [] : [`${notJson(path)}: ${agentSigns[agent].title} may drop everything in it, hooks too. Take them out of it`]
  )));
}

/** What a person should know beside the change itself. */
export function notesOn({ places }: HookGround, { does, scope, agents, http }: HookPlan): readonly string[] {
  const changing = agents.filter(({ changes }) => changes.length > 0).map(({ agent }) => agent);
  if (does === 'uninstall' || changing.length === 0) return [];
  const shared = changing.filter((agent) => scope === 'project' && agent !== 'claude');
  return [
    ...(http === undefined ? [] : httpNotes),
    ...(shared.length === 0 ? [] : [`The paths in them are this machine's: do not commit ${shared.map((agent) => targetFile({ agent, scope, places }).slice((places.project ?? '').length + 1)).join(', ')}`]),
    ...(changing.includes('codex') && scope === 'project' ? ['Codex runs hooks of a project only when it trusts the folder: codex asks for that when it is started there'] : []),
    ...(changing.includes('gemini') && scope === 'project' ? ['Gemini CLI runs hooks of a project only when it trusts the folder: gemini asks for that when it is started there'] : []),
    ...(changing.some((agent) => agent !== 'claude') ? [`Sessions that are open do not know of the hooks: begin new ones (${changing.map((agent) => agentSigns[agent].title).join(', ')})`] : []),
  ];
}

const httpNotes: readonly string[] = [
  'While the control plane does not run, Claude Code refuses every call of a tool here: keep loki dashboard running, at the address in the change',
  'The token in it is a secret of this machine: do not commit .claude/settings.local.json',
];

/** Throws `usage` when nobody was named and nobody is here. */
export function assertSomeone(plan: HookPlan): void {
  if (plan.agents.length > 0) return;
  if (plan.does === 'uninstall') throw new LokiError('not_found', { attempted: 'take hooks out', found: `no agent has hooks of ours in its ${plan.scope} settings`, hint: 'loki hooks status shows where hooks are' });
  throw new LokiError('usage', { attempted: 'install hooks', found: 'no coding agent was found: neither its program on the PATH nor a folder of its settings', hint: `Name one of ${agentNames.join(', ')}: loki hooks install claude` });
}
