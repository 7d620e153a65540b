/**
 * Codex CLI's hook interface. Formats and what was seen of them: docs/agents/codex.md. Its schemas are strict: one member too many in an
 * answer and the tool runs, so each answer here holds exactly what its event takes.
 */
import type { Action } from '../base/action.ts';
import type { AgentAdapter, EventBase, HookAnswer, HookEvent, HookOutput, ToolCall, Worker } from './hook.ts';
import { refusal, said } from './output.ts';
import { shortTexts, type Payload } from './payload.ts';
import { readEvent, workerIn, type EventReaders } from './snake-case.ts';
import { agent, command, mcp, other, outputOf, patch, read, unknownTool, type Call, type ToolReader } from './tools.ts';

/** Tools by the names in hook inputs. */
const tools: Readonly<Record<string, ToolReader>> = {
  Bash: shell('command'), exec_command: shell('cmd'), write_stdin: shell('chars'), exec: other, web_search: other, apply_patch: patch('command'), view_image: read('path'), spawn_agent: agent('agent_type', 'message', 'default'),
  send_input: other, send_message: other, followup_task: other, resume_agent: other, wait: other, wait_agent: other, close_agent: other, interrupt_agent: other, list_agents: other,
  update_plan: other, request_user_input: other, request_user_input_async: other, send_message_to_user_async: other, get_goal: other, create_goal: other, update_goal: other, tool_search: other, sleep: other, curr_time: other,
  list_mcp_resources: other, list_mcp_resource_templates: other, read_mcp_resource: other,
};

/** Codex types into a running command with a tool that fires no hook, so that what the command opens is never asked about again. */
function shell(name: string): ToolReader {
  return (call) => ({ ...command(name)(call), typedInto: true });
}

const nobody: Worker = { id: 'unknown', type: 'unknown' };

const events: EventReaders = {
  PreToolUse: (input, base) => ({ ...base, does: 'ask', call: toolCall(input, base) }),
  PostToolUse: (input, base) => {
    const { bytes, output } = outputOf(input.value('tool_response'), true);
    return { ...base, does: 'result', call: toolCall(input, base), outcome: { ok: true, ...(bytes === undefined ? {} : { bytes }) }, ...(output === undefined ? {} : { output }) };
  },
  UserPromptSubmit: (input, base) => ({ ...base, does: 'prompt', action: { kind: 'prompt', tool: 'prompt', content: input.text('prompt') } }),
  SessionStart: (input, base) => ({ ...base, does: 'session.start', details: shortTexts(input, ['source', 'model']) }),
  SessionEnd: (input, base) => ({ ...base, does: 'session.stop', details: shortTexts(input, ['reason']) }),
  SubagentStart: (input, base) => ({ ...base, does: 'spawn', worker: workerIn(input) ?? nobody }),
  SubagentStop: (input, base) => {
    const transcript = input.maybeName('agent_transcript_path');
    return { ...base, does: 'complete', worker: workerIn(input) ?? nobody, ...(transcript === undefined ? {} : { transcript }) };
  },
  Stop: (_input, base) => ({ ...base, does: 'turn' }),
};

export const adapter: AgentAdapter = {
  name: 'codex',
  title: 'Codex CLI',
  parse: (value, surroundings) => readEvent(value, surroundings, events),
  asksNatively: () => false,
  render,
  refuse: refusal,
};

function toolCall(input: Payload, { cwd }: EventBase): ToolCall {
  const tool = input.name('tool_name');
  const id = input.maybeName('tool_use_id');
  return { tool, action: actionOf({ tool, input: input.object('tool_input'), cwd }), ...(id === undefined ? {} : { id }) };
}

function actionOf(call: Call): Action {
  const [, server, name] = /^mcp__(.+?)__(.+)$/.exec(call.tool) ?? [];
  if (server !== undefined && name !== undefined) return mcp(call, server, name);
  // Tools of a namespace come with its name before theirs, without anything in between.
  const own = call.tool.replace(/^(?:collaboration|multi_agent_v\d+|clock_*|functions)\.?(?=[a-z])/, '');
  const reader = Object.hasOwn(tools, own) ? tools[own] : undefined;
  return (reader ?? unknownTool)(call);
}

function render(event: HookEvent, answer: HookAnswer): HookOutput {
  switch (answer.kind) {
    case 'allow': return said(answer.note === undefined || event.does !== 'ask' ? undefined : { systemMessage: answer.note });
    case 'ask': case 'deny': return said(event.does === 'ask'
      ? { hookSpecificOutput: { hookEventName: event.event, permissionDecision: 'deny', permissionDecisionReason: answer.reason } }
      : { decision: 'block', reason: answer.reason });
    // The reason takes the result's place.
    case 'hide': return said({ decision: 'block', reason: answer.reason });
    case 'replace': return said({ decision: 'block', reason: `${typeof answer.output === 'string' ? answer.output : JSON.stringify(answer.output)}\n[${answer.note}]` });
  }
}
