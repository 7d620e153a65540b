/**
 * What telemetry costs, beside OpenTelemetry JS in the same run: a round of ours, a round of theirs, and the medians compared, so that a machine
 * that is slow for a while is slow for both. OpenTelemetry comes from test/interop/telemetry; without it this is skipped, and says so.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, lstatSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const folder = join(dirname(fileURLToPath(import.meta.url)), 'telemetry');
const skip = existsSync(join(folder, 'node_modules/@opentelemetry')) ? false : 'SKIPPED: OpenTelemetry JS is not installed; run: npm install --prefix test/interop/telemetry';
if (skip) console.error(skip);
const timeout = 300_000;

/**
 * What is held: times of theirs, and modules that a start loads. Aimed at was 6 for spans and 3 for processor time. Of a span, reading the clock twice is a third
 * already; of what is sent, the kernel and packing are most, and both are the same for them.
 */
const held = { spans: 3, encoding: 2, cpu: 1.2, modules: 10 };

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

/** Nanoseconds a unit of each subject: medians of rounds in turn, after three that do not count. */
function measure(subjects, rounds, units) {
  const times = subjects.map(() => []);
  for (let round = -3; round < rounds; round += 1) {
    for (const [at, subject] of subjects.entries()) {
      const start = process.hrtime.bigint();
      subject();
      if (round >= 0) times[at].push(Number(process.hrtime.bigint() - start) / units);
    }
  }
  return times.map(median);
}

const repeat = (count, run) => () => { for (let number = 0; number < count; number += 1) run(number); };
const shown = (values) => values.map((value) => Math.round(value)).join(' and ');

describe('beside OpenTelemetry JS', { skip }, () => {
  let ours;
  let theirs;
  before(async () => { [ours, theirs] = await Promise.all([import('./telemetry/ours.mjs'), import('./telemetry/theirs.mjs')]); });

  test('a span with three attributes is begun and ended in a third of the time', { timeout }, (t) => {
    const spans = 20_000;
    const [mine, other] = measure([ours, theirs].map(({ makeAndDrop }) => repeat(spans, makeAndDrop())), 15, spans);
    t.diagnostic(`${shown([mine, other])} ns a span: ${(other / mine).toFixed(2)} times as fast`);
    assert.ok(other / mine >= held.spans, `${(other / mine).toFixed(2)} times as fast`);
  });

  test('spans are encoded in half the time', { timeout }, (t) => {
    const [spans, turns] = [512, 40];
    const mine = ours.encoders(spans);
    const other = theirs.encoders(spans);
    const [a, b, c] = measure([mine.json, other.json, other.protobuf].map((run) => repeat(turns, run)), 15, spans * turns);
    t.diagnostic(`${shown([a, b, c])} ns a span (JSON of ours, JSON of theirs, protobuf of theirs); ${shown([mine.json(), [other.json()], [other.protobuf()]].map((all) => all.reduce((sum, { length }) => sum + length, 0)))} octets of ${spans} spans`);
    t.diagnostic(`${(b / a).toFixed(2)} times as fast as their JSON, ${(c / a).toFixed(2)} times their protobuf`);
    assert.ok(b / a >= held.encoding, `${(b / a).toFixed(2)} times as fast`);
  });

  test('50,000 spans that are made, encoded, packed and sent take less processor time', { timeout }, async (t) => {
    const receiver = spawn(process.execPath, ['drop-all.mjs'], { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] });
    t.after(() => { receiver.kill(); });
    const { port } = JSON.parse(String((await once(receiver.stdout, 'data'))[0]));
    const sender = (who) => JSON.parse(execFileSync(process.execPath, ['send-spans.mjs', who, `http://127.0.0.1:${port}`, '50000'], { cwd: folder, encoding: 'utf8', timeout: 60_000 }));
    const runs = { ours: [], theirs: [] };
    for (let round = 0; round < 5; round += 1) for (const who of Object.keys(runs)) runs[who].push(sender(who));
    receiver.stdin.end();
    const { requests } = JSON.parse(String((await once(receiver.stdout, 'data'))[0]));
    assert.ok(requests >= 10 * 98, `all of them arrived: ${requests} requests`);
    const [mine, other] = Object.values(runs).map((all) => median(all.map(({ cpuMs }) => cpuMs)));
    t.diagnostic(`${shown([mine, other])} ms of processor time: ${(other / mine).toFixed(2)} times; ${shown(Object.values(runs).map((all) => median(all.map(({ memoryMb }) => memoryMb))))} MB of memory`);
    assert.ok(other / mine >= held.cpu, `${(other / mine).toFixed(2)} times`);
  });

  test('less is installed, loaded and waited for', { timeout }, (t) => {
    const start = (who, ...more) => JSON.parse(execFileSync(process.execPath, ['start-up.mjs', who, ...more], { cwd: folder, encoding: 'utf8', timeout: 60_000 }));
    const times = { nobody: [], ours: [], theirs: [] };
    for (let round = 0; round < 9; round += 1) for (const who of Object.keys(times)) times[who].push(start(who).ms);
    const [bare, mine, other] = Object.values(times).map(median);
    const [oursLoaded, theirsLoaded] = [start('ours', 'count'), start('theirs', 'count')];
    const installed = packagesOf(['@opentelemetry/sdk-trace-base', '@opentelemetry/exporter-trace-otlp-http', '@opentelemetry/resources']);
    t.diagnostic(`start: ${shown([mine - bare, other - bare])} ms more than Node alone; modules: ${oursLoaded.modules} and ${theirsLoaded.modules}; memory: ${shown([oursLoaded.memoryMb, theirsLoaded.memoryMb])} MB`);
    t.diagnostic(`installed beside: nothing, and ${installed.length} packages of ${(installed.reduce((sum, { size }) => sum + size, 0) / 1048576).toFixed(1)} MB`);
    assert.ok(mine - bare < other - bare, `${shown([mine - bare, other - bare])} ms`);
    assert.ok(oursLoaded.modules <= held.modules, `${oursLoaded.modules} and ${theirsLoaded.modules} modules`);
  });
});

/** Packages that these need, all told, as they are installed. */
function packagesOf(names) {
  const found = new Map();
  const walk = (name) => {
    const path = join(folder, 'node_modules', name);
    if (found.has(name) || !existsSync(path)) return;
    found.set(name, sizeOf(path));
    const { dependencies = {}, peerDependencies = {} } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
    for (const needed of Object.keys({ ...dependencies, ...peerDependencies })) walk(needed);
  };
  names.forEach(walk);
  return [...found].map(([name, size]) => ({ name, size }));
}

function sizeOf(path) {
  const stats = lstatSync(path);
  return stats.isDirectory() ? readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0) : stats.size;
}
