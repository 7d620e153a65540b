/**
 * Claude Code's hook interface. Formats and what was seen of them: docs/agents/claude.md. GitHub Copilot reads Claude's settings too and
 * calls the same command: a no therefore says so in both their words.
 */
import type { Action } from '../base/action.ts';
import type { JsonObject, JsonValue } from '../base/json.ts';
import type { AgentAdapter, HookAnswer, HookEvent, HookOutput, HookSurroundings } from './hook.ts';
import { refusal, said } from './output.ts';
import { lifeEvents, readEvent, toolCallIn, type EventReaders } from './snake-case.ts';
import { actionBy, agent, command, mcp, other, outputOf, read, search, url, write, type Call, type ToolTable } from './tools.ts';

/** Tools by the names in hook inputs. Those with `other` reach nothing that a policy names by themselves. */
const tools: ToolTable = {
  Bash: command('command'), PowerShell: command('command'), Monitor: monitor,
  Write: write('file_path', 'content'), Edit: write('file_path', 'new_string'), MultiEdit: multiEdit, NotebookEdit: write('notebook_path', 'new_source'),
  Read: read('file_path'), NotebookRead: read('notebook_path'), Glob: search('path', 'pattern'), Grep: search('path', 'glob'), LS: read('path', 'cwd'),
  WebFetch: url('url'), WebSearch: other, Agent: agent('subagent_type', 'prompt', 'general-purpose'), Task: agent('subagent_type', 'prompt', 'general-purpose'),
  TodoWrite: other, ToolSearch: other, AskUserQuestion: other, EnterPlanMode: other, ExitPlanMode: other, Skill: other, SlashCommand: other, BashOutput: other, KillShell: other,
  Workflow: agent('name', 'script', 'workflow'), CronCreate: other, CronDelete: other, CronList: other, ScheduleWakeup: other, ListAgents: other, ReportFindings: other, EnterWorktree: other, ExitWorktree: other,
  ListMcpResourcesTool: other, ReadMcpResourceTool: other,
  TaskOutput: other, TaskStop: other, TaskCreate: other, TaskGet: other, TaskList: other, TaskUpdate: other, SendMessage: other,
};

/** Watches what a command prints, or what comes over a connection. */
function monitor(call: Call): Action {
  return call.input.maybe('command') === undefined && typeof call.input.raw('ws') === 'string' ? url('ws')(call) : command('command')(call);
}

function multiEdit(call: Call): Action {
  const added = call.input.objects('edits').map((edit) => edit.maybe('new_string') ?? '').join('\n');
  return { ...write('file_path')(call), content: added };
}

/** Readers of events by their names. */
const events: EventReaders = {
  ...lifeEvents,
  PreToolUse: (input, base) => ({ ...base, does: 'ask', call: toolCallIn(input, base, actionOf) }),
  // The commands in skills and slash commands fire no PreToolUse.
  PreSkillShellCommand: (input, base) => ({ ...base, does: 'ask', call: toolCallIn(input, base, actionOf) }),
  PostToolUse: (input, base) => {
    const given = input.value('tool_response');
    const { bytes, output } = outputOf(given, true);
    return { ...base, does: 'result', call: toolCallIn(input, base, actionOf), outcome: { ok: true, ...exitOf(given), ...(bytes === undefined ? {} : { bytes }) }, ...(output === undefined ? {} : { output }) };
  },
  PostToolUseFailure: (input, base) => {
    const error = input.maybe('error') ?? '';
    const exit = /^Exit code (\d{1,3})\b/.exec(error)?.[1];
    return { ...base, does: 'result', call: toolCallIn(input, base, actionOf), outcome: { ok: false, ...(exit === undefined ? {} : { exit: Number(exit) }), bytes: Buffer.byteLength(error) }, output: { text: error } };
  },
  UserPromptSubmit: (input, base) => ({ ...base, does: 'prompt', action: { kind: 'prompt', tool: 'prompt', content: input.text('prompt') } }),
  ConfigChange: (input, base) => {
    const path = input.maybeName('file_path');
    return { ...base, does: 'settings', source: input.name('source'), ...(path === undefined ? {} : { path }) };
  },
  TaskCreated: (input, base) => ({ ...base, does: 'task.create', id: input.name('task_id'), title: input.maybe('task_subject') ?? '' }),
  TaskCompleted: (input, base) => ({ ...base, does: 'task.complete', id: input.name('task_id'), title: input.maybe('task_subject') ?? '' }),
  StopFailure: (_input, base) => ({ ...base, does: 'turn' }),
};

export const adapter: AgentAdapter = {
  name: 'claude',
  title: 'Claude Code',
  parse: (value, surroundings) => readEvent(value, surroundings, events),
  asksNatively: (event: HookEvent, { env }: HookSurroundings) => event.does === 'ask' && env['CLAUDE_CODE_ENTRYPOINT'] === 'cli' && event.mode !== 'dontAsk',
  render,
  refuse: refusal,
};

function actionOf(call: Call): Action {
  const [, server, name] = /^mcp__(.+?)__(.+)$/.exec(call.tool) ?? [];
  if (server !== undefined && name !== undefined) return mcp(call, server, name);
  return actionBy(tools, call);
}

/** A command that ended at all ended with 0: others come as a failure. */
function exitOf(output: JsonValue | undefined): { readonly exit?: number } {
  return typeof output === 'object' && output !== null && 'stdout' in output && !('interrupted' in output && output['interrupted'] === true) ? { exit: 0 } : {};
}

function render(event: HookEvent, answer: HookAnswer): HookOutput {
  switch (answer.kind) {
    case 'allow': return said(answer.note === undefined ? undefined : { systemMessage: answer.note });
    case 'ask': return said({ hookSpecificOutput: decisionOn(event, 'ask', answer.reason) });
    case 'deny': return said(event.does === 'ask' ? denied(event, answer.reason) : { decision: 'block', reason: answer.reason });
    case 'hide': return said({ decision: 'block', reason: answer.reason });
    case 'replace': return said({
      systemMessage: answer.note,
      hookSpecificOutput: { hookEventName: event.event, additionalContext: answer.note, ...replaced(event, answer.output) },
    });
  }
}

/** Claude reads the nested form, older ones and the way to be safe is the upper one; Copilot reads `permissionDecision` at the top. */
function denied(event: HookEvent, reason: string): JsonObject {
  return { decision: 'block', reason, permissionDecision: 'deny', permissionDecisionReason: reason, hookSpecificOutput: decisionOn(event, 'deny', reason) };
}

function decisionOn(event: HookEvent, decision: 'ask' | 'deny', reason: string): JsonObject {
  return { hookEventName: event.event, permissionDecision: decision, permissionDecisionReason: reason };
}

function replaced(event: HookEvent, output: JsonValue): JsonObject {
  return event.does === 'result' && event.call.action.kind === 'mcp' ? { updatedMCPToolOutput: output, updatedToolOutput: output } : { updatedToolOutput: output };
}
