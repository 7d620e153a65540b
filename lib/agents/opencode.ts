/**
 * opencode, through our plugin: opencode runs no commands as hooks, so a plugin in its own process asks us and throws on a no. What the plugin
 * sends and takes is ours (docs/agents/opencode.md); the names of tools and arguments in it are opencode's.
 */
import type { Action } from '../base/action.ts';
import type { AgentAdapter, EventBase, HookAnswer, HookEvent, HookOutput, ReportedUsage, ToolCall } from './hook.ts';
import { refusal, said } from './output.ts';
import { invalid, Payload } from './payload.ts';
import type { EventReaders } from './snake-case.ts';
import { agent, command, mcp, other, outputOf, patch, read, search, unknownTool, url, write, type Call, type ToolTable } from './tools.ts';

/** Tools by their names. */
const tools: ToolTable = {
  bash: command('command', 'workdir'), write: write('filePath', 'content'), edit: write('filePath', 'newString'), multiedit: multiEdit, apply_patch: patch('patchText'), patch: patch('patchText'),
  read: read('filePath'), glob: search('path', 'pattern'), grep: search('path', 'include'), list: read('path', 'cwd'), webfetch: url('url'), websearch: other, codesearch: other,
  task: agent('subagent_type', 'prompt', 'general'), todowrite: other, todoread: other, skill: other, question: other, invalid: other, plan_enter: other, plan_exit: other, lsp: other,
};

function multiEdit(call: Call): Action {
  return { ...write('filePath')(call), content: call.input.objects('edits').map((edit) => edit.maybe('newString') ?? '').join('\n') };
}

const events: EventReaders = {
  'tool.execute.before': (input, base) => ({ ...base, does: 'ask', call: toolCall(input, base) }),
  'tool.execute.after': (input, base) => {
    const { bytes, output } = outputOf(input.value('output'), true);
    return { ...base, does: 'result', call: toolCall(input, base), outcome: { ok: true, ...exitIn(input), ...(bytes === undefined ? {} : { bytes }) }, ...(output === undefined ? {} : { output }) };
  },
  'chat.message': (input, base) => ({ ...base, does: 'prompt', action: { kind: 'prompt', tool: 'prompt', content: input.text('prompt') } }),
  'session.start': (_input, base) => ({ ...base, does: 'session.start', details: {} }),
  'session.stop': (_input, base) => ({ ...base, does: 'session.stop', details: {} }),
  'session.idle': (input, base) => ({ ...base, does: 'turn', usage: input.objects('usage').map(usageOf) }),
};

export const adapter: AgentAdapter = {
  name: 'opencode',
  title: 'opencode',
  parse(value) {
    const input = new Payload('the hook input', value);
    const event = input.name('event');
    const reader = Object.hasOwn(events, event) ? events[event] : undefined;
    if (reader === undefined) throw invalid(`nobody knows the event ${JSON.stringify(event.slice(0, 64))}`);
    const [sessionId, cwd] = [input.maybeName('sessionID'), input.maybeName('cwd')];
    return reader(input, { event, ...(sessionId === undefined ? {} : { sessionId }), ...(cwd === undefined ? {} : { cwd }) });
  },
  asksNatively: () => false,
  render,
  refuse: refusal,
};

function toolCall(input: Payload, { cwd }: EventBase): ToolCall {
  const tool = input.name('tool');
  const id = input.maybeName('callID');
  return { tool, action: actionOf({ tool, input: input.object('args'), cwd }), ...(id === undefined ? {} : { id }) };
}

/** Tools of MCP servers come as server_tool; which part is the server's cannot be told, and a name without one is unknown. */
function actionOf(call: Call): Action {
  const reader = Object.hasOwn(tools, call.tool) ? tools[call.tool] : undefined;
  if (reader !== undefined) return reader(call);
  const [, server, name] = /^([^_]+)_(.+)$/.exec(call.tool) ?? [];
  return server !== undefined && name !== undefined ? mcp(call, server, name) : unknownTool(call);
}

function exitIn(input: Payload): { readonly exit?: number } {
  const output = input.raw('output');
  if (typeof output !== 'object' || output === null || !('metadata' in output)) return {};
  const { metadata } = output;
  const exit = typeof metadata === 'object' && metadata !== null && 'exit' in metadata ? metadata.exit : undefined;
  return typeof exit === 'number' && Number.isSafeInteger(exit) ? { exit } : {};
}

function usageOf(used: Payload): ReportedUsage {
  const model = used.maybeName('model');
  return { ...(model === undefined ? {} : { model }), input: used.count('input'), output: used.count('output'), cacheRead: used.count('cacheRead'), cacheWrite: used.count('cacheWrite') };
}

function render(_event: HookEvent, answer: HookAnswer): HookOutput {
  switch (answer.kind) {
    case 'allow': return said({ allow: true, ...(answer.note === undefined ? {} : { note: answer.note }) });
    case 'ask': case 'deny': case 'hide': return said({ allow: false, reason: answer.reason });
    case 'replace': return said({ allow: true, output: answer.output, note: answer.note });
  }
}
