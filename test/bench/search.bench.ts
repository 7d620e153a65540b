/** Looking into the log: finding, counting, the newest entries; against grep and gzip on the same files. */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, realpathSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sealLine } from '../../lib/audit/chain.ts';
import { queryLog } from '../../lib/audit/query.ts';
import { summaryOf } from '../support/summary-of.ts';
import { createHost } from '../../lib/host/host.ts';
import { createSha256 } from '../../lib/base/digest.ts';
import { lokiProgram } from '../support/story.ts';
import type { Bench } from './harness.ts';

const entries = 1_000_000;
const rare = 'user:mallory';
const name = 'audit-2026-01-01.jsonl';
const events = ['policy.allow', 'policy.deny', 'api.request', 'agent.action', 'session.start'];

/** A LOKI_HOME whose log has so many entries of 500 bytes, a third down one of the rare actor. */
function makeHome(count: number): { readonly home: string; readonly directory: string; readonly file: string } {
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'loki-bench-')));
  const directory = join(home, 'dashboard', 'audit');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, name);
  const handle = openSync(file, 'w', 0o600);
  let [previous, text] = ['0'.repeat(64), ''];
  for (let seq = 1; seq <= count; seq += 1) {
    const sealed = sealLine(previous, JSON.stringify({
      seq, timestamp: new Date(1_767_225_600_000 + seq * 80).toISOString(), event: events[seq % 7 % 5], level: seq % 7 === 1 ? 'warning' : 'info',
      actor: seq === Math.floor(count / 3) ? rare : seq % 3 === 0 ? 'token:ci-bot' : 'agent:claude', resource: 'session:ses_01J00000000000000000000000',
      details: { action: { content: { bytes: 1234, sha256: 'a'.repeat(64) }, file_path: '/home/user/project/src/index.ts', kind: 'fs.write' }, decision: 'ALLOW', n: seq }, metadata: { hostname: 'dev-machine', pid: 12345, version: '0.1.0' },
    }));
    previous = sealed.hash;
    text += sealed.line;
    if (text.length > 1e6 || seq === count) { writeSync(handle, text); text = ''; }
  }
  closeSync(handle);
  return { home, directory, file };
}

/** Compresses as keeping does. */
function compress(home: string, file: string): void {
  const { disk } = createHost(() => home);
  const hash = createSha256();
  const plain = disk.openRead(file);
  if (plain === undefined) throw new Error(`${file} is gone`);
  const { size } = plain.stat();
  for (let at = 0; at < size; at += 1 << 20) hash.add(plain.read(at, Math.min(1 << 20, size - at)));
  plain.close();
  for (const done of disk.compress(home, file, `${file}.gz`, hash.hex())) void done;
  disk.remove(file);
}

function has(program: string): boolean {
  const found = spawnSync(program, ['--version']).error === undefined;
  if (!found) console.error(`skipped: ${program} cannot be started, so there is no floor to measure against`);
  return found;
}

function shell(command: string, ...args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', command, 'sh', ...args], { encoding: 'utf8', env: { PATH: process.env['PATH'], LC_ALL: 'C' } });
  if (status !== 0 || stdout.trim() !== '1') throw new Error(`${command}: ${status} ${stdout} ${stderr}`);
}

const one = (found: number): number => {
  if (found !== 1) throw new Error(`found ${found} entries in place of one`);
  return entries;
};

const plain: Bench = {
  name: 'audit-search', unit: 'entries', rounds: 7, promise: { kind: 'at most', times: 3 },
  async prepare() {
    const { home, directory, file } = makeHome(entries);
    const { disk } = createHost(() => home);
    return {
      subject: { name: 'search for a rare actor, plain file', run: () => one([...queryLog(disk, directory, { actor: rare })].length) },
      floor: { name: 'grep -c', run: () => { shell('grep -c "$1" "$2"', rare, file); return entries; } },
      clean: () => rmSync(home, { recursive: true }),
    };
  },
};

const compressed: Bench = {
  name: 'audit-search-gz', unit: 'entries', rounds: 3, promise: { kind: 'at most', times: 1.5 },
  async prepare() {
    const { home, directory, file } = makeHome(entries);
    compress(home, file);
    const { disk } = createHost(() => home);
    return {
      subject: { name: 'search for a rare actor, compressed file', run: () => one([...queryLog(disk, directory, { actor: rare })].length) },
      floor: { name: 'gzip -dc | grep -c', run: () => { shell('gzip -dc "$2" | grep -c "$1"', rare, `${file}.gz`); return entries; } },
      clean: () => rmSync(home, { recursive: true }),
    };
  },
};

const summary: Bench = {
  name: 'audit-summary', unit: 'entries', rounds: 7, promise: { kind: 'at most', times: 5 },
  async prepare() {
    const { home, directory } = makeHome(entries);
    const { disk } = createHost(() => home);
    return {
      subject: { name: 'summary', run: () => summaryOf(disk, directory, {}).total_events },
      floor: { name: 'search for a rare actor', run: () => one([...queryLog(disk, directory, { actor: rare })].length) },
      clean: () => rmSync(home, { recursive: true }),
    };
  },
};

const tail: Bench = {
  name: 'audit-tail', unit: 'runs', rounds: 9, promise: { kind: 'at most plus', milliseconds: 30 },
  async prepare() {
    const { home } = makeHome(2 * entries);
    const run = (args: readonly string[]): number => {
      const { status, stderr } = spawnSync(process.execPath, args, { env: { PATH: process.env['PATH'], HOME: home, LOKI_HOME: home }, cwd: home, encoding: 'utf8' });
      if (status !== 0) throw new Error(stderr);
      return 1;
    };
    return {
      subject: { name: 'loki enterprise audit tail -n 20 on 1 GB', run: () => run([...lokiProgram, 'enterprise', 'audit', 'tail', '-n', '20']) },
      floor: { name: 'node with an empty program', run: () => run(['-e', '0']) },
      clean: () => rmSync(home, { recursive: true }),
    };
  },
};

/** Unbuilt, most of a command's start is translating it. */
const built = fileURLToPath(import.meta.url).endsWith('.js');

export const searchBenches: readonly Bench[] = [...(has('grep') ? [plain] : []), ...(has('grep') && has('gzip') ? [compressed] : []), summary, ...(built ? [tail] : [])];
