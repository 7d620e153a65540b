/** Telemetry of whole processes, to a receiver on this machine: who hands over, who sends, and what is left when one of them dies. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startControlPlane } from '../../../lib/app/control-plane.ts';
import { prepareHome, type Installation } from '../../../lib/app/installation.ts';
import { readAccount, dropRows, type Account } from '../../../lib/app/telemetry/account.ts';
import { sendOnce } from '../../../lib/app/telemetry/send.ts';
import { resolveTelemetry } from '../../../lib/app/telemetry/settings.ts';
import { openTelemetry, silent } from '../../../lib/app/telemetry/telemetry.ts';
import { startCollector } from '../../support/fake-collector.ts';
import { makeGround, until, type Ground } from '../../support/ground.ts';

const handedOver = ({ home }: Ground): readonly string[] => {
  const folder = join(home, 'spool/telemetry/handed-over');
  return existsSync(folder) ? readdirSync(folder) : [];
};

function accountOf(here: Ground): Account | undefined {
  const { host: { disk }, home } = here.installation();
  return readAccount({ disk, base: home.home, path: join(here.home, 'spool/telemetry/state.json') });
}

test('off: nothing is written, and nobody becomes the courier', async (t) => {
  const here = makeGround(t);
  for (const kind of ['control plane', 'hook'] as const) assert.equal(await openTelemetry(here.installation(), kind), silent);
  assert.equal(existsSync(join(here.home, 'spool')), false);
  const disabled = here.installation({ LOKI_OTEL_ENDPOINT: 'http://127.0.0.1:4318', OTEL_SDK_DISABLED: 'true' });
  assert.equal(await openTelemetry(disabled, 'control plane'), silent);
});

test('a hook hands over without a network, and the control plane sends it', async (t) => {
  const here = makeGround(t);
  const collector = await startCollector(t);
  const env = { LOKI_OTEL_ENDPOINT: collector.url };
  prepareHome(here.installation());
  const hook = await openTelemetry(here.installation(env), 'hook');
  hook.tracer.startSpan('execute_tool Bash', { attributes: { 'loki.policy.decision': 'DENY' } }).end();
  hook.logger.emit({ name: 'loki.policy.deny', severity: 'warn' });
  await hook.end();
  assert.equal(handedOver(here).length, 2);
  assert.equal(collector.received.length, 0);
  const installation = here.installation({ ...env, LOKI_PORT: '0' });
  const plane = await startControlPlane(installation);
  await collector.until('both arrive', (one) => one.spans().length >= 1 && one.logs().some(({ eventName }) => eventName === 'loki.policy.deny'));
  await plane.stop();
  assert.deepEqual(handedOver(here), []);
  const names = collector.metrics().map(({ name }) => name);
  for (const name of ['loki_build_info', 'loki_audit_entries_total', 'loki_uptime_seconds', 'loki_telemetry_delivered_total']) assert.ok(names.includes(name), name);
  const instances = (name: string): Set<unknown> => new Set(collector.metrics().filter((one) => one.name === name).map(({ resource }) => resource['service.instance.id']));
  assert.equal(instances('loki_audit_entries_total').size, 1);
  assert.notDeepEqual(instances('loki_audit_entries_total'), instances('loki_build_info'), 'what is counted of the log is the installation\'s');
  const account = accountOf(here);
  assert.equal(account?.courier.kind, 'control plane');
  assert.notEqual(account?.courier.ended, null);
  assert.ok((account?.delivered['traces'] ?? 0) >= 1);
});

test('what one that hands over has to drop costs it no file each, and is told by the courier', async (t) => {
  const here = makeGround(t);
  const collector = await startCollector(t);
  const installation = here.installation({ LOKI_OTEL_ENDPOINT: collector.url, OTEL_BSP_MAX_QUEUE_SIZE: '1' });
  prepareHome(installation);
  const first = await openTelemetry(installation, 'control plane');
  await until('the first is the courier', () => accountOf(here) !== undefined);
  const second = await openTelemetry(installation, 'session');
  for (let count = 0; count < 500; count += 1) second.tracer.startSpan('s').end();
  assert.deepEqual(handedOver(here), [], 'nothing was written while spans were made');
  await second.end();
  await first.end();
  assert.deepEqual(dropRows(accountOf(here)?.dropped ?? {}).map(([signal, reason]) => `${signal} ${reason}`), ['traces queue_full']);
  assert.equal(accountOf(here)?.dropped.traces?.queue_full, 499);
  assert.equal(collector.spans().length, 1);
});

test('of two that live long one sends; the other hands over, and takes over when the first ends', async (t) => {
  const here = makeGround(t);
  const collector = await startCollector(t);
  const installation = here.installation({ LOKI_OTEL_ENDPOINT: collector.url });
  prepareHome(installation);
  const first = await openTelemetry(installation, 'session');
  await until('the first is the courier', () => accountOf(here) !== undefined);
  const second = await openTelemetry(installation, 'worker');
  second.tracer.startSpan('second').end();
  first.tracer.startSpan('first').end();
  await first.end();
  assert.deepEqual(collector.spans().map(({ name }) => name), ['first']);
  await second.end();
  const third = await openTelemetry(installation, 'worker');
  await until('the third is the courier', () => accountOf(here)?.courier.ended === null);
  await third.end();
  assert.deepEqual(collector.spans().map(({ name }) => name).toSorted(), ['first', 'second']);
  assert.equal(accountOf(here)?.takenOver.batches, 1);
});

test('a receiver that is away: what waits is on disk, and the next courier delivers it in order', async (t) => {
  const here = makeGround(t);
  const collector = await startCollector(t);
  const installation = here.installation({ LOKI_OTEL_ENDPOINT: collector.url });
  prepareHome(installation);
  collector.always(503);
  const hook = await openTelemetry(installation, 'hook');
  hook.tracer.startSpan('before').end();
  await hook.end();
  const first = await openTelemetry(installation, 'session');
  await until('it is taken over', () => handedOver(here).length === 0);
  first.tracer.startSpan('own').end();
  await first.end();
  assert.equal(collector.spans().length, 0);
  assert.ok((accountOf(here)?.destinations[0]?.waiting.files ?? 0) >= 2);
  assert.deepEqual(dropRows(accountOf(here)?.dropped ?? {}), []);
  collector.always(200);
  const next = await openTelemetry(installation, 'session');
  await collector.until('all of it arrives', (one) => one.spans().length === 2);
  await next.end();
  assert.deepEqual(collector.spans().map(({ name }) => name), ['before', 'own']);
});

test('what is handed over while the last is being sent goes too', async (t) => {
  const here = makeGround(t);
  const collector = await startCollector(t);
  collector.always({ afterMs: 1500 });
  const installation = here.installation({ LOKI_OTEL_ENDPOINT: collector.url });
  prepareHome(installation);
  const handOver = async (name: string): Promise<void> => {
    const hook = await openTelemetry(installation, 'hook');
    hook.tracer.startSpan(name).end();
    await hook.end();
  };
  await handOver('first');
  const sending = sendOnce(installation, resolveTelemetry(installation), { lingerMs: 0, deadlineMs: 10_000, signal: new AbortController().signal });
  await collector.until('the first is under way', ({ received }) => received.length > 0);
  collector.always(200);
  await handOver('second');
  assert.equal((await sending)?.taken_over, 2);
  assert.deepEqual(handedOver(here), []);
  assert.deepEqual(collector.spans().map(({ name }) => name), ['first', 'second']);
});

test('where the home cannot be written everything goes on', async (t) => {
  const here = makeGround(t);
  const collector = await startCollector(t);
  const installation = here.installation({ LOKI_OTEL_ENDPOINT: collector.url });
  writeFileSync(here.home, 'a file where the folder should be');
  for (const kind of ['hook', 'session'] as const) {
    const telemetry = await openTelemetry(installation, kind);
    assert.equal(telemetry.isOn, true);
    telemetry.tracer.startSpan('x').end();
    await telemetry.end();
  }
  assert.equal(collector.received.length, 0);
});

test('settings that cannot be used switch telemetry off, and nothing else', async (t) => {
  const here = makeGround(t);
  for (const endpoint of ['ftp://x', 'http://user:pw@h', 'file:relative']) {
    const telemetry = await openTelemetry(here.installation({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint }), 'session');
    assert.equal(telemetry.isOn, false, endpoint);
    await telemetry.end();
  }
});

test('a courier that is killed while the receiver is away loses nothing of what it took over', { timeout: 60_000 }, async (t) => {
  const here = makeGround(t);
  const collector = await startCollector(t);
  collector.always(503);
  const env = { LOKI_OTEL_ENDPOINT: collector.url };
  prepareHome(here.installation());
  const handOver = async (name: string): Promise<void> => {
    const hook = await openTelemetry(here.installation(env), 'hook');
    hook.tracer.startSpan(name).end();
    await hook.end();
  };
  await handOver('one');
  const courier = here.start(['telemetry', 'send', '--linger', '60s'], { env });
  await until('it has taken over', () => handedOver(here).length === 0);
  await handOver('two');
  courier.kill('SIGKILL');
  await new Promise((resolve) => { courier.once('exit', resolve); });
  await handOver('three');
  collector.always(200);
  const next = await here.process(['telemetry', 'send', '--json'], { env });
  assert.equal(next.exit, 0, next.stderr);
  assert.deepEqual(collector.spans().map(({ name }) => name), ['one', 'two', 'three']);
});

test('a hook whose collector is away decides as ever and leaves its telemetry on disk', { timeout: 60_000 }, async (t) => {
  const here = makeGround(t);
  const env = { LOKI_OTEL_ENDPOINT: 'http://127.0.0.1:9' };
  const asked = await here.process(['hook', 'generic'], { input: '{"kind":"exec","command":"ls"}', env });
  assert.equal(asked.exit, 0, asked.stderr);
  assert.ok(handedOver(here).some((name) => name.endsWith('.traces.jsonl')), handedOver(here).join());
  assert.equal(existsSync(join(here.home, 'spool/telemetry/state.json')), false, 'nobody was left behind: the environment names no receiver for others');
});

test('a hook leaves somebody behind who sends, where a configuration file names the receiver', { timeout: 60_000 }, async (t) => {
  const here = makeGround(t);
  const collector = await startCollector(t);
  here.write('home/config.yaml', `enterprise:\n  telemetry:\n    endpoint: ${collector.url}\n`);
  const asked = await here.process(['hook', 'generic'], { input: '{"kind":"exec","command":"ls"}' });
  assert.equal(asked.exit, 0, asked.stderr);
  await until('it arrives', () => collector.spans().length > 0);
  await until('metrics of the log arrive once it ends', () => collector.metrics().some(({ name }) => name === 'loki_policy_decisions_total'));
  const decided = collector.metrics().filter(({ name }) => name === 'loki_policy_decisions_total').flatMap(({ points }) => points.map(({ value }) => value));
  assert.deepEqual(decided, [1]);
  await until('it has ended', () => accountOf(here)?.courier.ended !== null);
});

test('no hook leaves anybody behind while a receiver has asked to be left alone', async (t) => {
  const here = makeGround(t);
  const collector = await startCollector(t);
  here.write('home/config.yaml', `enterprise:\n  telemetry:\n    endpoint: ${collector.url}\n`);
  const left: (readonly string[])[] = [];
  const open = (): Installation => {
    const installation = here.installation();
    return { ...installation, host: { ...installation.host, spawn: { ...installation.host.spawn, leave: ({ args }) => { left.push(args); } } } };
  };
  const hook = async (): Promise<void> => {
    const telemetry = await openTelemetry(open(), 'hook');
    telemetry.tracer.startSpan('s').end();
    await telemetry.end();
  };
  prepareHome(open());
  await hook();
  assert.equal(left.length, 1, 'somebody is to send');
  const send = (): Promise<unknown> => sendOnce(open(), resolveTelemetry(open()), { lingerMs: 0, deadlineMs: 1000, signal: new AbortController().signal });
  collector.always({ status: 503, headers: { 'retry-after': '300' } });
  await send();
  await hook();
  await hook();
  assert.equal(left.length, 1, 'it was just asked in vain');
  collector.always(200);
  await send();
  await hook();
  assert.equal(left.length, 2, 'it answers again');
});
