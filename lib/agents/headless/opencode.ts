/**
 * opencode without a person: `opencode run --format json`, the plugin of ours by `OPENCODE_CONFIG_CONTENT`, from a file in this
 * session's room. A project's own configuration and plugins are left out (`OPENCODE_DISABLE_PROJECT_CONFIG`), for plugins are
 * programs that a repository brings along; with them it leaves out AGENTS.md, so the prompt names that.
 */
import type { JsonObject } from '../../base/json.ts';
import { LokiError } from '../../errors.ts';
import type { ReportedUsage } from '../hook.ts';
import type { HeadlessAgent, HeadlessCall, HeadlessStart, StreamEvent, StreamReader } from './headless.ts';
import { countAt, lineReader, objectAt, streamLimits, targetOf, textAt, type Line } from './stream.ts';
import { usersObject } from './users-json.ts';

export const opencode: HeadlessAgent = {
  name: 'opencode',
  title: 'opencode',
  program: 'opencode',
  install: 'npm install -g opencode-ai',
  sameIds: true,
  environment: [
    { names: [
      'OPENCODE_CONFIG', 'OPENCODE_CONFIG_DIR', 'OPENCODE_CONFIG_CONTENT', 'OPENCODE_PERMISSION', 'OPENCODE_API_KEY', 'OPENCODE_DISABLE_AUTOUPDATE', 'OPENCODE_DISABLE_MODELS_FETCH', 'OPENCODE_MODELS_URL',
      'OPENCODE_DISABLE_LSP_DOWNLOAD', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'XDG_CACHE_HOME', 'XDG_STATE_HOME',
      'ANTHROPIC_API_KEY', 'OPENAI_API_KEY', 'GEMINI_API_KEY', 'GOOGLE_GENERATIVE_AI_API_KEY', 'OPENROUTER_API_KEY', 'GROQ_API_KEY', 'MISTRAL_API_KEY', 'XAI_API_KEY', 'DEEPSEEK_API_KEY', 'CEREBRAS_API_KEY',
    ] },
  ],
  exits: {},
  start,
  reader,
};

/** Tools that change something, or start what does. */
const forbidden: JsonObject = { edit: 'deny', bash: 'deny', task: 'deny' };

function start({ writes, model, env, room, plugin }: HeadlessCall): HeadlessStart {
  if (plugin === undefined) throw new LokiError('internal', { attempted: 'start opencode', found: 'the text of its plugin is missing' });
  const config = usersObject(env['OPENCODE_CONFIG_CONTENT'], 'OPENCODE_CONFIG_CONTENT');
  const plugins = Array.isArray(config['plugin']) ? config['plugin'] : [];
  const permission = usersObject(env['OPENCODE_PERMISSION'], 'OPENCODE_PERMISSION');
  return {
    args: ['run', '--format', 'json', '--auto', ...(model === undefined ? [] : ['--model', model])],
    env: {
      OPENCODE_CONFIG_CONTENT: JSON.stringify({ ...config, plugin: [...plugins, `file://${encodeURI(`${room}/${pluginFile}`)}`] }),
      OPENCODE_DISABLE_PROJECT_CONFIG: '1', OPENCODE_DISABLE_AUTOUPDATE: '1',
      // Plugins load without the packages that it would fetch for them, into the user's folder and the project's.
      npm_config_offline: 'true',
      ...(writes ? {} : { OPENCODE_PERMISSION: JSON.stringify({ ...permission, ...forbidden }) }),
    },
    files: [{ path: pluginFile, text: plugin }],
    preface: 'If the project has a file AGENTS.md, read it first.\n\n',
  };
}

const pluginFile = 'opencode/loki.js';

function reader(): StreamReader {
  return lineReader((line) => {
    const part = objectAt(line, 'part');
    switch (line['type']) {
      case 'text': return [{ type: 'text', text: textAt(part, 'text') }];
      case 'tool_use': return tool(part);
      case 'step_finish': return [{ type: 'usage', usage: usageOf(objectAt(part, 'tokens')) }, ...(part['reason'] === 'tool-calls' ? [] : [{ type: 'done' } as const])];
      case 'error': return [failure(objectAt(line, 'error'))];
      default: return typeof line['type'] === 'string' ? [] : undefined;
    }
  });
}

/** A call is told once, when it has ended. */
function tool(part: Line): readonly StreamEvent[] {
  const state = objectAt(part, 'state');
  const id = textAt(part, 'callID', streamLimits.id);
  const acted = state['status'] === 'completed';
  const exit = objectAt(state, 'metadata')['exit'];
  const error = textAt(state, 'error', streamLimits.error);
  return [
    { type: 'began', id, tool: textAt(part, 'tool', streamLimits.id), target: targetOf(objectAt(state, 'input')) },
    { type: 'ended', id, ok: acted && (exit === undefined || exit === 0), acted, ...(error === '' ? {} : { error }) },
  ];
}

/** The input leaves the cache out, the output the reasoning, which is paid for as output. */
function usageOf(tokens: Line): ReportedUsage {
  const cache = objectAt(tokens, 'cache');
  return { input: countAt(tokens, 'input'), output: countAt(tokens, 'output') + countAt(tokens, 'reasoning'), cacheRead: countAt(cache, 'read'), cacheWrite: countAt(cache, 'write') };
}

function failure(error: Line): StreamEvent {
  const data = objectAt(error, 'data');
  const message = textAt(data, 'message', streamLimits.error) || textAt(error, 'message', streamLimits.error) || textAt(error, 'name', streamLimits.id) || 'it reported an error';
  return { type: 'failed', message, lasting: data['isRetryable'] === false || /Auth/.test(textAt(error, 'name', streamLimits.id)) };
}
