/** A control plane over a memory store, and requests to it as plain objects. For tests of the server. */
import { LokiError } from '../../lib/errors.ts';
import type { HttpRequest, HttpResponse } from '../../lib/base/http.ts';
import { hookToken } from '../../lib/base/hook-token.ts';
import { newId, projectIdOf } from '../../lib/base/ids.ts';
import type { JsonObject, JsonValue } from '../../lib/base/json.ts';
import { noTracer } from '../../lib/base/trace.ts';
import type { AuditEvent } from '../../lib/audit/entry.ts';
import type { AuditFilter } from '../../lib/audit/query.ts';
import { clock, random, timers } from '../../lib/host/time.ts';
import { runKeys, type RunEvent } from '../../lib/runs/run.ts';
import { createApi, type Api, type ApiOptions } from '../../lib/server/api.ts';
import { createApprovals } from '../../lib/approvals/approvals.ts';
import type { HttpClient } from '../../lib/ports.ts';
import { keysOfSignOn } from '../../lib/server/auth/sign-on-keys.ts';
import { createSignOnService } from '../../lib/server/auth/sign-on-service.ts';
import type { Services } from '../../lib/server/services.ts';
import type { Store } from '../../lib/store/store.ts';
import { tenantView } from '../../lib/store/tenant-view.ts';
import { createKeyReader } from '../../lib/server/auth/api-key.ts';
import { KeyRoom, type KeyWish, type MintedKey } from '../../lib/server/auth/key-room.ts';
import { createRunTokenReader } from '../../lib/server/routes/run-orders.ts';
import { kitRuns } from './kit-runs.ts';
import { createMetrics } from '../../lib/telemetry/metrics.ts';
import { createMemoryStore } from './memory-store.ts';

export const port = 57374;
export const localToken = 'loki_0123456789abcdefghijklmnopqrstuvwxyz';
export const projectId: string = newId('project', 1, new Uint8Array(10));
export const hookTokenOfKit: string = hookToken(projectId, new Uint8Array(32));

export interface Kit {
  readonly api: Api;
  readonly store: Store;
  readonly services: Services;
  /** What was recorded, in order. */
  readonly recorded: AuditEvent[];
  /** Filters that the log was asked with. */
  readonly asked: AuditFilter[];
}

/** 25 entries, sequence numbers 25 to 1. */
const entries: readonly JsonObject[] = Array.from({ length: 25 }, (_, at) => ({
  seq: 25 - at, timestamp: '2026-02-15T14:30:00.000Z', event: 'policy.allow', level: 'info', actor: 'agent:claude', details: {}, metadata: {}, chain_hash: 'ab'.repeat(32),
}));

export function createKit(options: Partial<ApiOptions> = {}, services: Partial<Services> = {}, storeOptions: { readonly history?: number } = {}): Kit {
  const store = services.store ?? createMemoryStore(storeOptions);
  const recorded: AuditEvent[] = [];
  const asked: AuditFilter[] = [];
  const record: Services['record'] = async (event) => {
    recorded.push(event);
    return { seq: recorded.length, chain_hash: null };
  };
  const keys = new KeyRoom({ store, record, clock, random });
  const runs = kitRuns({ store, record, clock, random, timers });
  const metrics = createMetrics();
  const all: Services = {
    runs,
    store, clock, timers, random, tracer: noTracer, version: '0.1.0',
    projects: { adopt: async () => undefined, placeOf: (path) => ({ id: projectIdOf(path), path }), assign: () => undefined, isEnrolled: () => false },
    keys, tokens: [createKeyReader({ store, now: () => clock.now(), used: () => undefined }), createRunTokenReader(runs)], assertFresh: () => undefined,
    signOn: createSignOnService({ store, record, clock, random, http: nobody, secure: false, provider: undefined, machines: [], ...keysOfSignOn({ store, keys, clock }) }),
    policies: { replace: async () => undefined, describe: async (id) => ({ project_id: id ?? null, rules: [] }), evaluate: async (id, point, context, explain) => ({ decision: 'ALLOW', id: id ?? null, point, context, explain }) },
    approvals: (tenant) => createApprovals({ objects: tenantView(store, tenant), record: async (event) => { recorded.push(tenant === null ? event : { ...event, metadata: { ...event.metadata, tenant_id: tenant } }); }, clock, timers, random, isApprover: () => true, approverKeys: () => [] }),
    audit: {
      async *query(filter) {
        asked.push(filter);
        yield* entries.filter(({ seq }) => Number(seq) < (filter.before ?? Infinity));
      },
      access: async () => undefined,
      export: async ({ format }) => ({
        mediaType: 'text/plain', fileName: `audit.${format}`,
        parts: (async function* () { yield Buffer.from('one\n'); yield Buffer.from('two\n'); })(),
      }),
      summary: async () => ({ total_events: 3, by_type: { 'policy.allow': 3 }, by_level: { info: 3 }, by_actor: { 'agent:claude': 3 } }),
      checkpoint: async () => ({ chain: 'record', origin: 'h/loki/audit', size: 25, root: 'cm9vdA==', note: 'h/loki/audit\n25\n', vkey: 'h/loki/audit+00000000+AQ==' }),
      proof: async (seq) => {
        if (seq > 25) throw new LokiError('not_found', { attempted: `prove entry ${seq}`, found: 'the log has entries 1 to 25' });
        return `c2sp.org/tlog-proof@v1\nindex ${seq - 1}\n`;
      },
      verify: async () => ({ valid: true, verdict: 'ok', entries_checked: 25, first_tampered_line: null, first_bad: null, checkpoint: null, chains: [] }),
    },
    hooks: { projectOf: (token) => (token === hookTokenOfKit ? projectId : undefined), knows: (event) => event === 'PreToolUse', answer: async ({ read }) => JSON.stringify({ asked: await read(1 << 24) }) },
    budgets: async (id) => [1, 2, 3].map((n) => ({ project_id: id ?? projectId, name: `budget-${n}` })),
    metrics: { access: 'open', metrics, collect: async () => metrics.read() },
    record,
    status: async () => ({ version: '0.1.0', started_at: '2026-02-15T14:30:00.000Z', uptime_seconds: 5, authentication: 'off', audit: { enabled: true, last_seq: 25 }, event_streams: 0 }),
    readWebFile: (name) => Buffer.from(`the file ${name}`),
    ...services,
  };
  const api = createApi(all, { listenHost: '127.0.0.1', allowedHosts: [], corsOrigins: [], authentication: false, localToken, rateLimit: 600, secret: new Uint8Array(32).fill(7), ...options });
  return { api, store, services: all, recorded, asked };
}

/** The outside world of a control plane that has none. */
const nobody: HttpClient = { ask: () => Promise.reject(new LokiError('net.unreachable', { attempted: 'ask', found: 'there is nobody' })) };

/** A tenant, as an administrator would have made it. */
export async function putTenant(store: Store, at: number): Promise<string> {
  const id = newId('tenant', at, random.bytes(10));
  await store.transact([], [{ key: `tenants/${id}`, value: { id, name: `Tenant ${at}`, slug: `tenant-${id.slice(-6).toLowerCase()}`, description: '', created_at: '2026-02-15T14:29:00.000Z' } }]);
  return id;
}

/** A key of the API, made by somebody who may give out everything. */
export function mint({ services: { keys } }: Pick<Kit, 'services'>, wish: KeyWish): Promise<MintedKey> {
  return keys.mint(wish, { actor: 'user:root', scopes: new Set(['admin'] as const) });
}

export interface Call {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Header lines as they come, in place of `headers` and the usual Host. */
  readonly lines?: HttpRequest['headers'];
  readonly body?: string;
  readonly address?: string;
  readonly signal?: AbortSignal;
}

/** One request, from a loopback address with the right Host unless the call says otherwise. */
export function send(api: Api, target: string, call: Call = {}): Promise<HttpResponse> {
  const { method = 'GET', headers = {}, body, address = '127.0.0.1', signal = new AbortController().signal } = call;
  const lines = call.lines ?? Object.entries({ host: `127.0.0.1:${port}`, ...headers });
  return api.answer({
    method, target, headers: lines, address, port, secure: false, hasBody: body !== undefined, signal,
    readBody: async () => Buffer.from(body ?? ''),
  });
}

export function bodyOf(response: HttpResponse): unknown {
  return JSON.parse(String(response.body));
}

/** A stored run. Ids made with a later `at` sort later. */
export async function putRun(store: Store, at: number, members: Partial<Record<string, JsonValue>> = {}): Promise<string> {
  const id = typeof members['id'] === 'string' ? members['id'] : newId('run', at, random.bytes(10));
  const run: JsonObject = {
    id, project_id: projectId, tenant_id: null, status: 'running', trigger: 'manual', config: { prd: 'prd.md' }, result_summary: null, parent_run_id: null,
    started_at: '2026-02-15T14:30:00.000Z', ended_at: null, created_at: '2026-02-15T14:29:00.000Z', ...members,
  };
  await store.transact([], [{ key: runKeys.run(id), value: run }]);
  return id;
}

export function event(seq: number, members: Partial<RunEvent> = {}): RunEvent {
  return { id: newId('event', seq, random.bytes(10)), seq, event_type: 'log', phase: 'ACT', details: { message: `step ${seq}` }, timestamp: '2026-02-15T14:30:01.000Z', ...members };
}

/** Appends events `from` to `to` of a run, each in a transaction of its own. */
export async function putEvents(store: Store, runId: string, from: number, to: number): Promise<void> {
  for (let seq = from; seq <= to; seq += 1) await store.transact([], [{ key: runKeys.event(runId, seq), value: { ...event(seq) } }]);
}
