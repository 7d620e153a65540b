import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { watchAsker } from '../../../lib/app/hook/asker.ts';
import { lokiProgram } from '../../support/story.ts';
import { makeGround } from '../../support/ground.ts';

test('watchAsker() aborts once the processes above are other ones, and not before', () => {
  let above = [3, 2, 1];
  let look = (): void => undefined;
  const { signal, stop } = watchAsker({ facts: { ancestors: () => above }, timers: { every: (_ms, run) => { look = run; return () => { look = () => undefined; }; } } });
  look();
  assert.equal(signal.aborted, false);
  above = [3, 1];
  look();
  assert.equal(signal.aborted, true);
  stop();
});

test('a hook whose agent was killed waits no longer, and uses no approval', { skip: process.platform === 'linux' ? false : 'processes above are told on Linux only' }, async (t) => {
  const ground = makeGround(t);
  ground.write('project/.loki/policies.yaml', "version: 1\npolicies:\n  pre_execution:\n    - { name: ask, when: 'kind == \"exec\"', action: require_approval }\n");
  const event = ground.write('event.json', JSON.stringify({ session_id: 'one', cwd: ground.project, hook_event_name: 'PreToolUse', tool_name: 'Bash', tool_input: { command: 'ls' }, tool_use_id: 'call_1' }));
  // The agent: a shell that waits for the answer of its hook, as agents do.
  const words = [process.execPath, ...lokiProgram, 'hook', 'claude', '--project', ground.project].map((word) => `'${word}'`).join(' ');
  const agent = spawn('/bin/sh', ['-c', `/bin/sh -c "o=\\$(${words} < '${event}'); echo \\$o"; true`], { cwd: ground.project, env: ground.env, stdio: 'ignore' });
  const entries = async (wanted: string): Promise<boolean> => {
    for (let tries = 0; tries < 200; tries += 1) {
      try {
        if (ground.entries().some(({ event: name }) => name === wanted)) return true;
      } catch { /* nothing is recorded yet */ }
      await new Promise((resolve) => { setTimeout(resolve, 100); });
    }
    return false;
  };
  assert.equal(await entries('approval.request'), true);
  agent.kill('SIGKILL');
  assert.equal(await entries('policy.error'), true);
  const { stdout } = spawnSync(process.execPath, [...lokiProgram, 'approvals', '--json'], { cwd: ground.project, env: ground.env, encoding: 'utf8' });
  assert.match(stdout, /"status":\s*"pending"/);
});
