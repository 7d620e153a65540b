/**
 * Claude Code without a person: `claude -p`, hooks in `--settings` on the command line. That form alone survives a project's
 * settings that switch hooks off. Settings of the project are left out (`--setting-sources user`), because in this mode Claude Code
 * runs the hooks of a repository that nobody has trusted; with them it leaves out CLAUDE.md, so the prompt names that.
 */
import type { JsonObject } from '../../base/json.ts';
import type { ReportedUsage } from '../hook.ts';
import type { HeadlessAgent, HeadlessCall, HeadlessStart, HookEntry, StreamEvent, StreamReader } from './headless.ts';
import { countAt, isLastingStatus, lineReader, objectAt, objectsAt, streamLimits, targetOf, textAt, textIn, type Line } from './stream.ts';

const reading = ['Read', 'Glob', 'Grep'];
/** Nothing that works on after the call or elsewhere: no schedules, no work trees, no other sessions. */
const working = [...reading, 'Bash', 'Edit', 'NotebookEdit', 'Task', 'WebFetch', 'WebSearch', 'Write'];

export const claude: HeadlessAgent = {
  name: 'claude',
  title: 'Claude Code',
  program: 'claude',
  install: 'npm install -g @anthropic-ai/claude-code',
  sameIds: true,
  environment: [
    { names: [
      'ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'ANTHROPIC_BASE_URL', 'ANTHROPIC_CUSTOM_HEADERS', 'ANTHROPIC_MODEL', 'ANTHROPIC_SMALL_FAST_MODEL', 'ANTHROPIC_DEFAULT_OPUS_MODEL',
      'ANTHROPIC_DEFAULT_SONNET_MODEL', 'ANTHROPIC_DEFAULT_HAIKU_MODEL', 'CLAUDE_CODE_OAUTH_TOKEN', 'CLAUDE_CONFIG_DIR', 'CLAUDE_CODE_MAX_OUTPUT_TOKENS', 'MAX_THINKING_TOKENS',
      'CLAUDE_CODE_USE_BEDROCK', 'CLAUDE_CODE_USE_VERTEX', 'CLAUDE_CODE_USE_FOUNDRY', 'DISABLE_TELEMETRY', 'DISABLE_ERROR_REPORTING', 'DISABLE_AUTOUPDATER', 'CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC',
    ] },
    { when: 'CLAUDE_CODE_USE_BEDROCK', names: ['AWS_REGION', 'AWS_PROFILE', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_BEARER_TOKEN_BEDROCK', 'ANTHROPIC_BEDROCK_BASE_URL', 'CLAUDE_CODE_SKIP_BEDROCK_AUTH'] },
    { when: 'CLAUDE_CODE_USE_VERTEX', names: ['ANTHROPIC_VERTEX_PROJECT_ID', 'ANTHROPIC_VERTEX_BASE_URL', 'CLOUD_ML_REGION', 'GOOGLE_APPLICATION_CREDENTIALS', 'GOOGLE_CLOUD_PROJECT', 'CLAUDE_CODE_SKIP_VERTEX_AUTH'] },
    { when: 'CLAUDE_CODE_USE_FOUNDRY', names: ['ANTHROPIC_FOUNDRY_API_KEY', 'ANTHROPIC_FOUNDRY_BASE_URL', 'ANTHROPIC_FOUNDRY_RESOURCE'] },
  ],
  exits: {},
  start,
  reader,
};

function start({ writes, model, hooks }: HeadlessCall): HeadlessStart {
  const tools = writes ? working : reading;
  return {
    args: [
      '-p', '--output-format', 'stream-json', '--verbose', '--setting-sources', 'user', '--settings', JSON.stringify(settings(hooks)),
      '--permission-mode', writes ? 'acceptEdits' : 'dontAsk', '--tools', tools.join(','), '--allowedTools', tools.join(','),
      ...(model === undefined ? [] : ['--model', model]),
    ],
    // What runs on in the background ends after the answer, where nobody reads it.
    env: { CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: '1' },
    preface: 'If the project has a file CLAUDE.md, read it first.\n\n',
  };
}

/** `onFailure` is known to newer versions, and no harm to older ones. */
function settings(hooks: readonly HookEntry[]): JsonObject {
  const row = ({ command, seconds, guard }: HookEntry): JsonObject => ({
    hooks: [{ type: 'command', command, timeout: seconds, ...(guard === 'closed' ? { onFailure: 'block' } : {}) }],
  });
  return { disableAllHooks: false, hooks: Object.fromEntries(hooks.map((hook) => [hook.event, [row(hook)]])) };
}

/**
 * Usage: an answer's input and cache counts are whole when its first event comes and are counted once a message; its output
 * is known at the end only. `result.modelUsage` has all of it, subagents too: what was not counted before is counted then.
 */
function reader(): StreamReader {
  const counted = new UsageSoFar();
  return lineReader((line) => {
    switch (line['type']) {
      case 'assistant': return answered(line, counted);
      case 'user': return objectsAt(objectAt(line, 'message'), 'content').flatMap(toolEnded);
      case 'result': return ended(line, counted);
      default: return typeof line['type'] === 'string' ? [] : undefined;
    }
  });
}

function answered(line: Line, counted: UsageSoFar): readonly StreamEvent[] {
  const message = objectAt(line, 'message');
  const bySubagent = typeof line['parent_tool_use_id'] === 'string';
  const events = objectsAt(message, 'content').flatMap((part): readonly StreamEvent[] => {
    if (part['type'] === 'text' && !bySubagent) return [{ type: 'text', text: textAt(part, 'text') }];
    if (part['type'] !== 'tool_use') return [];
    return [{ type: 'began', id: textAt(part, 'id', streamLimits.id), tool: textAt(part, 'name', streamLimits.id), target: targetOf(objectAt(part, 'input')) }];
  });
  const usage = counted.message(message);
  return usage === undefined ? events : [{ type: 'usage', usage }, ...events];
}

function toolEnded(part: Line): readonly StreamEvent[] {
  if (part['type'] !== 'tool_result') return [];
  const id = textAt(part, 'tool_use_id', streamLimits.id);
  if (part['is_error'] !== true) return [{ type: 'ended', id, ok: true, acted: true }];
  const error = textIn(part['content']);
  return [{ type: 'ended', id, ok: false, acted: /^Exit code \d/.test(error), error }];
}

function ended(line: Line, counted: UsageSoFar): readonly StreamEvent[] {
  const usage = counted.total(objectAt(line, 'modelUsage')).map((one): StreamEvent => ({ type: 'usage', usage: one }));
  if (line['is_error'] !== true && line['subtype'] === 'success') return [...usage, { type: 'done' }];
  const message = textAt(line, 'result', streamLimits.error) || textAt(line, 'subtype', streamLimits.error) || 'it ended with an error';
  return [...usage, { type: 'failed', message, lasting: isLastingStatus(line['api_error_status']) }];
}

/** What was counted, by model. */
class UsageSoFar {
  readonly #messages = new Set<string>();
  readonly #byModel = new Map<string, ReportedUsage>();

  /** What a message adds, the first time it is seen. */
  message(message: Line): ReportedUsage | undefined {
    const id = textAt(message, 'id', streamLimits.id);
    const model = nameOf(textAt(message, 'model', streamLimits.id));
    if (id === '' || model === '' || model.startsWith('<') || this.#messages.has(id) || this.#messages.size >= streamLimits.remembered) return undefined;
    this.#messages.add(id);
    const usage = objectAt(message, 'usage');
    const added: ReportedUsage = { model, input: countAt(usage, 'input_tokens'), output: 0, cacheRead: countAt(usage, 'cache_read_input_tokens'), cacheWrite: countAt(usage, 'cache_creation_input_tokens') };
    if (isNothing(added)) return undefined;
    this.#add(added);
    return added;
  }

  /** What the whole has beyond what was counted. A model that was counted under a name the whole does not know counts against the others. */
  total(modelUsage: Line): readonly ReportedUsage[] {
    const whole = Object.keys(modelUsage).slice(0, streamLimits.list).map((name): ReportedUsage => {
      const usage = objectAt(modelUsage, name);
      return { model: nameOf(name), input: countAt(usage, 'inputTokens'), output: countAt(usage, 'outputTokens'), cacheRead: countAt(usage, 'cacheReadInputTokens'), cacheWrite: countAt(usage, 'cacheCreationInputTokens') };
    });
    const known = new Set(whole.map(({ model }) => model));
    let astray = [...this.#byModel.values()].filter(({ model }) => !known.has(model)).reduce(sum, nothing);
    const missing = whole.map((usage) => {
      const rest = less(usage, this.#byModel.get(usage.model ?? '') ?? nothing);
      const left = less(rest, astray);
      astray = less(astray, rest);
      return { ...left, ...(usage.model === undefined ? {} : { model: usage.model }) };
    }).filter((usage) => !isNothing(usage));
    for (const usage of missing) this.#add(usage);
    return missing;
  }

  #add(usage: ReportedUsage): void {
    const { model = '' } = usage;
    this.#byModel.set(model, { model, ...sum(this.#byModel.get(model) ?? nothing, usage) });
  }
}

/** `claude-opus-5[1m]` is the same model with a longer context. */
function nameOf(model: string): string {
  return model.replace(/\[[^\]]*\]$/, '');
}

const nothing: ReportedUsage = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };

function isNothing({ input, output, cacheRead, cacheWrite }: ReportedUsage): boolean {
  return input + output + cacheRead + cacheWrite === 0;
}

function sum(a: ReportedUsage, b: ReportedUsage): ReportedUsage {
  return { input: a.input + b.input, output: a.output + b.output, cacheRead: a.cacheRead + b.cacheRead, cacheWrite: a.cacheWrite + b.cacheWrite };
}

/** Never below 0. */
function less(a: ReportedUsage, b: ReportedUsage): ReportedUsage {
  const minus = (from: number, what: number): number => Math.max(0, from - what);
  return { input: minus(a.input, b.input), output: minus(a.output, b.output), cacheRead: minus(a.cacheRead, b.cacheRead), cacheWrite: minus(a.cacheWrite, b.cacheWrite) };
}
