/** Budgets through real processes: a session that asks to go on, the person who lets it, and the control plane that shows it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPlainObject } from '../../lib/base/json.ts';
import { endOf } from '../support/child.ts';
import { makeGround, until } from '../support/ground.ts';

const policy = 'version: 1\npolicies:\n  resource:\n    - { name: monthly, max_tokens: 100, period: month, alerts: [50], on_exceed: require_approval }\n';
const script = JSON.stringify({ version: 1, title: 'spends 150 tokens in each of its three calls', rounds: [Object.fromEntries(['REASON', 'ACT', 'REFLECT'].map((phase) => [phase, [{ usage: { input_tokens: 150, output_tokens: 0 } }]]))] });

test('a session over its budget waits before each call that needs more, goes on when a person lets it, and /budgets shows how far', { timeout: 120_000 }, async (t) => {
  const here = makeGround(t);
  here.write('project/.loki/policies.yaml', policy);
  here.write('project/PRD.md', '# Spend it\n');
  here.write('home/config.yaml', 'runs: {council: {reviewers: [], required: 0}, max_iterations: 1}\n');
  const path = here.write('script.json', script);
  await here.enrol();
  const session = here.start(['start', 'PRD.md', '--provider', 'scripted', '--script', path]);
  const end = endOf(session);
  for (const reason of [/150 tokens consumed of 100 by the project in \d{4}-\d\d \(UTC\); an approval allows 100 tokens more until /, /300 tokens consumed of 250 /]) {
    let pending: readonly { readonly id: string; readonly reason: string }[] = [];
    await until('the session asks', async () => {
      pending = JSON.parse((await here.loki(['approvals', '--status', 'pending', '--json'])).stdout);
      return pending.length > 0;
    });
    assert.match(pending[0]?.reason ?? '', reason);
    assert.equal((await here.loki(['approve', pending[0]?.id ?? '', '--yes', '--reason', 'it is worth it'])).exit, 0);
  }
  const { exit, stdout } = await end;
  assert.equal(exit, 0, stdout);
  const told = here.entries().filter(({ event }) => String(event).startsWith('budget.')).map(({ event, details }) => [event, JSON.parse(JSON.stringify(details)).limit]);
  // After REFLECT 450 tokens are used of the 400 that were allowed: told, and asked about before the next call, which does not come.
  assert.deepEqual(told, [['budget.alert', 100], ['budget.exceeded', 100], ['budget.exceeded', 250], ['budget.exceeded', 400]]);

  const plane = here.start(['dashboard', '--port', '0', '--json']);
  const url = await new Promise<string>((resolve) => { plane.stdout?.once('data', (bytes: Buffer) => resolve(JSON.parse(bytes.toString().split('\n')[0] ?? '').url)); });
  const listed: unknown = await (await fetch(`${url}/api/v2/budgets?project_id=${here.installation().project?.id ?? ''}`)).json();
  assert.ok(isPlainObject(listed) && Array.isArray(listed['data']));
  assert.equal(listed['data'].length, 1);
  const { name, limit, raised, used, exceeded, alerts_told: alerts, calls, unmetered_calls: unmetered } = listed['data'][0];
  assert.deepEqual([name, limit, raised, used.tokens, exceeded, alerts, calls, unmetered], ['monthly', { tokens: 400, usd: null }, true, 450, true, [50], 3, 0]);
});
