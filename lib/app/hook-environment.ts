/** What of our own environment reaches the gate that an agent's hook opens. No secret does. */
import { LokiError } from '../errors.ts';
import type { Installation } from './installation.ts';

/** Settings of the gate that may stand in our environment. The agent hands them on to the gate it asks; none is a secret. */
const gateVariables = [
  'LOKI_MANAGED_POLICY', 'LOKI_AUDIT_DISABLED', 'LOKI_ENTERPRISE_AUDIT', 'LOKI_AUDIT_LEVEL', 'LOKI_AUDIT_MAX_SIZE_MB', 'LOKI_AUDIT_NO_INTEGRITY', 'LOKI_AUDIT_ON_FAILURE',
  'LOKI_HOST', 'LOKI_PORT',
] as const;

/** Those of them that are set, and where telemetry goes. */
export function gateSettings(installation: Pick<Installation, 'config' | 'surroundings'>): Readonly<Record<string, string>> {
  return { ...setIn(installation.surroundings.env, gateVariables), ...telemetrySettings(installation) };
}

type Environment = Installation['surroundings']['env'];

/** How much of telemetry is made and as whom: for hooks alone, as an agent would take these to be about itself. */
const samplingVariables = ['OTEL_TRACES_SAMPLER', 'OTEL_TRACES_SAMPLER_ARG', 'OTEL_RESOURCE_ATTRIBUTES'] as const;

const signalEndpoints = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_LOGS_ENDPOINT'] as const;

/** What a hook is told of telemetry beside `gateSettings`. */
export function hookTelemetrySettings(env: Environment): Readonly<Record<string, string>> {
  return { ...setIn(env, samplingVariables), ...setIn(env, signalEndpoints.filter((name) => isPlain(env[name] ?? ''))) };
}

/**
 * That telemetry is on, where our environment alone says so: then the gate makes some, and hands it over. It goes by our own names, as those of
 * OpenTelemetry would set up the agent's own telemetry; headers and keys stay with whoever sends. An address that may hold a secret is not handed down.
 */
function telemetrySettings({ config, surroundings: { env } }: Pick<Installation, 'config' | 'surroundings'>): Readonly<Record<string, string>> {
  const { endpoint, serviceName } = config.telemetry;
  const isOurs = config.origin('enterprise.telemetry.endpoint').layer === 'environment' && env['OTEL_SDK_DISABLED']?.toLowerCase() !== 'true';
  if (!isOurs || endpoint === undefined || !isPlain(endpoint)) return {};
  return { LOKI_OTEL_ENDPOINT: endpoint, ...(config.origin('enterprise.telemetry.service_name').layer === 'environment' ? { LOKI_SERVICE_NAME: serviceName } : {}) };
}

function isPlain(endpoint: string): boolean {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  return url !== undefined && url.username === '' && url.password === '' && url.search === '' && url.hash === '';
}

function setIn(env: Environment, names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}

/** Agents get no secret of ours, and so their hooks do not: what they could not record they would refuse, all of it. */
export function assertKeyReachesHooks({ config }: Installation, attempted: string): void {
  if (config.audit.key === undefined) return;
  throw new LokiError('config.invalid', {
    attempted, found: 'its key stands in LOKI_AUDIT_KEY, which is not handed down to agents, so that their hooks could record nothing',
    hint: 'Put the key into a file that agents do not read, and name that in LOKI_AUDIT_KEY_FILE',
  });
}
