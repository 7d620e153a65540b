/** `loki telemetry …`: how it stands, what waits is sent, taken out and replayed on the other side of an air gap. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { prepareHome } from '../../../lib/app/installation.ts';
import { openTelemetry } from '../../../lib/app/telemetry/telemetry.ts';
import { checkPayload } from '../../support/otlp-schema.ts';
import { startCollector } from '../../support/fake-collector.ts';
import { makeGround, type Ground } from '../../support/ground.ts';

/** Nobody listens there: the port of the reserved address block is never reached, and refused at once on loopback. */
const nobody = 'http://127.0.0.1:9';

/** As a hook does. */
async function handOver(here: Ground, endpoint: string, ...names: readonly string[]): Promise<void> {
  prepareHome(here.installation());
  const telemetry = await openTelemetry(here.installation({ LOKI_OTEL_ENDPOINT: endpoint }), 'hook');
  for (const name of names) telemetry.tracer.startSpan(name).end();
  telemetry.logger.emit({ name: 'loki.policy.deny', severity: 'warn' });
  await telemetry.end();
}

test('what was handed over is sent by loki telemetry send, and again there is nothing to send', { timeout: 60_000 }, async (t) => {
  const here = makeGround(t);
  const collector = await startCollector(t);
  const env = { LOKI_OTEL_ENDPOINT: collector.url };
  await handOver(here, collector.url, 'a', 'b');
  const before = await here.loki(['telemetry', 'status'], { env });
  assert.match(before.stdout, /telemetry: on\nsent by: nobody now; the receiver is named by the environment alone.*\nhanded over: 3 items in 2 files, .* the oldest of /);
  const sent = await here.loki(['telemetry', 'send', '--json'], { env });
  const report = JSON.parse(sent.stdout);
  assert.deepEqual([sent.exit, report.busy, report.taken_over, report.destinations.length, report.destinations[0].waiting, report.destinations[0].why], [0, false, 2, 1, 0, null]);
  assert.deepEqual(collector.spans().map(({ name }) => name), ['a', 'b']);
  assert.equal(collector.logs().length, 1);
  const again = await here.loki(['telemetry', 'send'], { env });
  assert.deepEqual([again.exit, again.stdout], [0, `${collector.url}: 0 items sent\n`]);
  const after = await here.loki(['telemetry', 'status', '--json'], { env });
  const status = JSON.parse(after.stdout);
  assert.deepEqual([status.on, status.courier, status.handed_over.files, status.taken_over, status.delivered.traces, status.delivered.logs, status.dropped], [true, null, 0, { batches: 2, items: 3 }, 2, 1, {}]);
});

test('a receiver that is away: exit code 8, why in words, and what waits is kept', { timeout: 60_000 }, async (t) => {
  const here = makeGround(t);
  await handOver(here, nobody, 'a');
  const env = { LOKI_OTEL_ENDPOINT: nobody };
  const sent = await here.loki(['telemetry', 'send', '--linger', '1ms'], { env });
  assert.equal(sent.exit, 8);
  assert.match(sent.stdout, /^http:\/\/127\.0\.0\.1:9: 0 items sent, 2 waiting; .*(refused|nobody listens)/i);
  const status = await here.loki(['telemetry', 'status'], { env });
  assert.match(status.stdout, /what it does not take waits on disk\n {2}waiting: 2 items in 2 files, .*\n {2}last failure: /);
});

test('a receiver that refuses: what was dropped is a failure, and nothing is said to wait; a web page is told', { timeout: 60_000 }, async (t) => {
  const here = makeGround(t);
  const collector = await startCollector(t);
  const env = { LOKI_OTEL_ENDPOINT: collector.url };
  const untried = await here.loki(['telemetry', 'status'], { env });
  assert.match(untried.stdout, /\(traces, metrics, logs\): not tried yet\n/);
  collector.always(401);
  await handOver(here, collector.url, 'a');
  const refused = await here.loki(['telemetry', 'send'], { env });
  assert.deepEqual([refused.exit, refused.stderr.split('\n').filter((line) => line.startsWith('warning: dropped: 1 span'))], [1, ['warning: dropped: 1 span: refused by the receiver (refused)']]);
  assert.match((await here.loki(['telemetry', 'status'], { env })).stdout, /: it does not take what it is sent\n {2}waiting: nothing\n {2}last failure: .*it answered 401/);
  collector.always('html');
  await handOver(here, collector.url, 'b');
  const page = await here.loki(['telemetry', 'send'], { env });
  assert.match(page.stdout, /items? sent; it answered 200 with a web page; check that the endpoint is an OTLP receiver$/m);
});

test('off: status says so, and send, replay say what is missing', async (t) => {
  const here = makeGround(t);
  const status = await here.loki(['telemetry', 'status']);
  assert.deepEqual([status.exit, status.stdout], [0, 'telemetry: off: no receiver is configured\n']);
  const file = here.write('x.jsonl', '');
  for (const command of [['send'], ['replay', file]]) {
    const { exit, stderr } = await here.loki(['telemetry', ...command]);
    assert.equal(exit, 2, command.join(' '));
    assert.match(stderr, /no receiver is configured[^]*LOKI_OTEL_ENDPOINT/);
  }
  for (const [env, words] of [
    [{ OTEL_SDK_DISABLED: 'true', LOKI_OTEL_ENDPOINT: nobody }, /it is off: OTEL_SDK_DISABLED is true\nhint: Change the setting that says so/],
    [{ LOKI_OTEL_ENDPOINT: 'localhost:4318' }, /it is off: the receiver that is named cannot be used; .*LOKI_OTEL_ENDPOINT is "localhost:4318", without http/],
  ] as const) {
    const off = await here.loki(['telemetry', 'send'], { env });
    assert.equal(off.exit, 2);
    assert.match(off.stderr, words);
  }
  assert.equal(existsSync(join(here.home, 'spool')), false);
});

test('across an air gap: taken out as OTLP files, removed on this side, replayed on the other', { timeout: 60_000 }, async (t) => {
  const here = makeGround(t);
  const env = { LOKI_OTEL_ENDPOINT: nobody };
  await handOver(here, nobody, 'a');
  await here.loki(['telemetry', 'send', '--linger', '1ms', '--quiet'], { env });
  await handOver(here, nobody, 'b');
  const stick = join(here.root, 'stick');
  mkdirSync(stick);
  const dry = await here.loki(['telemetry', 'export', '--output', stick, '--json'], { env });
  const report = JSON.parse(dry.stdout);
  assert.deepEqual([dry.exit, report.removed, report.damaged, report.files.map(({ signal, batches, items }: Record<string, unknown>) => [signal, batches, items])], [0, 0, 0, [['traces', 2, 2], ['logs', 2, 2]]]);
  for (const { signal, file } of report.files) {
    assert.equal(statSync(file).mode & 0o777, 0o600);
    for (const line of readFileSync(file, 'utf8').trimEnd().split('\n')) assert.deepEqual(checkPayload(signal, line), []);
  }
  const out = join(here.root, 'out.jsonl');
  const moved = await here.loki(['telemetry', 'export', '--output', out, '--signal', 'traces', '--remove'], { env });
  assert.match(moved.stdout, /out\.jsonl: 2 spans in 2 lines, /);
  assert.match(moved.stderr, /2 files removed from the spool/);
  const left = JSON.parse((await here.loki(['telemetry', 'status', '--json'], { env })).stdout);
  assert.equal(left.handed_over.items + left.destinations[0].waiting.items, 2, 'the log records stay');
  const collector = await startCollector(t);
  const files = readdirSync(stick).map((name) => join(stick, name));
  const dryReplay = await here.loki(['telemetry', 'replay', '--dry-run', ...files]);
  assert.match(dryReplay.stdout, /logs\.jsonl: 2 log records in 2 lines\n.*traces\.jsonl: 2 spans in 2 lines\n/);
  assert.equal(collector.received.length, 0);
  const replayed = await here.loki(['telemetry', 'replay', '--to', collector.url, ...files]);
  assert.deepEqual([replayed.exit, collector.spans().map(({ name }) => name), collector.logs().length], [0, ['a', 'b'], 2]);
});

test('taking out: one signal to standard output, never over a file that is there, nothing where nothing waits', { timeout: 60_000 }, async (t) => {
  const here = makeGround(t);
  const nothing = await here.loki(['telemetry', 'export', '--output', here.root]);
  assert.deepEqual([nothing.exit, nothing.stdout], [0, 'Nothing waits.\n']);
  await handOver(here, nobody, 'a');
  const lines = await here.loki(['telemetry', 'export', '--signal', 'traces', '-o', '-']);
  assert.deepEqual(checkPayload('traces', lines.stdout.trimEnd()), []);
  const there = here.write('t.jsonl', 'mine');
  const over = await here.loki(['telemetry', 'export', '--signal', 'traces', '-o', there, '--remove']);
  assert.notEqual(over.exit, 0);
  assert.match(over.stderr, /it exists/);
  assert.equal(readFileSync(there, 'utf8'), 'mine');
  assert.equal(readdirSync(join(here.home, 'spool/telemetry/handed-over')).length, 2, 'nothing was removed');
  for (const [args, words] of [
    [['-o', join(here.root, 'not mounted')], /its folder does not exist[^]*mount the medium/], [['-o', '-'], /a file is of one signal/], [['-o', 'x.jsonl'], /a file is of one signal/], [['--signal', 'spans'], /--signal is one of traces, metrics, logs/], [['--since', 'tomorrow'], /--since/], [['--signal', 'logs', '-o', '-', '--json'], /both want standard output/],
    [['--signal', 'logs', '-o', '-', '--remove'], /nobody can say whether all of it was read/],
  ] as const) {
    const wrong = await here.loki(['telemetry', 'export', ...args]);
    assert.equal(wrong.exit, 2, args.join(' '));
    assert.match(wrong.stderr, words);
  }
  const old = await here.loki(['telemetry', 'export', '--since', '0s', '-o', here.root]);
  assert.equal(old.stdout, 'Nothing waits.\n');
});

test('replaying: bad lines by number, what a receiver refuses, and going on', { timeout: 60_000 }, async (t) => {
  const here = makeGround(t);
  await handOver(here, nobody, 'good');
  const { stdout: line } = await here.loki(['telemetry', 'export', '--signal', 'traces', '-o', '-']);
  const good = line.trimEnd();
  const both = '{"resourceSpans":[],"resourceLogs":[]}';
  const file = here.write('mixed.jsonl', [good, '', '{"resourceSpans":', '[1]', '"s3cret"', '{"a":1}', both, '{"resourceSpans":[{"scopeSpans":[{"spans":"s3cret"}]}]}', '{"resourceSpans":[]}', '['.repeat(5000), good].join('\n'));
  const collector = await startCollector(t);
  const to = ['telemetry', 'replay', '--to', collector.url];
  const mixed = await here.loki([...to, file]);
  assert.deepEqual([mixed.exit, mixed.stdout], [1, `${file}: 2 spans in 2 lines sent\n`]);
  const told = mixed.stderr.split('\n').filter(Boolean).map((each) => /jsonl:(\d+): (.*)$/.exec(each)?.slice(1, 3));
  assert.deepEqual(told, [
    ['3', 'it is no JSON'], ['4', 'it is no JSON object'], ['5', 'it is no JSON object'], ['6', 'it has neither resourceSpans nor resourceMetrics nor resourceLogs'],
    ['7', 'it has resourceSpans and resourceLogs; a line is of one signal'], ['8', 'spans is no list of objects'], ['10', 'it is no JSON'],
  ]);
  assert.ok(!mixed.stderr.includes('s3cret'));
  const two = here.write('two.jsonl', `${good}\n${good}\n`);
  collector.next(400);
  const refused = await here.loki([...to, '--json', two]);
  assert.deepEqual([refused.exit, JSON.parse(refused.stdout).dropped.traces], [1, { refused: 1 }]);
  collector.next({ rejected: 1, message: 'older than our window' });
  const partly = await here.loki([...to, here.write('one.jsonl', `${good}\n`)]);
  assert.deepEqual([partly.exit, partly.stderr], [1, `warning: not taken: 1 span: rejected by the receiver, which took the rest (rejected)\nwarning: ${collector.url}: it rejected 1 of 1: older than our window\n`]);
  const before = collector.received.length;
  const rest = await here.loki([...to, '--from-line', '2', two]);
  assert.deepEqual([rest.exit, collector.received.length], [0, before + 1]);
  for (const [args, words] of [
    [['--to', 'ftp://x', two], /use the receiver of --to/], [['--to', 'http://user:s3cret@h', two], /use the receiver of --to/], [['--to', collector.url, join(here.root, 'missing.jsonl')], /there is no such file/], [['--to', collector.url, here.root], /there is no such file/], [[], /FILE/],
  ] as const) {
    const wrong = await here.loki(['telemetry', 'replay', ...args]);
    assert.equal(wrong.exit, 2, args.join(' '));
    assert.match(wrong.stderr, words);
    assert.ok(!wrong.stderr.includes('s3cret'));
  }
});

test('headers of the configuration are not sent to the receiver of --to', { timeout: 60_000 }, async (t) => {
  const here = makeGround(t);
  const [own, other] = [await startCollector(t), await startCollector(t)];
  mkdirSync(here.home, { recursive: true });
  writeFileSync(join(here.home, 'config.yaml'), `enterprise:\n  telemetry:\n    endpoint: ${own.url}\n    headers:\n      x-key: s3cret\n`);
  await handOver(here, own.url, 'a');
  const file = join(here.root, 'a.jsonl');
  await here.loki(['telemetry', 'export', '--signal', 'traces', '-o', file]);
  await here.loki(['telemetry', 'replay', '--to', other.url, file]);
  await here.loki(['telemetry', 'replay', file]);
  assert.deepEqual([other, own].map(({ received }) => received.map(({ headers }) => headers['x-key'])), [[undefined], ['s3cret']]);
});
