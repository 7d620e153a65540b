/** What each agent makes of the end of a hook, as it was measured; and that the calls for trying hooks are ones that the adapters read. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentTable } from '../../../lib/agents/adapters.ts';
import type { AgentName } from '../../../lib/agents/hook.ts';
import { askEvent, effectOf, forbiddenCall, harmlessCall } from '../../../lib/agents/settings/canary.ts';

type Asked = Exclude<AgentName, 'opencode'>;
const agents: readonly Asked[] = ['claude', 'codex', 'gemini', 'cursor', 'copilot'];

/** R: the tool runs, B: it does not; in the order of `agents`. */
const ends: readonly (readonly [words: string, exit: number | null, stdout: string, stderr: string, effects: string])[] = [
  ['nothing said', 0, '', '', 'RRRBR'],
  ['an empty object', 0, '{}', '', 'RRRBR'],
  ['block with a reason', 0, '{"decision":"block","reason":"r"}', '', 'BBBBR'],
  ['block without a reason', 0, '{"decision":"block"}', '', 'BRBBR'],
  ['nested deny', 0, '{"hookSpecificOutput":{"hookEventName":"PreToolUse","permissionDecision":"deny","permissionDecisionReason":"r"}}', '', 'BBRBR'],
  ['nested deny of another event', 0, '{"hookSpecificOutput":{"hookEventName":"PostToolUse","permissionDecision":"deny","permissionDecisionReason":"r"}}', '', 'RRRBR'],
  ['gemini\'s deny', 0, '{"decision":"deny","reason":"r"}', '', 'RRBBR'],
  ['cursor\'s yes', 0, '{"permission":"allow"}', '', 'RRRRR'],
  ['copilot\'s deny', 0, '{"permissionDecision":"deny","permissionDecisionReason":"r"}', '', 'RRRBB'],
  ['words that are no answer', 0, 'hello', '', 'RRRBR'],
  ['half an answer', 0, '{"decision":"bl', '', 'RRRBR'],
  ['exit code 2 with a reason', 2, '', 'r', 'BBBBB'],
  ['exit code 2 without one', 2, '', '', 'BRRBB'],
  ['exit code 2 and a yes', 2, '{"permission":"allow"}', 'r', 'BRRBB'],
  ['exit code 1', 1, '', 'r', 'RRRBB'],
  ['killed', null, '', '', 'RRRBB'],
];

for (const [words, exit, stdout, stderr, effects] of ends) {
  test(`${words}: ${effects}`, () => {
    const seen = agents.map((agent) => (effectOf(agent, { exit, stdout, stderr, timedOut: false }).runs ? 'R' : 'B')).join('');
    assert.equal(seen, effects);
  });
}

test('a time-out lets the tool run, and the reason of a no is told', () => {
  for (const agent of agents) assert.equal(effectOf(agent, { exit: null, stdout: '', stderr: '', timedOut: true }).runs, true);
  assert.equal(effectOf('claude', { exit: 0, stdout: '{"decision":"block","reason":"because"}', stderr: '', timedOut: false }).reason, 'because');
  assert.equal(effectOf('codex', { exit: 2, stdout: '', stderr: 'because\n', timedOut: false }).reason, 'because');
});

test('both calls are read by the adapter of their agent, as a command and as a change of the policy', async () => {
  const canary = { mark: 'loki-canary-1', cwd: '/p' };
  for (const { name, load } of agentTable) {
    const { adapter } = await load();
    const read = (call: object): object => {
      const event = adapter.parse(name === 'opencode' ? { event: askEvent(name), ...call } : call, { env: {}, event: askEvent(name) });
      return event.does === 'ask' ? event.call.action : assert.fail(event.does);
    };
    const { kind, command } = Object(read(harmlessCall(name, canary)));
    assert.deepEqual([kind, command], ['exec', 'true # loki-canary-1'], name);
    const forbidden = Object(read(forbiddenCall(name, canary)));
    assert.match(JSON.stringify(forbidden), /\/p\/\.loki\/policies\.yaml/, name);
  }
});
