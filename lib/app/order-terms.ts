/**
 * Whether a run may be ordered on the terms that somebody names over the network: within what the project and the organisation
 * have set, with a provider that is set up on this machine, and never with a command line of their own. Asked when a run is
 * ordered, and again by the worker that begins it, because settings may have changed meanwhile.
 */
import { LokiError, type Problem } from '../errors.ts';
import type { RunTerms } from '../runs/orders.ts';
import { agentNamed } from './agents.ts';
import { openInstallation, type Installation } from './installation.ts';

/** The installation as a session in the project has it, with the terms in the place of settings. Throws `request.invalid`. */
export function installationFor(installation: Installation, dir: string, terms: RunTerms): Installation {
  const { env, homeDirectory } = installation.surroundings;
  const surroundings = { env: withoutSession(env), homeDirectory, cwd: dir };
  const asConfigured = openInstallation(surroundings, { project: dir });
  assertTerms(asConfigured, terms);
  // Naming the provider that is configured anyway leaves its model and its command line as they are.
  const provider = terms.provider === asConfigured.config.runs.provider?.name ? undefined : terms.provider;
  const flags = [['--provider', provider], ['--max-iterations', terms.max_iterations], ['--budget', terms.budget]] as const;
  const given = flags.flatMap(([name, value]): (readonly [string, string])[] => (value === undefined ? [] : [[name, String(value)]]));
  return given.length === 0 ? asConfigured : openInstallation(surroundings, { project: dir, flags: new Map(given) });
}

/** A control plane may have been started inside of a session, whose project is not ours. */
function withoutSession(env: Installation['surroundings']['env']): Installation['surroundings']['env'] {
  const { LOKI_PROJECT_DIR: _, ...rest } = env;
  return rest;
}

function assertTerms(installation: Installation, terms: RunTerms): void {
  const { config: { runs } } = installation;
  const { provider, max_iterations, budget } = terms;
  const problems: readonly Problem[] = [
    provider === undefined ? undefined : providerProblem(installation, provider),
    max_iterations !== undefined && max_iterations > runs.maxIterations ? `max_iterations is ${max_iterations}, and the project allows ${runs.maxIterations} (runs.max_iterations)` : undefined,
    budget !== undefined && runs.budget !== undefined && budget > runs.budget ? `budget is ${budget}, and the project allows ${runs.budget} (runs.budget)` : undefined,
  ].flatMap((message) => (message === undefined ? [] : [{ message }]));
  const [first] = problems;
  if (first !== undefined) throw new LokiError('request.invalid', { attempted: 'order a run', found: first.message, hint: 'Leave it out to use what is configured', problems });
}

function providerProblem(installation: Installation, name: string): string | undefined {
  const { config, host: { spawn }, surroundings } = installation;
  const configured = config.runs.provider?.name;
  if (name === configured) return undefined;
  if (config.origin('runs.provider').layer === 'organisation') return `the provider is ${name}, and the organisation has set ${configured ?? 'another'}`;
  if (name === 'scripted') return undefined;
  if (name === 'command') return 'the provider is command, and no command line is configured here (runs.provider)';
  const agent = agentNamed(name);
  if (agent === undefined) return `the provider ${name} is not known here`;
  return spawn.find(agent.program, surroundings.env['PATH']) === undefined ? `the provider ${name} is not installed here` : undefined;
}
