/** What an agent does, held against the log of record. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DecisionView } from '../../lib/runs/deps.ts';
import type { ToolUse } from '../../lib/runs/provider.ts';
import { startRun } from '../../lib/runs/runner.ts';
import { ToolWatch } from '../../lib/runs/tool-watch.ts';
import { createBench, diligent } from '../support/run-bench.ts';

const began = (id: string): ToolUse => ({ state: 'began', id, tool: 'Bash', target: id });
const ended = (id: string, acted = true): ToolUse => ({ state: 'ended', id, tool: 'Bash', target: id, ok: acted, acted, error: '' });
const decided = (decision: string, more: Partial<DecisionView> = {}): DecisionView => ({ audit_seq: 1, decision, reason: '', action: 'exec', kind: 'exec', ...more });
const prompt = decided('ALLOW', { kind: 'prompt' });

function unasked(watch: ToolWatch): string | undefined {
  return watch.unasked(watch.sofar);
}

test('a call before anything was decided is one that nobody was asked about, before it has done anything', () => {
  for (const shows of ['ids', 'counts'] as const) {
    const watch = new ToolWatch(shows);
    watch.saw(began('a'));
    assert.equal(unasked(watch), 'Bash a');
    watch.decided([prompt]);
    assert.equal(unasked(watch), undefined, 'the agent is being asked');
  }
});

test('each thing done needs the permission of its own call', () => {
  const watch = new ToolWatch('ids');
  watch.decided([prompt, decided('ALLOW', { call_id: 'a' }), decided('DENY', { call_id: 'b' }), decided('ALLOW', { call_id: 'x' })]);
  watch.saw(ended('a'));
  watch.saw(ended('b', false));
  assert.equal(unasked(watch), undefined);
  watch.saw(ended('b'));
  assert.equal(unasked(watch), 'Bash b', 'it was refused, and happened');
  watch.decided([decided('ALLOW', { call_id: 'b' })]);
  assert.equal(unasked(watch), undefined, 'it was allowed in the end');
});

test('where calls cannot be told apart, there are as many permissions as things done', () => {
  const watch = new ToolWatch('counts');
  watch.decided([prompt, decided('ALLOW'), decided('DENY'), decided('ALLOW')]);
  watch.saw(ended('a'));
  assert.equal(unasked(watch), undefined);
  watch.saw(ended('b'));
  assert.equal(unasked(watch), undefined);
  watch.saw(ended('c'));
  assert.equal(unasked(watch), 'Bash c');
});

test('what was done before the log was read is all that is asked for', () => {
  const watch = new ToolWatch('ids');
  watch.decided([prompt]);
  const before = watch.sofar;
  watch.saw(ended('a'));
  assert.equal(watch.unasked(before), undefined);
});

test('a provider that shows no calls is not held against anything', () => {
  const watch = new ToolWatch(undefined);
  watch.saw(ended('a'));
  assert.equal(unasked(watch), undefined);
});

test('a run whose agent acts without asking ends at once, and the log says why', async () => {
  const bench = createBench({
    provider: { shows: 'ids' },
    deps: { decisionsAfter: async () => [] },
    async answer(call) {
      call.onTool(began('rm -rf hunter2'));
      await new Promise<void>((resolve) => { call.signal.addEventListener('abort', () => resolve()); });
      return { failure: { cause: 'stopped', message: 'it was stopped' } };
    },
  });
  const outcome = await startRun(bench.deps, bench.order);
  assert.equal(outcome.status, 'failed');
  assert.equal(outcome.reason, 'fake did "Bash rm -rf [redacted]" without asking the gate: its hooks did not run. Settings of the user or of the machine may switch them off');
  assert.equal(bench.calls.length, 1, 'it is not tried again');
  assert.ok(bench.recorded.some(({ event, details }) => event === 'agent.fail' && details?.['cause'] === 'ungated'));
});

test('a log that cannot be read while the agent works is waited for, and must be readable in the end', async () => {
  let broken = true;
  const bench = createBench({
    provider: { shows: 'ids' },
    deps: {
      async decisionsAfter(after) {
        if (broken) throw new Error('no');
        return after < 1000 ? [decided('ALLOW', { call_id: 'a', audit_seq: 1000 + after })] : [];
      },
    },
    answer(call) {
      if (call.phase === 'REASON') {
        call.onTool(began('a'));
        call.onTool(ended('a'));
        broken = false;
      }
      if (call.phase === 'ACT') {
        broken = true;
        call.onTool(ended('a'));
      }
      return diligent(call);
    },
  });
  const outcome = await startRun(bench.deps, bench.order);
  assert.match(outcome.reason, /^fake did "Bash a" without asking the gate/);
  assert.deepEqual(bench.calls.map(({ phase }) => phase), ['REASON', 'ACT']);
});
