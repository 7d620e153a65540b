/** Residency as it is configured, and what every part that sends something asks before it does. */
import { LokiError } from '../errors.ts';
import type { Violation } from '../base/action.ts';
import type { AuditEvent } from '../audit/entry.ts';
import { refusedDelivery, residencyRule, type Residency } from '../policy/residency.ts';
import type { Installation } from './installation.ts';

/** The settings with their origins. */
export function residencyOf({ config }: Pick<Installation, 'config'>): Residency {
  const { allowedProviders, allowedRegions, airGapped } = config.residency;
  const { layer, beside } = config.origin('residency.allowed_providers');
  return {
    allowedProviders, allowedRegions, airGapped, allowedHosts: config.egress.allowInternal,
    isListOurs: layer !== 'project' || beside !== undefined,
    origin: (key) => config.explain().find((setting) => setting.key === key)?.from ?? 'default',
  };
}

/** Why nothing is sent to a host (a name, or an address without brackets); undefined when it may be. */
export function refusedHost(installation: Pick<Installation, 'config'>): (host: string) => string | undefined {
  const residency = residencyOf(installation);
  return (host) => refusedDelivery(residency, host);
}

/**
 * To be asked before anything is sent to the host of a configured service, and before its name is resolved. `what` names the
 * service in the error: `deliver to Slack`. Throws `policy.denied`.
 */
export function assertMaySend(installation: Pick<Installation, 'config'>, what: string, host: string): void {
  const refusal = refusedHost(installation)(host);
  if (refusal === undefined) return;
  throw new LokiError('policy.denied', { attempted: what, found: refusal, hint: 'List the host in LOKI_ALLOWED_INTERNAL_HOSTS (enterprise.egress.allow_internal), or switch the service off' });
}

/** A provider that is not even made, for the log of record. */
export interface ResidencyDenial {
  readonly reason: string;
  readonly event: AuditEvent;
}

/** The decision against a provider before it is started, as the resource point records its decisions. */
export function residencyDenial({ sessionId, runId }: { readonly sessionId: string; readonly runId: string }, projectId: string, provider: string, found: readonly Violation[]): ResidencyDenial {
  const reason = found.map((violation) => violation.reason).join('; ');
  return {
    reason,
    event: {
      event: 'policy.deny', actor: 'system', resource: `run:${runId}`, metadata: { project_id: projectId, session_id: sessionId },
      details: {
        point: 'resource', subject: `provider ${provider}`, decision: 'DENY', reason, rule: residencyRule,
        violations: found.map(({ name, action, reason: why, place }) => ({ name, action, reason: why, place })),
      },
    },
  };
}
