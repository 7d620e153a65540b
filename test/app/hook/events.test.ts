/** What a hook event leaves behind and answers, beyond the decision on a call: through Claude Code's words, with a real gate. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { adapter as claude } from '../../../lib/agents/claude.ts';
import { adapter as codex } from '../../../lib/agents/codex.ts';
import { adapter as gemini } from '../../../lib/agents/gemini.ts';
import type { AgentAdapter, HookOutput } from '../../../lib/agents/hook.ts';
import { openApprovals } from '../../../lib/app/approvals.ts';
import { openRecord } from '../../../lib/app/audit/record.ts';
import { answerHook, type HookOptions } from '../../../lib/app/hook/answer.ts';
import { openLedger } from '../../../lib/app/budgets.ts';
import { openStore } from '../../../lib/app/store.ts';
import { windowOf } from '../../../lib/budgets/window.ts';
import { isPlainObject, objectIn, type JsonObject } from '../../../lib/base/json.ts';
import { withHooks } from '../../../lib/agents/settings/json-hooks.ts';
import { hookShapes, wantedHooks } from '../../../lib/agents/settings/wanted.ts';
import { hookFacts, hookGround } from '../../../lib/app/hooks/ground.ts';
import { makeGround, type Ground } from '../../support/ground.ts';

const token = 'ghp_x7Kq2LmN9pRs4TuV6wXy8ZaB1cDe3FgH5iJk';
const policy = `version: 1
policies:
  pre_execution:
    - { name: no, when: 'command matches "echo forbidden*"', action: deny }
    - { name: ask, when: 'command matches "echo asked*"', action: require_approval }
    - { name: few, rule: 'active_agents <= 2', action: deny }
  data:
    - { name: secrets, type: secret_detection, action: deny }
`;

interface Told {
  readonly output: HookOutput;
  /** The entries this event left. */
  readonly entries: readonly JsonObject[];
}

/** Sends one event of session `one` and collects what it left. */
function teller(ground: Ground, adapter: AgentAdapter = claude): (event: string, more?: JsonObject, options?: Partial<HookOptions>, env?: Readonly<Record<string, string>>) => Promise<Told> {
  return async (event, more = {}, options = {}, env = {}) => {
    const before = logged(ground).length;
    const input = JSON.stringify({ session_id: 'one', cwd: ground.project, hook_event_name: event, ...more });
    const output = await answerHook(adapter, () => Promise.resolve(input), { env: { ...ground.env, ...env }, cwd: ground.project, homeDirectory: ground.root }, { approval: 'auto', waitMs: 0, deadlineMs: 30_000, project: ground.project, ...options });
    return { output, entries: logged(ground).slice(before).filter(({ event: name }) => name !== 'audit.open') };
  };
}

function logged(ground: Ground): readonly JsonObject[] {
  try {
    return ground.entries();
  } catch {
    return [];
  }
}

function at(entry: JsonObject | undefined): JsonObject {
  const details = entry?.['details'];
  return isPlainObject(details) ? details as JsonObject : {};
}

const bash = (command: string, id = 'call_1'): JsonObject => ({ tool_name: 'Bash', tool_input: { command }, tool_use_id: id });
const gave = (stdout: string): JsonObject => ({ tool_response: { stdout, stderr: '', interrupted: false, isImage: false } });

describe('a result', () => {
  test('is told against the decision on its call, in the log and in the agent chain', async (t) => {
    const ground = makeGround(t);
    ground.write('project/.loki/policies.yaml', policy);
    const tell = teller(ground);
    await tell('PreToolUse', bash('echo one', 'call_1'));
    await tell('PreToolUse', bash('echo two', 'call_2'));
    const { output, entries } = await tell('PostToolUse', { ...bash('echo one', 'call_1'), ...gave('one') });
    assert.deepEqual(output, { stdout: '', stderr: '', exit: 0 });
    assert.deepEqual(entries.map(({ event, level, details }) => [event, level, details]), [['agent.action', 'info', { kind: 'exec', tool: 'Bash', call_id: 'call_1', ref: 2, ok: true, exit: 0, bytes: 3 }]]);
    const failed = await tell('PostToolUseFailure', { ...bash('echo two', 'call_2'), error: 'Exit code 3\nboom' });
    assert.deepEqual(at(failed.entries[0]), { kind: 'exec', tool: 'Bash', call_id: 'call_2', ref: 3, ok: false, exit: 3, bytes: 16 });
    assert.match(readFileSync(join(ground.project, '.loki/logs/agent-audit.jsonl'), 'utf8'), /"action":"cli_invoke","agent":"claude",.*"command":"echo one","ref":2,"ok":true/);
  });

  test('of a call whose input another hook put in place of the one that was judged is told as a warning', async (t) => {
    const ground = makeGround(t);
    ground.write('project/.loki/policies.yaml', policy);
    const tell = teller(ground);
    await tell('PreToolUse', bash('echo one', 'call_1'));
    const { entries } = await tell('PostToolUse', { ...bash('echo two', 'call_1'), ...gave('two') });
    assert.deepEqual([entries[0]?.['level'], at(entries[0])['ungated'], at(entries[0])['because']], ['warning', true, 'its decision was about another action']);
  });

  test('is judged for the agent that asks, whatever its surroundings call it', async (t) => {
    const ground = makeGround(t);
    ground.write('project/.loki/policies.yaml', 'version: 1\npolicies:\n  pre_execution:\n    - { name: mine, when: \'provider == "claude"\', action: deny }\n');
    assert.match((await teller(ground)('PreToolUse', bash('ls'), {}, { LOKI_PROVIDER: 'codex' })).output.stdout, /Rule \\"mine\\"/);
  });

  test('of a call that nobody asked about, or that was refused, is told as a warning', async (t) => {
    const ground = makeGround(t);
    ground.write('project/.loki/policies.yaml', policy);
    const tell = teller(ground);
    const [ungated] = (await tell('PostToolUse', { ...bash('ls', 'call_9'), ...gave('') })).entries;
    assert.deepEqual([ungated?.['level'], at(ungated)['ungated'], at(ungated)['because']], ['warning', true, 'there is no such decision']);
    await tell('PreToolUse', bash('echo forbidden', 'call_2'));
    const [refused] = (await tell('PostToolUse', { ...bash('echo forbidden', 'call_2'), ...gave('') })).entries;
    assert.deepEqual([refused?.['level'], at(refused)['because']], ['warning', 'its decision was no permission']);
  });

  test('without an id of its call is told against the newest decision on the same action', async (t) => {
    const ground = makeGround(t);
    ground.write('project/.loki/policies.yaml', policy);
    const tell = teller(ground, gemini);
    const call = (name: string): JsonObject => ({ tool_name: 'write_file', tool_input: { file_path: name, content: 'x' } });
    await tell('BeforeTool', call('a.txt'));
    await tell('BeforeTool', call('b.txt'));
    const [first] = (await tell('AfterTool', { ...call('a.txt'), tool_response: { llmContent: 'done' } })).entries;
    assert.deepEqual([at(first)['ref'], at(first)['ungated']], [2, undefined]);
    const [other] = (await tell('AfterTool', { ...call('c.txt'), tool_response: { llmContent: 'done' } })).entries;
    assert.deepEqual([at(other)['ungated'], at(other)['because']], [true, 'nobody asked for this action']);
  });

  for (const [agent, adapter, event, response, expected] of [
    ['Claude', claude, 'PostToolUse', { tool_response: { stdout: `a ${token} b`, stderr: '', interrupted: false } }, /"updatedToolOutput":\{"stdout":"a \[redacted github-token\] b","stderr":"","interrupted":false\}/],
    ['Codex', codex, 'PostToolUse', { tool_response: `a ${token} b` }, /^\{"decision":"block","reason":"a \[redacted github-token\] b\\n\[loki: secrets were taken out of this output\]"\}$/],
    ['Gemini', gemini, 'AfterTool', { tool_response: { llmContent: `a ${token} b` } }, /^\{"decision":"deny","reason":"a \[redacted github-token\] b\\n/],
  ] as const) {
    test(`with a secret in it reaches ${agent}'s model without the secret, and the log tells of it`, async (t) => {
      const ground = makeGround(t);
      ground.write('project/.loki/policies.yaml', policy);
      const tell = teller(ground, adapter);
      const { output, entries } = await tell(event, { ...bash('cat x'), ...response });
      assert.match(output.stdout, expected);
      assert.doesNotMatch(output.stdout, new RegExp(token));
      assert.deepEqual(entries.map((entry) => [entry['event'], at(entry)['output']]), [['policy.deny', 'redacted'], ['agent.action', undefined]]);
      assert.doesNotMatch(JSON.stringify(entries), new RegExp(token));
    });
  }

  test('whose text is forbidden for another reason is withheld whole', async (t) => {
    const ground = makeGround(t);
    ground.write('project/.loki/policies.yaml', 'version: 1\npolicies:\n  data:\n    - { name: people, type: pii_scanning, action: deny }\n');
    const { output, entries } = await teller(ground)('PostToolUse', { ...bash('cat x'), ...gave('card 4111 1111 1111 1111 here') });
    assert.match(output.stdout, /"updatedToolOutput":\{"stdout":"\[withheld by policy\]"/);
    assert.equal(at(entries[0])['output'], 'withheld');
  });

  test('is withheld in the shape of its tool, since Claude passes over every other', async (t) => {
    const ground = makeGround(t);
    ground.write('project/.loki/policies.yaml', 'version: 1\npolicies:\n  data:\n    - { name: people, type: pii_scanning, action: deny }\n');
    const { output } = await teller(ground)('PostToolUse', { tool_name: 'Read', tool_input: { file_path: '/p/a' }, tool_use_id: 'c', tool_response: { type: 'text', file: { filePath: '/p/a', content: 'card 4111 1111 1111 1111 here', numLines: 1 } } });
    assert.match(output.stdout, /"updatedToolOutput":\{"type":"text","file":\{"filePath":"\[withheld by policy\]","content":"\[withheld by policy\]","numLines":1\}\}/);
  });

  test('with a secret whose parts stand in several texts is withheld whole', async (t) => {
    const ground = makeGround(t);
    ground.write('project/.loki/policies.yaml', policy);
    const key = ['-----BEGIN RSA PRIVATE KEY-----', ...Array.from({ length: 12 }, (_, at) => `${at}MIIEvwIBADANBgkqhkiG9w0BAQEFAASCBKkwggSlAgEAAoIBAQDeAyxOhxgxse`), '-----END RSA PRIVATE KEY-----'];
    const { output } = await teller(ground)('PostToolUse', { tool_name: 'mcp__t__x', tool_input: {}, tool_use_id: 'c', tool_response: key.map((text) => ({ type: 'text', text })) });
    assert.doesNotMatch(output.stdout, /MIIEvw/);
    assert.match(output.stdout, /"updatedMCPToolOutput":\[\{"type":"text","text":"\[withheld by policy\]"\}/);
  });

  test('of a tool that nobody knows is looked through, whatever it was taken for', async (t) => {
    const ground = makeGround(t);
    ground.write('project/.loki/policies.yaml', policy);
    const { output } = await teller(ground)('PostToolUse', { tool_name: 'ReadMany', tool_input: { path: join(ground.project, 'a') }, tool_use_id: 'c', tool_response: `a ${token} b` });
    assert.match(output.stdout, /"updatedToolOutput":"a \[redacted github-token\] b"/);
  });

  test('of an error, which Claude does not let anybody change, says so', async (t) => {
    const ground = makeGround(t);
    ground.write('project/.loki/policies.yaml', policy);
    const { output, entries } = await teller(ground)('PostToolUseFailure', { ...bash('cat x'), error: `Exit code 1\n${token}` });
    assert.match(output.stdout, /^\{"decision":"block","reason":"loki: the output of Bash was withheld/);
    assert.equal(at(entries[0])['output'], 'could not be changed');
  });
});

describe('sessions, subagents and tasks', () => {
  test('are told as they begin and end, and count as agents at work', async (t) => {
    const ground = makeGround(t);
    ground.write('project/.loki/policies.yaml', policy);
    const tell = teller(ground);
    const started = await tell('SessionStart', { source: 'startup', model: 'claude-x', permission_mode: 'plan' });
    assert.deepEqual(started.entries.map(({ event, actor, resource, details }) => [event, actor, resource, details]), [
      ['session.start', 'agent:claude', 'session:one', { agent: 'claude', source: 'startup', model: 'claude-x', mode: 'plan' }],
    ]);
    assert.equal((await tell('PreToolUse', bash('ls'))).output.stdout, '');
    for (const id of ['a1', 'a2']) await tell('SubagentStart', { agent_id: id, agent_type: 'explorer' });
    const crowded = await tell('PreToolUse', { ...bash('ls'), agent_id: 'a1', agent_type: 'explorer' });
    assert.match(crowded.output.stdout, /Rule \\"few\\".*active_agents is 3/);
    assert.deepEqual(at(crowded.entries[0])['worker'], { id: 'a1', type: 'explorer' });
    await tell('SubagentStop', { agent_id: 'a2', agent_type: 'explorer' });
    assert.equal((await tell('PreToolUse', bash('ls'))).output.stdout, '');
    // One more would be too many.
    assert.match((await tell('PreToolUse', { tool_name: 'Agent', tool_input: { prompt: 'x', subagent_type: 'y' } })).output.stdout, /active_agents is 3/);
    assert.deepEqual((await tell('SessionEnd', { reason: 'other' })).entries.map(({ event }) => event), ['session.stop']);
    assert.match(readFileSync(join(ground.project, '.loki/logs/agent-audit.jsonl'), 'utf8'), /"action":"session_start".*\n.*"action":"session_stop"/);
    assert.equal((await tell('PreToolUse', { tool_name: 'Agent', tool_input: { prompt: 'x', subagent_type: 'y' } })).output.stdout, '');
  });

  test('within a governed run the run tells of its session itself', async (t) => {
    const ground = makeGround(t);
    const env = { LOKI_SESSION_ID: 'ses_01ARZ3NDEKTSV4RRFFQ69G5FAV' };
    const tell = teller(ground);
    assert.deepEqual((await tell('SessionStart', {}, {}, env)).entries, []);
    const [decided] = (await tell('PreToolUse', bash('ls'), {}, env)).entries;
    assert.equal(decided?.['resource'], 'session:ses_01ARZ3NDEKTSV4RRFFQ69G5FAV');
    // What is no session of ours names none.
    const [other] = (await tell('PreToolUse', bash('ls'), {}, { LOKI_SESSION_ID: '../x' })).entries;
    assert.equal(other?.['resource'], 'session:one');
  });

  test('a run that is not at work counts nothing, so that the agent is held to its own budget', async (t) => {
    const ground = makeGround(t);
    ground.write('project/.loki/policies.yaml', 'version: 1\npolicies:\n  resource:\n    - { name: budget, max_tokens: 10, on_exceed: shutdown }\n');
    const tell = teller(ground);
    const env = { LOKI_SESSION_ID: 'ses_01ARZ3NDEKTSV4RRFFQ69G5FAV' };
    const transcript = ground.write('t.jsonl', `${JSON.stringify({ type: 'assistant', message: { id: 'm1', model: 'm', usage: { input_tokens: 1000, output_tokens: 1000 } } })}\n`);
    assert.equal((await tell('UserPromptSubmit', { prompt: 'hello' }, {}, env)).output.stdout, '');
    await tell('Stop', { transcript_path: transcript }, {}, env);
    assert.match((await tell('UserPromptSubmit', { prompt: 'hello' }, {}, env)).output.stdout, /"decision":"block".*2000 tokens consumed of 10 in the session one/);
  });

  test('a task keeps its title without secrets', async (t) => {
    const ground = makeGround(t);
    const { entries } = await teller(ground)('TaskCreated', { task_id: '1', task_subject: `use ${token}` });
    assert.deepEqual(entries.map(({ event, details }) => [event, details]), [['task.create', { agent: 'claude', agent_task: '1', title: 'use [redacted github-token]', reported_by: 'agent' }]]);
  });
});

describe('a prompt', () => {
  test('is recorded by its hash, and refused with a secret in it', async (t) => {
    const ground = makeGround(t);
    ground.write('project/.loki/policies.yaml', policy);
    const tell = teller(ground);
    const { output, entries } = await tell('UserPromptSubmit', { prompt: 'build it' });
    assert.equal(output.stdout, '');
    assert.deepEqual([entries[0]?.['event'], JSON.stringify(entries).includes('build it')], ['policy.allow', false]);
    const refused = await tell('UserPromptSubmit', { prompt: `use ${token}` });
    assert.match(refused.output.stdout, /^\{"decision":"block","reason":"loki: Rule \\"secrets\\"/);
    assert.doesNotMatch(JSON.stringify(refused), new RegExp(token));
  });

  test('is refused when a budget is spent; tokens come from the transcript, each counted once', async (t) => {
    const ground = makeGround(t);
    ground.write('project/.loki/policies.yaml', 'version: 1\npolicies:\n  resource:\n    - { name: tokens, max_tokens: 1000, on_exceed: shutdown, alerts: [50] }\n');
    const tell = teller(ground);
    const line = (id: string, input: number, output: number): string => `${JSON.stringify({ type: 'assistant', message: { id, model: 'm', usage: { input_tokens: input, output_tokens: output, cache_read_input_tokens: 10 } } })}\n`;
    const transcript_path = ground.write('transcript.jsonl', `{"type":"user"}\nnonsense\n${line('m1', 300, 1)}${line('m1', 300, 200)}`);
    const half = await tell('Stop', { transcript_path });
    assert.deepEqual(half.entries.map(({ event }) => event), ['budget.alert']);
    assert.deepEqual(at(half.entries[0])['tokens_consumed'], 510);
    assert.deepEqual((await tell('Stop', { transcript_path })).entries, []);
    assert.equal((await tell('UserPromptSubmit', { prompt: 'go on' })).output.stdout, '');
    writeFileSync(transcript_path, `{"type":"user"}\nnonsense\n${line('m1', 300, 1)}${line('m1', 300, 200)}${line('m2', 500, 100)}`);
    await tell('Stop', { transcript_path });
    const { output } = await tell('UserPromptSubmit', { prompt: 'go on' });
    assert.match(output.stdout, /^\{"decision":"block","reason":"loki: .*tokens/);
    const here = ground.installation();
    const log = openRecord(here);
    const store = await openStore(here, log.record);
    const { cells } = await openLedger(here, store).read(windowOf('session', { projectId: here.project?.id ?? '', sessionId: 'one', at: Date.now() }));
    await store.close();
    await log.close();
    assert.deepEqual(cells.map(({ provider, model, tokens }) => [provider, model, tokens]), [['claude', 'm', { input: 800, output: 300, cache_read: 20, cache_write: 0 }]]);
  });
});

describe('settings that change while the agent works', () => {
  const settings = '.claude/settings.local.json';
  const changed = async (ground: Ground): Promise<Told> => teller(ground)('ConfigChange', { source: 'local_settings', file_path: join(ground.project, settings) });
  /** Settings with our hooks, as they are installed. */
  const installed = (ground: Ground): JsonObject => {
    const text = withHooks(undefined, hookShapes.claude, wantedHooks('claude', hookFacts(hookGround(ground.installation()), 'project', {})), settings);
    return { ...objectIn(text), permissions: {} };
  };

  test('are refused when what was enrolled would change, and taken up otherwise', async (t) => {
    const ground = makeGround(t);
    ground.write('project/.loki/policies.yaml', policy);
    const hooks = JSON.stringify(installed(ground));
    ground.write(`project/${settings}`, hooks);
    await ground.enrol();
    ground.write(`project/${settings}`, hooks.replace('"permissions":{}', '"permissions":{"allow":["Bash"]}'));
    assert.equal((await changed(ground)).output.stdout, '');
    for (const text of ['{"disableAllHooks":true}', '', '{}', '{', '{"hooks":"x"}', hooks.replace('PreToolUse', 'Stop')]) {
      ground.write(`project/${settings}`, text);
      const { output, entries } = await changed(ground);
      assert.match(output.stdout, /^\{"decision":"block","reason":"\.claude\/settings\.local\.json .*; the change is not taken up/, text);
      assert.deepEqual([entries[0]?.['event'], at(entries[0])['decision']], ['config.change', 'DENY'], text);
    }
    rmSync(join(ground.project, settings));
    assert.match((await changed(ground)).output.stdout, /is missing/);
  });

  test('are refused when Claude might leave out the whole file for another member of it, and so is every change after that', async (t) => {
    const ground = makeGround(t);
    ground.write('project/.loki/policies.yaml', policy);
    const hooks = installed(ground);
    ground.write(`project/${settings}`, JSON.stringify(hooks));
    await ground.enrol();
    for (const more of [{ permissions: { deny: 'x' } }, { permissions: { allow: [1] } }, { permissions: { defaultMode: 'x' } }, { permissions: 1 }, { env2: 1 }, { cleanupPeriodDays: 'x' }, { model: 1 }]) {
      ground.write(`project/${settings}`, JSON.stringify({ ...hooks, ...more }));
      assert.match((await changed(ground)).output.stdout, /^\{"decision":"block","reason":"Claude Code may leave out all of /, JSON.stringify(more));
    }
    const other = join(ground.root, 'other.json');
    writeFileSync(other, '{"theme":"dark"}');
    const tell = async (): Promise<string> => (await teller(ground)('ConfigChange', { source: 'user_settings', file_path: other })).output.stdout;
    assert.match(await tell(), /"decision":"block"/);
    ground.write(`project/${settings}`, JSON.stringify(hooks));
    assert.equal(await tell(), '');
  });

  test('are refused when no file holds our hooks any more, which nothing pins for a whole account', async (t) => {
    const ground = makeGround(t);
    const file = join(ground.root, '.claude/settings.json');
    mkdirSync(join(ground.root, '.claude'));
    const tell = async (value: JsonObject): Promise<string> => {
      writeFileSync(file, JSON.stringify(value));
      return (await teller(ground)('ConfigChange', { source: 'user_settings', file_path: file })).output.stdout;
    };
    const hooks = installed(ground);
    const text = JSON.stringify(hooks);
    assert.equal(await tell({ ...hooks, model: 'm' }), '');
    for (const other of ['{}', '{"theme":"dark"}', '{"hooks":{}}', text.replace('PreToolUse', 'Stop'), text.replace('"onFailure":"block"', '"onFailure":"continue"'), text.replace('{"hooks":[{"type"', '{"matcher":"Edit","hooks":[{"type"'), text.replace(/(?<=LOKI_HOME=)[^ ]+/, '/tmp'), text.replaceAll(process.execPath, '/bin/true')]) {
      const value = objectIn(other);
      assert.ok(value !== undefined && other !== text);
      assert.match(await tell(value), /"decision":"block"/, other.slice(0, 100));
    }
  });

  test('are refused wherever they lie, when they switch hooks off or cannot be read', async (t) => {
    const ground = makeGround(t);
    const file = join(ground.root, '.claude/settings.json');
    mkdirSync(join(ground.root, '.claude'));
    const tell = async (text: string): Promise<string> => {
      writeFileSync(file, text);
      return (await teller(ground)('ConfigChange', { source: 'user_settings', file_path: file })).output.stdout;
    };
    ground.write(`project/${settings}`, JSON.stringify(installed(ground)));
    assert.equal(await tell('{"theme":"dark"}'), '');
    for (const text of ['{"disableAllHooks":true}', 'x', '[]']) assert.match(await tell(text), /"decision":"block"/, text);
    assert.equal((await teller(ground)('ConfigChange', { source: 'skills', file_path: ground.write('.claude/skills/x/SKILL.md', '# x') })).output.stdout, '');
  });
});

describe('an approval inside the hook', () => {
  async function decideAll(ground: Ground, outcome: 'approve' | 'reject'): Promise<number> {
    const here = ground.installation();
    const log = openRecord(here);
    const { room, close } = await openApprovals(here, log.record);
    const pending = await room.list({ status: 'pending' });
    for (const { id } of pending) await room.decide({ id, outcome, by: 'user:tester', reason: 'fine', proof: { kind: 'terminal' } });
    await close();
    await log.close();
    return pending.length;
  }

  test('is waited for while the request is open', async (t) => {
    const ground = makeGround(t);
    ground.write('project/.loki/policies.yaml', policy);
    const waiting = teller(ground)('PreToolUse', bash('echo asked'), { waitMs: 20_000 });
    let decided = 0;
    while (decided === 0) {
      await new Promise((resolve) => { setTimeout(resolve, 50); });
      decided = await decideAll(ground, 'approve').catch(() => 0);
    }
    assert.deepEqual((await waiting).output, { stdout: '', stderr: '', exit: 0 });
  });

  test('that comes later lets the same call pass, once', async (t) => {
    const ground = makeGround(t);
    ground.write('project/.loki/policies.yaml', policy);
    const tell = teller(ground);
    assert.match((await tell('PreToolUse', bash('echo asked', 'call_1'))).output.stdout, /loki approve apr_[0-9A-Z]+\. Nothing was done/);
    assert.equal(await decideAll(ground, 'approve'), 1);
    assert.match((await tell('PreToolUse', bash('echo asked for more', 'call_2'))).output.stdout, /Approval apr_/);
    assert.equal((await tell('PreToolUse', bash('echo asked', 'call_3'))).output.stdout, '');
    assert.match((await tell('PreToolUse', bash('echo asked', 'call_4'))).output.stdout, /Approval apr_/);
    assert.equal(await decideAll(ground, 'reject'), 2);
    assert.match((await tell('PreToolUse', bash('echo asked', 'call_5'))).output.stdout, /permissionDecision":"deny"/);
  });

  test('is left to the person before Claude where nobody else is named; the result is told as allowed there', async (t) => {
    const ground = makeGround(t);
    ground.write('project/.loki/policies.yaml', policy);
    const tell = teller(ground);
    const person = { CLAUDE_CODE_ENTRYPOINT: 'cli' };
    const asked = await tell('PreToolUse', bash('echo asked'), {}, person);
    assert.match(asked.output.stdout, /^\{"hookSpecificOutput":\{"hookEventName":"PreToolUse","permissionDecision":"ask","permissionDecisionReason":"loki: Rule \\"ask\\"/);
    assert.deepEqual([asked.entries[0]?.['event'], at(asked.entries[0])['asked_at']], ['policy.approval_required', 'agent']);
    const [result] = (await tell('PostToolUse', { ...bash('echo asked'), ...gave('') })).entries;
    assert.deepEqual([at(result)['allowed_at'], at(result)['ungated']], ['agent', undefined]);
    for (const [options, env] of [[{ approval: 'wait' as const }, person], [{ approval: 'deny' as const }, person], [{}, { CLAUDE_CODE_ENTRYPOINT: 'sdk-cli' }]] as const) {
      assert.match((await tell('PreToolUse', bash('echo asked'), options, env)).output.stdout, /"deny"/);
    }
    ground.write('project/.loki/policies.yaml', `${policy}  approval_gates:\n    - { name: boss, phase: none, approvers: ['user:boss'] }\n`);
    assert.match((await tell('PreToolUse', bash('echo asked'), {}, person)).output.stdout, /"deny"/);
  });
});
