/** Settings of telemetry that cannot be used: agents go on, people are told. And what a hook leaves behind knows of no receiver but those in files. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { leaveBehind } from '../../../lib/app/audit/leave-behind.ts';
import type { Installation } from '../../../lib/app/installation.ts';
import { makeGround } from '../../support/ground.ts';

const action = JSON.stringify({ kind: 'exec', command: 'ls', session_id: 's' });

const unusable: readonly (readonly [what: string, env: Readonly<Record<string, string>>, file: string])[] = [
  ['a variable of ours', { LOKI_OTEL_ENDPOINT: 'collector:4318' }, ''],
  ['variables of OpenTelemetry', { OTEL_EXPORTER_OTLP_ENDPOINT: '::::', OTEL_TRACES_SAMPLER: 'sometimes', OTEL_BSP_MAX_QUEUE_SIZE: '-1', OTEL_EXPORTER_OTLP_HEADERS: '\u0001' }, ''],
  ['a file', {}, 'enterprise: {telemetry: {endpoint: [1], headers: sesame, destinations: [{endpoint: x}], sampler: 5, timeout: soon}}\n'],
  ['a folder that cannot be made', { LOKI_OTEL_ENDPOINT: 'file:///proc/nowhere' }, ''],
  ['a certificate that is not there', { LOKI_OTEL_ENDPOINT: 'https://127.0.0.1:1', OTEL_EXPORTER_OTLP_CERTIFICATE: '/nowhere/ca.pem' }, ''],
];

for (const [what, env, file] of unusable) {
  test(`${what} that cannot be used stops no agent`, async (t) => {
    const here = makeGround(t);
    await here.enrol();
    if (file !== '') here.write('home/config.yaml', file);
    const { exit, stdout } = await here.loki(['hook', 'generic'], { input: action, env });
    assert.deepEqual([exit, JSON.parse(stdout).decision], [0, 'ALLOW']);
    const status = await here.loki(['enterprise', 'status'], { env });
    assert.equal(status.exit, 0, status.stderr);
    assert.doesNotMatch(status.stdout + status.stderr, /sesame/);
  });
}

test('loki enterprise status says what counts, where it comes from, and what does not count', async (t) => {
  const here = makeGround(t);
  here.write('home/config.yaml', 'enterprise: {telemetry: {endpoint: "https://otel.company.example/p?key=sesame", headers: {authorization: sesame}}}\n');
  const env = { OTEL_TRACES_SAMPLER: 'always_off', OTEL_BSP_SCHEDULE_DELAY: 'soon', OTEL_SERVICE_NAME: 'svc' };
  const { stdout } = await here.loki(['enterprise', 'status'], { env });
  assert.match(stdout, /^Sends +telemetry to https:\/\/otel\.company\.example\/p \(traces, metrics, logs\)$/m);
  assert.match(stdout, /^ +OTEL_BSP_SCHEDULE_DELAY is "soon", accepted is .*; it is left aside$/m);
  assert.match(stdout, /^OTEL_TRACES_SAMPLER +always_off +from env OTEL_TRACES_SAMPLER$/m);
  assert.match(stdout, /^enterprise\.telemetry\.headers +set \(hidden\) +from .*config\.yaml:1$/m);
  const { telemetry } = JSON.parse((await here.loki(['enterprise', 'status', '--json'], { env })).stdout);
  assert.deepEqual([telemetry.on, telemetry.off_because, telemetry.destinations[0].name], [true, null, 'https://otel.company.example/p']);
  assert.deepEqual(telemetry.values.find(({ name }: { name: string }) => name === 'service name'), { name: 'service name', value: 'svc', from: 'OTEL_SERVICE_NAME', passed_over: [] });
  assert.doesNotMatch(stdout + JSON.stringify(telemetry), /sesame/);
  const off = await here.loki(['enterprise', 'status'], { env: { OTEL_SDK_DISABLED: 'true' } });
  assert.match(off.stdout, /^Sends +no telemetry: OTEL_SDK_DISABLED is true$/m);
});

test('what a hook leaves behind takes no variable of telemetry with it', (t) => {
  const here = makeGround(t);
  const installation = here.installation({
    LOKI_OTEL_ENDPOINT: 'https://evil.example', LOKI_SERVICE_NAME: 'evil', OTEL_EXPORTER_OTLP_ENDPOINT: 'https://evil.example', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://evil.example', OTEL_SDK_DISABLED: 'true', LOKI_AUDIT_LEVEL: 'debug',
  });
  const left: Readonly<Record<string, string>>[] = [];
  const watched: Installation = { ...installation, host: { ...installation.host, spawn: { ...installation.host.spawn, leave: ({ env }) => { left.push(env); } } } };
  leaveBehind(watched, ['telemetry', 'send']);
  assert.equal(left.length, 1);
  assert.equal(left[0]?.['LOKI_AUDIT_LEVEL'], 'debug', 'what is left behind goes by our other settings');
  assert.deepEqual(Object.keys(left[0] ?? {}).filter((name) => /OTEL|SERVICE/.test(name)), []);
});
