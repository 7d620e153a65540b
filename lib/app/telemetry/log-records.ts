/**
 * An entry of the log of record as a log record of OpenTelemetry. Only what the table names leaves: which event, its number, who, whose, what was
 * decided by which rule. Commands, paths, texts and reasons stay in the log, and so does who it was where the log seals that.
 */
import { isPlainObject, type JsonObject, type JsonValue } from '../../base/json.ts';
import type { Attributes, LogEvent, Severity, SpanContext } from '../../base/trace.ts';
import type { AuditEvent, AuditReceipt } from '../../audit/entry.ts';
import { usualLevel, type Level } from '../../audit/events.ts';
import { attribute } from '../../telemetry/names.ts';
import { wordOf } from './words.ts';

export interface LogRecordOptions {
  /** Whether the log hides who it was from those who only read its files. */
  readonly isSealed: boolean;
  readonly context?: SpanContext | undefined;
}

const severityOf: Readonly<Record<Level, Severity>> = { debug: 'debug', info: 'info', warning: 'warn', error: 'error' };

/** What an entry is about, by the kind that its resource names. */
const resources: ReadonlyMap<string, string> = new Map([
  ['session', attribute.sessionId], ['run', attribute.runId], ['task', attribute.taskId], ['project', attribute.projectId], ['tenant', attribute.tenantId], ['approval', attribute.approvalId],
]);

/** Members of an entry's details that are names, ids or one of a few words, whoever wrote them. */
const details: readonly (readonly [member: string, attribute: string])[] = [
  ['decision', attribute.decision], ['point', attribute.point], ['approval_id', attribute.approvalId], ['status', attribute.status],
  ['run_id', attribute.runId], ['task_id', attribute.taskId], ['reviewer', attribute.reviewer],
];

const digests: readonly (readonly [member: string, attribute: string])[] = [['policy_digest', attribute.digest], ['action_hash', attribute.actionHash]];

const metadata: readonly (readonly [member: string, attribute: string])[] = [
  ['tenant_id', attribute.tenantId], ['project_id', attribute.projectId], ['session_id', attribute.sessionId],
];

const longestName = 200;

/** What is told of an entry that has been recorded. */
export function logRecordOf(entry: AuditEvent, { seq }: AuditReceipt, { isSealed, context }: LogRecordOptions): LogEvent {
  const { event, actor, details: told = {} } = entry;
  const rule = nameIn(told['rule']);
  return {
    name: `loki.${event}`, severity: severityOf[entry.level ?? usualLevel(event)], context,
    body: rule === undefined ? event : `${event}: ${rule}`,
    attributes: {
      [attribute.auditSeq]: seq ?? undefined, [attribute.actor]: isSealed ? undefined : actor.slice(0, longestName), [attribute.rule]: rule,
      ...resourceOf(entry.resource), ...wordsIn(told, details), ...digestsIn(told), ...wordsIn(entry.metadata ?? {}, metadata), ...actionOf(told), ...verdictOf(event, told),
    },
  };
}

function resourceOf(resource: string | undefined): Attributes {
  const [, kind = '', id = ''] = /^([a-z]+):(.+)$/s.exec(resource ?? '') ?? [];
  const name = resources.get(kind);
  return name === undefined ? {} : { [name]: wordOf(id) };
}

function wordsIn(from: JsonObject, table: readonly (readonly [string, string])[]): Attributes {
  return Object.fromEntries(table.flatMap(([member, name]) => {
    const value = from[member];
    return typeof value === 'string' && value !== '' ? [[name, wordOf(value)]] : [];
  }));
}

/** SHA-256 in hexadecimal, or nothing: as words they would be looked through for secrets. */
function digestsIn(from: JsonObject): Attributes {
  return Object.fromEntries(digests.flatMap(([member, name]) => {
    const value = from[member];
    return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value) ? [[name, value]] : [];
  }));
}

/** Of an action the kind; of what became of one, whether anybody had allowed it. */
function actionOf({ action, kind, ungated }: JsonObject): Attributes {
  const found = isPlainObject(action) ? action['kind'] : kind;
  return { ...(typeof found === 'string' ? { [attribute.actionKind]: wordOf(found) } : {}), ...(ungated === true ? { [attribute.ungated]: true } : {}) };
}

/** Of a reviewer and of a quality gate what it said; a gate by the name that the project gave it. */
function verdictOf(event: AuditEvent['event'], { name, passed, approved }: JsonObject): Attributes {
  if (event === 'council.verdict') return typeof approved === 'boolean' ? { [attribute.approved]: approved } : {};
  if (event !== 'gate.pass' && event !== 'gate.fail') return {};
  return { [attribute.gateName]: nameIn(name), ...(typeof passed === 'boolean' ? { [attribute.gatePassed]: passed } : {}) };
}

/** Rules are named by whoever wrote the policy. */
function nameIn(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, longestName) : undefined;
}
