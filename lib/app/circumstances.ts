/**
 * What a run begins with beside its settings: the policy in force, the program that works, what it calls and what that costs. Kept
 * in the run, so that who repeats it can be told what is not the same any more.
 */
import { sha256Hex } from '../base/digest.ts';
import { canonicalJson, type JsonObject } from '../base/json.ts';
import { agentNamed } from './agents.ts';
import type { Installation } from './installation.ts';
import { loadLayers, policyOf, readLayers } from './policy.ts';
import { version } from './version.ts';

/** The circumstances of a run with a provider, as they are now. */
export function circumstancesOf(installation: Installation): (provider: string) => JsonObject {
  return (provider) => {
    const { config: { runs, prices } } = installation;
    const chosen = runs.provider?.name === provider ? runs.provider : undefined;
    return {
      policy_digest: policyOf(installation, loadLayers(readLayers(installation))).digest,
      loki_version: version,
      provider_program: programOf(installation, provider, chosen?.command),
      model: chosen?.model ?? null,
      region: chosen?.region ?? null,
      prices_sha256: sha256Hex(canonicalJson(Object.fromEntries([...prices].map(([model, price]) => [model, { ...price }])))),
    };
  };
}

/** An agent's program, links followed, and when it was installed: that tells one version from another without starting it. A command line by its hash. */
function programOf({ host: { disk, spawn }, surroundings }: Installation, provider: string, command: string | undefined): JsonObject | null {
  if (command !== undefined) return { command_sha256: sha256Hex(command) };
  const agent = agentNamed(provider);
  const found = agent === undefined ? undefined : spawn.find(agent.program, surroundings.env['PATH']);
  const path = found === undefined ? undefined : disk.realpath(found);
  const stat = path === undefined ? undefined : disk.stat(path);
  return path === undefined || stat === undefined ? null : { path, modified_at: new Date(stat.modifiedMs).toISOString() };
}
