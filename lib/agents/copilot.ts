/**
 * GitHub Copilot CLI's hook interface, with event names in camel case, whose inputs do not name the event: the command says which one it was
 * installed for. Formats: docs/agents/copilot.md.
 */
import type { Action } from '../base/action.ts';
import { isPlainObject, jsonIn } from '../base/json.ts';
import type { AgentAdapter, EventBase, HookAnswer, HookEvent, HookOutput, HookSurroundings, ToolCall } from './hook.ts';
import { refusal, said } from './output.ts';
import { invalid, Payload, shortTexts } from './payload.ts';
import type { EventReaders } from './snake-case.ts';
import { agent, command, mcp, other, outputOf, patch, read, search, unknownTool, url, write, type Call, type ToolTable } from './tools.ts';

/** Tools by the names in hook inputs. */
const tools: ToolTable = {
  bash: command('command'), powershell: command('command'), view: read('path'), create: write('path', 'file_text'), edit: write('path', 'new_str'),
  str_replace_editor: editor, apply_patch: patch('patch'), glob: search('path', 'pattern'), grep: search('path', 'glob'), web_fetch: url('url'), task: agent('agent_type', 'prompt', 'general-purpose'),
  ask_user: other, report_intent: other, update_todo: other, read_bash: other, stop_bash: other, write_bash: command('input'),
};

/** One tool with several commands: only `view` reads. */
function editor(call: Call): Action {
  return call.input.maybe('command') === 'view' ? read('path')(call) : write('path', 'file_text', 'new_str')(call);
}

const events: EventReaders = {
  preToolUse: (input, base) => ({ ...base, does: 'ask', call: toolCall(input, base) }),
  postToolUse: (input, base) => {
    const result = input.value('toolResult');
    const { bytes, output } = outputOf(isPlainObject(result) ? result['textResultForLlm'] : result, true);
    const ok = !isPlainObject(result) || result['resultType'] === undefined || result['resultType'] === 'success';
    return { ...base, does: 'result', call: toolCall(input, base), outcome: { ok, ...(bytes === undefined ? {} : { bytes }) }, ...(output === undefined ? {} : { output }) };
  },
  postToolUseFailure: (input, base) => ({ ...base, does: 'result', call: toolCall(input, base), outcome: { ok: false } }),
  userPromptSubmitted: (input, base) => ({ ...base, does: 'prompt', action: { kind: 'prompt', tool: 'prompt', content: input.text('prompt') } }),
  sessionStart: (input, base) => ({ ...base, does: 'session.start', details: shortTexts(input, ['source']) }),
  sessionEnd: (input, base) => ({ ...base, does: 'session.stop', details: shortTexts(input, ['reason']) }),
  subagentStart: (input, base) => ({ ...base, does: 'spawn', worker: workerOf(input) }),
  subagentStop: (input, base) => ({ ...base, does: 'complete', worker: workerOf(input) }),
  agentStop: (_input, base) => ({ ...base, does: 'turn' }),
};

/** Copilot gives no id of a subagent. */
function workerOf(input: Payload): { readonly id: string; readonly type: string } {
  const name = input.maybeName('agentName') ?? 'unknown';
  return { id: name, type: name };
}

export const adapter: AgentAdapter = {
  name: 'copilot',
  title: 'GitHub Copilot',
  parse(value, { event }: HookSurroundings) {
    const input = new Payload('the hook input', value);
    const name = event ?? (input.has('toolResult') ? 'postToolUse' : 'preToolUse');
    const reader = Object.hasOwn(events, name) ? events[name] : undefined;
    if (reader === undefined) throw invalid(`nobody knows the event ${JSON.stringify(name.slice(0, 64))}`);
    const [sessionId, cwd] = [input.maybeName('sessionId'), input.maybeName('cwd')];
    return reader(input, { event: name, ...(sessionId === undefined ? {} : { sessionId }), ...(cwd === undefined ? {} : { cwd }) });
  },
  // Whether a person is there is not told, and the cloud agent takes `ask` for a no.
  asksNatively: () => false,
  render,
  refuse: refusal,
};

/** Arguments come as an object, in older versions as JSON in a text. Copilot gives no id of a call. */
function toolCall(input: Payload, { cwd }: EventBase): ToolCall {
  const tool = input.name('toolName');
  const given = input.raw('toolArgs');
  const value = typeof given === 'string' ? jsonIn(given) ?? (tool === 'apply_patch' ? { patch: given } : undefined) : given;
  if (value === undefined) throw invalid('"toolArgs" is missing or no JSON');
  return { tool, action: actionOf({ tool, input: new Payload('"toolArgs"', value), cwd }) };
}

function actionOf(call: Call): Action {
  const reader = Object.hasOwn(tools, call.tool) ? tools[call.tool] : undefined;
  if (reader !== undefined) return reader(call);
  // Tools of MCP servers come as server-tool.
  const [, server, name] = /^([\w.]+)-([\w.-]+)$/.exec(call.tool) ?? [];
  return server !== undefined && name !== undefined ? mcp(call, server, name) : unknownTool(call);
}

function render(event: HookEvent, answer: HookAnswer): HookOutput {
  switch (answer.kind) {
    case 'allow': return said(undefined);
    case 'ask': case 'deny': return event.does === 'ask' ? said({ permissionDecision: 'deny', permissionDecisionReason: answer.reason }) : said({ decision: 'block', reason: answer.reason });
    case 'hide': return said({ modifiedResult: { resultType: 'success', textResultForLlm: answer.reason } });
    case 'replace': return said({ modifiedResult: { resultType: 'success', textResultForLlm: typeof answer.output === 'string' ? answer.output : JSON.stringify(answer.output) }, additionalContext: answer.note });
  }
}
