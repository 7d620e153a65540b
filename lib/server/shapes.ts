/** The objects of the API (contract section 6), as they are shown: what the OpenAPI document says of them, and tests hold answers against. */
import { isBlock } from '../base/addresses.ts';
import { approvalStatuses } from '../approvals/approval.ts';
import { taskPriorities, taskStatuses } from '../runs/task.ts';
import { runStatuses, runTriggers } from '../runs/run.ts';
import { grantableScopes, type Role } from './principal.ts';
import { anyObject, choice, decimal, id, listOf, moment, named, nullable, record, text, whole, type Shape } from './shape.ts';

const longText = 20_000;

export const taskStatus: Shape<(typeof taskStatuses)[number]> = choice(taskStatuses);
export const taskPriority: Shape<(typeof taskPriorities)[number]> = choice(taskPriorities);
export const title: Shape<string> = text({ most: 500, example: 'Add a login page' });
export const description: Shape<string> = text({ least: 0, most: longText, lines: true });
export const name: Shape<string> = text({ most: 200, example: 'Payments' });
export const slug: Shape<string> = text({ most: 63, pattern: /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/, accepts: '1 to 63 of a-z, 0-9 and -, beginning and ending with one of the first two', example: 'payments' });

export const tenant: Shape<unknown> = named('Tenant', record({ id: id('tenant'), name, slug, description, created_at: moment() }, { updated_at: moment() }));

export const project: Shape<unknown> = named('Project', record({
  id: id('project'), name, tenant_id: nullable(id('tenant')), path: nullable(text({ most: 4096, about: 'The directory on the machine of the control plane; null for one that has none' })), created_at: moment(),
}, { description, updated_at: moment() }));

export const task: Shape<unknown> = named('Task', record({
  id: id('task'), project_id: id('project'), title, description, status: taskStatus, priority: taskPriority, created_at: moment(), updated_at: moment(),
}));

/** Keys are named as entries name their bearers: `token:NAME`. */
export const keyName: Shape<string> = text({ most: 100, pattern: /^[A-Za-z0-9][A-Za-z0-9._@-]*$/, accepts: '1 to 100 letters, digits, . _ @ -, beginning with one of the first two', example: 'ci' });
export const role: Shape<Role> = choice(['admin', 'operator', 'viewer', 'auditor'] as const);
export const scope: Shape<(typeof grantableScopes)[number]> = choice(grantableScopes);
export const owner: Shape<string> = text({ most: 200, pattern: /^user:\S+$/, accepts: 'user: and a name without spaces', example: 'user:alice' });
const cidrText: Shape<string> = text({ most: 50, pattern: /^[0-9A-Fa-f.:]+(?:\/\d{1,3})?$/, accepts: 'an address, or a block as 10.0.0.0/8', example: '10.0.0.0/8' });
/** A block that is none would let nobody in, and nobody would know why. */
export const cidr: Shape<string> = {
  ...cidrText,
  problems(value, pointer) {
    const found = cidrText.problems(value, pointer);
    return found.length > 0 || isBlock(String(value)) ? found : [{ pointer, message: `"${pointer.slice(1).replaceAll('/', '.')}" must be an address, or a block as 10.0.0.0/8` }];
  },
};

const keyMembers = {
  id: id('key'), name: keyName, role: nullable(role), scopes: listOf(scope, grantableScopes.length), tenant_id: nullable(id('tenant')), owner: nullable(owner), cidrs: listOf(cidr, 100),
  created_at: moment(), created_by: text({ most: 300 }), expires_at: nullable(moment()), last_used: nullable(moment('To five minutes')), rotated_from: nullable(id('key')), revoked_at: nullable(moment()),
  state: choice(['active', 'expired', 'revoked']), hint: text({ most: 8, about: 'The last four characters of the token' }),
} as const;

export const key: Shape<unknown> = named('Key', record(keyMembers));
export const mintedKey: Shape<unknown> = named('MintedKey', record({ ...keyMembers, token: text({ most: 41, about: 'Told this once' }) }));

const runMembers = {
  id: id('run'), project_id: id('project'), tenant_id: nullable(id('tenant')), status: choice(runStatuses), trigger: choice(runTriggers), config: anyObject(), result_summary: nullable(anyObject()),
  parent_run_id: nullable(id('run')), started_at: nullable(moment()), ended_at: nullable(moment()), created_at: moment(),
} as const;

export const run: Shape<unknown> = named('Run', record(runMembers));
export const orderedRun: Shape<unknown> = named('OrderedRun', record(runMembers, { token: text({ most: 100, about: 'For the run\'s own process, to append events; told this once, and not to a request that is sent again' }) }));

export const runEventTypes = ['phase_change', 'quality_gate', 'agent_action', 'policy_decision', 'approval', 'council', 'error', 'log'] as const;
export const phases = ['REASON', 'ACT', 'REFLECT', 'VERIFY'] as const;

export const runEvent: Shape<unknown> = named('RunEvent', record({
  id: id('event'), seq: whole(1, Number.MAX_SAFE_INTEGER), event_type: choice(runEventTypes), phase: nullable(choice(phases)), details: anyObject(), timestamp: moment(),
}));

export const reportedEvents: Shape<unknown> = named('ReportedEvents', record({ events: listOf(runEvent, 50) }));

export const timeline: Shape<unknown> = named('Timeline', record({ run_id: id('run'), events: listOf(runEvent, 50_000), duration_seconds: nullable(decimal()) }));

export const approval: Shape<unknown> = named('Approval', record({
  id: id('approval'), status: choice(approvalStatuses), project_id: text({ most: 64 }), session_id: text({ most: 2000 }), action_hash: text({ most: 2000 }), policy_digest: text({ least: 0, most: 2000 }), rule: text({ least: 0, most: 2000 }),
  reason: text({ least: 0, most: 2000, lines: true }), action: anyObject(), approvers: listOf(text({ most: 300 }), 100), required: whole(1, 100), on_timeout: choice(['reject', 'approve']), requested_by: text({ most: 300 }),
  created_at: moment(), expires_at: moment(), timeout_ms: decimal(), decisions: listOf(anyObject(), 1000), decided_at: nullable(moment()), use_before: nullable(moment()), used_at: nullable(moment()),
}, { ended_because: text({ most: 2000 }) }));

export const entry: Shape<unknown> = named('AuditEntry', anyObject('One line of the log of record; docs/formats/audit.md'));
export const counts: Shape<unknown> = named('AuditSummary', record({ period: text({ most: 20 }), total_events: whole(0, Number.MAX_SAFE_INTEGER), by_type: anyObject(), by_level: anyObject(), by_actor: anyObject() }));
export const verdict: Shape<unknown> = named('AuditVerdict', anyObject('{valid, verdict, entries_checked, first_tampered_line, first_bad, checkpoint, chains}'));
export const checkpoint: Shape<unknown> = named('Checkpoint', anyObject('{chain, origin, size, root, note, vkey}'));
export const policy: Shape<unknown> = named('Policy', anyObject('What is in force, each rule with its origin'));
export const decision: Shape<unknown> = named('Decision', anyObject('docs/policy.md, a decision'));
export const budget: Shape<unknown> = named('Budget', anyObject('Where one budget stands'));
export const health: Shape<unknown> = named('Health', record({ status: choice(['ok', 'unavailable']) }));
export const status: Shape<unknown> = named('Status', anyObject('version, started_at, uptime_seconds, authentication, audit, event_streams'));
