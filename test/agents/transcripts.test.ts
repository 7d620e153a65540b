/** Tokens in the files that real agents kept, and in files that somebody made up. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { transcriptReaders, type TranscriptMemory } from '../../lib/agents/transcripts.ts';
import type { AgentName, ReportedUsage } from '../../lib/agents/hook.ts';
import { fixture } from '../support/root.ts';

const kept: readonly (readonly [AgentName, string, readonly ReportedUsage[]])[] = [
  ['claude', 'claude/2.1.332/transcript.jsonl', [{ model: 'claude-opus-5-5', input: 3900, output: 135, cacheRead: 2850, cacheWrite: 50 }]],
  ['codex', 'codex/0.171.0/rollout.jsonl', [{ model: 'gpt-5.5', input: 1050, output: 135, cacheRead: 2850, cacheWrite: 0 }]],
  ['gemini', 'gemini/0.61.0/chat.jsonl', [{ model: 'gemini-2.5-pro', input: 1050, output: 145, cacheRead: 2850, cacheWrite: 0 }]],
];

function read(agent: AgentName, lines: readonly string[], memory: TranscriptMemory = {}): { readonly usage: readonly ReportedUsage[]; readonly memory: TranscriptMemory } {
  const reader = transcriptReaders[agent];
  assert.ok(reader);
  return reader(lines, memory, false);
}

for (const [agent, file, expected] of kept) {
  const lines = readFileSync(fixture('agents', file), 'utf8').split('\n');
  test(`the tokens in ${agent}'s own file are its messages' tokens, each once`, () => {
    assert.deepEqual(read(agent, lines).usage, expected);
  });

  test(`${agent}'s file read in two looks comes to the same, wherever it is parted`, () => {
    for (let cut = 0; cut <= lines.length; cut += 1) {
      const first = read(agent, lines.slice(0, cut));
      const second = read(agent, lines.slice(cut), first.memory);
      const sum = [...first.usage, ...second.usage].reduce((total, { input, output, cacheRead }) => total + input + output + cacheRead, 0);
      assert.equal(sum, (expected[0]?.input ?? 0) + (expected[0]?.output ?? 0) + (expected[0]?.cacheRead ?? 0), `parted after line ${cut}`);
      assert.deepEqual(read(agent, [], second.memory).usage, []);
    }
  });

  test(`a file of ${agent}'s that somebody made up counts what could be tokens, and nothing else`, () => {
    const odd = [
      '{"type":"assistant","message":{"id":"x","usage":{"input_tokens":-5,"output_tokens":1e300}}}', '{"type":"assistant","message":{"id":7,"usage":{"input_tokens":5}}}', '{"type":"assistant","usage":5}', '[]', 'null', '{"tokens":{"input":5}}',
      '{"id":"y","tokens":{"input":"5","output":-1}}', `${'['.repeat(5000)}"usage""tokens""token_count"`, '{"payload":{"type":"token_count","info":{"total_token_usage":{"total_tokens":1,"input_tokens":null}}}}', '"usage"', '',
    ];
    assert.deepEqual(read(agent, odd).usage, []);
  });
}
