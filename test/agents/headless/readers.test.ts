/** Streams of real agents, as recorded (fixtures/agents/headless), and hostile ones. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { claude } from '../../../lib/agents/headless/claude.ts';
import { codex } from '../../../lib/agents/headless/codex.ts';
import { gemini } from '../../../lib/agents/headless/gemini.ts';
import type { HeadlessAgent, StreamEvent } from '../../../lib/agents/headless/headless.ts';
import { opencode } from '../../../lib/agents/headless/opencode.ts';
import { fixture } from '../../support/root.ts';

const agents: readonly HeadlessAgent[] = [claude, codex, gemini, opencode];

function readLines(agent: HeadlessAgent, lines: readonly string[]): { readonly events: readonly StreamEvent[]; readonly strange: number } {
  const reader = agent.reader();
  const events = lines.flatMap((line) => reader.read(line));
  return { events, strange: reader.strange };
}

function recorded(agent: HeadlessAgent, name: string): readonly StreamEvent[] {
  const { events, strange } = readLines(agent, readFileSync(fixture('agents', 'headless', `${name}.jsonl`), 'utf8').trim().split('\n'));
  assert.equal(strange, 0);
  return events;
}

/** `+tool target` where a call began, `ran`, `failed` or `refused` where it ended, words as they are. */
function told(events: readonly StreamEvent[]): readonly string[] {
  return events.flatMap((event) => {
    switch (event.type) {
      case 'began': return [`+${event.tool} ${event.target}`];
      case 'ended': return [event.ok ? 'ran' : event.acted ? 'failed' : 'refused'];
      case 'text': return [event.text];
      case 'done': return ['done'];
      case 'failed': return [`${event.lasting ? 'lasting ' : ''}${event.message}`];
      default: return [];
    }
  });
}

/** All tokens, by model: input, output, read from and written into the cache. */
function tokens(events: readonly StreamEvent[]): Readonly<Record<string, readonly number[]>> {
  const sums: Record<string, number[]> = {};
  for (const event of events) {
    if (event.type !== 'usage') continue;
    const { model = 'none', input, output, cacheRead, cacheWrite } = event.usage;
    sums[model] = [input, output, cacheRead, cacheWrite].map((count, at) => count + (sums[model]?.[at] ?? 0));
  }
  return sums;
}

const words = 'line one\n{"type":"task","title":"T"}\nend';

test('Claude Code: calls, a subagent\'s too, a refusal, words of the main agent alone, and each token once', () => {
  const events = recorded(claude, 'claude');
  assert.deepEqual(told(events), [
    'working', '+Agent SUBTASK one', '+Bash echo out', '+Write /home/dev/project/new.txt', '+Bash exit 3', '+Bash echo sub', 'ran', 'ran', 'ran', 'refused', 'failed',
    'Plan:\n{"type":"task","title":"Read quoted fields"}\n{"type":"usage","input_tokens":999,"output_tokens":999}\nend', 'done',
  ]);
  // As `result.modelUsage` has it: the subagent's 1100 and 70 among it.
  assert.deepEqual(tokens(events), { 'claude-opus-5-5': [1300, 110, 50, 7] });
  const first = events.find(({ type }) => type === 'usage');
  assert.deepEqual(first, { type: 'usage', usage: { model: 'claude-opus-5-5', input: 100, output: 0, cacheRead: 50, cacheWrite: 7 } }, 'the input is known while it works');
});

test('Codex: calls and what they ended with, and the cache taken out of the input', () => {
  const events = recorded(codex, 'codex');
  assert.deepEqual(told(events), [
    'working', '+command_execution /bin/bash -lc \'echo out; touch made.txt\'', 'ran', '+file_change /home/dev/project/new.txt', 'ran', '+command_execution /bin/bash -lc \'exit 3\'', 'failed', words, 'done',
  ]);
  assert.deepEqual(tokens(events), { none: [250, 60, 50, 0] });
});

test('Gemini CLI: words in parts, calls, and thoughts counted as output', () => {
  const events = recorded(gemini, 'gemini');
  assert.deepEqual(told(events), ['working', '+write_file /home/dev/project/new.txt', '+run_shell_command echo out', '+read_file nowhere.txt', 'ran', 'ran', 'refused', words, 'done']);
  assert.deepEqual(tokens(events), { 'gemini-2.5-pro': [150, 45, 50, 0] });
  assert.ok(events.every((event) => event.type !== 'text' || event.partial === true));
});

test('opencode: calls told when they have ended, and each step\'s tokens', () => {
  const events = recorded(opencode, 'opencode');
  assert.deepEqual(told(events), ['working', '+write /home/dev/project/new.txt', 'ran', '+bash echo out', 'ran', '+bash exit 3', 'failed', words, 'done']);
  assert.deepEqual(tokens(events), { none: [250, 60, 50, 0] });
});

test('errors of the model fail the call, and those that would come again say so', () => {
  assert.deepEqual(told(recorded(claude, 'claude-error')).at(-1), 'lasting API Error: 400 mock error');
  assert.deepEqual(told(recorded(codex, 'codex-error')), ['lasting unexpected status 401 Unauthorized: mock error']);
  assert.deepEqual(told(recorded(opencode, 'opencode-error')), ['lasting mock error']);
  const overloaded = readLines(claude, ['{"type":"result","subtype":"success","is_error":true,"api_error_status":529,"result":"Overloaded"}']).events;
  assert.deepEqual(told(overloaded), ['Overloaded']);
  assert.deepEqual(told(readLines(claude, ['{"type":"result","subtype":"error_max_turns","is_error":false}']).events), ['error_max_turns']);
  assert.equal(gemini.exits[401 & 0xff]?.lasting, true);
  assert.equal(gemini.exits[503 & 0xff]?.lasting, false);
  assert.match(gemini.exits[55]?.message ?? '', /does not trust the folder/);
});

test('Claude Code: what was counted while it worked is not counted again, under whatever name the whole has it', () => {
  const message = (id: string, model: string, input: number): string => JSON.stringify({ type: 'assistant', message: { id, model, content: [], usage: { input_tokens: input, output_tokens: 1 } } });
  const result = (usage: object): string => JSON.stringify({ type: 'result', subtype: 'success', is_error: false, modelUsage: usage });
  const twice = readLines(claude, [message('a', 'm', 10), message('a', 'm', 10), result({ 'm[1m]': { inputTokens: 25, outputTokens: 5 } }), result({ 'm[1m]': { inputTokens: 30, outputTokens: 9 } })]);
  assert.deepEqual(tokens(twice.events), { m: [30, 9, 0, 0] });
  const renamed = readLines(claude, [message('a', 'alias', 10), result({ 'the-model': { inputTokens: 25, outputTokens: 5 } })]);
  assert.deepEqual(tokens(renamed.events), { 'alias': [10, 0, 0, 0], 'the-model': [15, 5, 0, 0] });
  const more = readLines(claude, [message('a', 'm', 50), result({ m: { inputTokens: 40, outputTokens: 5 } })]);
  assert.deepEqual(tokens(more.events), { m: [50, 5, 0, 0] }, 'a count never goes back');
});

const hostile: readonly string[] = [
  '', 'hello', '{', '{"type":', '[1]', 'null', '"text"', '{}', '{"type":5}', '{"no":"type"}', '{"type":"assistant"}', '{"type":"assistant","message":null}', '{"type":"assistant","message":{"id":{},"content":"x","usage":[]}}',
  '{"type":"assistant","message":{"id":"a","model":"m","content":[null,5,{"type":"text"},{"type":"tool_use"}],"usage":{"input_tokens":-1,"output_tokens":1e99}}}', '{"type":"user","message":{"content":[{"type":"tool_result","content":[[]]}]}}',
  '{"type":"result","modelUsage":{"m":null,"__proto__":{"inputTokens":1}},"usage":5}', '{"type":"item.started"}', '{"type":"item.completed","item":{"type":"constructor"}}', '{"type":"item.completed","item":{"type":"file_change","changes":{"0":1}}}',
  '{"type":"turn.completed","usage":"many"}', '{"type":"turn.failed","error":"no"}', '{"type":"message","role":"assistant","content":{"a":1},"delta":"yes"}', '{"type":"tool_result","tool_id":5,"status":{}}', '{"type":"result","stats":{"models":[1,2]}}',
  '{"type":"text","part":"x"}', '{"type":"tool_use","part":{"state":[]}}', '{"type":"step_finish","part":{"tokens":{"input":1.5,"cache":7}}}', '{"type":"error","error":[]}',
  `{"type":"text","part":{"text":"${'x'.repeat(400_000)}"}}`, `${'['.repeat(100_000)}`, `{"type":"user","message":{"content":${'['.repeat(5000)}${']'.repeat(5000)}}}`,
];
for (const agent of agents) {
  test(`${agent.title}: no line breaks the reader, and no number but a count is counted`, () => {
    const { events, strange } = readLines(agent, hostile);
    assert.ok(strange >= 8, `${strange}`);
    for (const event of events) {
      if (event.type === 'text') assert.ok(event.text.length <= 256 * 1024);
      if (event.type !== 'usage') continue;
      for (const count of [event.usage.input, event.usage.output, event.usage.cacheRead, event.usage.cacheWrite]) assert.ok(Number.isSafeInteger(count) && count >= 0 && count < 1000, `${count}`);
    }
  });
}
