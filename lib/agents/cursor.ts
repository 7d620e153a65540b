/**
 * Cursor's hook interface. Formats: docs/agents/cursor.md. Its answers are flat; silence after a crash is a no only where the settings say
 * `failClosed`, and an empty answer is one then too, so that each event here is answered in words.
 */
import type { Action } from '../base/action.ts';
import { isPlainObject, jsonIn, type JsonObject } from '../base/json.ts';
import type { AgentAdapter, EventBase, HookAnswer, HookEvent, HookOutput, ToolCall } from './hook.ts';
import { refusal, said } from './output.ts';
import { invalid, Payload, shortTexts } from './payload.ts';
import { readEvent, type EventReaders } from './snake-case.ts';
import { actionBy, agent, command, mcp, other, outputOf, read, url, write, type Call, type ToolTable } from './tools.ts';

/** Tools by the names in hook inputs. */
const tools: ToolTable = {
  Shell: command('command', 'cwd'), Write: written, Edit: written, StrReplace: written, Delete: deleted, Read: file, Grep: folder, Glob: folder, LS: folder,
  Task: agent('subagent_type', 'prompt', 'default'), WebFetch: url('url'), WebSearch: other, TodoWrite: other,
};

function pathName(input: Payload): string {
  return ['file_path', 'path', 'target_file'].find((name) => input.has(name)) ?? 'file_path';
}

function written(call: Call): Action {
  return write(pathName(call.input), ...['content', 'contents', 'new_string', 'streamContent'].filter((name) => call.input.has(name)))(call);
}

function deleted(call: Call): Action {
  return { kind: 'fs.delete', tool: call.tool, file_path: call.input.name(pathName(call.input)), ...(call.cwd === undefined ? {} : { cwd: call.cwd }) };
}

function file(call: Call): Action {
  return read(pathName(call.input))(call);
}

function folder(call: Call): Action {
  return read(pathName(call.input), 'cwd')(call);
}

const events: EventReaders = {
  preToolUse: (input, base) => ({ ...base, does: 'ask', call: toolCall(input, base) }),
  beforeShellExecution: (input, base) => ({ ...base, does: 'ask', call: { tool: 'Shell', action: tool({ tool: 'Shell', input, cwd: base.cwd }) } }),
  beforeMCPExecution: (input, base) => {
    const name = input.name('tool_name');
    return { ...base, does: 'ask', call: { tool: `MCP:${name}`, action: mcp({ tool: `MCP:${name}`, input: argumentsOf(input), cwd: base.cwd }, input.maybeName('url') ?? input.maybeName('command') ?? 'unknown', name) } };
  },
  beforeReadFile: (input, base) => ({ ...base, does: 'inspect', action: { ...read('file_path')({ tool: 'Read', input, cwd: base.cwd }), content: input.maybe('content') ?? '' } }),
  beforeTabFileRead: (input, base) => ({ ...base, does: 'inspect', action: { ...read('file_path')({ tool: 'Read', input, cwd: base.cwd }), content: input.maybe('content') ?? '' } }),
  beforeSubmitPrompt: (input, base) => ({ ...base, does: 'prompt', action: { kind: 'prompt', tool: 'prompt', content: input.text('prompt') } }),
  postToolUse: (input, base) => {
    const text = input.maybe('tool_output');
    const given = text === undefined ? undefined : jsonIn(text) ?? text;
    const { bytes, output } = outputOf(given, false);
    const exit = isPlainObject(given) && Number.isSafeInteger(given['exitCode']) ? Number(given['exitCode']) : undefined;
    return { ...base, does: 'result', call: toolCall(input, base), outcome: { ok: exit === undefined || exit === 0, ...(exit === undefined ? {} : { exit }), ...(bytes === undefined ? {} : { bytes }) }, ...(output === undefined ? {} : { output }) };
  },
  // A no of ours comes back this way: the proof that it took effect, and no outcome.
  postToolUseFailure: (input, base) => (input.raw('failure_type') === 'permission_denied' ? { ...base, does: 'nothing' } : { ...base, does: 'result', call: toolCall(input, base), outcome: { ok: false } }),
  sessionStart: (input, base) => ({ ...base, does: 'session.start', details: shortTexts(input, ['model', 'cursor_version']) }),
  sessionEnd: (input, base) => ({ ...base, does: 'session.stop', details: shortTexts(input, ['reason', 'final_status']) }),
  subagentStart: (input, base) => ({ ...base, does: 'spawn', worker: { id: input.maybeName('subagent_id') ?? 'unknown', type: input.maybeName('subagent_type') ?? 'unknown' } }),
  subagentStop: (input, base) => ({ ...base, does: 'complete', worker: { id: input.maybeName('subagent_id') ?? 'unknown', type: input.maybeName('subagent_type') ?? 'unknown' } }),
  stop: (input, base) => ({
    ...base, does: 'turn',
    usage: [{ ...(base.model === undefined ? {} : { model: base.model }), input: input.count('input_tokens'), output: input.count('output_tokens'), cacheRead: input.count('cache_read_tokens'), cacheWrite: input.count('cache_write_tokens') }],
  }),
};

export const adapter: AgentAdapter = {
  name: 'cursor',
  title: 'Cursor',
  parse(value, surroundings) {
    const event = readEvent(value, surroundings, events);
    const input = new Payload('the hook input', value);
    // Cursor's name of a session; its working directory may be empty where the workspace is meant.
    const sessionId = event.sessionId ?? input.maybeName('conversation_id');
    return sessionId === undefined ? event : { ...event, sessionId };
  },
  // Its `ask` is a silent no at one event and ignored at the other.
  asksNatively: () => false,
  render,
  refuse: refusal,
};

function toolCall(input: Payload, { cwd }: EventBase): ToolCall {
  const name = input.name('tool_name');
  const id = input.maybeName('tool_use_id');
  const workspace = input.texts('workspace_roots')[0];
  const call: Call = { tool: name, input: name.startsWith('MCP:') ? argumentsOf(input) : input.object('tool_input'), cwd: cwd ?? workspace };
  return { tool: name, action: tool(call), ...(id === undefined ? {} : { id }) };
}

function tool(call: Call): Action {
  if (call.tool.startsWith('MCP:')) return mcp(call, 'unknown', call.tool.slice(4));
  return actionBy(tools, call);
}

/** Arguments of an MCP tool: an object, or JSON of one in a text. */
function argumentsOf(input: Payload): Payload {
  const given = input.raw('tool_input');
  const value = typeof given === 'string' ? jsonIn(given) : given;
  if (value === undefined) throw invalid('"tool_input" is no JSON');
  return new Payload('"tool_input"', value);
}

function render(event: HookEvent, answer: HookAnswer): HookOutput {
  const isPrompt = event.does === 'prompt';
  switch (answer.kind) {
    case 'allow': return said(isPrompt ? { continue: true } : decides(event) ? { permission: 'allow', ...(answer.note === undefined ? {} : { user_message: answer.note }) } : {});
    case 'ask': case 'deny': return said(isPrompt ? { continue: false, user_message: answer.reason } : refusedWith(answer.reason));
    // What a tool gave stays: Cursor replaces the output of MCP tools alone. The model is told.
    case 'hide': return said({ additional_context: answer.reason });
    case 'replace': return said({ additional_context: answer.note, updated_mcp_tool_output: answer.output });
  }
}

function decides({ does, event }: HookEvent): boolean {
  return does === 'ask' || does === 'inspect' || event === 'subagentStart';
}

/** The model is given `user_message`; the other is documented for it. */
function refusedWith(reason: string): JsonObject {
  return { permission: 'deny', user_message: reason, agent_message: reason };
}
