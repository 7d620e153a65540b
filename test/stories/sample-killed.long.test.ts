/** `npm start` killed at any moment and started again: nothing that was acknowledged is lost, and the run comes to its end. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openApprovals } from '../../lib/app/approvals.ts';
import { openRecord } from '../../lib/app/audit/record.ts';
import { openInstallation } from '../../lib/app/installation.ts';
import { endOf, nodeArguments, treeRoot, type ChildEnd } from '../support/child.ts';
import { until } from '../support/ground.ts';

const rounds = 6;
/** Time enough for a whole run, in which approvals run into their time-outs. */
const runTimeoutMs = 180_000;

/** Starts the sample in a process group of its own; kills the group after a while, when told to. */
function runSample(scratch: string, killAfterMs?: number): Promise<ChildEnd> {
  const child = spawn(process.execPath, [...nodeArguments('cli/sample', ['--once', '--scratch', scratch])], {
    cwd: treeRoot, detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'], HOME: scratch, NO_COLOR: '1' },
  });
  const timer = setTimeout(() => killGroup(child.pid), killAfterMs ?? runTimeoutMs);
  return endOf(child).finally(() => clearTimeout(timer));
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** Sequence numbers and hashes of every whole line in the log of record. */
function sealed(scratch: string): ReadonlyMap<string, number> {
  const folder = join(scratch, 'home/dashboard/audit');
  if (!existsSync(folder)) return new Map();
  const lines = readdirSync(folder).flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1));
  return new Map(lines.map((line) => {
    const { chain_hash, seq } = JSON.parse(line);
    return [String(chain_hash), Number(seq)];
  }));
}

/** Processes that work for this scratch folder: agents outlive a killed runner for a moment, in groups of their own. */
function leftOver(scratch: string): readonly number[] {
  if (!existsSync('/proc/self/environ')) return [];
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid).map(Number).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`LOKI_HOME=${scratch}/home`);
    } catch {
      return false;
    }
  });
}

/**
 * Says yes, as a person would, to what the run asks for beyond its token budget: phases that are done again are paid for
 * again. What the agent asks for stays unanswered. Ends when aborted.
 */
async function grantBudget(scratch: string, signal: AbortSignal): Promise<void> {
  const installation = openInstallation({ env: { LOKI_HOME: join(scratch, 'home') }, cwd: scratch, homeDirectory: scratch });
  const log = openRecord(installation);
  const approvals = await openApprovals(installation, log.record);
  try {
    for await (const { id, status, rule } of approvals.room.watchPending(signal)) {
      if (status === 'pending' && rule === 'token-budget') await approvals.room.decide({ id, outcome: 'approve', by: 'user:tester', proof: { kind: 'terminal' } });
    }
  } finally {
    await approvals.close();
    await log.close();
  }
}

test('the sample, killed at random moments and started again', { timeout: rounds * 10_000 + runTimeoutMs + 30_000 }, async (t) => {
  const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'loki killed ')));
  t.after(async () => {
    for (const pid of leftOver(scratch)) process.kill(pid, 'SIGKILL');
    await until('nothing works there any more', () => leftOver(scratch).length === 0);
    rmSync(scratch, { recursive: true, force: true });
  });
  let known: ReadonlyMap<string, number> = new Map();
  let takenUp = 0;
  for (let round = 1; round <= rounds; round += 1) {
    const delay = Math.round(150 + Math.random() * 5000);
    const end = await runSample(scratch, delay);
    assert.equal(end.signal, 'SIGKILL', `round ${round}, after ${delay} ms: it ended before it was killed\n${end.stdout}\n${end.stderr}`);
    if (end.stdout.includes('it is taken up where it stood')) takenUp += 1;
    const after = sealed(scratch);
    for (const [hash, seq] of known) assert.equal(after.get(hash), seq, `entry ${seq} is gone after a kill at ${delay} ms`);
    assert.ok(after.size >= known.size);
    known = after;
  }
  const done = new AbortController();
  const granting = grantBudget(scratch, done.signal);
  const end = await runSample(scratch).finally(() => done.abort());
  await granting;
  assert.equal(end.exit, 0, `${end.stdout.slice(-4000)}\n${end.stderr}`);
  assert.match(end.stdout, /\ncompleted: every gate passed and the council approved\n/);
  assert.match(end.stdout, /\n {3}ok {2}record: \d+ entries, seq 1 to \d+\n/);
  const after = sealed(scratch);
  for (const [hash, seq] of known) assert.equal(after.get(hash), seq, `entry ${seq} is gone`);
  const seqs = [...after.values()];
  assert.deepEqual(seqs, seqs.map((_, at) => at + 1), 'no gap, no double');
  t.diagnostic(`${rounds} kills, ${takenUp} of the runs were taken up, ${after.size} entries`);
});
