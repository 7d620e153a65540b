/** The log: verifying against hashing alone, appending against writing and syncing alone. */
import { hash } from 'node:crypto';
import { closeSync, fdatasyncSync, mkdirSync, mkdtempSync, openSync, readFileSync, realpathSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { sealLine } from '../../lib/audit/chain.ts';
import { openAuditLog, type AuditLog, type AuditLogOptions } from '../../lib/audit/log.ts';
import { recordFiles } from '../../lib/audit/tlog/chain-files.ts';
import { keepKeys } from '../../lib/audit/tlog/key.ts';
import { startSchedule, type Schedule } from '../../lib/audit/tlog/schedule.ts';
import { openTree } from '../../lib/audit/tlog/tree.ts';
import { verifyChain, type ChainReport, type FilePool } from '../../lib/audit/verify.ts';
import { createFilePool } from '../../lib/audit/verify/pool.ts';
import { createHost } from '../../lib/host/host.ts';
import { threads } from '../../lib/host/threads.ts';
import type { Bench, Pair } from './harness.ts';

const details = (n: number): { action: { kind: string; file_path: string; content: { sha256: string; bytes: number } }; decision: string; n: number } =>
  ({ action: { kind: 'fs.write', file_path: '/home/user/project/src/index.ts', content: { sha256: 'a'.repeat(64), bytes: 1234 } }, decision: 'ALLOW', n });
const metadata = { hostname: 'dev-machine', pid: 12345, version: '0.1.0' };

function scratch(): string {
  return realpathSync(mkdtempSync(join(tmpdir(), 'loki-bench-')));
}

function openLog(home: string, changes: Partial<AuditLogOptions> = {}): AuditLog {
  const { disk, clock, timers, random, lock } = createHost(() => home);
  disk.ensureDirectory(home, `${home}/run`, 0o700);
  return openAuditLog({
    disk, clock, timers, random, lock: lock(`${home}/run/audit`), lockTimeoutMs: 10_000, base: home, directory: `${home}/audit`,
    blobDirectory: `${home}/blobs`, tornDirectory: `${home}/torn`, legacyDirectory: `${home}/legacy`, metadata, level: 'info', exclude: new Set(),
    maxFileBytes: 1e9, fileMode: 0o600, directoryMode: 0o700, ...changes,
  });
}

const verify: Bench = {
  name: 'audit-verify', unit: 'entries', rounds: 7, promise: { kind: 'at least', share: 0.75 },
  async prepare() {
    const home = scratch();
    const entries = 400_000;
    const path = join(home, 'audit-2026-01-01.jsonl');
    const handle = openSync(path, 'w');
    const opening = { event: 'audit.open', level: 'info', actor: 'system', resource: 'file:audit-2026-01-01.jsonl', details: { previous_file: null, reason: 'day', previous_hash: '0'.repeat(64), first_seq: 1 } };
    let [previous, text] = ['0'.repeat(64), ''];
    for (let seq = 1; seq <= entries; seq += 1) {
      const sealed = sealLine(previous, JSON.stringify({ seq, timestamp: '2026-01-01T00:00:00.000Z', ...(seq === 1 ? opening : { event: 'policy.allow', level: 'info', actor: 'agent:claude', resource: 'session:ses_01J00000000000000000000000', details: details(seq) }), metadata }));
      previous = sealed.hash;
      text += sealed.line;
      if (text.length > 1e6 || seq === entries) { writeSync(handle, text); text = ''; }
    }
    closeSync(handle);
    const lines = readLines(path);
    const { disk, timers } = createHost(() => home);
    return {
      subject: { name: 'loki audit verify, one thread', run: async () => checkedOf(await verifyChain({ chain: 'record', directory: home, names: ['audit-2026-01-01.jsonl'] }, { disk, timers })) },
      floor: { name: 'crypto.hash over the same lines', run: () => { for (const line of lines) hash('sha256', line, 'hex'); return lines.length; } },
      clean: () => rmSync(home, { recursive: true }),
    };
  },
};

/** Entries of a log that is as it should be: looking for what is wrong takes longer. */
function checkedOf({ verdict, entries_checked: entries, breaks }: ChainReport): number {
  if (verdict !== 'ok') throw new Error(`the log is ${verdict}: ${breaks[0]?.found ?? ''}`);
  return entries;
}

function readLines(path: string): readonly Buffer[] {
  const lines: Buffer[] = [];
  const bytes = readFileSync(path);
  for (let at = 0; at < bytes.length;) { const end = bytes.indexOf(10, at); lines.push(bytes.subarray(at, end)); at = end + 1; }
  return lines;
}

/** The bare loop on a thread: hashes a file's lines as often as it is told, and says so. */
const bareThread = `
const { parentPort, workerData } = require('node:worker_threads');
const { hash } = require('node:crypto');
const bytes = require('node:fs').readFileSync(workerData);
const lines = [];
for (let at = 0; at < bytes.length;) { const end = bytes.indexOf(10, at); lines.push(bytes.subarray(at, end)); at = end + 1; }
parentPort.on('message', (passes) => {
  for (let n = 0; n < passes; n += 1) for (const line of lines) hash('sha256', line, 'hex');
  parentPort.postMessage('done');
});`;

/** What the machine's processors give at the same time: a bare loop over the lines of one file each, on two threads and on one. */
function bareThreads(here: string, there: string): { readonly pair: Pair; readonly end: () => Promise<number> } {
  const lines = readLines(here);
  const worker = new Worker(bareThread, { eval: true, workerData: there });
  const passes = 4;
  const loop = (): number => {
    for (let n = 0; n < passes; n += 1) for (const line of lines) hash('sha256', line, 'hex');
    return passes * lines.length;
  };
  return {
    pair: {
      subject: {
        name: 'crypto.hash over lines in memory, two threads',
        async run() {
          const done = new Promise((resolve) => { worker.once('message', resolve); });
          worker.postMessage(passes);
          const count = loop();
          await done;
          return 2 * count;
        },
      },
      floor: { name: 'the same on one thread', run: loop },
    },
    end: () => worker.terminate(),
  };
}

/** Days of a log, each begun by its `audit.open`. */
function writeDays(home: string, days: number, entriesADay: number): readonly string[] {
  let [previous, seq, before] = ['0'.repeat(64), 0, ''];
  return Array.from({ length: days }, (_, day) => {
    const date = new Date(Date.UTC(2026, 0, 1 + day)).toISOString();
    const name = `audit-${date.slice(0, 10)}.jsonl`;
    const opening = { previous_file: before === '' ? null : before, reason: 'day', previous_hash: previous, first_seq: seq + 1 };
    let text = '';
    for (let n = 0; n <= entriesADay; n += 1) {
      seq += 1;
      const event = n === 0 ? { event: 'audit.open', level: 'info', actor: 'system', resource: `file:${name}`, details: opening } : { event: 'policy.allow', level: 'info', actor: 'agent:claude', details: details(seq) };
      const sealed = sealLine(previous, JSON.stringify({ seq, timestamp: date, ...event, metadata }));
      previous = sealed.hash;
      text += sealed.line;
    }
    writeFileSync(join(home, name), text);
    before = name;
    return name;
  });
}

const verifyThreads: Bench = {
  name: 'audit-verify-threads', unit: 'entries', rounds: 5, promise: { kind: 'at least', share: 1.5 },
  prepare() {
    const home = scratch();
    const names = writeDays(home, 16, 75_000);
    const { disk, timers } = createHost(() => home);
    const module = new URL(`../../lib/app/audit/verify-worker.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url).href;
    const pool = createFilePool({ ...threads, processors: 2 }, module);
    const run = async (how: { readonly pool?: FilePool }): Promise<number> => checkedOf(await verifyChain({ chain: 'record', directory: home, names }, { disk, timers, ...how }));
    const bare = bareThreads(join(home, names[0] ?? ''), join(home, names[1] ?? ''));
    return Promise.resolve({
      subject: { name: 'loki audit verify of 16 files, two threads', run: () => run({ pool }) },
      floor: { name: 'the same on one thread', run: () => run({}) },
      beside: bare.pair,
      async clean() { await bare.end(); rmSync(home, { recursive: true }); },
    });
  },
};

const appendMany: Bench = {
  name: 'audit-append-64', unit: 'entries', rounds: 7, promise: { kind: 'at least', share: 0.6 },
  async prepare() {
    const home = scratch();
    const log = openLog(home);
    const handle = openSync(join(home, 'bare'), 'a');
    const entries = 6400;
    const caller = async (state: { left: number }): Promise<void> => {
      while (state.left-- > 0) await log.append({ event: 'policy.allow', actor: 'agent:claude', details: details(state.left) });
    };
    return {
      subject: { name: '64 callers, each waits for its entry', run: async () => { const state = { left: entries }; await Promise.all(Array.from({ length: 64 }, () => caller(state))); return entries; } },
      floor: { name: 'stringify, time, hash, write and fdatasync in batches of 64', run: () => { bareAppend(handle, entries); return entries; } },
      async clean() { await log.close(); closeSync(handle); rmSync(home, { recursive: true }); },
    };
  },
};

const appendCheckpoints: Bench = {
  name: 'audit-append-64-checkpoints', unit: 'entries', rounds: 7, promise: { kind: 'at least', share: 0.45 },
  async prepare() {
    const home = scratch();
    const { disk, clock, timers, random, lock } = createHost(() => home);
    let schedule: Schedule | undefined;
    let acknowledged = 0;
    const log = openLog(home, { onAppended: (count, seq) => { acknowledged = seq; schedule?.appended(count); } });
    const place = { disk, base: home, directory: join(home, 'keys') };
    const tree = openTree({
      disk, clock, timers, lock: lock(`${home}/run/tlog`), writers: lock(`${home}/run/audit`), acknowledged: () => acknowledged, lockTimeoutMs: 10_000, base: home, directory: `${home}/tlog`, chain: 'record', fileMode: 0o600, directoryMode: 0o700,
      files: recordFiles({ disk, base: home, directory: `${home}/audit`, fileMode: 0o600 }), keys: keepKeys(place, { name: 'bench', chosen: true }, random),
    });
    schedule = startSchedule({
      timers, every: 1000, intervalMs: 60_000, age: () => 0,
      async make(reason) {
        const { made, checkpoint } = await tree.advance();
        if (made && checkpoint !== undefined) await log.append({ event: 'audit.checkpoint', actor: 'system', details: { chain: 'record', size: checkpoint.size, root: Buffer.from(checkpoint.root).toString('base64'), reason } });
        return made;
      },
    });
    const handle = openSync(join(home, 'bare'), 'a');
    const entries = 6400;
    const caller = async (state: { left: number }): Promise<void> => {
      while (state.left-- > 0) await log.append({ event: 'policy.allow', actor: 'agent:claude', details: details(state.left) });
    };
    return {
      subject: { name: '64 callers, a checkpoint after every 1000 entries', run: async () => { const state = { left: entries }; await Promise.all(Array.from({ length: 64 }, () => caller(state))); return entries; } },
      floor: { name: 'stringify, time, hash, write and fdatasync in batches of 64', run: () => { bareAppend(handle, entries); return entries; } },
      async clean() { await schedule?.end(); await log.close(); closeSync(handle); rmSync(home, { recursive: true }); },
    };
  },
};

function bareAppend(handle: number, entries: number): void {
  let previous = '0'.repeat(64);
  for (let at = 0; at < entries; at += 64) {
    let text = '';
    for (let n = 0; n < 64; n += 1) {
      const json = JSON.stringify({ seq: at + n, timestamp: new Date().toISOString(), event: 'policy.allow', level: 'info', actor: 'agent:claude', details: details(n), metadata });
      previous = hash('sha256', previous + json);
      text += `${json.slice(0, -1)},"chain_hash":"${previous}"}\n`;
    }
    writeSync(handle, text);
    fdatasyncSync(handle);
  }
}

/** Two turns of the event loop: long enough for the lock to be given back. */
const turns = (): Promise<void> => new Promise((resolve) => { setImmediate(() => setImmediate(resolve)); });

const appendOne: Bench = {
  name: 'audit-append-1', unit: 'entries', rounds: 9, promise: { kind: 'at most', times: 1.7 },
  async prepare() {
    const home = scratch();
    const log = openLog(home);
    mkdirSync(join(home, 'floor'));
    const handle = openSync(join(home, 'floor', 'bare'), 'a');
    const bytes = Buffer.alloc(480, 97);
    const entries = 400;
    // A log as it usually is: its directory did not change in the last seconds, and need not be listed before every batch.
    for (const n of [0, 1]) await log.append({ event: 'policy.allow', actor: 'agent:claude', details: details(n) });
    await new Promise((resolve) => { setTimeout(resolve, 3200); });
    await log.append({ event: 'policy.allow', actor: 'agent:claude', details: details(2) });
    return {
      subject: { name: 'one caller, lock taken and given back each time', run: async () => { for (let n = 0; n < entries; n += 1) { await log.append({ event: 'policy.allow', actor: 'agent:claude', details: details(n) }); await turns(); } return entries; } },
      floor: { name: 'write and fdatasync', run: () => { for (let n = 0; n < entries; n += 1) { writeSync(handle, bytes); fdatasyncSync(handle); } return entries; } },
      async clean() { await log.close(); closeSync(handle); rmSync(home, { recursive: true }); },
    };
  },
};

export const auditBenches: readonly Bench[] = [verify, verifyThreads, appendMany, appendCheckpoints, appendOne];
