/** Checks of agents' hooks, one an agent: the worst of what `loki hooks status` tells in full. */
import type { AgentName } from '../../agents/hook.ts';
import { agentNames, agentSigns } from '../../agents/settings/places.ts';
import { reportOn } from '../hooks/checks.ts';
import { hookGround, isHere } from '../hooks/ground.ts';
import { lookAtAgent } from '../hooks/scene.ts';
import { ok, type Check, type Outcome } from './check.ts';
import type { Scene } from './scene.ts';

export const hookChecks: readonly Check[] = agentNames.map((agent) => ({
  name: agentSigns[agent].title, about: `the hooks of ${agentSigns[agent].title}`, look: (scene) => worstOf(scene, agent),
}));

async function worstOf({ installation }: Scene, agent: AgentName): Promise<Outcome> {
  const ground = hookGround(installation);
  if (!isHere(ground, agent)) return ok('not found here');
  const { checks } = reportOn(await lookAtAgent(ground, agent));
  const worst = checks.find(({ status }) => status === 'fail') ?? checks.find(({ status }) => status === 'warn');
  if (worst === undefined) return ok(`${checks.length} checks of its hooks are well`);
  const { status, found, repair, check } = worst;
  return { status, found: `${check}: ${found}`, ...(repair === undefined ? {} : { repair }) };
}
