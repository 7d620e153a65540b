/**
 * What each event means to the tools of others: one row an event, from which CEF, OCSF, CSV and the messages to a SIEM are
 * made. A format only says how it writes; what is said is decided here.
 */
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { isEventName, isSecurityRelevant, levels, type EventName, type Level } from '../events.ts';

export type Outcome = 'success' | 'failure' | 'unknown';

/**
 * The OCSF class an event belongs to (OCSF 1.8.0); `action`: that of the action it is about, a command, a file, a call. A
 * governed session is the life of a program (6002), not somebody's logon.
 */
export type OcsfKind =
  | 'action' | 'api' | 'app_lifecycle' | 'authentication' | 'authorize_session' | 'user_access' | 'compliance_finding' | 'detection_finding' | 'event_log';

/** In words; how it ended; OCSF class; OCSF activity_id in that class (99: one that the class does not name). */
type Row = readonly [name: string, outcome: Outcome, kind: OcsfKind, activity: number];

const rows: Readonly<Record<EventName, Row>> = {
  'session.start': ['Session started', 'success', 'app_lifecycle', 3],
  'session.stop': ['Session stopped', 'success', 'app_lifecycle', 4],
  'session.pause': ['Session paused', 'success', 'app_lifecycle', 99],
  'session.resume': ['Session resumed', 'success', 'app_lifecycle', 99],
  'session.complete': ['Session completed', 'success', 'app_lifecycle', 4],
  'session.fail': ['Session failed', 'failure', 'app_lifecycle', 4],
  'api.request': ['API request', 'success', 'api', 99],
  'api.response': ['API response', 'success', 'api', 99],
  'api.error': ['API error', 'failure', 'api', 99],
  'auth.token.create': ['API key created', 'success', 'user_access', 1],
  'auth.token.use': ['API key used', 'success', 'authentication', 1],
  'auth.token.revoke': ['API key revoked', 'success', 'user_access', 2],
  'auth.token.rotate': ['API key rotated', 'success', 'user_access', 99],
  'auth.fail': ['Authentication failed', 'failure', 'authentication', 1],
  'auth.oidc.success': ['Single sign-on succeeded', 'success', 'authentication', 1],
  'auth.oidc.fail': ['Single sign-on failed', 'failure', 'authentication', 1],
  'auth.denied': ['Access denied', 'failure', 'api', 99],
  'task.create': ['Task created', 'success', 'api', 1],
  'task.start': ['Task started', 'success', 'api', 3],
  'task.update': ['Task changed', 'success', 'api', 3],
  'task.complete': ['Task completed', 'success', 'api', 3],
  'task.fail': ['Task failed', 'failure', 'api', 3],
  'agent.spawn': ['Agent started', 'success', 'app_lifecycle', 3],
  'agent.action': ['Agent acted', 'success', 'action', 99],
  'agent.complete': ['Agent completed', 'success', 'app_lifecycle', 4],
  'agent.fail': ['Agent failed', 'failure', 'app_lifecycle', 4],
  'policy.allow': ['Action allowed by policy', 'success', 'action', 99],
  'policy.deny': ['Action denied by policy', 'failure', 'action', 99],
  'policy.warn': ['Action allowed with a warning', 'success', 'action', 99],
  'policy.approval_required': ['Action waits for approval', 'unknown', 'action', 99],
  'policy.change': ['Policy changed', 'success', 'api', 3],
  'policy.error': ['Policy could not be evaluated', 'failure', 'action', 99],
  'approval.request': ['Approval requested', 'unknown', 'authorize_session', 99],
  'approval.approve': ['Approval granted', 'success', 'authorize_session', 1],
  'approval.reject': ['Approval rejected', 'failure', 'authorize_session', 99],
  'approval.expire': ['Approval expired', 'failure', 'authorize_session', 99],
  'approval.override': ['Decision overridden', 'success', 'authorize_session', 1],
  'budget.alert': ['Budget nearly used up', 'success', 'detection_finding', 1],
  'budget.exceeded': ['Budget exceeded', 'failure', 'detection_finding', 1],
  'gate.pass': ['Quality gate passed', 'success', 'compliance_finding', 1],
  'gate.fail': ['Quality gate failed', 'failure', 'compliance_finding', 1],
  'council.verdict': ['Council gave its verdict', 'success', 'compliance_finding', 1],
  'run.create': ['Run created', 'success', 'api', 1],
  'run.start': ['Run started', 'success', 'app_lifecycle', 3],
  'run.complete': ['Run completed', 'success', 'app_lifecycle', 4],
  'run.fail': ['Run failed', 'failure', 'app_lifecycle', 4],
  'run.cancel': ['Run cancelled', 'success', 'app_lifecycle', 4],
  'run.replay': ['Run replayed', 'success', 'app_lifecycle', 5],
  'tenant.create': ['Tenant created', 'success', 'api', 1],
  'tenant.update': ['Tenant changed', 'success', 'api', 3],
  'tenant.delete': ['Tenant deleted', 'success', 'api', 4],
  'project.create': ['Project created', 'success', 'api', 1],
  'project.update': ['Project changed', 'success', 'api', 3],
  'project.delete': ['Project deleted', 'success', 'api', 4],
  'project.enrol': ['Project enrolled', 'success', 'api', 3],
  'webhook.accept': ['Webhook accepted', 'success', 'api', 1],
  'webhook.reject': ['Webhook rejected', 'failure', 'api', 1],
  'integration.deliver': ['Integration delivered', 'success', 'api', 1],
  'integration.fail': ['Integration failed', 'failure', 'api', 1],
  'data.access': ['Records read', 'success', 'api', 2],
  'syslog.error': ['Forwarding failed', 'failure', 'event_log', 99],
  'telemetry.drop': ['Telemetry dropped', 'failure', 'event_log', 99],
  'config.change': ['Configuration changed', 'success', 'api', 3],
  'hooks.install': ['Hooks installed', 'success', 'app_lifecycle', 6],
  'hooks.disable': ['Hooks disabled', 'success', 'app_lifecycle', 7],
  'audit.open': ['Log file opened', 'success', 'event_log', 6],
  'audit.close': ['Log file closed', 'success', 'event_log', 7],
  'audit.rotate': ['Log file rotated', 'success', 'event_log', 5],
  'audit.checkpoint': ['Log checkpoint signed', 'success', 'event_log', 99],
  'audit.verify': ['Log verified', 'success', 'event_log', 99],
  'audit.export': ['Log exported', 'success', 'event_log', 3],
  'audit.prune': ['Log entries pruned', 'success', 'event_log', 2],
  'audit.erase': ['Personal data erased', 'success', 'event_log', 99],
  'audit.erase_refused': ['Erasure refused', 'failure', 'event_log', 99],
  'audit.recovery': ['Torn log tail set aside', 'success', 'event_log', 99],
  'audit.gap': ['Log entries lost', 'failure', 'event_log', 99],
  'audit.disk_full': ['Log disk full', 'failure', 'event_log', 99],
};

/** One entry in the words that all formats share. */
export interface MappedEntry {
  readonly seq: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly timestamp: string;
  readonly event: string;
  /** What stands before the event's first dot. */
  readonly category: string;
  readonly name: string;
  readonly level: Level;
  readonly security: boolean;
  readonly outcome: Outcome;
  /** syslog: RFC 5424, 6.2.1 (3 error, 4 warning, 6 informational). CEF: 0 to 10. OCSF: severity_id. */
  readonly severity: { readonly syslog: 3 | 4 | 6; readonly cef: number; readonly ocsf: 1 | 2 | 3 | 4 };
  /** `(encrypted)` when it is protected and was not opened. */
  readonly actor: string;
  /** `user`, `token`, `agent`, `system`; empty when the actor has no kind. */
  readonly actorKind: string;
  readonly actorName: string;
  readonly resource: string | undefined;
  /** Name and reason in one text. */
  readonly message: string;
  readonly reason: string | undefined;
  readonly rule: string | undefined;
  readonly decision: string | undefined;
  /** The action that a decision is about. */
  readonly action: JsonObject | undefined;
  readonly details: JsonObject;
  /** Where details lay beside the log and were looked for there: what the entry holds in their place. */
  readonly blob: JsonObject | undefined;
  readonly metadata: MappedMetadata;
  readonly chainHash: string | undefined;
  readonly ocsf: { readonly kind: OcsfKind; readonly activity: number };
}

export interface MappedMetadata {
  readonly hostname: string;
  readonly pid: number | undefined;
  readonly version: string;
  readonly session: string | undefined;
  readonly project: string | undefined;
  readonly tenant: string | undefined;
}

/** Syslog severity, CEF, OCSF, by level: usually, and for what is security-relevant. */
const severities: Readonly<Record<Level, readonly [usual: MappedEntry['severity'], security: MappedEntry['severity']]>> = {
  debug: [{ syslog: 6, cef: 1, ocsf: 1 }, { syslog: 4, cef: 3, ocsf: 1 }],
  info: [{ syslog: 6, cef: 2, ocsf: 1 }, { syslog: 4, cef: 4, ocsf: 2 }],
  warning: [{ syslog: 6, cef: 5, ocsf: 2 }, { syslog: 4, cef: 6, ocsf: 3 }],
  error: [{ syslog: 3, cef: 7, ocsf: 4 }, { syslog: 3, cef: 8, ocsf: 4 }],
};

/** An event this version does not know, as a log of a later one may hold. */
const unknownRow: Row = ['Unknown event', 'unknown', 'event_log', 99];

/** Maps any object: what an entry lacks is empty. */
export function mapEntry(entry: JsonObject): MappedEntry {
  const event = text(entry['event']) ?? '';
  const known = isEventName(event) ? event : undefined;
  const [name, usualOutcome, kind, activity] = known === undefined ? unknownRow : rows[known];
  const level = levels.find((one) => one === entry['level']) ?? 'info';
  const security = known !== undefined && isSecurityRelevant(known);
  const details = object(entry['details']);
  const actor = text(entry['actor']) ?? '(encrypted)';
  const colon = actor.indexOf(':');
  const timestamp = text(entry['timestamp']) ?? '';
  const reason = text(details['reason']) ?? text(details['error']);
  const action = details['action'];
  return {
    seq: number(entry['seq']) ?? 0, time: Date.parse(timestamp) || 0, timestamp, event, category: event.split('.', 1)[0] ?? '',
    name, level, security, outcome: outcomeOf(usualOutcome, details), severity: severities[level][security ? 1 : 0],
    actor, actorKind: colon < 0 ? (actor === 'system' ? actor : '') : actor.slice(0, colon), actorName: actor.slice(colon + 1),
    resource: text(entry['resource']), reason, message: reason === undefined ? name : `${name}: ${reason}`,
    rule: text(details['rule']), decision: text(details['decision']), action: isObject(action) ? action : undefined, details, blob: isObject(entry['blob']) ? entry['blob'] : undefined,
    metadata: metadataOf(object(entry['metadata']), text(entry['resource'])), chainHash: text(entry['chain_hash']), ocsf: { kind, activity },
  };
}

/** What a row says of the outcome, unless the entry knows better: an HTTP status, a verdict. */
function outcomeOf(usual: Outcome, { status, verdict }: JsonObject): Outcome {
  if (typeof status === 'number' && status >= 400) return 'failure';
  return typeof verdict === 'string' && ['tampered', 'incomplete', 'no_integrity', 'reject', 'rejected'].includes(verdict) ? 'failure' : usual;
}

function metadataOf(metadata: JsonObject, resource: string | undefined): MappedMetadata {
  const about = (kind: string): string | undefined => (resource?.startsWith(`${kind}:`) === true ? resource.slice(kind.length + 1) : undefined);
  return {
    hostname: text(metadata['hostname']) ?? '', pid: number(metadata['pid']), version: text(metadata['version']) ?? '',
    session: text(metadata['session_id']) ?? about('session'), project: text(metadata['project_id']) ?? about('project'), tenant: text(metadata['tenant_id']) ?? about('tenant'),
  };
}

function text(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function number(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

const nothing: JsonObject = {};

function object(value: JsonValue | undefined): JsonObject {
  return isObject(value) ? value : nothing;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
