/**
 * Calls that no agent made, for trying the hooks that are installed: one that is harmless and one that every policy forbids, as each
 * agent would ask about them; and what the agent would do with an answer. The rules of that are measured (docs/agents/), not promised.
 */
import { isPlainObject, jsonIn, type JsonObject, type JsonValue } from '../../base/json.ts';
import { join } from '../../base/paths.ts';
import { hookEvents } from '../hook-events.ts';
import type { AgentName } from '../hook.ts';

/** One call. `mark` makes it the only one of its kind, for finding its receipt. */
export interface Canary {
  readonly mark: string;
  readonly cwd: string;
}

/** The event that is asked before a tool runs. */
export function askEvent(agent: AgentName): string {
  return hookEvents[agent][0]?.event ?? '';
}

/** A command that does nothing. */
export function harmlessCall(agent: AgentName, { mark, cwd }: Canary): JsonObject {
  const command = `true # ${mark}`;
  switch (agent) {
    case 'claude': case 'codex': return snakeCased(agent, mark, cwd, 'Bash', { command });
    case 'gemini': return snakeCased(agent, mark, cwd, 'run_shell_command', { command, description: 'a test of the hooks' });
    case 'cursor': return { ...snakeCased(agent, mark, cwd, 'Shell', { command, cwd }), conversation_id: mark, workspace_roots: [cwd] };
    case 'copilot': return { sessionId: mark, timestamp: 0, cwd, toolName: 'bash', toolArgs: { command } };
    case 'opencode': return { tool: 'bash', args: { command }, sessionID: mark };
  }
}

/** A change of the policy itself, which no policy can allow. */
export function forbiddenCall(agent: AgentName, { mark, cwd }: Canary): JsonObject {
  const path = join(cwd, '.loki/policies.yaml');
  const content = 'version: 1\n';
  switch (agent) {
    case 'claude': return snakeCased(agent, mark, cwd, 'Write', { file_path: path, content });
    case 'codex': return snakeCased(agent, mark, cwd, 'apply_patch', { command: `*** Begin Patch\n*** Add File: ${path}\n+version: 1\n*** End Patch\n` });
    case 'gemini': return snakeCased(agent, mark, cwd, 'write_file', { file_path: path, content });
    case 'cursor': return { ...snakeCased(agent, mark, cwd, 'Write', { file_path: path, content }), conversation_id: mark, workspace_roots: [cwd] };
    case 'copilot': return { sessionId: mark, timestamp: 0, cwd, toolName: 'create', toolArgs: { path, file_text: content } };
    case 'opencode': return { tool: 'write', args: { filePath: path, content }, sessionID: mark };
  }
}

function snakeCased(agent: AgentName, mark: string, cwd: string, tool: string, input: JsonObject): JsonObject {
  return {
    session_id: mark, transcript_path: null, cwd, hook_event_name: askEvent(agent), tool_name: tool, tool_input: input,
    ...(agent === 'gemini' ? { timestamp: '1970-01-01T00:00:00.000Z' } : { permission_mode: 'default', tool_use_id: mark }),
  };
}

/** How a hook's process ended. */
export interface HookEnd {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

/** What the agent would do, and with what words for the model. */
export interface Effect {
  readonly runs: boolean;
  readonly reason: string;
}

/** What an agent makes of the end of a hook that was asked before a tool runs. */
export function effectOf(agent: Exclude<AgentName, 'opencode'>, end: HookEnd): Effect {
  const { exit, stdout, stderr, timedOut } = end;
  const runs: Effect = { runs: true, reason: '' };
  const blocked = (reason: string): Effect => ({ runs: false, reason: reason.trim() });
  if (timedOut) return runs;
  const said = jsonIn(stdout.trim());
  const answer = isPlainObject(said) ? said : undefined;
  switch (agent) {
    case 'claude': return exit === 2 ? blocked(reasonIn(answer) ?? stderr) : exit === 0 && nay(agent, answer) !== undefined ? blocked(nay(agent, answer) ?? '') : runs;
    // An exit code 2 without words, or with words on both streams, is no no to Codex.
    case 'codex': return exit === 2 && stderr.trim() !== '' && stdout === '' ? blocked(stderr) : exit === 0 && (nay(agent, answer) ?? '') !== '' ? blocked(nay(agent, answer) ?? '') : runs;
    case 'gemini': return exit !== null && exit >= 2 && stdout === '' && stderr.trim() !== '' ? blocked(stderr) : exit === 0 && nay(agent, answer) !== undefined ? blocked(nay(agent, answer) ?? '') : runs;
    // With failClosed nothing but a yes is one.
    case 'cursor': return exit === 0 && answer?.['permission'] === 'allow' ? runs : blocked(exit === 2 ? stderr : reasonIn(answer) ?? stderr);
    case 'copilot': return exit !== 0 ? blocked(reasonIn(answer) ?? stderr) : nay(agent, answer) !== undefined ? blocked(nay(agent, answer) ?? '') : runs;
  }
}

/** What came of asking over HTTP: a status and a body, or nothing at all. */
export interface HttpEnd {
  readonly status: number | undefined;
  readonly body: string;
}

/** What Claude Code makes of it: an answer that is none is a no where `onFailure` says so. */
export function effectOfHttp({ status, body }: HttpEnd, onFailure: JsonValue | undefined): Effect {
  const said = jsonIn(body.trim());
  const isAnswer = status !== undefined && status >= 200 && status < 300 && (body.trim() === '' || isPlainObject(said));
  const failed: Effect = onFailure === 'block' ? { runs: false, reason: `${status === undefined ? 'nobody answers' : `status ${status}`}, and onFailure is "block"` } : { runs: true, reason: '' };
  if (!isAnswer) return failed;
  const reason = nay('claude', isPlainObject(said) ? said : undefined);
  return reason === undefined ? { runs: true, reason: '' } : { runs: false, reason };
}

/** The reason of an answer that is a no to this agent; undefined when it is none. */
function nay(agent: AgentName, answer: JsonObject | undefined): string | undefined {
  if (answer === undefined) return undefined;
  const nested = isPlainObject(answer['hookSpecificOutput']) ? answer['hookSpecificOutput'] : {};
  const says = agent === 'copilot' ? ['deny', 'ask'].includes(String(answer['permissionDecision']))
    : answer['decision'] === 'block' || (agent === 'gemini' && answer['decision'] === 'deny')
      || (agent !== 'gemini' && nested['hookEventName'] === askEvent(agent) && (nested['permissionDecision'] === 'deny' || (agent === 'claude' && nested['permissionDecision'] === 'ask')));
  return says ? reasonIn(answer) ?? '' : undefined;
}

function reasonIn(answer: JsonObject | undefined): string | undefined {
  if (answer === undefined) return undefined;
  const nested = isPlainObject(answer['hookSpecificOutput']) ? answer['hookSpecificOutput'] : {};
  return [nested['permissionDecisionReason'], answer['permissionDecisionReason'], answer['reason'], answer['user_message']].find((words): words is string => typeof words === 'string');
}
