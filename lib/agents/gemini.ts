/** Gemini CLI's hook interface. Formats and what was seen of them: docs/agents/gemini.md. It has no way to ask, and waits for ever when told to. */
import type { Action } from '../base/action.ts';
import { isPlainObject } from '../base/json.ts';
import type { AgentAdapter, HookAnswer, HookEvent, HookOutput } from './hook.ts';
import { refusal, said } from './output.ts';
import { shortTexts, type Payload } from './payload.ts';
import { readEvent, toolCallIn, type EventReaders } from './snake-case.ts';
import { actionBy, agent, command, fetchAllIn, mcp, other, outputOf, read, readAll, search, write, type Call, type ToolReader, type ToolTable } from './tools.ts';

/** Tools by the names in hook inputs; the older names of some stand here too. */
const tools: ToolTable = {
  run_shell_command: command('command', 'dir_path'), write_file: write('file_path', 'content'), replace: write('file_path', 'new_string'), read_file: readFile,
  read_many_files: readAll('include', 'paths'), list_directory: folder, glob: found('pattern'), grep_search: found('include'), search_file_content: found('include'),
  web_fetch: fetchAllIn('prompt'), google_web_search: other, invoke_agent: agent('agent_name', 'prompt', 'generalist'), save_memory: other, write_todos: other,
  activate_skill: other, ask_user: other, enter_plan_mode: other, exit_plan_mode: other, get_internal_docs: other, update_topic: other, complete_task: other,
  list_background_processes: other, read_background_output: other,
};

function readFile(call: Call): Action {
  return read(call.input.has('file_path') ? 'file_path' : 'absolute_path')(call);
}

function folder(call: Call): Action {
  return read(call.input.has('dir_path') ? 'dir_path' : 'path', 'cwd')(call);
}

function found(patternName: string): ToolReader {
  return (call) => search(call.input.has('dir_path') ? 'dir_path' : 'path', patternName)(call);
}

const events: EventReaders = {
  BeforeTool: (input, base) => ({ ...base, does: 'ask', call: toolCallIn(input, base, (call) => actionOf(call, input)) }),
  AfterTool: (input, base) => {
    const response = input.value('tool_response');
    const shown = isPlainObject(response) ? response['llmContent'] ?? response['returnDisplay'] : response;
    const { bytes, output } = outputOf(shown, true);
    const exit = typeof shown === 'string' ? /^Exit Code: (\d{1,3})$/m.exec(shown)?.[1] : undefined;
    const failed = (exit !== undefined && exit !== '0') || (isPlainObject(response) && response['error'] !== undefined && response['error'] !== null);
    return { ...base, does: 'result', call: toolCallIn(input, base, (call) => actionOf(call, input)), outcome: { ok: !failed, ...(exit === undefined ? {} : { exit: Number(exit) }), ...(bytes === undefined ? {} : { bytes }) }, ...(output === undefined ? {} : { output }) };
  },
  BeforeAgent: (input, base) => ({ ...base, does: 'prompt', action: { kind: 'prompt', tool: 'prompt', content: input.text('prompt') } }),
  AfterAgent: (_input, base) => ({ ...base, does: 'turn' }),
  SessionStart: (input, base) => ({ ...base, does: 'session.start', details: shortTexts(input, ['source']) }),
  SessionEnd: (input, base) => ({ ...base, does: 'session.stop', details: shortTexts(input, ['reason']) }),
};

export const adapter: AgentAdapter = {
  name: 'gemini',
  title: 'Gemini CLI',
  parse: (value, surroundings) => readEvent(value, surroundings, events),
  asksNatively: () => false,
  render,
  refuse: refusal,
};

/** Gemini gives no id of a call. */
function actionOf(call: Call, input: Payload): Action {
  if (input.has('mcp_context')) {
    const context = input.object('mcp_context');
    return mcp(call, context.name('server_name'), context.name('tool_name'));
  }
  const [, server, name] = /^mcp_+(.+?)_+(.+)$/.exec(call.tool) ?? [];
  if (server !== undefined && name !== undefined) return mcp(call, server, name);
  return actionBy(tools, call);
}

function render(_event: HookEvent, answer: HookAnswer): HookOutput {
  switch (answer.kind) {
    case 'allow': return said(answer.note === undefined ? undefined : { systemMessage: answer.note });
    // A no to what a tool gave puts the reason in its place.
    case 'ask': case 'deny': case 'hide': return said({ decision: 'deny', reason: answer.reason });
    case 'replace': return said({ decision: 'deny', reason: `${typeof answer.output === 'string' ? answer.output : JSON.stringify(answer.output)}\n[${answer.note}]` });
  }
}
