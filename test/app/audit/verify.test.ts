import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { openGate } from '../../../lib/app/gate.ts';
import { verifyAll } from '../../../lib/app/audit/verify.ts';
import { makeGround, type Ground } from '../../support/ground.ts';

async function enrolled(t: { after(undo: () => void): void }): Promise<Ground> {
  const here = makeGround(t);
  here.write('project/.loki/policies.yaml', 'version: 1\npolicies: {}\n');
  await here.enrol();
  return here;
}

/** Allows a command and reports its outcome; gives the decision's number. */
async function act(here: Ground, ref?: number): Promise<number> {
  const gate = openGate(here.installation(), { agent: 'generic', waitMs: 0 });
  const action = { kind: 'exec', command: 'npm test' } as const;
  const { audit_seq } = await gate.decide(action);
  await gate.report({ action, ref: ref ?? audit_seq ?? 0, ok: true });
  await gate.close();
  return audit_seq ?? 0;
}

const verdicts = async (here: Ground): Promise<readonly (readonly [string, string])[]> =>
  (await verifyAll(here.installation())).chains.map(({ chain, verdict }) => [chain.replace(/:.*/, ''), verdict]);

test('an agent chain that was removed is told as incomplete, because the record tells of actions', async (t) => {
  const here = await enrolled(t);
  assert.deepEqual(await verdicts(here), [['record', 'ok']]);
  await act(here);
  assert.deepEqual(await verdicts(here), [['record', 'ok'], ['agent', 'ok']]);
  rmSync(join(here.project, '.loki/logs/agent-audit.jsonl'));
  assert.deepEqual(await verdicts(here), [['record', 'ok'], ['agent', 'incomplete']]);
});

test('a record that was removed is told as incomplete, and not as ok with nothing in it', async (t) => {
  const here = await enrolled(t);
  rmSync(join(here.home, 'dashboard/audit'), { recursive: true });
  const report = await verifyAll(here.installation());
  assert.deepEqual([report.verdict, report.chains[0]?.verdict, report.chains[0]?.breaks[0]?.cause], ['incomplete', 'incomplete', 'missing file']);
});

test('a chain that cannot be read keeps nobody from judging the others', async (t) => {
  const here = await enrolled(t);
  await act(here);
  rmSync(join(here.project, '.loki/logs/agent-audit.jsonl'));
  symlinkSync('/nowhere', join(here.project, '.loki/logs/agent-audit.jsonl'));
  const report = await verifyAll(here.installation());
  assert.deepEqual(report.chains.map(({ verdict }) => verdict), ['ok', 'incomplete']);
  assert.match(report.chains[1]?.breaks[0]?.found ?? '', /^Cannot read .*ELOOP/);
});

test('an empty directory is no log that is ok', async (t) => {
  const here = await enrolled(t);
  mkdirSync(join(here.root, 'empty'));
  assert.equal((await verifyAll(here.installation(), { log: join(here.root, 'empty') })).verdict, 'incomplete');
});

test('a project\'s broken configuration keeps nobody from verifying', async (t) => {
  const here = await enrolled(t);
  writeFileSync(join(here.project, '.loki/config.yaml'), 'nonsense: [\n');
  const { exit, stdout } = await here.loki(['audit', 'verify']);
  assert.equal(exit, 0, stdout);
});

test('an outcome is marked as ungated when no decision allowed it', async (t) => {
  const here = await enrolled(t);
  const seq = await act(here);
  await act(here, 99_999);
  await act(here, seq - 1);
  const outcomes = here.entries().filter(({ event }) => event === 'agent.action').map(({ details }) => JSON.parse(JSON.stringify(details)));
  assert.deepEqual(outcomes.map(({ ungated, because }) => [ungated, because]), [
    [undefined, undefined], [true, 'there is no such decision'], [true, 'its decision was no permission'],
  ]);
});
