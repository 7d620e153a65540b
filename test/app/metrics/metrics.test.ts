/** The metrics of a control plane that runs: what others do is counted from the log, and the command line prints it. */
import assert from 'node:assert/strict';
import { appendFileSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startControlPlane } from '../../../lib/app/control-plane.ts';
import { askApi } from '../../../lib/host/api-client.ts';
import { makeGround, type Ground } from '../../support/ground.ts';

const policy = `version: 1
policies:
  pre_execution:
    - name: no
      when: 'command contains "forbidden"'
      action: deny
`;

async function running(t: { after(undo: () => void | Promise<void>): void }, env: Readonly<Record<string, string>> = {}): Promise<{ readonly here: Ground; scrape(): Promise<string> }> {
  const here = makeGround(t);
  here.write('project/.loki/policies.yaml', policy);
  await here.enrol();
  const plane = await startControlPlane(here.installation({ LOKI_PORT: '0', ...env }));
  t.after(() => plane.stop());
  return { here, scrape: async () => (await askApi({ base: plane.url, method: 'GET', path: '/metrics', timeoutMs: 10_000, headers: { accept: 'text/plain' } })).body };
}

const value = (text: string, series: string): number => Number(text.split('\n').find((line) => line.startsWith(`${series} `))?.slice(series.length + 1) ?? NaN);

test('what other processes record is counted, from where the log stood at the start', async (t) => {
  const { here, scrape } = await running(t);
  const first = await scrape();
  for (const command of ['echo fine', 'echo forbidden', 'echo forbidden again']) await here.loki(['hook', 'generic'], { input: JSON.stringify({ kind: 'exec', command, cwd: here.project }) });
  const text = await scrape();
  assert.equal(value(text, 'loki_policy_decisions_total{point="pre_execution",decision="ALLOW"}'), 1);
  assert.equal(value(text, 'loki_policy_decisions_total{point="pre_execution",decision="DENY"}'), 2);
  assert.equal(value(text, 'loki_events_total{event="policy.deny"}'), 2);
  assert.equal(value(text, 'loki_policy_evaluation_seconds_count'), 3);
  const last = Number(here.entries().at(-1)?.['seq']);
  assert.equal(value(text, 'loki_audit_last_durable_seq'), last);
  assert.equal(value(text, 'loki_audit_entries_total') - value(first, 'loki_audit_entries_total'), last - value(first, 'loki_audit_last_durable_seq'));
  assert.deepEqual([value(text, 'loki_metrics_behind'), value(text, 'loki_runs{status="running"}')], [0, 0]);
  for (const name of ['process_cpu_seconds_total', 'process_resident_memory_bytes', 'process_start_time_seconds', 'loki_uptime_seconds']) assert.ok(value(text, name) > 0, name);
  assert.doesNotMatch(text, new RegExp(`${here.root}|prj_|tester|forbidden`), 'names of nobody and nothing');
  const [both, alike] = await Promise.all([scrape(), scrape()]);
  assert.equal(value(both, 'loki_audit_entries_total'), value(alike, 'loki_audit_entries_total'), 'nothing is counted twice');
});

test('loki metrics prints them in each form, and says why where it cannot', async (t) => {
  const { here } = await running(t);
  const text = await here.loki(['metrics']);
  assert.deepEqual([text.exit, text.stderr], [0, '']);
  assert.match(text.stdout, /^# HELP loki_build_info /);
  assert.match((await here.loki(['metrics', '--format', 'openmetrics'])).stdout, /\n# EOF\n$/);
  const { metrics } = JSON.parse((await here.loki(['metrics', '--json'])).stdout);
  assert.deepEqual(metrics[0].points.map(({ labels, value: one }: { labels: object; value: number }) => [Object.keys(labels), one]), [[['version'], 1]]);
  const elsewhere = await here.loki(['metrics'], { env: { LOKI_URL: 'http://127.0.0.1:1' } });
  assert.deepEqual([elsewhere.exit, elsewhere.stdout], [8, '']);
  const readable = await here.loki(['metrics'], { env: { LOKI_URL: 'http://loki.example.com', LOKI_TOKEN: 'loki_x' } });
  assert.deepEqual([readable.exit, readable.stdout], [2, ''], 'a token is not sent where it can be read');
  const none = await here.loki(['metrics'], { env: { LOKI_HOME: join(here.root, 'empty') } });
  assert.equal(none.exit, 8);
  assert.match(none.stderr, /no control plane runs here/);
});

test('a damaged log makes no scrape fail', async (t) => {
  const { here, scrape } = await running(t);
  const folder = join(here.home, 'dashboard/audit');
  const file = join(folder, readdirSync(folder).at(-1) ?? '');
  appendFileSync(file, `\0\0\0{"seq":"x"}\n{"seq":7,"timestamp":"2026-02-15T14:30:00.000Z","event":"policy.deny","details":[1]\n`);
  const text = await scrape();
  assert.equal(value(text, 'loki_policy_decisions_total{point="pre_execution",decision="DENY"}'), NaN);
  renameSync(folder, `${folder}-gone`);
  assert.match(await scrape(), /loki_uptime_seconds \d/);
  renameSync(`${folder}-gone`, folder);
});
