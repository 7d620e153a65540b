/**
 * An hour of a receiver that is away, at 1,000 spans a second, in simulated time and with everything else as it is: transport, folder, disk. Prints one line of
 * figures as JSON. Argument: a folder.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import * as http from 'node:http';
import { join } from 'node:path';
import { createExportTransport } from '../../lib/host/export-transport.ts';
import { createHost } from '../../lib/host/host.ts';
import { spoolDrivers } from '../../lib/host/spool-files.ts';
import type { Batch, DropReason } from '../../lib/telemetry/batch.ts';
import { createOtlpDestination } from '../../lib/telemetry/export/otlp-destination.ts';
import { simulatedTime } from '../telemetry/export/support.ts';
import { endWithoutArguments } from './program.ts';

endWithoutArguments();
const [folder = ''] = process.argv.slice(2);
const spansEach = 512;
const batches = Math.floor(3_600_000 / spansEach);
/** The default of enterprise.telemetry.spool_mb. */
const maxBytes = 64 << 20;
/** Every so many batches the same bytes are written plainly, as a floor. */
const plainEvery = 8;
const mostPlain = 40;

/** A span as ours are: ids, times, three attributes. */
const span = (n: number): string => `{"traceId":"${n.toString(16).padStart(32, '1')}","spanId":"${n.toString(16).padStart(16, '1')}","flags":257,"name":"policy.evaluate","kind":1,"startTimeUnixNano":"1771165800000000000","endTimeUnixNano":"1771165800001000000","attributes":[{"key":"loki.policy.decision","value":{"stringValue":"ALLOW"}},{"key":"loki.policy.rule","value":{"stringValue":"builtin.safe"}},{"key":"loki.audit.seq","value":{"intValue":"${n}"}}]}`;
const spans = Array.from({ length: spansEach }, (_, n) => span(n)).join(',');

/** Each with a number of its own, as a text of its own. */
function batchOf(n: number): Batch {
  return { signal: 'traces', items: spansEach, body: `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"loki"}},{"key":"number","value":{"intValue":"${n}"}}]},"scopeSpans":[{"scope":{"name":"loki-enterprise"},"spans":[${spans}]}]}]}` };
}

function memory(): { readonly heap: number; readonly rss: number } {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: (heapUsed + external) / 2 ** 20, rss: rss / 2 ** 20 };
}

/** What the disk itself costs: a file written beside, renamed, and the oldest removed. Milliseconds. */
function plainFile(place: string, n: number, text: string, kept: string[]): number {
  const path = join(place, `${n}.jsonl`);
  const began = performance.now();
  writeFileSync(`${path}.tmp`, text, { mode: 0o600 });
  renameSync(`${path}.tmp`, path);
  kept.push(path);
  const oldest = kept.length > mostPlain ? kept.shift() : undefined;
  if (oldest !== undefined) unlinkSync(oldest);
  return performance.now() - began;
}

async function free(): Promise<number> {
  const server = http.createServer();
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done); });
  const address = server.address();
  await new Promise((done) => { server.close(done); });
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function outage(): Promise<object> {
  const port = await free();
  const time = simulatedTime();
  const { disk, clock, random } = createHost(() => folder);
  const dropped = new Map<DropReason, number>();
  const place = join(folder, 'spool', 'telemetry', 'one');
  const transport = createExportTransport();
  const destination = createOtlpDestination({
    name: 'bench', endpoints: { traces: { url: `http://127.0.0.1:${port}/v1/traces`, headers: {}, gzip: true, timeoutMs: 10_000 } }, temporality: 'cumulative', transport,
    clock: time.clock, timers: time.timers, random, userAgent: 'loki-enterprise/0 OTel-OTLP-Exporter-Loki/0', countDrops: (_, reason, items) => dropped.set(reason, (dropped.get(reason) ?? 0) + items),
    spool: { files: spoolDrivers({ disk, clock, random }).spoolFiles, base: folder, folder: place, maxBytes },
  });
  const plain = join(folder, 'plain');
  mkdirSync(plain);
  const kept: string[] = [];
  let [before, most, offering, writing, written, worst] = [memory(), 0, 0, 0, 0, 0];
  for (let n = 0; n < batches; n += 1) {
    // Once the folder is full for the first time, nothing may grow any more.
    if (n === Math.floor(batches / 10)) before = memory();
    const batch = batchOf(n);
    const began = performance.now();
    destination.offer(batch);
    const took = performance.now() - began;
    worst = Math.max(worst, took);
    offering += took;
    if (n % plainEvery === 0) {
      writing += plainFile(plain, n, `${batch.body}\n`, kept);
      written += 1;
    }
    if (n % 500 === 0) most = Math.max(most, onDisk(place));
    await time.pass(spansEach);
  }
  const after = memory();
  const waiting = destination.stand().waiting.items;
  let delivered = 0;
  const numbers: number[] = [];
  const server = http.createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part)).on('end', () => {
      numbers.push(...numbersIn(Buffer.concat(parts)));
      delivered = numbers.length * spansEach;
      response.end('{}');
    });
  });
  await new Promise<void>((done) => { server.listen(port, '127.0.0.1', done); });
  const back = performance.now();
  while (destination.stand().waiting.items > 0 && performance.now() - back < 60_000) {
    await time.pass(100);
    await new Promise((done) => { setTimeout(done, 1); });
  }
  const drained = performance.now() - back;
  transport.close();
  server.closeAllConnections();
  server.close();
  return {
    batches, offerUs: (offering / batches) * 1000, worstOfferMs: worst, plainUs: (writing / written) * 1000, heapBefore: before.heap, heapAfter: after.heap, rssBefore: before.rss, rssAfter: after.rss, mostOnDiskMb: most / 2 ** 20, waiting, delivered, drainedMs: drained,
    dropped: Object.fromEntries(dropped), offered: batches * spansEach, inOrder: numbers.every((number, at) => at === 0 || number === (numbers[at - 1] ?? 0) + 1), left: readdirSync(place).length,
  };
}

const { gunzipSync } = process.getBuiltinModule('node:zlib');

function numbersIn(packed: Buffer): readonly number[] {
  return [...gunzipSync(packed).toString().matchAll(/"key":"number","value":\{"intValue":"(\d+)"/g)].map(([, number]) => Number(number));
}

function onDisk(place: string): number {
  return (existsSync(place) ? readdirSync(place) : []).reduce((sum, name) => sum + (statSync(join(place, name), { throwIfNoEntry: false })?.size ?? 0), 0);
}

process.stdout.write(`${JSON.stringify(await outage())}\n`);
