/**
 * Which events of each agent we ask to be told of, and what becomes of the agent when our program cannot answer. `closed`: the
 * answer decides, so no answer is a no. `open`: we only look on, and a failure stops nobody. Sources: docs/agents/<agent>.md.
 */
import type { AgentName } from './hook.ts';

/** One event to register for. */
export interface EventRow {
  readonly event: string;
  readonly guard: 'closed' | 'open';
  /** The agent's own time limit for the hook, in seconds. */
  readonly seconds: number;
}

/** An approval may be waited for as long as the agents' own default gives a hook. */
export const askSeconds = 600;
const lookSeconds = 30;

const ask = (event: string): EventRow => ({ event, guard: 'closed', seconds: askSeconds });
const look = (event: string, seconds: number = lookSeconds): EventRow => ({ event, guard: 'open', seconds });
/** Decides, and waits for nobody. */
const check = (event: string): EventRow => ({ event, guard: 'closed', seconds: lookSeconds });

export const hookEvents: Readonly<Record<AgentName, readonly EventRow[]>> = {
  claude: [
    ask('PreToolUse'), ask('PreSkillShellCommand'), check('UserPromptSubmit'), check('ConfigChange'), look('PostToolUse'), look('PostToolUseFailure'), look('SessionStart'),
    look('SessionEnd', 5), look('SubagentStart'), look('SubagentStop'), look('Stop'), look('TaskCreated'), look('TaskCompleted'),
  ],
  // What Codex's PostToolUse hook refuses the model does not get: so a failure hides the output.
  codex: [ask('PreToolUse'), check('UserPromptSubmit'), check('PostToolUse'), look('SessionStart'), look('SessionEnd', 3), look('SubagentStart'), look('SubagentStop'), look('Stop')],
  gemini: [ask('BeforeTool'), check('BeforeAgent'), check('AfterTool'), look('SessionStart'), look('SessionEnd', 5), look('AfterAgent')],
  cursor: [
    // The special events (beforeShellExecution, beforeMCPExecution) fire beside the general one, for the same call.
    ask('preToolUse'), check('beforeReadFile'), check('beforeSubmitPrompt'), look('postToolUse'),
    look('postToolUseFailure'), look('sessionStart'), look('sessionEnd', 5), check('subagentStart'), look('subagentStop'), look('stop'),
  ],
  copilot: [ask('preToolUse'), look('postToolUse'), look('postToolUseFailure'), look('sessionStart'), look('sessionEnd', 5), look('userPromptSubmitted'), look('subagentStart'), look('subagentStop'), look('agentStop')],
  // The plugin of ours asks and tells by itself; these are the names it uses.
  opencode: [ask('tool.execute.before'), check('tool.execute.after'), check('chat.message'), look('session.start'), look('session.idle'), look('session.stop', 5)],
};
