/**
 * Every event the log of record knows, one row each: its usual level, how durable it must be before the caller goes on, and
 * whether a SIEM should see it as security-relevant. Nothing outside this table is recorded.
 */

export type Level = 'debug' | 'info' | 'warning' | 'error';

/** Levels from least to most severe. */
export const levels: readonly Level[] = ['debug', 'info', 'warning', 'error'];

/**
 * `decision`: on the medium before the action goes on. `result`: on the medium with its batch, awaited by whoever asks.
 * `info`: best effort.
 */
export type Durability = 'decision' | 'result' | 'info';

/** Level, durability, and whether the event is security-relevant (syslog WARNING; errors are ERR; the rest INFO). */
type Row = readonly [Level, Durability, security: boolean];

const table = {
  'session.start': ['info', 'decision', false],
  'session.stop': ['info', 'decision', false],
  'session.pause': ['info', 'decision', false],
  'session.resume': ['info', 'decision', false],
  'session.complete': ['info', 'decision', false],
  'session.fail': ['error', 'decision', false],
  'api.request': ['info', 'info', false],
  'api.response': ['debug', 'info', false],
  'api.error': ['error', 'info', false],
  'auth.token.create': ['info', 'decision', true],
  'auth.token.use': ['info', 'info', false],
  'auth.token.revoke': ['info', 'decision', true],
  'auth.token.rotate': ['info', 'decision', true],
  'auth.fail': ['warning', 'result', true],
  'auth.oidc.success': ['info', 'result', true],
  'auth.oidc.fail': ['warning', 'result', true],
  'auth.denied': ['warning', 'result', true],
  'task.create': ['info', 'result', false],
  'task.start': ['info', 'result', false],
  'task.update': ['info', 'result', false],
  'task.complete': ['info', 'result', false],
  'task.fail': ['error', 'result', false],
  'agent.spawn': ['info', 'decision', false],
  'agent.action': ['info', 'result', false],
  'agent.complete': ['info', 'result', false],
  'agent.fail': ['error', 'result', false],
  'policy.allow': ['info', 'decision', false],
  'policy.deny': ['warning', 'decision', true],
  'policy.warn': ['warning', 'decision', true],
  'policy.approval_required': ['warning', 'decision', true],
  'policy.change': ['warning', 'decision', true],
  'policy.error': ['error', 'decision', true],
  'approval.request': ['info', 'decision', true],
  'approval.approve': ['warning', 'decision', true],
  'approval.reject': ['warning', 'decision', true],
  'approval.expire': ['warning', 'decision', true],
  'approval.override': ['warning', 'decision', true],
  'budget.alert': ['warning', 'result', false],
  'budget.exceeded': ['warning', 'decision', true],
  'gate.pass': ['info', 'result', false],
  'gate.fail': ['warning', 'result', false],
  'council.verdict': ['info', 'result', false],
  'run.create': ['info', 'decision', false],
  'run.start': ['info', 'decision', false],
  'run.complete': ['info', 'decision', false],
  'run.fail': ['error', 'decision', false],
  'run.cancel': ['warning', 'decision', false],
  'run.replay': ['info', 'decision', false],
  'tenant.create': ['info', 'decision', true],
  'tenant.update': ['info', 'decision', true],
  'tenant.delete': ['warning', 'decision', true],
  'project.create': ['info', 'decision', false],
  'project.update': ['info', 'decision', false],
  'project.delete': ['warning', 'decision', true],
  'project.enrol': ['warning', 'decision', true],
  'webhook.accept': ['info', 'result', false],
  'webhook.reject': ['warning', 'result', true],
  'integration.deliver': ['info', 'info', false],
  'integration.fail': ['warning', 'info', false],
  'data.access': ['info', 'result', true],
  'syslog.error': ['error', 'info', false],
  'telemetry.drop': ['warning', 'info', false],
  'config.change': ['warning', 'decision', true],
  'hooks.install': ['warning', 'decision', true],
  'hooks.disable': ['warning', 'decision', true],
  'audit.open': ['info', 'decision', false],
  'audit.close': ['info', 'decision', false],
  'audit.rotate': ['info', 'decision', false],
  'audit.checkpoint': ['info', 'result', false],
  'audit.verify': ['info', 'result', true],
  'audit.export': ['warning', 'decision', true],
  'audit.prune': ['warning', 'decision', true],
  'audit.erase': ['warning', 'decision', true],
  'audit.erase_refused': ['warning', 'decision', true],
  'audit.recovery': ['warning', 'decision', true],
  'audit.gap': ['error', 'decision', true],
  'audit.disk_full': ['error', 'decision', true],
} as const;

/** The closed set of event names. */
export type EventName = keyof typeof table;

const rows: Readonly<Record<EventName, Row>> = table;

/** All event names, in the table's order. */
export const eventNames: readonly string[] = Object.keys(rows);

export function isEventName(text: string): text is EventName {
  return Object.hasOwn(rows, text);
}

export function usualLevel(event: EventName): Level {
  return rows[event][0];
}

export function durabilityOf(event: EventName): Durability {
  return rows[event][1];
}

export function isSecurityRelevant(event: EventName): boolean {
  return rows[event][2];
}

/** Decisions, approvals, authentication and the log's own events: no list and no level leaves them out (contract section 2). */
export function canBeExcluded(event: EventName): boolean {
  return !/^(policy|approval|auth|audit)\./.test(event);
}
