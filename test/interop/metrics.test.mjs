/**
 * /metrics read by Prometheus itself: promtool has nothing to object to in either format, and a server that scrapes a control
 * plane at work stores what it counts. Prometheus comes from Debian's package, installed or unpacked into a temporary folder;
 * where it cannot be had the tests are skipped, and say so.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.mjs';
import { prometheusIn } from './prometheus.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const work = realpathSync(mkdtempSync(join(tmpdir(), 'loki-metrics-')));
after(() => rmSync(work, { recursive: true, force: true, maxRetries: 3 }));

const program = prometheusIn(work);
const skip = program === undefined ? 'SKIPPED: Prometheus is neither installed nor to be had with apt-get download prometheus' : false;
if (skip) console.error(skip);
const timeout = 120_000;

/** A control plane that has something to tell: decisions, requests of every kind, an open stream. */
async function plane(t) {
  const home = join(work, 'home');
  const project = join(work, 'project');
  for (const path of [home, project]) mkdirSync(path, { recursive: true });
  const env = { PATH: process.env.PATH, HOME: home, LOKI_HOME: join(work, 'loki'), NO_COLOR: '1', LOKI_OTEL_ENDPOINT: `file://${join(work, 'otlp')}` };
  const loki = (args, input) => spawnSync(process.execPath, [join(root, 'dist/cli/loki.cjs'), ...args], { cwd: project, env, input, encoding: 'utf8', timeout: 60_000 });
  assert.equal(loki(['init', '--yes']).status, 0);
  const child = spawn(process.execPath, [join(root, 'dist/cli/loki.cjs'), 'dashboard', '--port', '0', '--json'], { cwd: project, env, stdio: ['ignore', 'pipe', 'inherit'], timeout });
  t.after(async () => {
    if (child.exitCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
  const [line] = await once(child.stdout, 'data');
  const { url } = JSON.parse(String(line));
  loki(['hook', 'generic'], JSON.stringify({ kind: 'exec', command: 'git push --force', cwd: project }));
  loki(['hook', 'generic'], JSON.stringify({ kind: 'fs.read', file_path: join(project, 'a'), cwd: project }));
  for (const path of ['/api/status', '/api/runs', '/api/nothing', '/health']) await fetch(url + path).then((answer) => answer.text());
  return { url, loki };
}

const texts = ['text/plain;version=0.0.4', 'application/openmetrics-text;version=1.0.0'];

test('promtool objects to nothing', { skip, timeout }, async (t) => {
  const { url, loki } = await plane(t);
  const check = (input) => spawnSync(program('promtool'), ['check', 'metrics'], { input, encoding: 'utf8', timeout: 30_000 });
  for (const input of [await (await fetch(`${url}/metrics`)).text(), loki(['metrics']).stdout]) {
    assert.match(input, /^loki_policy_decisions_total\{/m);
    assert.match(input, /^loki_telemetry_spool_bytes \d/m);
    const { status, stdout, stderr } = check(input);
    assert.deepEqual([status, stdout, stderr], [0, '', '']);
  }
  assert.notEqual(check('# TYPE a counter\na{b="1"} x\n').status, 0, 'it does object to what is wrong');
});

for (const accept of texts) {
  test(`a server scrapes ${accept}`, { skip, timeout }, async (t) => {
    const { url } = await plane(t);
    // A server prefers OpenMetrics; one that must not is led through a gate that asks for the other.
    const asked = [];
    const { createServer: createHttp } = await import('node:http');
    const gate = createHttp(async (request, response) => {
      asked.push(request.headers.accept);
      const answer = await fetch(`${url}/metrics`, { headers: { accept: accept.startsWith('text/') ? accept : request.headers.accept } });
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') });
      response.end(await answer.text());
    });
    gate.listen(0, '127.0.0.1');
    await once(gate, 'listening');
    t.after(() => { gate.closeAllConnections(); gate.close(); });
    const port = await freePort();
    const place = mkdtempSync(join(work, 'server-'));
    writeFileSync(join(place, 'prometheus.yml'), `global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n  - job_name: loki\n    static_configs: [{targets: ['127.0.0.1:${gate.address().port}']}]\n`);
    const server = spawn(program('prometheus'), [`--config.file=${place}/prometheus.yml`, `--storage.tsdb.path=${place}/data`, `--web.listen-address=127.0.0.1:${port}`, '--log.level=warn'], { stdio: ['ignore', 'ignore', 'pipe'], timeout });
    let said = '';
    server.stderr.on('data', (text) => { said += text; });
    t.after(async () => {
      if (server.exitCode !== null) return;
      server.kill('SIGTERM');
      await once(server, 'exit');
    });
    const query = async (text) => {
      const answer = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(text)}`).catch(() => undefined);
      return answer?.ok !== true ? [] : (await answer.json()).data?.result ?? [];
    };
    await until(async () => (await query('up == 1')).length === 1 && (await query('loki_uptime_seconds')).length === 1, () => said);
    const value = async (text) => Number((await query(text))[0]?.value[1]);
    assert.equal(await value('sum(loki_policy_decisions_total)'), 2);
    assert.equal(await value('loki_http_requests_total{route="unknown",status="404"}'), 1);
    await until(async () => await value('sum(loki_telemetry_delivered_total)') > 0, () => said);
    assert.ok(await value('histogram_quantile(0.99, sum by (le) (loki_http_request_duration_seconds_bucket))') > 0);
    assert.equal((await query('loki_http_request_duration_seconds_bucket{le="1.0"}')).length > 0, true);
    const targets = await (await fetch(`http://127.0.0.1:${port}/api/v1/targets`)).json();
    assert.deepEqual(targets.data.activeTargets.map(({ health, lastError }) => [health, lastError]), [['up', '']]);
    assert.equal(said, '');
    t.diagnostic(`Prometheus asks with: ${asked[0]}`);
  });
}

async function until(isSo, what) {
  for (const end = performance.now() + 30_000; !await isSo();) {
    if (performance.now() > end) assert.fail(`not within half a minute: ${what()}`);
    await new Promise((done) => { setTimeout(done, 100); });
  }
}
