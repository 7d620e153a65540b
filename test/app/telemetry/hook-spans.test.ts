/** The trace of a session whose hooks are processes that never meet: through the words of real agents, with a real gate and log. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { adapter as claude } from '../../../lib/agents/claude.ts';
import { adapter as cursor } from '../../../lib/agents/cursor.ts';
import { adapter as gemini } from '../../../lib/agents/gemini.ts';
import type { AgentAdapter } from '../../../lib/agents/hook.ts';
import { answerHook, type HookOptions } from '../../../lib/app/hook/answer.ts';
import type { JsonObject } from '../../../lib/base/json.ts';
import { spanIdOf, traceIdOf } from '../../../lib/base/trace-ids.ts';
import { makeGround, type Ground } from '../../support/ground.ts';
import { recordingTracer, type RecordedSpan, type RecordingTracer } from '../../support/recording-tracer.ts';

const policy = `version: 1
policies:
  pre_execution:
    - { name: no, when: 'command matches "echo forbidden*"', action: deny }
    - { name: ask, when: 'command matches "echo asked*"', action: require_approval }
  data:
    - { name: secrets, type: secret_detection, action: deny }
`;

const traceId = traceIdOf('session:one');
const session = spanIdOf(traceId, 'session');
const call = (id: string): string => spanIdOf(traceId, `call:${id}`);

interface Hooks {
  readonly tracer: RecordingTracer;
  tell(event: string, more?: JsonObject, env?: Readonly<Record<string, string>>, options?: Partial<HookOptions>): Promise<readonly RecordedSpan[]>;
}

/** Each event is answered as by a process of its own; given are the spans that it told. */
function hooksOf(ground: Ground, adapter: AgentAdapter = claude): Hooks {
  ground.write('project/.loki/policies.yaml', policy);
  const tracer = recordingTracer();
  return {
    tracer,
    async tell(event, more = {}, env = {}, options = {}) {
      const before = tracer.spans.length;
      const input = JSON.stringify({ session_id: 'one', conversation_id: 'one', cwd: ground.project, hook_event_name: event, ...more });
      const telemetry = { tracer, logger: tracer, isOn: true, end: () => Promise.resolve() };
      await answerHook(adapter, () => Promise.resolve(input), { env: { ...ground.env, ...env }, cwd: ground.project, homeDirectory: ground.root }, { approval: 'auto', waitMs: 0, deadlineMs: 30_000, project: ground.project, telemetry, ...options });
      return tracer.spans.slice(before).filter(({ ended }) => ended);
    },
  };
}

const bash = (command: string, id?: string): JsonObject => ({ tool_name: 'Bash', tool_input: { command }, ...(id === undefined ? {} : { tool_use_id: id }) });
const gave = (stdout: string): JsonObject => ({ tool_response: { stdout, stderr: '', interrupted: false, isImage: false } });
const shape = (spans: readonly RecordedSpan[]): unknown => spans.map(({ name, context, options }) => [name, context.traceId, context.spanId, options.parent?.spanId]);

describe('a call of a tool', () => {
  test('is one span, made by the hook after it, with what the hook before it made below', async (t) => {
    const { tell } = hooksOf(makeGround(t));
    const before = await tell('PreToolUse', bash('echo one', 'call_1'));
    assert.deepEqual(before.map(({ name, context, options }) => [name, context.traceId, options.parent?.spanId]), [['policy.evaluate', traceId, call('call_1')], ['audit.append', traceId, call('call_1')]]);
    const asked = Date.now();
    const after = await tell('PostToolUse', { ...bash('echo one', 'call_1'), ...gave('one') });
    assert.deepEqual(shape(after.filter(({ name }) => name !== 'policy.evaluate')), [['execute_tool Bash', traceId, call('call_1'), session]]);
    const { attributes, options: { startTime = 0 } } = after.find(({ name }) => name === 'execute_tool Bash') as RecordedSpan;
    assert.ok(startTime <= asked && startTime > asked - 60_000, `began at ${startTime}, asked before ${asked}`);
    const { 'loki.policy.digest': digest, 'loki.action.hash': hash, 'loki.project.id': project, ...rest } = attributes;
    assert.match(String(digest), /^[0-9a-f]{64}$/);
    assert.match(String(hash), /^[0-9a-f]{64}$/);
    assert.match(String(project), /^prj_/);
    assert.equal(before[0]?.attributes['loki.action.hash'], hash);
    assert.deepEqual(rest, {
      'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'Bash', 'gen_ai.tool.call.id': 'call_1', 'gen_ai.agent.name': 'claude', 'gen_ai.provider.name': 'anthropic', 'gen_ai.conversation.id': 'one',
      'loki.session.id': 'one', 'loki.agent.type': 'claude', 'loki.action.kind': 'exec', 'loki.policy.decision': 'ALLOW', 'loki.audit.seq': 2, 'process.exit.code': 0,
    });
  });

  test('that is denied has its span at once', async (t) => {
    const { tell } = hooksOf(makeGround(t));
    const spans = await tell('PreToolUse', bash('echo forbidden', 'call_1'));
    const denied = spans.find(({ name }) => name === 'execute_tool Bash');
    assert.deepEqual([denied?.context.spanId, denied?.options.parent?.spanId, denied?.status], [call('call_1'), session, 'error']);
    assert.deepEqual([denied?.attributes['error.type'], denied?.attributes['loki.policy.rule']], ['denied', 'no']);
    // Made all the same: what is told then is no second span of the same id.
    const [made] = (await tell('PostToolUse', { ...bash('echo forbidden', 'call_1'), ...gave('') })).filter(({ name }) => name === 'execute_tool Bash');
    assert.notEqual(made?.context.spanId, call('call_1'));
    assert.deepEqual([made?.attributes['loki.action.ungated'], made?.options.parent?.spanId], [true, session]);
  });

  test('that fails says so, with the exit code', async (t) => {
    const { tell } = hooksOf(makeGround(t));
    await tell('PreToolUse', bash('echo two', 'call_2'));
    const failed = (await tell('PostToolUseFailure', { ...bash('echo two', 'call_2'), error: 'Exit code 3\nboom' })).find(({ name }) => name === 'execute_tool Bash');
    assert.deepEqual([failed?.status, failed?.attributes['error.type'], failed?.attributes['process.exit.code']], ['error', 'tool_error', 3]);
  });

  test('of an agent that gives calls no id is told with its decision, and not again', async (t) => {
    const { tell } = hooksOf(makeGround(t), gemini);
    const write = { tool_name: 'write_file', tool_input: { file_path: 'a.txt', content: 'x' } };
    const before = await tell('BeforeTool', write);
    const told = before.find(({ name }) => name === 'execute_tool write_file');
    assert.deepEqual([told?.context.traceId, told?.options.parent?.spanId, told?.attributes['loki.policy.decision'], told?.attributes['gen_ai.provider.name']], [traceId, session, 'ALLOW', 'gcp.gemini']);
    assert.deepEqual((await tell('AfterTool', { ...write, tool_response: { llmContent: 'done' } })).map(({ name }) => name), []);
    // Nobody asked for this one.
    const [ungated] = await tell('AfterTool', { ...write, tool_input: { file_path: 'b.txt', content: 'x' }, tool_response: { llmContent: 'done' } });
    assert.deepEqual([ungated?.name, ungated?.attributes['loki.action.ungated']], ['execute_tool write_file', true]);
  });

  test('that a person must allow, and the agent asks, is told when it was made', async (t) => {
    const { tell } = hooksOf(makeGround(t));
    assert.deepEqual((await tell('PreToolUse', bash('echo asked', 'call_1'), { CLAUDE_CODE_ENTRYPOINT: 'cli' })).map(({ name }) => name), ['policy.evaluate', 'audit.append']);
    const made = (await tell('PostToolUse', { ...bash('echo asked', 'call_1'), ...gave('') })).find(({ name }) => name === 'execute_tool Bash');
    assert.deepEqual([made?.context.spanId, made?.attributes['loki.policy.rule'], made?.attributes['loki.action.ungated']], [call('call_1'), 'ask', undefined]);
  });

  test('waits for its approval in a span of its own', async (t) => {
    const { tell } = hooksOf(makeGround(t));
    const spans = await tell('PreToolUse', bash('echo asked', 'call_1'), {}, { approval: 'deny' });
    const waited = spans.find(({ name }) => name === 'approval.wait');
    assert.deepEqual([waited?.options.parent?.spanId, waited?.attributes['loki.approval.status']], [call('call_1'), 'pending']);
    assert.match(String(waited?.attributes['loki.approval.id']), /^apr_/);
    assert.equal(spans.find(({ name }) => name === 'execute_tool Bash')?.attributes['error.type'], 'approval_required');
  });

  test('whose output is judged has that below it', async (t) => {
    const { tell } = hooksOf(makeGround(t));
    await tell('PreToolUse', bash('cat x', 'call_1'));
    const judged = (await tell('PostToolUse', { ...bash('cat x', 'call_1'), ...gave('ghp_x7Kq2LmN9pRs4TuV6wXy8ZaB1cDe3FgH5iJk') })).find(({ name }) => name === 'policy.evaluate');
    assert.deepEqual([judged?.options.parent?.spanId, judged?.attributes['loki.policy.point'], judged?.attributes['loki.policy.decision'], judged?.attributes['loki.policy.rule']], [call('call_1'), 'data', 'DENY', 'secrets']);
  });
});

describe('a session', () => {
  test('is the root of its trace, told when it ends, from when it began', async (t) => {
    const { tell } = hooksOf(makeGround(t));
    const began = Date.now();
    assert.deepEqual((await tell('SessionStart', { source: 'startup' })).map(({ name }) => name), []);
    const [root, ...more] = await tell('SessionEnd', { reason: 'other' });
    assert.deepEqual(more, []);
    assert.deepEqual([root?.name, root?.context.traceId, root?.context.spanId, root?.options.parent], ['agent.claude.session', traceId, session, undefined]);
    assert.ok(Math.abs((root?.options.startTime ?? 0) - began) < 60_000);
    assert.deepEqual([root?.attributes['gen_ai.operation.name'], root?.attributes['loki.agent.action']], ['invoke_agent', 'session']);
  });

  test('that nobody began ends all the same', async (t) => {
    const [root] = await hooksOf(makeGround(t)).tell('SessionEnd', { reason: 'other' });
    assert.deepEqual([root?.name, root?.options.startTime], ['agent.claude.session', undefined]);
  });

  test('that is handed a TRACEPARENT is part of that trace', async (t) => {
    const { tell } = hooksOf(makeGround(t));
    const [given, span] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];
    const env = { TRACEPARENT: `00-${given}-${span}-01` };
    const own = spanIdOf(given, 'call:call_1');
    const before = await tell('PreToolUse', bash('echo one', 'call_1'), env);
    assert.deepEqual(before.map(({ context, options }) => [context.traceId, options.parent?.spanId]), [[given, own], [given, own]]);
    const after = (await tell('PostToolUse', { ...bash('echo one', 'call_1'), ...gave('') }, env)).find(({ name }) => name === 'execute_tool Bash');
    assert.deepEqual([after?.context.traceId, after?.context.spanId, after?.options.parent?.spanId], [given, own, span]);
    const [ended] = await tell('SessionEnd', { reason: 'other' }, env);
    assert.deepEqual([ended?.context.traceId, ended?.options.parent?.spanId], [given, span]);
  });

  test('that is handed one which cannot be read is a trace of its own', async (t) => {
    const { tell } = hooksOf(makeGround(t));
    for (const given of ['', 'nonsense', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`, 'x'.repeat(100_000)]) {
      assert.equal((await tell('PreToolUse', bash('echo one', 'call_1'), { TRACEPARENT: given }))[0]?.context.traceId, traceId);
    }
  });

  test('in a trace that is not kept tells nothing', async (t) => {
    const { tell, tracer } = hooksOf(makeGround(t));
    const env = { TRACEPARENT: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00' };
    for (const [event, more] of [['PreToolUse', bash('echo forbidden', 'c')], ['PostToolUse', { ...bash('ls', 'd'), ...gave('') }], ['SessionEnd', {}]] as const) await tell(event, more, env);
    assert.deepEqual(tracer.spans, []);
  });

  test('within a governed run is the run\'s to tell', async (t) => {
    const { tell } = hooksOf(makeGround(t));
    assert.deepEqual(await tell('SessionEnd', {}, { LOKI_SESSION_ID: 'ses_01ARZ3NDEKTSV4RRFFQ69G5FAV', LOKI_RUN_ID: 'run_01ARZ3NDEKTSV4RRFFQ69G5FAV' }), []);
  });
});

test('a subagent is a span from its beginning to its end, with its calls below it', async (t) => {
  const { tell } = hooksOf(makeGround(t));
  const worker = { agent_id: 'a1', agent_type: 'explorer' };
  const own = spanIdOf(traceId, 'worker:a1');
  await tell('SubagentStart', worker);
  await tell('PreToolUse', { ...bash('ls', 'call_1'), ...worker });
  const made = (await tell('PostToolUse', { ...bash('ls', 'call_1'), ...worker, ...gave('') })).find(({ name }) => name === 'execute_tool Bash');
  assert.deepEqual([made?.options.parent?.spanId, made?.attributes['gen_ai.agent.name']], [own, 'explorer']);
  const ended = (await tell('SubagentStop', worker)).find(({ name }) => name.startsWith('agent.'));
  assert.deepEqual([ended?.name, ended?.context.spanId, ended?.options.parent?.spanId, typeof ended?.options.startTime], ['agent.explorer.run', own, session, 'number']);
});

test('a prompt and what is looked into before a file is read are judged in spans of the agent', async (t) => {
  const prompts = await hooksOf(makeGround(t)).tell('UserPromptSubmit', { prompt: 'use ghp_x7Kq2LmN9pRs4TuV6wXy8ZaB1cDe3FgH5iJk' });
  assert.deepEqual(prompts.map(({ name, attributes }) => [name, attributes['loki.policy.decision'] ?? 'none']), [['agent.claude.prompt', 'DENY'], ['policy.evaluate', 'DENY'], ['audit.append', 'none']]);
  assert.equal(prompts[1]?.attributes['loki.policy.point'], 'data');
  const read = await hooksOf(makeGround(t), cursor).tell('beforeReadFile', { file_path: 'a.txt', content: 'x', workspace_roots: [] });
  assert.deepEqual(read.map(({ name }) => name), ['agent.cursor.inspect', 'policy.evaluate', 'audit.append']);
});
