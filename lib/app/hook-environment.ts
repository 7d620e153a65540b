/** What of our own environment reaches the gate that an agent's hook opens. No secret does. */
import { LokiError } from '../errors.ts';
import type { Installation } from './installation.ts';

/** Settings of the gate that may stand in our environment. The agent hands them on to the gate it asks; none is a secret. */
const gateVariables = [
  'LOKI_MANAGED_POLICY', 'LOKI_AUDIT_DISABLED', 'LOKI_ENTERPRISE_AUDIT', 'LOKI_AUDIT_LEVEL', 'LOKI_AUDIT_MAX_SIZE_MB', 'LOKI_AUDIT_NO_INTEGRITY', 'LOKI_AUDIT_ON_FAILURE',
  'LOKI_HOST', 'LOKI_PORT',
] as const;

/** Those of them that are set. */
export function gateSettings(env: Installation['surroundings']['env']): Readonly<Record<string, string>> {
  return Object.fromEntries(gateVariables.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}

/** Agents get no secret of ours, and so their hooks do not: what they could not record they would refuse, all of it. */
export function assertKeyReachesHooks({ config }: Installation, attempted: string): void {
  if (config.audit.key === undefined) return;
  throw new LokiError('config.invalid', {
    attempted, found: 'its key stands in LOKI_AUDIT_KEY, which is not handed down to agents, so that their hooks could record nothing',
    hint: 'Put the key into a file that agents do not read, and name that in LOKI_AUDIT_KEY_FILE',
  });
}
