/**
 * An entry as an event of the Open Cybersecurity Schema Framework, version 1.8.0 (schema.ocsf.io). Every event carries what
 * its class requires; the seal stands in `unmapped`, because the profile for it came with a later version.
 */
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { product } from './cef.ts';
import { mapEntry, type MappedEntry, type OcsfKind } from './mapping.ts';

const schemaVersion = '1.8.0';

/** Class and category, and the members that only this class has. */
interface OcsfClass {
  readonly uid: number;
  readonly name: string;
  readonly category: readonly [uid: number, name: string];
  readonly own: (mapped: MappedEntry) => JsonObject;
}

const system = [1, 'System Activity'] as const;
const findings = [2, 'Findings'] as const;
const iam = [3, 'Identity & Access Management'] as const;
const application = [6, 'Application Activity'] as const;

type ClassName = Exclude<OcsfKind, 'action'> | 'process' | 'file' | 'api';

const classes: Readonly<Record<ClassName, OcsfClass>> = {
  file: { uid: 1001, name: 'File System Activity', category: system, own: (mapped) => ({ actor: actorOf(mapped), device: deviceOf(mapped), file: fileOf(mapped) }) },
  process: { uid: 1007, name: 'Process Activity', category: system, own: (mapped) => ({ actor: actorOf(mapped), device: deviceOf(mapped), process: processOf(mapped) }) },
  event_log: { uid: 1008, name: 'Event Log Activity', category: system, own: (mapped) => ({ actor: actorOf(mapped), device: deviceOf(mapped), log_name: 'audit', log_provider: product.name }) },
  compliance_finding: { uid: 2003, name: 'Compliance Finding', category: findings, own: (mapped) => ({ finding_info: findingOf(mapped), compliance: complianceOf(mapped) }) },
  detection_finding: { uid: 2004, name: 'Detection Finding', category: findings, own: (mapped) => ({ finding_info: findingOf(mapped) }) },
  authentication: { uid: 3002, name: 'Authentication', category: iam, own: (mapped) => ({ user: userOf(mapped), service: { name: product.name } }) },
  authorize_session: { uid: 3003, name: 'Authorize Session', category: iam, own: (mapped) => ({ user: userOf(mapped), privileges: [mapped.resource ?? mapped.event] }) },
  user_access: { uid: 3005, name: 'User Access Management', category: iam, own: (mapped) => ({ actor: actorOf(mapped), user: userOf(mapped), privileges: privilegesOf(mapped) }) },
  app_lifecycle: { uid: 6002, name: 'Application Lifecycle', category: application, own: (mapped) => ({ actor: actorOf(mapped), app: { name: mapped.resource ?? product.name, vendor_name: product.vendor, version: mapped.metadata.version } }) },
  api: { uid: 6003, name: 'API Activity', category: application, own: (mapped) => ({ actor: actorOf(mapped), api: { operation: operationOf(mapped) }, src_endpoint: endpointOf(mapped) }) },
};

/** An action's kind -> its class and activity there. */
const actionClasses: Readonly<Record<string, readonly [ClassName, activity: number]>> = {
  'exec': ['process', 1], 'fs.read': ['file', 2], 'fs.write': ['file', 3], 'fs.delete': ['file', 4],
};

/** HTTP method -> activity of API Activity. */
const methodActivities: Readonly<Record<string, number>> = { POST: 1, GET: 2, HEAD: 2, PUT: 3, PATCH: 3, DELETE: 4 };

/** What became of an action: action_id and disposition_id of the profile security_control. */
const controls: Readonly<Record<string, readonly [action: number, disposition: number]>> = {
  'policy.allow': [1, 1], 'policy.warn': [1, 17], 'policy.deny': [2, 2], 'policy.error': [2, 2], 'policy.approval_required': [2, 14],
  'approval.approve': [1, 8], 'approval.override': [1, 8], 'approval.reject': [2, 25], 'approval.expire': [2, 25], 'auth.denied': [2, 26], 'auth.fail': [2, 26], 'webhook.reject': [2, 25],
};

const severityNames: Readonly<Record<number, string>> = { 1: 'Informational', 2: 'Low', 3: 'Medium', 4: 'High' };
const statuses = { success: [1, 'Success'], failure: [2, 'Failure'], unknown: [0, 'Unknown'] } as const;

export function ocsfEvent(entry: JsonObject): JsonObject {
  const mapped = mapEntry(entry);
  const [name, activity] = classOf(mapped);
  const { uid, name: className, category, own } = classes[name];
  const [statusId, status] = statuses[mapped.outcome];
  const control = rowOf(controls, mapped.event);
  const ai = aiFields(mapped);
  const profiles = [...(control === undefined ? [] : ['security_control']), ...(Object.keys(ai).length > 0 && category !== findings ? ['ai_operation'] : [])];
  return {
    activity_id: activity, category_uid: category[0], category_name: category[1], class_uid: uid, class_name: className, type_uid: uid * 100 + activity,
    time: mapped.time, severity_id: mapped.severity.ocsf, severity: severityNames[mapped.severity.ocsf] ?? 'Unknown',
    status_id: statusId, status, message: mapped.message, ...(mapped.reason === undefined ? {} : { status_detail: mapped.reason }),
    metadata: {
      version: schemaVersion, product: { name: product.name, vendor_name: product.vendor, version: mapped.metadata.version },
      uid: String(mapped.seq), sequence: mapped.seq, event_code: mapped.event, log_name: 'audit', original_time: mapped.timestamp,
      ...(mapped.metadata.tenant === undefined ? {} : { tenant_uid: mapped.metadata.tenant }), ...(profiles.length === 0 ? {} : { profiles }),
    },
    ...own(mapped), ...(control === undefined ? {} : controlOf(mapped, control)), ...(category === findings ? {} : ai),
    unmapped: unmappedOf(mapped),
  };
}

function classOf({ ocsf, action, details }: MappedEntry): readonly [ClassName, activity: number] {
  if (ocsf.kind === 'action') return rowOf(actionClasses, textOf(action?.['kind'])) ?? ['api', 99];
  if (ocsf.kind === 'api' && ocsf.activity === 99) return ['api', rowOf(methodActivities, textOf(details['method'])) ?? 99];
  return [ocsf.kind, ocsf.activity];
}

function controlOf(mapped: MappedEntry, [action, disposition]: readonly [number, number]): JsonObject {
  return { action_id: action, disposition_id: disposition, ...(mapped.rule === undefined ? {} : { policy: { name: mapped.rule } }) };
}

/** The profile ai_operation, where the entry says which model of whom. */
function aiFields({ details }: MappedEntry): JsonObject {
  const [provider, model, total] = [textOf(details['provider']), textOf(details['model']), details['tokens'] ?? details['total_tokens']];
  return provider === undefined || model === undefined ? {} : {
    ai_model: { ai_provider: provider, name: model },
    ...(typeof total === 'number' ? { message_context: { service: { name: provider }, ai_role_id: 4, total_tokens: total } } : {}),
  };
}

/** user_type: 1 a person, 3 the system, 4 a service (OCSF `user.type_id`); an agent is none of them. */
const userTypes: Readonly<Record<string, number>> = { user: 1, system: 3, token: 4 };

function userOf({ actor, actorKind, actorName }: MappedEntry): JsonObject {
  const type = rowOf(userTypes, actorKind);
  return { name: actorName, uid: actor, type_id: type ?? 99, ...(type === undefined ? { type: actorKind === '' ? 'other' : actorKind } : {}) };
}

function actorOf(mapped: MappedEntry): JsonObject {
  const { session } = mapped.metadata;
  return { user: userOf(mapped), ...(session === undefined ? {} : { session: { uid: session } }), app_name: product.name };
}

function deviceOf({ metadata }: MappedEntry): JsonObject {
  return { type_id: 0, hostname: metadata.hostname === '' ? 'unknown' : metadata.hostname };
}

function endpointOf({ details, metadata }: MappedEntry): JsonObject {
  const address = textOf(details['address']);
  return { ...(address === undefined || address === '' ? {} : { ip: address }), hostname: metadata.hostname === '' ? 'unknown' : metadata.hostname };
}

function fileOf({ action }: MappedEntry): JsonObject {
  const path = textOf(action?.['file_path']) ?? '';
  const content = action?.['content'];
  const hash = isObject(content) ? textOf(content['sha256']) : undefined;
  return { name: path.slice(path.lastIndexOf('/') + 1) || 'unknown', ...(path === '' ? {} : { path }), type_id: 1, ...(hash === undefined ? {} : { hashes: [{ algorithm_id: 3, algorithm: 'SHA-256', value: hash }] }) };
}

function processOf({ action, seq }: MappedEntry): JsonObject {
  const command = textOf(action?.['command']) ?? '';
  const cwd = textOf(action?.['cwd']);
  // It has no number yet when it is judged.
  return { ...(command === '' ? {} : { cmd_line: command }), name: command.trim().split(/\s+/, 1)[0] || 'unknown', ...(cwd === undefined ? {} : { working_directory: cwd }), uid: `loki-audit-${seq}` };
}

function findingOf({ seq, message, event, details, time }: MappedEntry): JsonObject {
  return { uid: `loki-audit-${seq}`, title: textOf(details['name']) ?? message, types: [event], created_time: time };
}

function complianceOf({ details, event, outcome }: MappedEntry): JsonObject {
  const passed = outcome === 'success';
  return { control: textOf(details['name']) ?? event, standards: ['Loki quality gates'], status: passed ? 'Pass' : 'Fail', status_id: passed ? 1 : 3 };
}

function privilegesOf({ details, resource, event }: MappedEntry): JsonValue {
  const scopes = details['scopes'];
  const named = Array.isArray(scopes) ? scopes.filter((scope) => typeof scope === 'string') : [];
  return named.length > 0 ? named : [resource ?? event];
}

function operationOf({ event, action, details }: MappedEntry): string {
  const [method, path] = [textOf(details['method']), textOf(details['path'])];
  if (method !== undefined && path !== undefined) return `${method} ${path}`;
  const [server, tool, url] = [textOf(action?.['mcp_server']), textOf(action?.['mcp_tool']), textOf(action?.['url'])];
  return tool === undefined ? url ?? textOf(action?.['kind']) ?? event : `${server ?? ''}/${tool}`;
}

function unmappedOf({ event, level, seq, actor, resource, details, blob, metadata, chainHash }: MappedEntry): JsonObject {
  return {
    loki: {
      seq, event, level, actor, ...(resource === undefined ? {} : { resource }), details, ...(blob === undefined ? {} : { blob }),
      ...(metadata.project === undefined ? {} : { project_id: metadata.project }), ...(metadata.pid === undefined ? {} : { pid: metadata.pid }),
      ...(chainHash === undefined ? {} : { integrity: { algorithm: 'SHA-256', chain_hash: chainHash } }),
    },
  };
}

/** A row of a table by a name from outside. */
function rowOf<Row>(table: Readonly<Record<string, Row>>, name: string | undefined): Row | undefined {
  return name !== undefined && Object.hasOwn(table, name) ? table[name] : undefined;
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
