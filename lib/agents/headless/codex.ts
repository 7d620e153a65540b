/**
 * Codex without a person: `codex exec --json`, hooks as `-c` values. A hook that is not trusted is skipped without a word, so the
 * trust of exactly these commands is given beside them, by their hashes; that of others stays as the user has it. A project's own
 * `.codex` counts only where the user has trusted the project. Codex keeps its sandbox around what commands do.
 */
import { tomlText } from '../../formats/toml.ts';
import { trustOf } from '../settings/codex.ts';
import type { HeadlessAgent, HeadlessCall, HeadlessStart, HookEntry, StreamEvent, StreamReader } from './headless.ts';
import { countAt, lineReader, objectAt, objectsAt, oneLine, streamLimits, textAt, type Line } from './stream.ts';

export const codex: HeadlessAgent = {
  name: 'codex',
  title: 'Codex CLI',
  program: 'codex',
  install: 'npm install -g @openai/codex',
  sameIds: false,
  environment: [
    { names: ['OPENAI_API_KEY', 'CODEX_API_KEY', 'OPENAI_BASE_URL', 'OPENAI_ORGANIZATION', 'OPENAI_PROJECT', 'AZURE_OPENAI_API_KEY', 'CODEX_HOME', 'CODEX_CA_CERTIFICATE'] },
  ],
  exits: {},
  start,
  reader,
};

function start({ writes, model, hooks }: HeadlessCall): HeadlessStart {
  return {
    args: [
      'exec', '--json', '--skip-git-repo-check', '--color', 'never', '--sandbox', writes ? 'workspace-write' : 'read-only',
      ...(model === undefined ? [] : ['--model', model]),
      ...['features.hooks=true', 'check_for_update_on_startup=false', ...hooks.map(hookValue), trustValue(hooks)].flatMap((value) => ['-c', value]),
      '-',
    ],
    env: {},
  };
}

function hookValue({ event, command, seconds }: HookEntry): string {
  return `hooks.${event}=[{hooks=[{type="command",command=${tomlText(command)},timeout=${seconds}}]}]`;
}

/** Where Codex says that hooks of the command line stand. */
const commandLine = '/<session-flags>/config.toml';

function trustValue(hooks: readonly HookEntry[]): string {
  const trusts = hooks.map(({ event, command, seconds }) => trustOf(commandLine, { event, index: 0, place: 0, group: {}, handler: { command, timeout: seconds } }));
  return `hooks.state={${trusts.map(({ key, hash }) => `${tomlText(key)}={trusted_hash=${tomlText(hash)}}`).join(',')}}`;
}

function reader(): StreamReader {
  return lineReader((line) => {
    switch (line['type']) {
      case 'item.started': return started(objectAt(line, 'item'));
      case 'item.completed': return completed(objectAt(line, 'item'));
      case 'turn.completed': return [{ type: 'usage', usage: usageOf(objectAt(line, 'usage')) }, { type: 'done' }];
      case 'turn.failed': return [failure(textAt(objectAt(line, 'error'), 'message', streamLimits.error))];
      case 'error': return [{ type: 'note', message: textAt(line, 'message', streamLimits.error) }];
      default: return typeof line['type'] === 'string' ? [] : undefined;
    }
  });
}

/** Kinds of items that are calls of tools, and whether hooks are asked about them. */
const calls: Readonly<Record<string, { readonly asked: boolean; readonly target: (item: Line) => string }>> = {
  command_execution: { asked: true, target: (item) => oneLine(textAt(item, 'command', streamLimits.target * 4)) },
  file_change: { asked: true, target: (item) => oneLine(objectsAt(item, 'changes').map((change) => textAt(change, 'path', streamLimits.target)).join(' ')) },
  mcp_tool_call: { asked: true, target: (item) => `${textAt(item, 'server', streamLimits.id)} ${textAt(item, 'tool', streamLimits.id)}` },
  collab_tool_call: { asked: false, target: (item) => textAt(item, 'tool', streamLimits.id) },
  web_search: { asked: false, target: (item) => oneLine(textAt(item, 'query', streamLimits.target)) },
};

function started(item: Line): readonly StreamEvent[] {
  const kind = textAt(item, 'type', streamLimits.id);
  const call = Object.hasOwn(calls, kind) ? calls[kind] : undefined;
  return call === undefined ? [] : [{ type: 'began', id: textAt(item, 'id', streamLimits.id), tool: kind, target: call.target(item) }];
}

function completed(item: Line): readonly StreamEvent[] {
  const kind = textAt(item, 'type', streamLimits.id);
  if (kind === 'agent_message') return [{ type: 'text', text: textAt(item, 'text') }];
  if (kind === 'error') return [{ type: 'note', message: textAt(item, 'message', streamLimits.error) }];
  const call = Object.hasOwn(calls, kind) ? calls[kind] : undefined;
  if (call === undefined) return [];
  const ok = item['status'] === 'completed';
  // A command that ended with any code has run; one that was declined has none.
  const acted = call.asked && (ok || typeof item['exit_code'] === 'number');
  const error = textAt(objectAt(item, 'error'), 'message', streamLimits.error) || textAt(item, 'aggregated_output', streamLimits.error);
  return [{ type: 'ended', id: textAt(item, 'id', streamLimits.id), ok, acted, ...(ok || error === '' ? {} : { error }) }];
}

/** What came from the cache, or went into it, is among the input; reasoning is among the output. */
function usageOf(usage: Line): { readonly input: number; readonly output: number; readonly cacheRead: number; readonly cacheWrite: number } {
  const [cacheRead, cacheWrite] = [countAt(usage, 'cached_input_tokens'), countAt(usage, 'cache_write_input_tokens')];
  return { input: Math.max(0, countAt(usage, 'input_tokens') - cacheRead - cacheWrite), output: countAt(usage, 'output_tokens'), cacheRead, cacheWrite };
}

function failure(message: string): StreamEvent {
  return { type: 'failed', message: message === '' ? 'its turn failed' : message, lasting: /\b(400|401|403|404)\b|unauthorized|invalid_request/i.test(message) };
}
