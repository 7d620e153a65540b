/**
 * Every route of the control plane, one row each: method, path, what it needs, what it takes, who answers. v1 (`/api`) and
 * v2 (`/api/v2`) are two presentations of the same rows. Nothing is reachable that is not in this table.
 */
import type { IdKind } from '../base/ids.ts';
import { runKeys, type RunStatus } from '../runs/run.ts';
import { storeCollection } from './collection.ts';
import type { Handler, Method, RateClass, Route } from './message.ts';
import type { Scope } from './principal.ts';
import { pageRules } from './page.ts';
import { idOf, oneOf, wholeNumber, type QueryRules } from './query.ts';
import * as approvals from './routes/approvals.ts';
import * as audit from './routes/audit.ts';
import * as budgets from './routes/budgets.ts';
import * as collections from './routes/collections.ts';
import * as health from './routes/health.ts';
import * as hooks from './routes/hooks.ts';
import * as metrics from './routes/metrics.ts';
import * as policies from './routes/policies.ts';
import * as runs from './routes/runs.ts';
import type { Services } from './services.ts';
import type { Streams } from './streams.ts';
import { webFile, webFiles } from './web.ts';

/** One row before it is presented. */
interface Row {
  readonly method: Method;
  readonly path: string;
  readonly scope: Scope | 'none';
  readonly handle: Handler;
  readonly params?: Readonly<Record<string, IdKind>>;
  readonly query?: QueryRules;
  /** Whether it answers a page of a list. */
  readonly paged?: boolean;
  readonly rate?: RateClass;
  readonly audit?: boolean;
  readonly navigable?: boolean;
  readonly proven?: true;
  readonly readsBody?: true;
}

const runStatuses: readonly RunStatus[] = ['pending', 'running', 'paused', 'completed', 'failed', 'cancelled'];
const after: QueryRules = { after: wholeNumber(0, Number.MAX_SAFE_INTEGER) };

/** The table. `draining` tells whether the server is about to stop. */
export function routeTable(services: Services, streams: Streams, draining: () => boolean): readonly Route[] {
  const { audit: log, projects, store } = services;
  const allRuns = storeCollection(store, runKeys.runs);
  const run = { id: 'run' } as const;
  const approval = { id: 'approval' } as const;
  const status = health.status(services);

  const plain: readonly Row[] = [
    { method: 'GET', path: '/health', scope: 'none', rate: 'exempt', audit: false, handle: health.ready(services, draining) },
    { method: 'GET', path: '/health/live', scope: 'none', rate: 'exempt', audit: false, handle: health.live() },
    { method: 'GET', path: '/health/ready', scope: 'none', rate: 'exempt', audit: false, handle: health.ready(services, draining) },
    { method: 'GET', path: '/metrics', scope: services.metrics.access === 'read' ? 'read' : 'none', rate: 'exempt', audit: false, handle: metrics.metrics(services.metrics) },
    { method: 'GET', path: '/api/status', scope: 'none', handle: status },
    // Each decision is on record by itself.
    { method: 'POST', path: '/hooks/claude', scope: 'hook', rate: 'exempt', audit: false, readsBody: true, query: hooks.hookRules(services.hooks), handle: hooks.answer(services.hooks) },
    ...webFiles.map((file): Row => ({
      method: 'GET', path: file.path, scope: 'none', audit: false, navigable: file.path === '/', handle: webFile(file, services.readWebFile),
    })),
  ];

  const api: readonly Row[] = [
    { method: 'GET', path: '/projects', scope: 'read', paged: true, handle: collections.list(projects, { kind: 'project', newestFirst: false, filters: [] }) },
    { method: 'GET', path: '/projects/:id', scope: 'read', params: { id: 'project' }, handle: collections.one(projects, 'project') },
    {
      method: 'GET', path: '/runs', scope: 'read', paged: true, query: { project_id: idOf('project'), status: oneOf(runStatuses) },
      handle: collections.list(allRuns, { kind: 'run', newestFirst: true, filters: ['project_id', 'status'] }),
    },
    { method: 'GET', path: '/runs/:id', scope: 'read', params: run, handle: collections.one(allRuns, 'run') },
    { method: 'GET', path: '/runs/:id/timeline', scope: 'read', params: run, handle: runs.timeline(services, allRuns) },
    { method: 'GET', path: '/runs/:id/events', scope: 'read', params: run, query: after, rate: 'exempt', handle: runs.events(services, allRuns, streams) },
    { method: 'GET', path: '/events', scope: 'read', query: after, rate: 'exempt', handle: runs.runChanges(services, streams) },
    { method: 'GET', path: '/policies', scope: 'read', query: policies.policyRules, handle: policies.policies(services.policies) },
    { method: 'POST', path: '/policies/evaluate', scope: 'write', query: policies.policyRules, handle: policies.evaluate(services.policies) },
    { method: 'GET', path: '/budgets', scope: 'read', paged: true, query: { project_id: idOf('project') }, handle: budgets.list(services) },
    { method: 'GET', path: '/approvals', scope: 'read', paged: true, query: approvals.listRules, handle: approvals.list(services.approvals) },
    { method: 'GET', path: '/approvals/:id', scope: 'read', params: approval, handle: approvals.one(services.approvals) },
    { method: 'POST', path: '/approvals/:id/approve', scope: 'approve', proven: true, params: approval, handle: approvals.decide(services.approvals, 'approve') },
    { method: 'POST', path: '/approvals/:id/reject', scope: 'approve', proven: true, params: approval, handle: approvals.decide(services.approvals, 'reject') },
    { method: 'GET', path: '/audit', scope: 'audit', paged: true, query: audit.entryRules, handle: audit.entries(log) },
    { method: 'GET', path: '/audit/summary', scope: 'audit', query: audit.summaryRules, handle: audit.summary(log) },
    { method: 'GET', path: '/audit/export', scope: 'audit', query: audit.exportRules, handle: audit.exported(log) },
    { method: 'GET', path: '/audit/verify', scope: 'audit', handle: audit.verify(log) },
    { method: 'GET', path: '/audit/checkpoint', scope: 'audit', handle: audit.checkpoint(log) },
    { method: 'GET', path: '/audit/proof/:seq', scope: 'audit', handle: audit.proof(log) },
  ];

  return [
    ...plain.map((row) => route(row, row.path, 1)),
    ...api.map((row) => route(row, `/api${row.path}`, 1)),
    ...[{ method: 'GET', path: '/status', scope: 'read', handle: status } as const, ...api].map((row) => route(row, `/api/v2${row.path}`, 2)),
  ];
}

function route(row: Row, path: string, version: 1 | 2): Route {
  const { method, scope, handle, params = {}, query = {}, paged = false, navigable = false, audit: recorded = true } = row;
  const rate = row.rate ?? (method === 'GET' ? 'read' : 'write');
  return {
    method, path, version, scope, audit: recorded, rate, params, query: paged ? { ...query, ...pageRules(version) } : query, navigable, handle, ...(row.proven === true ? { proven: true } : {}), ...(row.readsBody === true ? { readsBody: true } : {}),
  };
}
