/**
 * Every payload that the telemetry tests make or receive, read by protobuf itself: nothing is refused and no member is lost. The tests are
 * run once more, with a folder to leave their payloads in. Protobuf's schema comes from test/interop/telemetry; without it this is skipped, and says so.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const isInstalled = existsSync(join(root, 'test/interop/telemetry/node_modules/otlp-schema'));
const skip = isInstalled ? false : 'SKIPPED: OpenTelemetry\'s schema is not installed; run: npm install --prefix test/interop/telemetry';
if (skip) console.error(skip);
const { protobufMistakes } = skip ? {} : await import('./telemetry/protobuf.mjs');
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'loki-payloads-')));
after(() => rmSync(folder, { recursive: true, force: true }));
const signals = ['traces', 'metrics', 'logs'];
/** Parts of the names of tests that make payloads. */
const rooms = ['telemetry', 'formats/otlp', 'entry/'];

describe('protobuf', () => {
  for (const signal of signals) {
    test(`reads every member of ${signal} that our checker knows`, { skip }, () => {
      assert.deepEqual(protobufMistakes(signal, readFileSync(join(root, 'fixtures/otlp', `${signal}.json`), 'utf8')), []);
    });
  }

  test('is not content with whatever it is given', { skip }, () => {
    const span = (members) => JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [members] }] }] });
    const at = '/resourceSpans/0/scopeSpans/0/spans/0';
    assert.deepEqual(protobufMistakes('traces', span({ trace_id: 'x' })), [`${at}/trace_id: "x" came back as undefined`]);
    assert.deepEqual(protobufMistakes('traces', span({ kind: 'SPAN_KIND_SERVER' })), [`${at}/kind: "SPAN_KIND_SERVER" came back as 2`]);
    assert.deepEqual(protobufMistakes('traces', span({ startTimeUnixNano: 5 })), [`${at}/startTimeUnixNano: 5 came back as "5"`]);
    assert.deepEqual(protobufMistakes('traces', span({ name: 7 })), [`${at}/name: 7 came back as "7"`]);
  });

  test('reads every payload of the tests, and loses nothing', { skip, timeout: 600_000 }, async (t) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['fixtures/support/run-tests.mjs', ...rooms], { cwd: root, encoding: 'utf8', env: { ...process.env, NODE_TEST_CONTEXT: undefined, LOKI_TEST_PAYLOADS: folder }, timeout: 550_000, maxBuffer: 1 << 28 });
    assert.equal(status, 0, `${stdout.slice(-5000)}${stderr}`);
    const names = readdirSync(folder);
    for (const signal of signals) {
      const ofSignal = names.filter((name) => name.startsWith(signal));
      t.diagnostic(`${ofSignal.length} payloads of ${signal}`);
      assert.ok(ofSignal.length >= 10, `there are payloads of ${signal} to look at`);
      for (const name of ofSignal) assert.deepEqual(protobufMistakes(signal, readFileSync(join(folder, name), 'utf8')), [], name);
    }
  });
});
