/**
 * Every agent's bytes and exit code, for every answer and every way an input can be wrong. The gate is real: a policy on disk, a log of
 * record; only the process around it is left out.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { agentTable } from '../../lib/agents/adapters.ts';
import type { AgentAdapter, AgentName, HookOutput } from '../../lib/agents/hook.ts';
import { answerHook, type HookOptions } from '../../lib/app/hook/answer.ts';
import { LokiError } from '../../lib/errors.ts';
import { isPlainObject, type JsonObject } from '../../lib/base/json.ts';
import { makeGround, type Ground } from '../support/ground.ts';

const policy = `version: 1
policies:
  pre_execution:
    - { name: no, when: 'command matches "echo forbidden*"', action: deny }
    - { name: ask, when: 'command matches "echo asked*"', action: require_approval }
    - { name: careful, when: 'command matches "echo careful*"', action: warn }
`;

/** What is different from agent to agent. */
interface Form {
  /** A call of the shell before it runs; `over`: members put in place of others, or taken out. */
  readonly before: (command: string, over?: JsonObject) => JsonObject;
  /** The members without which nothing can be judged. */
  readonly needs: readonly string[];
  /** A call of a tool that nobody knows. */
  readonly unknownTool: (input: JsonObject) => JsonObject;
  readonly unknownEvent?: JsonObject;
  /** An event that only tells. */
  readonly tells?: { readonly input: JsonObject; readonly answer: string };
  readonly allow: string;
  readonly warn: (note: string) => string;
  readonly deny: (reason: string) => string;
}

const nested = (reason: string): JsonObject => ({ hookEventName: 'PreToolUse', permissionDecision: 'deny', permissionDecisionReason: reason });
const systemMessage = (note: string): string => JSON.stringify({ systemMessage: note });
const snake = (event: string, tool: string) => (command: string, over: JsonObject = {}): JsonObject =>
  ({ session_id: 'one', cwd: '/', hook_event_name: event, tool_name: tool, tool_input: { command }, tool_use_id: 'call_1', ...over });

const forms: Readonly<Record<AgentName, Form>> = {
  claude: {
    before: snake('PreToolUse', 'Bash'), needs: ['hook_event_name', 'tool_name', 'tool_input'], unknownTool: (input) => ({ ...snake('PreToolUse', 'Telepathy')(''), tool_input: input }),
    unknownEvent: snake('BeforeDawn', 'Bash')('echo fine'), tells: { input: { session_id: 'one', hook_event_name: 'SubagentStart', agent_id: 'a', agent_type: 'b' }, answer: '' },
    allow: '', warn: systemMessage,
    deny: (reason) => JSON.stringify({ decision: 'block', reason, permissionDecision: 'deny', permissionDecisionReason: reason, hookSpecificOutput: nested(reason) }),
  },
  codex: {
    before: snake('PreToolUse', 'Bash'), needs: ['hook_event_name', 'tool_name', 'tool_input'], unknownTool: (input) => ({ ...snake('PreToolUse', 'telepathy')(''), tool_input: input }),
    unknownEvent: snake('BeforeDawn', 'Bash')('echo fine'), tells: { input: { session_id: 'one', hook_event_name: 'SubagentStart', agent_id: 'a', agent_type: 'b' }, answer: '' },
    allow: '', warn: systemMessage, deny: (reason) => JSON.stringify({ hookSpecificOutput: nested(reason) }),
  },
  gemini: {
    before: snake('BeforeTool', 'run_shell_command'), needs: ['hook_event_name', 'tool_name', 'tool_input'], unknownTool: (input) => ({ ...snake('BeforeTool', 'telepathy')(''), tool_input: input }),
    unknownEvent: snake('BeforeDawn', 'run_shell_command')('echo fine'), tells: { input: { session_id: 'one', hook_event_name: 'SessionEnd', reason: 'exit' }, answer: '' },
    allow: '', warn: systemMessage, deny: (reason) => JSON.stringify({ decision: 'deny', reason }),
  },
  cursor: {
    before: snake('preToolUse', 'Shell'), needs: ['hook_event_name', 'tool_name', 'tool_input'], unknownTool: (input) => ({ ...snake('preToolUse', 'Telepathy')(''), tool_input: input }),
    unknownEvent: snake('beforeDawn', 'Shell')('echo fine'), tells: { input: { conversation_id: 'one', hook_event_name: 'sessionEnd', reason: 'exit' }, answer: '{}' },
    allow: '{"permission":"allow"}', warn: (note) => JSON.stringify({ permission: 'allow', user_message: note }), deny: (reason) => JSON.stringify({ permission: 'deny', user_message: reason, agent_message: reason }),
  },
  copilot: {
    before: (command, over = {}) => ({ sessionId: 'one', timestamp: 1, cwd: '/', toolName: 'bash', toolArgs: { command }, ...over }), needs: ['toolName', 'toolArgs'],
    unknownTool: (input) => ({ sessionId: 'one', timestamp: 1, cwd: '/', toolName: 'telepathy', toolArgs: input }),
    allow: '', warn: () => '', deny: (reason) => JSON.stringify({ permissionDecision: 'deny', permissionDecisionReason: reason }),
  },
  opencode: {
    before: (command, over = {}) => ({ event: 'tool.execute.before', tool: 'bash', sessionID: 'one', callID: 'call_1', args: { command }, cwd: '/', ...over }), needs: ['event', 'tool', 'args'],
    unknownTool: (input) => ({ event: 'tool.execute.before', tool: 'telepathy', sessionID: 'one', callID: 'call_1', args: input, cwd: '/' }),
    unknownEvent: { event: 'before.dawn', tool: 'bash', args: {} }, tells: { input: { event: 'session.stop', sessionID: 'one' }, answer: '{"allow":true}' },
    allow: '{"allow":true}', warn: (note) => JSON.stringify({ allow: true, note }), deny: (reason) => JSON.stringify({ allow: false, reason }),
  },
};

const usual: HookOptions = { approval: 'auto', waitMs: 0, deadlineMs: 30_000 };

/** Answers an input in the ground's project. */
async function answer(ground: Ground, adapter: AgentAdapter, input: string | (() => Promise<string>), options: Partial<HookOptions> = {}): Promise<HookOutput> {
  return answerHook(adapter, typeof input === 'string' ? () => Promise.resolve(input) : input, { env: ground.env, cwd: ground.project, homeDirectory: ground.root }, { ...usual, project: ground.project, ...options });
}

function lastReason(ground: Ground): string {
  const details = ground.entries().at(-1)?.['details'];
  return isPlainObject(details) ? String(details['reason']) : '';
}

/** Exit code 2, words on standard error, nothing on standard output: what every agent takes for a no. */
function assertRefused(output: HookOutput, words: RegExp): void {
  assert.equal(output.exit, 2);
  assert.equal(output.stdout, '');
  assert.match(output.stderr, words);
}

for (const row of agentTable) {
  const form = forms[row.name];
  describe(row.title, async () => {
    const { adapter } = await row.load();

    test('an answer: allow, warn, deny, approval needed', async (t) => {
      const ground = makeGround(t);
      ground.write('project/.loki/policies.yaml', policy);
      const ask = (command: string): Promise<HookOutput> => answer(ground, adapter, JSON.stringify(form.before(command)));
      assert.deepEqual(await ask('echo fine'), { stdout: form.allow, stderr: '', exit: 0 });
      const warned = await ask('echo careful');
      assert.deepEqual(warned, { stdout: form.warn(`loki: ${lastReason(ground)}`), stderr: '', exit: 0 });
      const denied = await ask('echo forbidden');
      const seq = ground.entries().length;
      assert.deepEqual(denied, { stdout: form.deny(`loki: ${lastReason(ground)}. Why in full: loki policy explain --seq ${seq}`), stderr: '', exit: 0 });
      const asked = await ask('echo asked');
      const reason = lastReason(ground);
      assert.match(reason, /Approval apr_[0-9A-Z]{26} is needed: loki approve apr_/);
      assert.deepEqual(asked, { stdout: form.deny(`loki: ${reason}. Nothing was done. Once a person has approved it, make exactly the same call again`), stderr: '', exit: 0 });
      assert.deepEqual(ground.entries().map(({ event }) => event), ['audit.open', 'policy.allow', 'policy.warn', 'policy.deny', 'approval.request', 'policy.approval_required']);
    });

    test('a tool that nobody knows is judged by what its input says', async (t) => {
      const ground = makeGround(t);
      ground.write('project/.loki/policies.yaml', policy);
      assert.deepEqual(await answer(ground, adapter, JSON.stringify(form.unknownTool({ mood: 'fine' }))), { stdout: form.allow, stderr: '', exit: 0 });
      const denied = await answer(ground, adapter, JSON.stringify(form.unknownTool({ mood: 'fine', command: 'echo forbidden' })));
      assert.match(denied.stdout, /no-?|echo forbidden/);
      assert.equal(denied.stdout, form.deny(`loki: ${lastReason(ground)}. Why in full: loki policy explain --seq ${ground.entries().length}`));
      for (const input of [{ file_path: '.loki/policies.yaml' }, { path: '.loki/policies.yaml' }, { script: 'loki approve apr_1' }]) {
        assert.match((await answer(ground, adapter, JSON.stringify(form.unknownTool(input)))).stdout, /builtin:/, JSON.stringify(input));
      }
    });

    test('an input that cannot be understood is a no, and leaves a trace', async (t) => {
      const ground = makeGround(t);
      const good = form.before('echo fine');
      const bad: readonly (readonly [string, string, RegExp])[] = [
        ['nothing', '', /there is nothing in it/], ['white space', ' \n', /there is nothing in it/], ['half of it', JSON.stringify(good).slice(0, -9), /not well-formed JSON/], ['a list', '[]', /no JSON object/], ['null', 'null', /no JSON object/],
        ['two of them', JSON.stringify(good).repeat(2), /not well-formed JSON/], ['a member twice', JSON.stringify(good).replace('{', '{"cwd":"/","cwd":"/",'), /a member is there twice/],
        ['deep nesting', `{"a":${'['.repeat(70)}${']'.repeat(70)}}`, /deeper than 64 levels/], ['a number for a text', JSON.stringify(form.before('x')).replace('"x"', '7'), /is no text/],
        ['a NUL in the command', JSON.stringify(form.before('echo \0')), /holds a NUL character/],
        ...form.needs.map((name): readonly [string, string, RegExp] => [`no ${name}`, JSON.stringify(without(good, name)), new RegExp(`"${name}" is missing`)]),
        ...form.needs.map((name): readonly [string, string, RegExp] => [`null for ${name}`, JSON.stringify({ ...good, [name]: null }), /is missing|is no JSON object/]),
        ...(form.unknownEvent === undefined ? [] : [['an event that nobody knows', JSON.stringify(form.unknownEvent), /nobody knows the event/] as const]),
      ];
      for (const [what, input, words] of bad) {
        const output = await answer(ground, adapter, input);
        assert.doesNotThrow(() => assertRefused(output, words), `${what}: ${JSON.stringify(output)}`);
        const last = ground.entries().at(-1);
        assert.deepEqual([last?.['event'], last?.['actor']], ['policy.error', `agent:${row.name}`], what);
      }
    });

    test('an input of two megabytes is judged whole', async (t) => {
      const ground = makeGround(t);
      ground.write('project/.loki/policies.yaml', policy);
      const long = `echo fine ${'x'.repeat(2_000_000)}`;
      assert.match((await answer(ground, adapter, JSON.stringify(form.before(long)))).stdout, /builtin:unclear-command/);
      assert.deepEqual(await answer(ground, adapter, JSON.stringify(form.unknownTool({ text: 'x'.repeat(100_000) }))), { stdout: form.allow, stderr: '', exit: 0 });
    });

    test('what breaks inside, or takes too long, is a no', async (t) => {
      const ground = makeGround(t);
      const input = JSON.stringify(form.before('echo fine'));
      assertRefused(await answer(ground, { ...adapter, parse: () => { throw new TypeError('boom'); } }, input), /Cannot judge this call: boom/);
      assertRefused(await answer(ground, adapter, () => Promise.reject(new LokiError('action.invalid', { attempted: 'read the hook input', found: 'it is longer than 16777216 bytes' }))), /longer than/);
      assertRefused(await answer(ground, adapter, () => new Promise(() => undefined), { deadlineMs: 20 }), /nothing was decided within 0.02 s/);
      assertRefused(await answer(ground, adapter, input, { project: '/no/such/project' }), /there is no such directory/);
      ground.write('home/config.yaml', 'nonsense: [');
      assertRefused(await answer(ground, adapter, input), /Cannot/);
    });

    if (form.tells !== undefined) {
      const { input, answer: expected } = form.tells;
      test('what only tells stops nobody, whatever goes wrong', async (t) => {
        const ground = makeGround(t);
        ground.write('home/config.yaml', 'nonsense: [');
        assert.deepEqual(await answer(ground, adapter, JSON.stringify(input)), { stdout: expected, stderr: '', exit: 0 });
      });
    }
  });
}

function without(value: JsonObject, name: string): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([member]) => member !== name));
}
