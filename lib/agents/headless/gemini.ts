/**
 * Gemini CLI without a person: `gemini -o stream-json`, everything approved, hooks in a home of this session's own. System settings
 * would stand above all others, but Gemini CLI takes them from files of root only; settings of the user it takes from
 * GEMINI_CLI_HOME. There stand the user's own settings with our hooks in them, beside what else lies in the user's folder.
 * `--skip-trust` leaves the project's settings out: its hooks, its servers, and its switch that turns hooks off.
 */
import { isPlainObject, type JsonObject, type JsonValue } from '../../base/json.ts';
import type { ReportedUsage } from '../hook.ts';
import type { HeadlessAgent, HeadlessCall, HeadlessStart, HookEntry, StreamEvent, StreamReader } from './headless.ts';
import { countAt, isLastingStatus, lineReader, objectAt, streamLimits, targetOf, textAt, type Line } from './stream.ts';
import { usersObject } from './users-json.ts';

export const gemini: HeadlessAgent = {
  name: 'gemini',
  title: 'Gemini CLI',
  program: 'gemini',
  install: 'npm install -g @google/gemini-cli',
  sameIds: false,
  environment: [
    { names: [
      'GEMINI_API_KEY', 'GEMINI_MODEL', 'GOOGLE_API_KEY', 'GOOGLE_GEMINI_BASE_URL', 'GOOGLE_VERTEX_BASE_URL', 'GOOGLE_CLOUD_PROJECT', 'GOOGLE_CLOUD_PROJECT_ID', 'GOOGLE_CLOUD_LOCATION',
      'GOOGLE_GENAI_USE_VERTEXAI', 'GOOGLE_GENAI_USE_GCA', 'GOOGLE_APPLICATION_CREDENTIALS', 'GEMINI_API_KEY_AUTH_MECHANISM', 'CODE_ASSIST_ENDPOINT',
      'GEMINI_CLI_HOME', 'GEMINI_CLI_SYSTEM_SETTINGS_PATH', 'GEMINI_CLI_SYSTEM_DEFAULTS_PATH',
    ] },
  ],
  // For an error of the model, the lower byte of its HTTP status.
  exits: {
    ...Object.fromEntries([400, 401, 403, 404, 429, 500, 502, 503].map((status) => [status & 0xff, { message: `its model answered with HTTP status ${status}`, lasting: isLastingStatus(status) }])),
    41: { message: 'it could not sign in to its model (exit code 41)', lasting: true },
    42: { message: 'it did not understand how it was called (exit code 42)', lasting: true },
    52: { message: 'its settings cannot be read (exit code 52)', lasting: true },
    53: { message: 'it reached its own limit of turns (exit code 53)', lasting: true },
    55: { message: 'it does not trust the folder, so that no hook would be asked (exit code 55)', lasting: true },
  },
  start,
  reader,
};

/** Headless Gemini CLI without `-y` does not even offer the tools that change something. */
function start({ writes, model, hooks, room, env, read }: HeadlessCall): HeadlessStart {
  const home = env['GEMINI_CLI_HOME'] ?? env['HOME'] ?? '';
  return {
    args: ['-o', 'stream-json', '--skip-trust', '--approval-mode', writes ? 'yolo' : 'default', ...(model === undefined ? [] : ['--model', model])],
    env: { ...nothingLoaded, GEMINI_CLI_HOME: `${room}/gemini` },
    files: [{ path: 'gemini/.gemini/settings.json', text: JSON.stringify(withHooks(read(`${home}/.gemini/settings.json`), hooks), null, 2) }],
    mirror: { from: `${home}/.gemini`, at: 'gemini/.gemini' },
  };
}

/**
 * Gemini CLI takes variables from `.env` and `.gemini/.env` of the project, also where it does not trust the folder, and hands them on to
 * hooks: one that loads code into the hook's shell would answer for it. What is set, if to nothing, it leaves as it is.
 */
const nothingLoaded: Readonly<Record<string, string>> = Object.fromEntries(['LD_PRELOAD', 'LD_AUDIT', 'LD_LIBRARY_PATH', 'DYLD_INSERT_LIBRARIES', 'DYLD_LIBRARY_PATH', 'NODE_OPTIONS', 'BASH_ENV', 'ENV'].map((name) => [name, '']));

/** The user's settings with our hooks beside theirs, and hooks switched on. */
function withHooks(text: string | undefined, hooks: readonly HookEntry[]): JsonObject {
  const users = usersObject(text, 'settings.json of Gemini CLI');
  const theirs = users['hooks'];
  const all: Record<string, JsonValue> = isPlainObject(theirs) ? { ...(theirs as JsonObject) } : {};
  for (const { event, command, seconds } of hooks) {
    const before = all[event];
    all[event] = [...(Array.isArray(before) ? before : []), { matcher: '.*', hooks: [{ name: 'loki', type: 'command', command, timeout: seconds * 1000 }] }];
  }
  const config = users['hooksConfig'];
  const advanced = users['advanced'];
  return { ...users, advanced: { ...(isPlainObject(advanced) ? advanced as JsonObject : {}), ignoreLocalEnv: true }, hooksConfig: { ...(isPlainObject(config) ? config as JsonObject : {}), enabled: true, disabled: [] }, hooks: all };
}

function reader(): StreamReader {
  return lineReader((line) => {
    switch (line['type']) {
      case 'message': return line['role'] === 'assistant' ? [{ type: 'text', text: textAt(line, 'content'), ...(line['delta'] === true ? { partial: true } : {}) }] : [];
      case 'tool_use': return [{ type: 'began', id: textAt(line, 'tool_id', streamLimits.id), tool: textAt(line, 'tool_name', streamLimits.id), target: targetOf(objectAt(line, 'parameters')) }];
      case 'tool_result': return [toolEnded(line)];
      case 'error': return [{ type: 'note', message: textAt(line, 'message', streamLimits.error) }];
      case 'result': return ended(line);
      default: return typeof line['type'] === 'string' ? [] : undefined;
    }
  });
}

function toolEnded(line: Line): StreamEvent {
  const ok = line['status'] === 'success';
  return { type: 'ended', id: textAt(line, 'tool_id', streamLimits.id), ok, acted: ok, ...(ok ? {} : { error: textAt(objectAt(line, 'error'), 'message', streamLimits.error) }) };
}

function ended(line: Line): readonly StreamEvent[] {
  const models = objectAt(objectAt(line, 'stats'), 'models');
  const usage = Object.keys(models).slice(0, streamLimits.list).map((model): StreamEvent => ({ type: 'usage', usage: usageOf(model.slice(0, streamLimits.id), objectAt(models, model)) }));
  if (line['status'] === 'success') return [...usage, { type: 'done' }];
  const message = textAt(objectAt(line, 'error'), 'message', streamLimits.error);
  return [...usage, { type: 'failed', message: message === '' ? 'it ended with an error' : message, lasting: false }];
}

/** The total has the thoughts, which are paid for as output and stand nowhere else. */
function usageOf(model: string, stats: Line): ReportedUsage {
  const [input, output, cached, total] = [countAt(stats, 'input_tokens'), countAt(stats, 'output_tokens'), countAt(stats, 'cached'), countAt(stats, 'total_tokens')];
  return { model, input: Math.max(0, input - cached), output: output + Math.max(0, total - input - output), cacheRead: cached, cacheWrite: 0 };
}
