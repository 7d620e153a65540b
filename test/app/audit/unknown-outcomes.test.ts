import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import type { AuditEvent } from '../../../lib/audit/entry.ts';
import { openRecord } from '../../../lib/app/audit/record.ts';
import type { Installation } from '../../../lib/app/installation.ts';
import { unknownOutcomes, type UnknownQuestion } from '../../../lib/app/audit/unknown-outcomes.ts';
import { endOf } from '../../support/child.ts';
import { makeGround, type Ground } from '../../support/ground.ts';

const minute = 60_000;

/** What a log holds, in few words: decisions and outcomes of sessions. Gives the number of each decision by its command. */
async function logOf(ground: Ground, lines: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const installation = ground.installation();
  const log = openRecord(installation);
  const seqs = new Map<string, number>();
  for (const line of lines) {
    const [session = '', what = '', ...rest] = line.split(' ');
    const receipt = await log.record(eventOf(installation, session, what, rest.join(' '), seqs));
    if (what.startsWith('allow')) seqs.set(rest.join(' '), receipt.seq ?? 0);
  }
  await log.close();
  return seqs;
}

function eventOf({ project }: Installation, session: string, what: string, text: string, seqs: ReadonlyMap<string, number>): AuditEvent {
  const metadata = { project_id: project?.id ?? '', ...(session === '-' ? {} : { session_id: session }) };
  const kind = what.split(':')[1] ?? 'exec';
  if (what === 'begin') return { event: 'session.start', actor: 'user:a', metadata };
  if (what === 'end') return { event: 'session.complete', actor: 'user:a', metadata };
  if (what === 'deny') return { event: 'policy.deny', actor: 'agent:a', metadata, details: { action: { kind, command: text } } };
  if (what === 'done') return { event: 'agent.action', actor: 'agent:a', metadata, details: { kind: 'exec', ref: seqs.get(text) ?? -1, ok: true } };
  return { event: kind === 'warned' ? 'policy.warn' : 'policy.allow', actor: 'agent:a', metadata, details: { action: { kind, command: text, file_path: text, url: text, mcp_server: 's', mcp_tool: text, agent: text } } };
}

/** The open actions as they look so long after. */
function openAfter(ground: Ground, afterMs: number, question: UnknownQuestion = {}): readonly string[] {
  const installation = ground.installation();
  const clock = { ...installation.host.clock, now: () => installation.host.clock.now() + afterMs };
  const { shown, count } = unknownOutcomes({ ...installation, host: { ...installation.host, clock } }, question);
  assert.equal(shown.length, Math.min(20, count));
  return shown.map(({ kind, what }) => `${kind} ${what}`);
}

function groundFor(t: TestContext): Ground {
  const ground = makeGround(t);
  ground.write('project/.loki/policies.yaml', 'version: 1\npolicies: {}\n');
  return ground;
}

describe('actions that were allowed and have no outcome', () => {
  test('of an agent that reports outcomes are listed once they had time', async (t) => {
    const ground = groundFor(t);
    await logOf(ground, ['s1 allow npm test', 's1 done npm test', 's1 allow rm build', 's1 allow:fs.read secret.txt', 's1 deny rm -rf /', 's1 allow:fs.write a.ts', 's1 allow:mcp tool']);
    assert.deepEqual(openAfter(ground, 0), [], 'they may be under way');
    assert.deepEqual(openAfter(ground, 11 * minute), ['exec rm build', 'fs.write a.ts', 'mcp s tool']);
  });

  test('of an agent that never reports are not', async (t) => {
    const ground = groundFor(t);
    await logOf(ground, ['s1 allow npm test', 's1 allow rm build', '- allow make']);
    assert.deepEqual(openAfter(ground, 60 * minute), []);
  });

  test('of a session that was interrupted are, whatever its agent reports', async (t) => {
    const ground = groundFor(t);
    await logOf(ground, ['s0 begin', 's0 allow old', 's0 end', 's1 begin', 's1 allow rm build', 's2 allow other']);
    assert.deepEqual(openAfter(ground, 0), [], 'it may be at work');
    assert.deepEqual(openAfter(ground, 11 * minute), ['exec rm build']);
    const { project } = ground.installation();
    assert.deepEqual(openAfter(ground, 0, { project: project?.id ?? '', nobodyWorks: true }), ['exec rm build']);
    assert.deepEqual(openAfter(ground, 0, { project: 'prj_other', nobodyWorks: true }), []);
  });

  test('of a session that has ended are listed at once where it reported', async (t) => {
    const ground = groundFor(t);
    await logOf(ground, ['s1 begin', 's1 allow a', 's1 done a', 's1 allow b', 's1 end']);
    assert.deepEqual(openAfter(ground, 0), ['exec b']);
  });

  test('further back than a day are history', async (t) => {
    const ground = groundFor(t);
    await logOf(ground, ['s1 begin', 's1 allow a']);
    assert.deepEqual(openAfter(ground, 25 * 60 * minute), []);
  });
});

test('loki start tells them first, the newest twenty and how many there are, and no secret of a terminal', { timeout: 60_000 }, async (t) => {
  const ground = groundFor(t);
  await ground.enrol();
  await logOf(ground, ['s1 begin', ...Array.from({ length: 24 }, (_, n) => `s1 allow touch file-${n}`), 's1 allow echo \u001b[2J']);
  ground.write('project/prd.md', '# A\n');
  const { stderr } = await endOf(ground.start(['start', 'prd.md', '--provider', 'command']));
  const told = stderr.split('\n').filter((line) => line.includes('Outcome unknown'));
  assert.equal(told.length, 20, stderr);
  assert.match(told[0] ?? '', /entry \d+ of .*Z allowed agent:a exec "touch file-5", and nothing says what became of it/);
  assert.ok(!stderr.includes('\u001b[2J'));
  assert.match(stderr, /Outcomes unknown: 25 in all, the newest 20 are shown/);
});
