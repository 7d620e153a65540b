/**
 * What the published types promise and refuse. The compiler checks this file with every build: a `@ts-expect-error` below
 * which nothing is wrong is itself an error. What is refused here is refused at run time too, where that is told.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { version, LokiError, type ErrorCode, type Problem } from '../../lib/index.ts';
import { openAuditLog, type AuditFilter, type AuditReceipt, type ChainReport, type LoggedEntry, type OpenedAuditLog, type SignedCheckpoint, type Verdict } from '../../lib/entry/audit.ts';
import { openGate, type Action, type Decision, type GateReply, type OpenedGate } from '../../lib/entry/gate.ts';
import { loadPolicy, type Finding, type LoadedPolicy, type PolicyDecision } from '../../lib/entry/policy.ts';
import { leafHash, root, verifyConsistency, verifyInclusion, verifyNote } from '../../lib/entry/merkle.ts';
import { scanSecrets } from '../../lib/entry/scan.ts';
import { analyzeCommand, type CommandAnalysis } from '../../lib/entry/shell.ts';
import { parseYaml } from '../../lib/entry/yaml.ts';

/** True when two types are the same one. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;

function same<A, B>(_yes: Same<A, B>): void {
  // The compiler has done the work.
}

/** Compiled and never called. */
export async function uses(log: OpenedAuditLog, gate: OpenedGate, policy: LoadedPolicy, error: LokiError): Promise<void> {
  same<typeof version, string>(true);
  same<LokiError['code'], ErrorCode>(true);
  same<LokiError['problems'], readonly Problem[]>(true);
  same<ReturnType<typeof parseYaml>, unknown>(true);
  same<Decision, 'ALLOW' | 'DENY' | 'REQUIRE_APPROVAL'>(true);
  same<Verdict, 'ok' | 'incomplete' | 'tampered' | 'no_integrity'>(true);
  same<GateReply['audit_seq'], number | null>(true);
  same<ReturnType<typeof scanSecrets>, readonly Finding[]>(true);
  same<ReturnType<typeof analyzeCommand>, CommandAnalysis>(true);
  // @ts-expect-error A code outside the closed set.
  if (error.code === 'nonsense') return;
  // @ts-expect-error An error's hint is not for changing.
  error.hint = '';

  const receipt: AuditReceipt = await log.append({ event: 'agent.action', actor: 'agent:x', details: { nested: [1, null, { a: true }] } });
  // @ts-expect-error It may be null: audit can be switched off.
  receipt.seq.toFixed();
  // @ts-expect-error An event outside the table.
  await log.append({ event: 'agent.acted', actor: 'agent:x' });
  // @ts-expect-error Who did it must be said.
  await log.append({ event: 'agent.action' });
  // @ts-expect-error Only what JSON can hold is recorded.
  await log.append({ event: 'agent.action', actor: 'agent:x', details: { at: new Date(0) } });
  for await (const entry of log.query({ level: 'error', from: '2026-02-15T00:00:00.000Z' })) same<typeof entry, LoggedEntry>(true);
  // @ts-expect-error A level outside the four.
  const filter: AuditFilter = { level: 'loud' };
  log.query(filter);
  const report: ChainReport = await log.verify({ signal: AbortSignal.timeout(1000) });
  // @ts-expect-error A report is for reading.
  report.valid = true;

  same<Awaited<ReturnType<OpenedAuditLog['checkpoint']>>, SignedCheckpoint | undefined>(true);
  same<ReturnType<typeof verifyInclusion>, boolean>(true);
  same<ReturnType<typeof verifyNote>, boolean>(true);
  same<ReturnType<typeof root>, Uint8Array>(true);
  // @ts-expect-error Hashes are bytes.
  verifyInclusion({ leafHash: 'ab', index: 0, size: 1, proof: [], root: 'ab' });
  // @ts-expect-error A claim is whole.
  verifyConsistency({ size1: 1, size2: 2, root1: leafHash(new Uint8Array()), root2: root([]) });

  const reply: GateReply = await gate.decide({ kind: 'exec', command: 'ls' });
  // @ts-expect-error There may be no rule to name.
  reply.rule.trim();
  // @ts-expect-error A kind outside the list.
  await gate.decide({ kind: 'shell', command: 'ls' });
  // @ts-expect-error How it ended must be said.
  await gate.report({ action: { kind: 'other' } });
  // @ts-expect-error A gate is a project's.
  await openGate({});
  // @ts-expect-error A log has a directory.
  openAuditLog({});

  const decision: PolicyDecision = policy.evaluate('data', { content: 'x' }, { explain: true });
  // @ts-expect-error Only where it was asked for.
  decision.explain.rules.map(String);
  // @ts-expect-error A project or a text.
  await loadPolicy({});
  // @ts-expect-error Never a number.
  analyzeCommand(1);
}

test('every member of an action is optional but its kind', () => {
  const least: Action = { kind: 'other' };
  // @ts-expect-error What is to be done must be said.
  const nothing: Action = {};
  assert.deepEqual([least, nothing], [{ kind: 'other' }, {}]);
});

test('a program without types that gives nothing is told so', async () => {
  // @ts-expect-error Neither a project nor a text.
  await assert.rejects(loadPolicy({}), TypeError);
  // @ts-expect-error No directory.
  assert.throws(() => openAuditLog({}), TypeError);
});
