/** Hooks go into each agent's settings and come out again: what was there stays, twice is once, and what is not understood is left alone. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { hookEvents } from '../../../lib/agents/hook-events.ts';
import type { AgentName } from '../../../lib/agents/hook.ts';
import { installChanges, installedHooks, uninstallChanges, type SettingsTarget, type TextChange } from '../../../lib/agents/settings/changes.ts';
import { isOwnCommand, readOwnCommand } from '../../../lib/agents/settings/own-command.ts';
import { agentNames, hookFile, scopes, type Scope, type SettingsPlaces } from '../../../lib/agents/settings/places.ts';
import { pluginFacts } from '../../../lib/agents/settings/opencode-plugin.ts';
import { commandFor, programSeconds, sharedFlags, type HookFacts } from '../../../lib/agents/settings/wanted.ts';

const places: SettingsPlaces = { project: '/p/it\'s here', home: '/h', claudeHome: '/h/.claude', codexHome: '/h/.codex', configHome: '/h/.config', machine: '', platform: 'linux' };
const facts: HookFacts = { program: ['/usr/bin/node', '/opt/loki/cli.cjs'], project: '/p/it\'s here', env: { HOME: '/h', PATH: '/bin', LOKI_HOME: '/h/.loki' }, timeoutProgram: '/usr/bin/timeout', flags: ['--wait', '5m'] };
const moved: HookFacts = { ...facts, program: ['/opt/node 22/bin/node', '/elsewhere/cli.cjs'] };

/** Files as they stand; changes are applied to them. */
class Shelf {
  readonly files = new Map<string, string>();

  target(agent: AgentName, scope: Scope = 'project'): SettingsTarget {
    return { agent, scope, places, read: (path) => this.files.get(path) };
  }

  apply(changes: readonly TextChange[]): readonly TextChange[] {
    for (const { path, before, after } of changes) {
      assert.equal(this.files.get(path), before);
      if (after === undefined) this.files.delete(path);
      else this.files.set(path, after);
    }
    return changes;
  }
}

const file = (agent: AgentName, scope: Scope = 'project'): string => hookFile(agent, scope, places) ?? '';

for (const agent of agentNames) {
  for (const scope of scopes.filter((each) => hookFile(agent, each, places) !== undefined)) {
    test(`${agent}, ${scope}: put in, put in again, put in by another installation, taken out`, () => {
      const shelf = new Shelf();
      const first = shelf.apply(installChanges(shelf.target(agent, scope), facts));
      assert.equal(first[0]?.path, file(agent, scope));
      assert.deepEqual(installChanges(shelf.target(agent, scope), facts), []);
      const events = installedHooks(shelf.target(agent, scope)).map(({ event }) => event);
      assert.deepEqual(events, agent === 'opencode' ? ['plugin'] : hookEvents[agent].map(({ event }) => event));
      const before = new Map(shelf.files);
      shelf.apply(installChanges(shelf.target(agent, scope), moved));
      assert.equal(installedHooks(shelf.target(agent, scope)).length, events.length);
      assert.ok([...shelf.files.values()].every((text) => !text.includes('/opt/loki/cli.cjs')), 'nothing of the other installation is left');
      shelf.apply(installChanges(shelf.target(agent, scope), facts));
      assert.deepEqual(shelf.files, before);
      shelf.apply(uninstallChanges(shelf.target(agent, scope)));
      assert.deepEqual([...shelf.files], agent === 'codex' && scope === 'managed' ? [[file(agent, scope), '[features]\nhooks = true\n\n[hooks]\nmanaged_dir = "/etc/codex"\n']] : []);
      assert.deepEqual(uninstallChanges(shelf.target(agent, scope)), []);
    });
  }
}

/** Settings as people have them, hooks of their own among them. */
const settings: readonly (readonly [AgentName, string])[] = [
  ['claude', '{}\n'],
  ['claude', '{"permissions":{"allow":["Bash(ls)"]}}'],
  ['claude', '{\r\n    "permissions": {},\r\n    "hooks": {\r\n        "PreToolUse": [\r\n            {\r\n                "matcher": "Bash",\r\n                "hooks": [{ "type": "command", "command": "./mine.sh" }]\r\n            }\r\n        ]\r\n    }\r\n}'],
  ['claude', '\ufeff{\n\t"hooks": {\n\t\t"Stop": [ { "hooks": [ { "type": "command", "command": "say done" } ] } ]\n\t},\n\t"model": "opus"\n}\n'],
  ['gemini', '{\n  // mine\n  "hooks": {\n    "BeforeTool": [{ "matcher": "write", "hooks": [{ "type": "command", "command": "x", "timeout": 1000 }] }], // keep\n  },\n  "ui": { "theme": "dark" }, /* yes */\n}\n'],
  ['gemini', '{\n  "security": {"auth": {"selectedType": "x"}}\n}'],
  ['cursor', '{\n  "version": 1,\n  "hooks": {\n    "preToolUse": [{ "command": "./mine" }]\n  }\n}\n'],
  ['copilot', '{"version":1,"hooks":{"preToolUse":[{"type":"command","bash":"mine","timeoutSec":5}]}}'],
  ['codex', '{\n  "description": "d",\n  "hooks": {\n    "Stop": [\n      { "hooks": [ { "type": "command", "command": "mine" } ] }\n    ]\n  }\n}\n'],
];

describe('what was there', () => {
  settings.forEach(([agent, text], at) => test(`${agent} ${at}: stays, to the byte, and stands there again afterwards`, () => {
    const shelf = new Shelf();
    shelf.files.set(file(agent), text);
    shelf.apply(installChanges(shelf.target(agent), facts));
    const now = shelf.files.get(file(agent)) ?? '';
    assert.equal(installedHooks(shelf.target(agent)).length, hookEvents[agent].length);
    let from = 0;
    for (const word of text.match(/[^\s{}[\],]+/g) ?? []) {
      const found = now.indexOf(word, from);
      assert.ok(found >= from, `${word} is still there, in its order`);
      from = found;
    }
    assert.deepEqual(installChanges(shelf.target(agent), facts), []);
    shelf.apply(installChanges(shelf.target(agent), moved));
    shelf.apply(uninstallChanges(shelf.target(agent)));
    assert.equal(shelf.files.get(file(agent)), text === '{}\n' ? undefined : text);
    assert.equal(shelf.files.size, text === '{}\n' ? 0 : 1);
  }));
});

test('what stands in the settings, agent by agent', () => {
  const shelf = new Shelf();
  for (const agent of agentNames) shelf.apply(installChanges(shelf.target(agent), facts));
  const first = (agent: AgentName, event: string): unknown => JSON.parse(shelf.files.get(file(agent)) ?? '').hooks[event];
  const row = (agent: AgentName, event: string): string => commandFor(agent, hookEvents[agent].find((each) => each.event === event) ?? assert.fail(), facts);
  assert.deepEqual(first('claude', 'PreToolUse'), [{ hooks: [{ type: 'command', command: row('claude', 'PreToolUse'), timeout: 600, onFailure: 'block' }] }]);
  assert.deepEqual(first('claude', 'Stop'), [{ hooks: [{ type: 'command', command: row('claude', 'Stop'), timeout: 30 }] }]);
  assert.deepEqual(first('codex', 'PreToolUse'), [{ hooks: [{ type: 'command', command: row('codex', 'PreToolUse'), timeout: 600 }] }]);
  assert.deepEqual(first('gemini', 'BeforeTool'), [{ hooks: [{ name: 'loki', type: 'command', command: row('gemini', 'BeforeTool'), timeout: 600_000 }] }]);
  assert.deepEqual(first('cursor', 'preToolUse'), [{ type: 'command', command: row('cursor', 'preToolUse'), timeout: 600, failClosed: true }]);
  assert.deepEqual(first('copilot', 'preToolUse'), [{ type: 'command', bash: row('copilot', 'preToolUse'), timeoutSec: 600 }]);
  assert.equal(JSON.parse(shelf.files.get(file('cursor')) ?? '').version, 1);
  assert.deepEqual(pluginFacts(shelf.files.get(file('opencode')) ?? ''), { program: facts.program, project: facts.project, flags: facts.flags, env: facts.env });
});

test('Codex trusts exactly the hooks that were put in, and other hooks keep the trust they had', () => {
  const shelf = new Shelf();
  const hash = (event: string, command: string): string => `sha256:${createHash('sha256').update(JSON.stringify({ event_name: event, hooks: [{ async: false, command, timeout: 600, type: 'command' }] })).digest('hex')}`;
  const config = '/h/.codex/config.toml';
  shelf.apply(installChanges(shelf.target('codex'), facts));
  const pre = installedHooks(shelf.target('codex')).find(({ event }) => event === 'PreToolUse')?.command ?? '';
  assert.match(shelf.files.get(config) ?? '', new RegExp(`^\\[hooks\\.state\\."/p/it's here/\\.codex/hooks\\.json:pre_tool_use:0:0"\\]\\ntrusted_hash = "${hash('pre_tool_use', pre)}"$`, 'm'));
  assert.equal((shelf.files.get(config) ?? '').match(/trusted_hash/g)?.length, hookEvents.codex.length);

  // Somebody adds a hook after ours and trusts it; when ours goes, that one moves up and is trusted still.
  const hooks = JSON.parse(shelf.files.get(file('codex')) ?? '');
  hooks.hooks.PreToolUse.push({ hooks: [{ type: 'command', command: 'mine' }] });
  hooks.hooks.Stop.push({ hooks: [{ type: 'command', command: 'never trusted' }] });
  shelf.files.set(file('codex'), JSON.stringify(hooks, null, 2));
  shelf.files.set(config, `${shelf.files.get(config)}\n[hooks.state."${file('codex')}:pre_tool_use:1:0"]\ntrusted_hash = "${hash('pre_tool_use', 'mine')}"\n`);
  shelf.apply(uninstallChanges(shelf.target('codex')));
  assert.equal(shelf.files.get(config), `[hooks.state."${file('codex')}:pre_tool_use:0:0"]\ntrusted_hash = "${hash('pre_tool_use', 'mine')}"\n`);
});

test('Codex\'s own configuration keeps every other byte', () => {
  const config = '# mine\nmodel = "x"\n\n[projects."/p"]\ntrust_level = "trusted" # yes\n\n[hooks.state."/other:stop:0:0"]\ntrusted_hash = "sha256:1"\n';
  const shelf = new Shelf();
  shelf.files.set('/h/.codex/config.toml', config);
  shelf.apply(installChanges(shelf.target('codex'), facts));
  assert.ok(shelf.files.get('/h/.codex/config.toml')?.startsWith(config));
  shelf.apply(uninstallChanges(shelf.target('codex')));
  assert.deepEqual([...shelf.files], [['/h/.codex/config.toml', config]]);
});

test('a machine\'s requirements keep what they say, and a switch that somebody turned off is not turned on', () => {
  const shelf = new Shelf();
  const path = file('codex', 'managed');
  shelf.files.set(path, 'allowed_sandbox_modes = ["read-only"]\n\n[features] # by the admins\napps = false\n');
  shelf.apply(installChanges(shelf.target('codex', 'managed'), facts));
  const text = shelf.files.get(path) ?? '';
  assert.match(text, /^allowed_sandbox_modes = \["read-only"\]\n\n\[features\] # by the admins\nhooks = true\napps = false\n\n\[hooks\]\nmanaged_dir = "\/etc\/codex"\n\n\[\[hooks\.PreToolUse\]\]\n\[\[hooks\.PreToolUse\.hooks\]\]\ntype = "command"\n/);
  assert.deepEqual(installChanges(shelf.target('codex', 'managed'), facts), []);
  shelf.files.set(path, '[features]\nhooks = false\n');
  assert.throws(() => installChanges(shelf.target('codex', 'managed'), facts), { code: 'config.invalid', message: /features\.hooks is false/ });
});

test('files that cannot be understood are refused and stay as they are', () => {
  const wrong: readonly (readonly [AgentName, string, string, RegExp])[] = [
    ['claude', file('claude'), '{"hooks": {', /json\.invalid/], ['claude', file('claude'), '{"a":1,"a":2}', /json\.invalid/], ['claude', file('claude'), '[]', /config\.invalid/],
    ['claude', file('claude'), '{"hooks": []}', /config\.invalid/], ['claude', file('claude'), '{"hooks": {"PreToolUse": {}}}', /config\.invalid/], ['cursor', file('cursor'), 'version: 1', /json\.invalid/],
    ['codex', '/h/.codex/config.toml', 'model = ', /config\.invalid/], ['opencode', file('opencode'), 'export const mine = 1;\n', /conflict/],
  ];
  for (const [agent, path, text, code] of wrong) {
    const shelf = new Shelf();
    shelf.files.set(path, text);
    assert.throws(() => installChanges(shelf.target(agent), facts), (error: { readonly code: string }) => code.test(error.code), `${agent} ${text}`);
  }
  const shelf = new Shelf();
  const key = `${file('codex')}:pre_tool_use:0:0`;
  shelf.files.set('/h/.codex/config.toml', `[hooks]\nstate = { "${key}" = { trusted_hash = "x" } }\n`);
  assert.throws(() => installChanges(shelf.target('codex'), facts), { code: 'config.invalid', message: /inline table/ });
});

test('a handler of ours that somebody moved among their own is found there', () => {
  const shelf = new Shelf();
  const [{ command } = assert.fail()] = [{ command: commandFor('claude', hookEvents.claude[0] ?? assert.fail(), moved) }];
  const text = JSON.stringify({ hooks: { PreToolUse: [{ matcher: 'Bash', hooks: [{ type: 'command', command: 'mine' }, { type: 'command', command }] }, { hooks: [{ type: 'command', command }] }] } }, null, 2);
  shelf.files.set(file('claude'), text);
  shelf.apply(installChanges(shelf.target('claude'), facts));
  const list = JSON.parse(shelf.files.get(file('claude')) ?? '').hooks.PreToolUse;
  assert.equal(list.length, 1);
  assert.equal(list[0].hooks.length, 2);
  shelf.apply(uninstallChanges(shelf.target('claude')));
  assert.deepEqual(JSON.parse(shelf.files.get(file('claude')) ?? ''), { hooks: { PreToolUse: [{ matcher: 'Bash', hooks: [{ type: 'command', command: 'mine' }] }] } });
});

test('a command line of ours is read back as what it was made of', () => {
  for (const guard of ['closed', 'open'] as const) {
    for (const timeoutProgram of [undefined, '/usr/bin/timeout']) {
      const { timeoutProgram: _, ...rest } = facts;
      const given = { ...rest, env: { ...facts.env, ODD: 'a b\'c"d$e' }, ...(timeoutProgram === undefined ? {} : { timeoutProgram }) };
      const line = commandFor('gemini', { event: 'x', guard, seconds: 600 }, given);
      const { isAsWritten, ...read } = readOwnCommand(line, 'gemini') ?? assert.fail();
      assert.deepEqual({ ...read, flags: sharedFlags(read.flags ?? []), seconds: 0 }, { agent: 'gemini', ...given, seconds: 0, guard });
      assert.deepEqual(read.flags?.slice(0, 2), ['--event', 'x']);
      assert.equal(isAsWritten, true);
      assert.equal(readOwnCommand(line.replace('exit 2', 'exit 0').replace('exit 0\'', 'x'), 'gemini')?.isAsWritten, guard === 'open');
      assert.equal(isOwnCommand(line, 'claude'), false);
    }
  }
  assert.equal(readOwnCommand('loki hook claude', 'claude'), undefined);
  assert.equal(isOwnCommand('/usr/bin/env -i node x.js hook claudette', 'claude'), false);
});

test('our program is ended before the agent stops waiting', () => {
  for (const row of Object.values(hookEvents).flat()) assert.ok(Math.max(1, programSeconds(row.seconds)) + 1 < row.seconds || row.guard === 'open', row.event);
});
