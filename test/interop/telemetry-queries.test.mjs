/**
 * The queries and alerts of docs/otel-collector.md, read by their own languages: PromQL and the rules by promtool, TraceQL and LogQL by the grammars
 * that Grafana's editors have. What is not installed is skipped, and says so.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { prometheusIn } from './prometheus.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const page = readFileSync(join(here, '../../docs/otel-collector.md'), 'utf8');
const blocks = (kind) => [...page.matchAll(/^```(\S*)\n([^]*?)^```$/gm)].flatMap(([, info, body]) => (info === kind ? [body] : []));
const lines = (kind) => blocks(kind).flatMap((block) => block.trim().split('\n'));
const work = realpathSync(mkdtempSync(join(tmpdir(), 'loki-queries-')));
after(() => rmSync(work, { recursive: true, force: true }));

const program = prometheusIn(work);
const noProm = program === undefined ? 'SKIPPED: Prometheus is neither installed nor to be had with apt-get download prometheus' : false;
const noGrammar = existsSync(join(here, 'telemetry/node_modules/@grafana/lezer-traceql')) ? false : 'SKIPPED: Grafana\'s grammars are not installed; run: npm install --prefix test/interop/telemetry';
for (const said of [noProm, noGrammar].filter(Boolean)) console.error(said);

function promtool(...args) {
  const { status, stdout, stderr } = spawnSync(program('promtool'), args, { cwd: work, encoding: 'utf8', timeout: 60_000 });
  return { status, said: stdout + stderr };
}

test('promtool reads every query of PromQL', { skip: noProm }, () => {
  const queries = lines('promql');
  assert.ok(queries.length >= 5);
  const rules = { groups: [{ name: 'queries', rules: queries.map((expr, at) => ({ record: `query:${at}`, expr })) }] };
  writeFileSync(join(work, 'queries.yml'), JSON.stringify(rules));
  assert.deepEqual(promtool('check', 'rules', 'queries.yml').status, 0, promtool('check', 'rules', 'queries.yml').said);
  writeFileSync(join(work, 'wrong.yml'), JSON.stringify({ groups: [{ name: 'queries', rules: [{ record: 'a', expr: 'sum(' }] }] }));
  assert.notEqual(promtool('check', 'rules', 'wrong.yml').status, 0, 'it does object to what is wrong');
});

/** Series, what they are, and the alerts they raise at the end. */
const weather = [
  ['a burst of denials', { 'loki_policy_decisions_total{point="pre_execution",decision="DENY"}': '0+2x60' }, ['ManyCallsDenied']],
  ['some denials', { 'loki_policy_decisions_total{point="pre_execution",decision="DENY"}': '0+1x60', 'loki_policy_decisions_total{point="pre_execution",decision="ALLOW"}': '0+50x60' }, []],
  ['slow people', { 'loki_approval_wait_seconds_bucket{le="900"}': '0+0x60', 'loki_approval_wait_seconds_bucket{le="3600"}': '0+1x60', 'loki_approval_wait_seconds_bucket{le="+Inf"}': '0+1x60' }, ['AgentsWaitForPeople']],
  ['quick people', { 'loki_approval_wait_seconds_bucket{le="900"}': '0+1x60', 'loki_approval_wait_seconds_bucket{le="3600"}': '0+1x60', 'loki_approval_wait_seconds_bucket{le="+Inf"}': '0+1x60' }, []],
  ['gates that fail', { loki_quality_gate_fail_total: '0+2x60', loki_quality_gate_pass_total: '0+1x60' }, ['QualityGatesFail']],
  ['drops', { 'loki_telemetry_dropped_total{signal="traces",reason="spool_full"}': '0x50 512x10' }, ['TelemetryIsLost']],
  ['a receiver that is away', { loki_telemetry_spool_bytes: '0x10 4096x50' }, ['TelemetryWaits']],
  ['a receiver that was away for a while', { loki_telemetry_spool_bytes: '0x40 4096x20' }, []],
];

test('alerts are raised when they should be, and not otherwise', { skip: noProm, timeout: 120_000 }, () => {
  const rules = blocks('yaml').find((block) => block.startsWith('groups:'));
  writeFileSync(join(work, 'alerts.yml'), rules);
  assert.equal(promtool('check', 'rules', 'alerts.yml').status, 0);
  const names = [...rules.matchAll(/alert: (\w+)/g)].map(([, name]) => name);
  assert.deepEqual([...new Set(weather.flatMap(([, , raised]) => raised))].sort(), [...names].sort(), 'each alert is raised once');
  for (const [what, series, raised] of weather) {
    const file = { rule_files: ['alerts.yml'], evaluation_interval: '1m', tests: [{ interval: '1m', input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })), promql_expr_test: names.map((alertname) => ({ expr: `count(ALERTS{alertname="${alertname}",alertstate="firing"}) > 0`, eval_time: '60m', exp_samples: raised.includes(alertname) ? [{ labels: '{}', value: 1 }] : [] })) }] };
    writeFileSync(join(work, 'test.yml'), JSON.stringify(file));
    const { status, said } = promtool('test', 'rules', 'test.yml');
    assert.equal(status, 0, `${what}: ${said}`);
  }
});

for (const [language, name] of [['traceql', '@grafana/lezer-traceql'], ['logql', '@grafana/lezer-logql']]) {
  test(`Grafana's grammar reads every query of ${language}`, { skip: noGrammar }, () => {
    const { parser } = createRequire(join(here, 'telemetry/package.json'))(name);
    const mistakes = (query) => {
      const found = [];
      parser.parse(query).iterate({ enter: ({ type, from }) => { if (type.isError) found.push(`${query} at ${from}`); } });
      return found;
    };
    assert.ok(lines(language).length >= 2);
    assert.deepEqual(lines(language).flatMap(mistakes), []);
    assert.notDeepEqual(mistakes('{ a = = }'), [], 'it does object to what is wrong');
  });
}
