/** Sessions, subagents and tasks as an agent tells of them. Told, not asked: nothing here stops an agent. */
import type { HookEvent } from '../../agents/hook.ts';
import { scanners } from '../../policy/scan/scanners.ts';
import { currentBranch } from '../../gate/project.ts';
import type { AgentAction } from '../../audit/agent-chain.ts';
import type { JsonObject } from '../../base/json.ts';
import { openProjectChain } from '../audit/record.ts';
import { prepareHome, type Installation } from '../installation.ts';
import { agentBegins, agentEnds, type ActivePlace } from './active-agents.ts';
import { entryOf, type HookScene } from './scene.ts';

type Of<Does extends HookEvent['does']> = Extract<HookEvent, { readonly does: Does }>;

const longestTitle = 300;

/** The place where the project's agents are counted. */
export function activePlaceOf({ host: { disk, clock }, home, project }: Installation): ActivePlace {
  return { disk, clock, home: home.home, run: home.run, projectId: project?.id ?? 'none' };
}

/** A session of the agent begins or ends. Within a governed run the run tells of that. */
export async function tellSession(scene: HookScene, event: Of<'session.start' | 'session.stop'>): Promise<void> {
  const begins = event.does === 'session.start';
  const place = activePlaceOf(scene.installation);
  if (!scene.inRun) {
    const details: JsonObject = { agent: scene.agent, ...event.details, ...(event.mode === undefined ? {} : { mode: event.mode }) };
    await scene.log.record(entryOf(scene, event.does, details));
    await tellChain(scene, begins ? 'session_start' : 'session_stop', { session_id: scene.sessionId, ...details });
  }
  if (begins) prepareHome(scene.installation);
  if (begins) return agentBegins(place, scene.sessionId);
  const beganAt = agentEnds(place, scene.sessionId);
  if (!scene.inRun) scene.trace?.sessionEnded(scene.sessionId, beganAt);
}

/** A subagent begins or ends. */
export async function tellWorker(scene: HookScene, event: Of<'spawn' | 'complete'>): Promise<void> {
  const { worker } = event;
  const begins = event.does === 'spawn';
  const place = activePlaceOf(scene.installation);
  await scene.log.record(entryOf(scene, begins ? 'agent.spawn' : 'agent.complete', { worker: { id: worker.id, type: worker.type } }));
  if (begins) prepareHome(scene.installation);
  if (begins) return agentBegins(place, scene.sessionId, worker.id);
  const beganAt = agentEnds(place, scene.sessionId, worker.id);
  scene.trace?.workerEnded(scene.sessionId, worker, beganAt);
}

/** The agent keeps a list of tasks. The titles are its words. */
export async function tellTask(scene: HookScene, event: Of<'task.create' | 'task.complete'>): Promise<void> {
  const title = scanners.redact(event.title).slice(0, longestTitle);
  await scene.log.record(entryOf(scene, event.does, { agent: scene.agent, agent_task: event.id.slice(0, 100), title, reported_by: 'agent' }));
}

async function tellChain({ installation, log, agent }: HookScene, action: AgentAction, details: JsonObject): Promise<void> {
  const { project, host: { disk } } = installation;
  if (project === undefined) return;
  const chain = openProjectChain(installation, project, log.record);
  try {
    await chain.append({ action, agent, branch: currentBranch(disk, project.dir) ?? null, details });
  } finally {
    await chain.close();
  }
}
