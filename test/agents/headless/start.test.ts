/** How each agent is started: hooks in place, nothing of the project's believed, nothing changed where nothing shall be. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { claude } from '../../../lib/agents/headless/claude.ts';
import { codex } from '../../../lib/agents/headless/codex.ts';
import { gemini } from '../../../lib/agents/headless/gemini.ts';
import type { HeadlessCall, HookEntry } from '../../../lib/agents/headless/headless.ts';
import { hookEntries } from '../../../lib/agents/headless/hooks.ts';
import { opencode } from '../../../lib/agents/headless/opencode.ts';
import { hookEvents } from '../../../lib/agents/hook-events.ts';

const hooks: readonly HookEntry[] = [
  { event: 'PreToolUse', command: 'ask "it"', seconds: 600, guard: 'closed' },
  { event: 'SessionStart', command: 'look', seconds: 30, guard: 'open' },
];
const call = (more: Partial<HeadlessCall> = {}): HeadlessCall => ({ writes: true, hooks, room: '/loki/run/ses_1', env: { HOME: '/home/dev' }, read: () => undefined, ...more });

function after(args: readonly string[], flag: string): string {
  return args[args.indexOf(flag) + 1] ?? '';
}

test('every event of an agent gets a command, which ends before the agent gives up waiting', () => {
  for (const name of ['claude', 'codex', 'gemini', 'opencode'] as const) {
    const entries = hookEntries(name, { program: ['/node', '/loki.cjs'], project: '/p', env: { LOKI_HOME: '/h' }, timeoutProgram: '/usr/bin/timeout' });
    assert.deepEqual(entries.map(({ event }) => event), hookEvents[name].map(({ event }) => event));
    for (const { command, seconds } of entries) {
      assert.match(command, new RegExp(`/usr/bin/env -i LOKI_HOME=/h .*/node /loki.cjs hook ${name} --project /p`));
      const own = Number(/timeout -k 1 (\d+)/.exec(command)?.[1]);
      assert.ok(own > 0 && own < seconds, `${own} of ${seconds}`);
    }
  }
});

test('Claude Code takes hooks from its command line, none from the project, and blocks where one fails', () => {
  const { args, env } = claude.start(call({ model: 'opus' }));
  assert.deepEqual(JSON.parse(after(args, '--settings')), {
    disableAllHooks: false,
    hooks: {
      PreToolUse: [{ hooks: [{ type: 'command', command: 'ask "it"', timeout: 600, onFailure: 'block' }] }],
      SessionStart: [{ hooks: [{ type: 'command', command: 'look', timeout: 30 }] }],
    },
  });
  assert.equal(after(args, '--setting-sources'), 'user');
  assert.equal(after(args, '--model'), 'opus');
  assert.equal(env['CLAUDE_CODE_DISABLE_BACKGROUND_TASKS'], '1');
  assert.ok(!args.some((arg) => /dangerously|bypass/.test(arg)));
  const reading = claude.start(call({ writes: false })).args;
  assert.equal(after(reading, '--tools'), 'Read,Glob,Grep');
  assert.equal(after(reading, '--permission-mode'), 'dontAsk');
});

test('Codex takes hooks with the trust of exactly these, in its sandbox', () => {
  const { args } = codex.start(call({ hooks: [{ event: 'PreToolUse', command: '/opt/hook ask', seconds: 600, guard: 'closed' }] }));
  assert.ok(args.includes('hooks.PreToolUse=[{hooks=[{type="command",command="/opt/hook ask",timeout=600}]}]'));
  // SHA-256 of the canonical JSON, by which Codex 0.171.0 let such a hook run.
  assert.ok(args.includes('hooks.state={"/<session-flags>/config.toml:pre_tool_use:0:0"={trusted_hash="sha256:1dc1be7ee1b719fe9a913aa92c9240b0a0bdb423fc368c7febae683c6c720b19"}}'));
  assert.ok(args.includes('features.hooks=true'));
  assert.equal(after(args, '--sandbox'), 'workspace-write');
  assert.equal(after(codex.start(call({ writes: false })).args, '--sandbox'), 'read-only');
  assert.ok(!args.some((arg) => /dangerously|trust$/.test(arg)));
  assert.equal(args.at(-1), '-', 'the prompt comes on standard input');
});

test('Gemini CLI gets the user\'s settings with our hooks in them, in a home of its own', () => {
  const users = '{\n  // mine\n  "ui": {"theme": "x"}, "hooksConfig": {"enabled": false, "disabled": ["loki"]},\n  "hooks": {"PreToolUse": [{"hooks": [{"type": "command", "command": "theirs"}]}]},\n}';
  const start = gemini.start(call({ read: (path) => (path === '/home/dev/.gemini/settings.json' ? users : undefined) }));
  assert.deepEqual(JSON.parse(start.files?.[0]?.text ?? ''), {
    ui: { theme: 'x' }, advanced: { ignoreLocalEnv: true }, hooksConfig: { enabled: true, disabled: [] },
    hooks: {
      PreToolUse: [{ hooks: [{ type: 'command', command: 'theirs' }] }, { matcher: '.*', hooks: [{ name: 'loki', type: 'command', command: 'ask "it"', timeout: 600_000 }] }],
      SessionStart: [{ matcher: '.*', hooks: [{ name: 'loki', type: 'command', command: 'look', timeout: 30_000 }] }],
    },
  });
  assert.equal(start.files?.[0]?.path, 'gemini/.gemini/settings.json');
  assert.deepEqual([start.env['GEMINI_CLI_HOME'], start.mirror], ['/loki/run/ses_1/gemini', { from: '/home/dev/.gemini', at: 'gemini/.gemini' }]);
  assert.equal(after(start.args, '--approval-mode'), 'yolo');
  assert.ok(start.args.includes('--skip-trust'));
  // A project's .env cannot load code into the shells of hooks: what is set, if to nothing, stays as it is.
  for (const name of ['LD_PRELOAD', 'LD_AUDIT', 'NODE_OPTIONS', 'BASH_ENV']) assert.equal(start.env[name], '');
  assert.match(start.files?.[0]?.text ?? '', /"ignoreLocalEnv": true/);
  assert.equal(after(gemini.start(call({ writes: false })).args, '--approval-mode'), 'default');
  assert.equal(gemini.start(call({ env: { HOME: '/home/dev', GEMINI_CLI_HOME: '/else' } })).mirror?.from, '/else/.gemini');
  for (const [bad, code] of [['{', 'json.invalid'], ['[]', 'config.invalid'], ['5', 'config.invalid']]) assert.throws(() => gemini.start(call({ read: () => bad })), { code });
});

test('opencode gets our plugin beside the user\'s, and nothing of the project\'s', () => {
  const own = { OPENCODE_CONFIG_CONTENT: '{"model":"a/b","plugin":["theirs"]}', OPENCODE_PERMISSION: '{"webfetch":"deny"}' };
  const start = opencode.start(call({ plugin: 'the plugin', room: '/with blank/ses_1', env: own, model: 'a/c' }));
  assert.deepEqual(JSON.parse(start.env['OPENCODE_CONFIG_CONTENT'] ?? ''), { model: 'a/b', plugin: ['theirs', 'file:///with%20blank/ses_1/opencode/loki.js'] });
  assert.deepEqual(start.files, [{ path: 'opencode/loki.js', text: 'the plugin' }]);
  assert.equal(start.env['OPENCODE_DISABLE_PROJECT_CONFIG'], '1');
  assert.equal(start.env['OPENCODE_PERMISSION'], undefined, 'as the user has it');
  assert.equal(after(start.args, '--model'), 'a/c');
  const reading = opencode.start(call({ writes: false, plugin: 'p', env: own }));
  assert.deepEqual(JSON.parse(reading.env['OPENCODE_PERMISSION'] ?? ''), { webfetch: 'deny', edit: 'deny', bash: 'deny', task: 'deny' });
  assert.throws(() => opencode.start(call({ plugin: 'p', env: { OPENCODE_CONFIG_CONTENT: '[]' } })), { code: 'config.invalid' });
});
