import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { MetricsAccess } from '../../lib/server/routes/metrics.ts';
import { createMetrics, metricTable } from '../../lib/telemetry/metrics.ts';
import { createKit, localToken, send, type Kit } from '../support/api-kit.ts';
import { packageRoot } from '../support/root.ts';

const samples = async ({ api }: Kit, name: string): Promise<readonly string[]> => String((await send(api, '/metrics')).body).split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));

test('requests are counted by the pattern of their route, never by what was sent', async () => {
  const kit = createKit();
  await send(kit.api, '/api/runs/run_01J8Z3T5C6D7E8F9G0H1J2K3M4');
  await send(kit.api, '/api/runs/run_01J8Z3T5C6D7E8F9G0H1J2K3M5');
  for (const path of ['/secret-tenant', '/api/wp-admin.php', '/api/runs/acme/payroll', '/%2e%2e/etc']) await send(kit.api, path);
  await send(kit.api, '/api/runs', { method: 'BREW' });
  await send(kit.api, '/api/runs', { method: 'HEAD' });
  kit.api.malformed(431, { address: '192.0.2.1', secure: false });
  assert.deepEqual(await samples(kit, 'loki_http_requests_total'), [
    'loki_http_requests_total{method="GET",route="/api/runs/:id",status="404"} 2', 'loki_http_requests_total{method="GET",route="unknown",status="404"} 3',
    'loki_http_requests_total{method="GET",route="unknown",status="400"} 1', 'loki_http_requests_total{method="unknown",route="unknown",status="401"} 1',
    'loki_http_requests_total{method="HEAD",route="/api/runs",status="200"} 1', 'loki_http_requests_total{method="unknown",route="unknown",status="431"} 1',
  ]);
  const [count] = await samples(kit, 'loki_http_request_duration_seconds_count');
  assert.equal(count, 'loki_http_request_duration_seconds_count{method="GET",route="/api/runs/:id"} 2');
  assert.doesNotMatch(String((await send(kit.api, '/metrics')).body), /acme|tenant|wp-admin|run_01/);
});

test('open streams and refusals for the rate are counted', async () => {
  const kit = createKit({ rateLimit: 2 });
  const stop = new AbortController();
  await send(kit.api, '/api/events', { signal: stop.signal });
  for (let n = 0; n < 4; n += 1) await send(kit.api, '/api/status');
  assert.deepEqual(await samples(kit, 'loki_http_event_streams'), ['loki_http_event_streams 1']);
  assert.deepEqual(await samples(kit, 'loki_http_rate_limited_total'), ['loki_http_rate_limited_total{class="read"} 2']);
  stop.abort();
  assert.deepEqual(await samples(kit, 'loki_http_event_streams'), ['loki_http_event_streams 0']);
});

test('the form is up to the client, and the type says which it is', async () => {
  const { api } = createKit();
  const cases: readonly (readonly [string | undefined, string, RegExp])[] = [
    [undefined, 'text/plain; version=0.0.4; charset=utf-8', /^# HELP /], ['nonsense', 'text/plain; version=0.0.4; charset=utf-8', /^# HELP /], ['image/png', 'text/plain; version=0.0.4; charset=utf-8', /^# HELP /],
    ['application/openmetrics-text;version=1.0.0,text/plain;q=0.5', 'application/openmetrics-text; version=1.0.0; charset=utf-8', /^# TYPE [\s\S]*\n# EOF\n$/],
    ['application/openmetrics-text;version=0.0.1', 'application/openmetrics-text; version=0.0.1; charset=utf-8', /\n# EOF\n$/],
    ['application/openmetrics-text;version=1.0.0;escaping=allow-utf-8', 'application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8', /\n# EOF\n$/],
    ['text/plain;version=1.0.0;escaping=x"y', 'text/plain; version=0.0.4; charset=utf-8', /^# HELP /], ['text/plain;version=1.0.0;escaping=evil', 'text/plain; version=1.0.0; charset=utf-8', /^# HELP /],
    ['application/json', 'application/json; charset=utf-8', /^\{"metrics":\[\{"name":"loki_build_info"/],
  ];
  for (const [accept, type, body] of cases) {
    const answer = await send(api, '/metrics', { headers: accept === undefined ? {} : { accept } });
    assert.deepEqual([answer.status, answer.headers['Content-Type'], answer.headers['Vary']], [200, type, 'Accept'], accept);
    assert.match(String(answer.body), body, accept);
  }
});

test('who may read them is a setting', async () => {
  const statuses = async (access: MetricsAccess, authentication: boolean, token?: string): Promise<number> => {
    const metrics = createMetrics();
    const { api, recorded } = createKit({ authentication }, { metrics: { access, metrics, collect: async () => metrics.read() } });
    const { status } = await send(api, '/metrics', { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
    assert.ok(!recorded.some(({ event }) => event === 'api.request'));
    return status;
  };
  assert.deepEqual([await statuses('open', true), await statuses('open', true, 'wrong'), await statuses('read', true), await statuses('read', true, 'wrong'), await statuses('read', true, localToken), await statuses('read', false)], [200, 200, 401, 401, 200, 200]);
  assert.deepEqual([await statuses('off', true), await statuses('off', false, localToken)], [404, 404]);
});

test('docs/metrics.md lists every metric with its kind and labels, and no other', (t) => {
  const path = join(packageRoot, 'docs', 'metrics.md');
  if (!existsSync(path)) return t.diagnostic('docs/ is not here: the metrics were not compared');
  const listed = [...readFileSync(path, 'utf8').matchAll(/^\| `([a-z_]+)` \| (\w+) \|([^|]*)\|/gm)].map(([, name, kind, labels]) => `${name} ${kind} ${[...(labels ?? '').matchAll(/`(\w+)`/g)].map(([, label]) => label).join(' ')}`);
  return assert.deepEqual(listed, Object.entries(metricTable).map(([name, { kind, labels }]) => `${name} ${kind} ${labels.join(' ')}`));
});
