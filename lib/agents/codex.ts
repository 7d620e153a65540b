/**
 * Codex CLI's hook interface. Formats and what was seen of them: docs/agents/codex.md. Its schemas are strict: one member too many in an
 * answer and the tool runs, so each answer here holds exactly what its event takes.
 */
import type { Action } from '../base/action.ts';
import type { AgentAdapter, HookAnswer, HookEvent, HookOutput } from './hook.ts';
import { refusal, said } from './output.ts';
import { lifeEvents, readEvent, toolCallIn, type EventReaders } from './snake-case.ts';
import { actionBy, agent, command, mcp, other, outputOf, patch, read, type Call, type ToolReader, type ToolTable } from './tools.ts';

/** Tools by the names in hook inputs. */
const tools: ToolTable = {
  Bash: shell('command'), exec_command: shell('cmd'), write_stdin: shell('chars'), exec: other, web_search: other, apply_patch: patch('command'), view_image: read('path'), spawn_agent: agent('agent_type', 'message', 'default'),
  send_input: other, send_message: other, followup_task: other, resume_agent: other, wait: other, wait_agent: other, close_agent: other, interrupt_agent: other, list_agents: other,
  update_plan: other, request_user_input: other, request_user_input_async: other, send_message_to_user_async: other, get_goal: other, create_goal: other, update_goal: other, tool_search: other, sleep: other, curr_time: other,
  list_mcp_resources: other, list_mcp_resource_templates: other, read_mcp_resource: other,
};

/** Codex types into a running command with a tool that fires no hook, so that what the command opens is never asked about again. */
function shell(name: string): ToolReader {
  return (call) => ({ ...command(name)(call), typedInto: true });
}

const events: EventReaders = {
  ...lifeEvents,
  PreToolUse: (input, base) => ({ ...base, does: 'ask', call: toolCallIn(input, base, actionOf) }),
  PostToolUse: (input, base) => {
    const { bytes, output } = outputOf(input.value('tool_response'), true);
    return { ...base, does: 'result', call: toolCallIn(input, base, actionOf), outcome: { ok: true, ...(bytes === undefined ? {} : { bytes }) }, ...(output === undefined ? {} : { output }) };
  },
  UserPromptSubmit: (input, base) => ({ ...base, does: 'prompt', action: { kind: 'prompt', tool: 'prompt', content: input.text('prompt') } }),
};

export const adapter: AgentAdapter = {
  name: 'codex',
  title: 'Codex CLI',
  parse: (value, surroundings) => readEvent(value, surroundings, events),
  asksNatively: () => false,
  render,
  refuse: refusal,
};

function actionOf(call: Call): Action {
  const [, server, name] = /^mcp__(.+?)__(.+)$/.exec(call.tool) ?? [];
  if (server !== undefined && name !== undefined) return mcp(call, server, name);
  // Tools of a namespace come with its name before theirs, without anything in between.
  const own = call.tool.replace(/^(?:collaboration|multi_agent_v\d+|clock_*|functions)\.?(?=[a-z])/, '');
  return actionBy(tools, call, own);
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
