/**
 * What real agents sent (fixtures/agents, recorded from the programs themselves), and what is made of it: `fixtures/agents/expected.txt`
 * has a line for each payload. A version of an agent that sends something else shows here first.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { agentTable } from '../../lib/agents/adapters.ts';
import { hookEvents } from '../../lib/agents/hook-events.ts';
import type { AgentAdapter, HookEvent } from '../../lib/agents/hook.ts';
import { isPlainObject } from '../../lib/base/json.ts';
import { LokiError } from '../../lib/errors.ts';
import { fixture } from '../support/root.ts';

const folder = fixture('agents');
const expectedFile = join(folder, 'expected.txt');

interface Recorded {
  readonly agent: string;
  readonly version: string;
  readonly name: string;
  readonly text: string;
}

const versions = agentTable.flatMap(({ name }) => namesIn(join(folder, name)).map((version) => ({ agent: name, version })));
/** Events of opencode that our plugin makes ours of by itself. */
const isForPlugin = (agent: string, name: string): boolean => agent === 'opencode' && !name.startsWith('tool.execute.');

const recorded: readonly Recorded[] = versions.flatMap(({ agent, version }) => namesIn(join(folder, agent, version)).filter((name) => name.endsWith('.json') && name !== 'tools.json' && !isForPlugin(agent, name))
  .map((name) => ({ agent, version, name, text: readFileSync(join(folder, agent, version, name), 'utf8') })));

function namesIn(path: string): readonly string[] {
  try {
    return readdirSync(path).sort();
  } catch {
    return [];
  }
}

async function adapterOf(agent: string): Promise<AgentAdapter> {
  const row = agentTable.find(({ name }) => name === agent);
  assert.ok(row);
  return (await row.load()).adapter;
}

function told(event: HookEvent): string {
  const about = [event.worker === undefined ? [] : `in ${event.worker.type}`, event.mode ?? []].flat().join(', ');
  const head = `${event.does}${about === '' ? '' : ` (${about})`}`;
  if (event.does === 'ask' || event.does === 'result') {
    const outcome = event.does === 'result' ? ` -> ${JSON.stringify(event.outcome)}` : '';
    return `${head} ${event.call.id === undefined ? 'no id' : 'id'} ${JSON.stringify(event.call.action)}${outcome}`;
  }
  return 'action' in event ? `${head} ${JSON.stringify(event.action)}` : head;
}

/** What our plugin of opencode makes of the two arguments of its functions; what other agents sent stands as it came. */
function asSent({ agent, name, text }: Recorded): unknown {
  const value: unknown = JSON.parse(text);
  if (agent !== 'opencode' || !isPlainObject(value)) return value;
  const { input, output } = { input: value['input'], output: value['output'] };
  if (!isPlainObject(input) || !isPlainObject(output)) return value;
  return { event: name.split('-')[0], cwd: '/home/user/project', ...input, ...output, output };
}

function read(adapter: AgentAdapter, one: Recorded): string {
  try {
    return told(adapter.parse(asSent(one), { env: {} }));
  } catch (error) {
    assert.ok(error instanceof LokiError, String(error));
    return `refused: ${error.message}`;
  }
}

test('there are recorded payloads of the four programs that can be run', () => {
  assert.deepEqual([...new Set(recorded.map(({ agent }) => agent))].sort(), ['claude', 'codex', 'gemini', 'opencode']);
});

test('each recorded payload is what it was taken for', async () => {
  const lines: string[] = [];
  for (const one of recorded) lines.push(`${one.agent} ${one.version} ${one.name.slice(0, -5)}: ${read(await adapterOf(one.agent), one)}`);
  const text = `${lines.join('\n')}\n`;
  if (process.env['LOKI_UPDATE_GOLDEN'] === '1') writeFileSync(expectedFile, text);
  assert.equal(text, readFileSync(expectedFile, 'utf8'), 'write it anew with LOKI_UPDATE_GOLDEN=1, and look at the difference');
});

test('no event that we ask to be told of is refused', async () => {
  for (const one of recorded) {
    const event = one.name.replace(/(?:-.*)?\.json$/, '');
    if (!hookEvents[(await adapterOf(one.agent)).name].some((row) => row.event === event)) continue;
    assert.doesNotMatch(read(await adapterOf(one.agent), one), /^refused/, `${one.agent} ${one.name}`);
  }
});

for (const { agent, version } of versions) {
  test(`every tool that ${agent} ${version} offers its model is known by name`, async () => {
    const adapter = await adapterOf(agent);
    const list = toolsIn(JSON.parse(readFileSync(join(folder, agent, version, 'tools.json'), 'utf8')));
    assert.ok(list.length > 5);
    const unknown = list.filter((name) => isUnknown(adapter, name));
    assert.deepEqual(unknown, []);
  });
}

/** The names in a list of tools, or in one list for each model. */
function toolsIn(value: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : Object.values(value ?? {}).flat();
  return list.map((tool) => (isPlainObject(tool) ? String(tool['name']) : ''));
}

/** A tool that nobody knows is taken for one that writes, and does something else besides. */
function isUnknown(adapter: AgentAdapter, name: string): boolean {
  const pre = hookEvents[adapter.name][0]?.event ?? '';
  const input = adapter.name === 'opencode' ? { event: pre, tool: name, args: { path: 'x' } } : { hook_event_name: pre, tool_name: name, tool_input: { path: 'x' } };
  try {
    const event = adapter.parse(input, { env: {} });
    return event.does === 'ask' && event.call.action.kind === 'fs.write' && event.call.action.also?.[0]?.kind === 'other';
  } catch {
    return false;
  }
}
