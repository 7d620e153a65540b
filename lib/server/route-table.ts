/**
 * Every route of the control plane, one row each: method, path, what it is called, what it needs, what it takes, what it
 * answers, who answers. v1 (`/api`) and v2 (`/api/v2`) are two presentations of the same rows. From here come the checks of a
 * request, the OpenAPI document and the names that clients use; nothing is reachable that is not in this table.
 */
import { longestBody } from './body.ts';
import type { Handler, Route, Row } from './message.ts';
import { tagOf } from './objects.ts';
import { openApiDocument } from './openapi.ts';
import { pageRules } from './page.ts';
import { idOf } from './query.ts';
import { matches } from './respond.ts';
import * as approvals from './routes/approvals.ts';
import * as audit from './routes/audit.ts';
import { authRows } from './routes/auth.ts';
import * as budgets from './routes/budgets.ts';
import { changeRows } from './routes/changes.ts';
import * as health from './routes/health.ts';
import * as hooks from './routes/hooks.ts';
import { keyRows } from './routes/keys.ts';
import * as metrics from './routes/metrics.ts';
import * as policies from './routes/policies.ts';
import { projectRows } from './routes/projects.ts';
import { runRows } from './routes/runs.ts';
import { taskRows } from './routes/tasks.ts';
import { tenantRows } from './routes/tenants.ts';
import type { Services } from './services.ts';
import * as shapes from './shapes.ts';
import type { Streams } from './streams.ts';
import { webFile, webFiles } from './web.ts';

/** The table. `draining` tells whether the server is about to stop. */
export function routeTable(services: Services, streams: Streams, draining: () => boolean): readonly Route[] {
  const status: Omit<Row, 'scope'> = {
    method: 'GET', path: '/status', operation: 'status.get', summary: 'What this control plane is and how it stands', answer: { status: 200, about: 'The status', shape: shapes.status }, handle: health.status(services),
  };
  const api: readonly Row[] = [
    ...tenantRows(services), ...projectRows(services), ...taskRows(services), ...runRows(services, streams), ...changeRows(services, streams), ...keyRows(services),
    ...policyRows(services), ...budgetRows(services), ...approvalRows(services), ...auditRows(services),
  ];
  const described: Row = {
    method: 'GET', path: '/openapi.json', operation: 'openapi.get', summary: 'This description', scope: 'none', audit: false, answer: { status: 200, about: 'The OpenAPI document', media: 'application/json', also: [{ status: 304, about: 'It is still as If-None-Match says' }] }, handle: (request) => document()(request),
  };
  const table: readonly Route[] = [
    ...[...plainRows(services, draining), ...authRows(services)].map((row) => route(row, row.path, 1)),
    route({ ...status, scope: 'none' }, '/api/status', 1),
    ...api.map((row) => route(row, `/api${row.path}`, 1)),
    ...[{ ...status, scope: 'read' } as const, ...api].map((row) => route(row, `/api/v2${row.path}`, 2)),
    route(described, described.path, 1),
  ];
  let made: Handler | undefined;
  const document = (): Handler => (made ??= describing(table, services));
  return table;
}

/** The document is made when somebody first asks for it; a later one who has it is told that it has not changed. */
function describing(table: readonly Route[], { version }: Services): Handler {
  const body = JSON.stringify(openApiDocument(table, version));
  const tag = tagOf('openapi.json', body);
  const headers = { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-cache', ETag: tag };
  return async (request) => (matches(request.headers.get('if-none-match') ?? '', tag) ? { status: 304, headers } : { status: 200, headers, body });
}

function plainRows(services: Services, draining: () => boolean): readonly Row[] {
  const unrecorded = { scope: 'none', rate: 'exempt', audit: false } as const;
  const live = { status: 200, about: 'ok', shape: shapes.health } as const;
  const answer = { ...live, also: [{ status: 503, about: 'It cannot serve now', shape: shapes.health }] } as const;
  return [
    { ...unrecorded, method: 'GET', path: '/health', operation: 'health.get', summary: 'Whether requests can be served', answer, handle: health.ready(services, draining) },
    { ...unrecorded, method: 'GET', path: '/health/live', operation: 'health.live', summary: 'Whether the process lives', answer: live, handle: health.live() },
    { ...unrecorded, method: 'GET', path: '/health/ready', operation: 'health.ready', summary: 'Whether requests can be served', answer, handle: health.ready(services, draining) },
    {
      ...unrecorded, method: 'GET', path: '/metrics', operation: 'metrics.get', summary: 'What was counted, for Prometheus', ...(services.metrics.access === 'read' ? { scope: 'read', reach: 'installation' } as const : {}),
      answer: { status: 200, about: 'Metrics', media: 'text/plain; version=0.0.4; charset=utf-8' }, handle: metrics.metrics(services.metrics),
    },
    {
      // Each decision is on record by itself.
      method: 'POST', path: '/hooks/claude', operation: 'hooks.claude', summary: 'One hook event of Claude Code, judged', scope: 'hook', rate: 'exempt', audit: false, readsBody: true, query: hooks.hookRules(services.hooks),
      answer: { status: 200, about: 'The verdict in the agent\'s words', media: 'application/json' }, handle: hooks.answer(services.hooks),
    },
    ...webFiles.map((file): Row => ({
      method: 'GET', path: file.path, operation: `web.${file.name}`, summary: 'A file of the web page', scope: 'none', audit: false, navigable: file.path === '/' || file.path === '/device', answer: { status: 200, about: 'The file', media: file.type, also: [{ status: 304, about: 'It is still as If-None-Match says' }] }, handle: webFile(file, services.readWebFile),
    })),
  ];
}

function policyRows(services: Services): readonly Row[] {
  return [
    { method: 'GET', path: '/policies', operation: 'policies.get', summary: 'The policy in force for a project', scope: 'read', query: policies.policyRules, answer: { status: 200, about: 'The policy', shape: shapes.policy }, handle: policies.policies(services) },
    {
      method: 'PUT', path: '/policies', operation: 'policies.replace', summary: 'Puts another policy of a project in force', scope: 'admin', query: policies.policyRules, bodyLimit: 2 << 20, keyed: 'steps', records: ['project.enrol', 'policy.change'],
      answer: { status: 200, about: 'The policy as it now is', shape: shapes.policy }, ...policies.replace(services),
    },
    {
      method: 'POST', path: '/policies/evaluate', operation: 'policies.evaluate', summary: 'What the policy says of a context; nothing happens and nothing is decided', scope: 'write', query: policies.policyRules,
      answer: { status: 200, about: 'The decision', shape: shapes.decision }, ...policies.evaluate(services),
    },
  ];
}

function budgetRows(services: Services): readonly Row[] {
  return [{ method: 'GET', path: '/budgets', operation: 'budgets.list', summary: 'Where the budgets stand', scope: 'read', paged: true, query: { project_id: idOf('project') }, answer: { status: 200, about: 'Budgets', shape: shapes.budget }, handle: budgets.list(services) }];
}

function approvalRows({ approvals: service }: Services): readonly Row[] {
  const params = { id: 'approval' } as const;
  const answer = { status: 200, about: 'The approval', shape: shapes.approval } as const;
  return [
    { method: 'GET', path: '/approvals', operation: 'approvals.list', summary: 'Approvals, the newest first', scope: 'read', paged: true, query: approvals.listRules, answer: { ...answer, about: 'Approvals' }, handle: approvals.list() },
    { method: 'GET', path: '/approvals/:id', operation: 'approvals.get', summary: 'One approval', scope: 'read', params, answer, handle: approvals.one(service) },
    { method: 'POST', path: '/approvals/:id/approve', operation: 'approvals.approve', summary: 'Says yes', scope: 'approve', proven: true, bodyLimit: 16 * 1024, params, keyed: 'steps', records: ['approval.approve'], answer, ...approvals.decide(service, 'approve') },
    { method: 'POST', path: '/approvals/:id/reject', operation: 'approvals.reject', summary: 'Says no', scope: 'approve', proven: true, bodyLimit: 16 * 1024, params, keyed: 'steps', records: ['approval.reject', 'approval.override'], answer, ...approvals.decide(service, 'reject') },
  ];
}

function auditRows({ audit: log }: Services): readonly Row[] {
  return [
    { method: 'GET', path: '/audit', operation: 'audit.list', summary: 'Entries of the log of record, the newest first', scope: 'audit', paged: true, query: audit.entryRules, answer: { status: 200, about: 'Entries', shape: shapes.entry }, handle: audit.entries(log) },
    { method: 'GET', path: '/audit/summary', operation: 'audit.summary', summary: 'Counts of entries', scope: 'audit', query: audit.summaryRules, answer: { status: 200, about: 'Counts', shape: shapes.counts }, handle: audit.summary(log) },
    {
      method: 'GET', path: '/audit/export', operation: 'audit.export', summary: 'Entries as a stream, the oldest first', scope: 'audit', query: audit.exportRules, records: ['audit.export'],
      answer: { status: 200, about: 'Entries in the format asked for', media: 'application/json' }, handle: audit.exported(log),
    },
    { method: 'GET', path: '/audit/verify', operation: 'audit.verify', summary: 'Whether the log is whole and as it was written', scope: 'audit', reach: 'installation', answer: { status: 200, about: 'The verdict', shape: shapes.verdict }, handle: audit.verify(log) },
    { method: 'GET', path: '/audit/checkpoint', operation: 'audit.checkpoint', summary: 'The newest signed checkpoint', scope: 'audit', reach: 'installation', answer: { status: 200, about: 'The checkpoint', shape: shapes.checkpoint }, handle: audit.checkpoint(log) },
    {
      method: 'GET', path: '/audit/proof/:seq', operation: 'audit.proof', summary: 'The proof that an entry is in the log', scope: 'audit', reach: 'installation', answer: { status: 200, about: 'A .tlog-proof file', media: 'text/plain; charset=utf-8' }, handle: audit.proof(log),
    },
  ];
}

/** A row in one presentation, with what is usual where it says nothing. */
export function route(row: Row, path: string, version: 1 | 2): Route {
  const { query = {}, paged = false } = row;
  return {
    reach: 'tenant', audit: true, records: [], rate: row.method === 'GET' ? 'read' : 'write', params: {}, bodyLimit: longestBody, navigable: false, ...row,
    path, version, paged, query: paged ? { ...query, ...pageRules(version) } : query,
  };
}
