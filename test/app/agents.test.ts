/** Which agent works where none is configured, and what of our environment it gets. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { agentNamed, credentialsFor } from '../../lib/app/agents.ts';
import { makeGround, type Ground } from '../support/ground.ts';

const ours = {
  PATH: '/bin', ANTHROPIC_API_KEY: 'a', OPENAI_API_KEY: 'o', GEMINI_API_KEY: 'g', AWS_SECRET_ACCESS_KEY: 'aws', GITHUB_TOKEN: 'gh', LOKI_SLACK_BOT_TOKEN: 's', LOKI_AUDIT_KEY: 'k',
  CLAUDE_CODE_SIMPLE: '1', OPENCODE_PURE: '1', NODE_OPTIONS: '--require x',
};

test('an agent gets the credentials of its own table, and nothing that switches its hooks off', () => {
  const names = (agent: string, more = {}): readonly string[] => Object.keys(credentialsFor(agentNamed(agent) ?? assert.fail(agent), { ...ours, ...more })).sort();
  assert.deepEqual(names('claude'), ['ANTHROPIC_API_KEY']);
  assert.deepEqual(names('claude', { CLAUDE_CODE_USE_BEDROCK: '1' }), ['ANTHROPIC_API_KEY', 'AWS_SECRET_ACCESS_KEY', 'CLAUDE_CODE_USE_BEDROCK']);
  assert.deepEqual(names('claude', { CLAUDE_CODE_USE_BEDROCK: '0' }), ['ANTHROPIC_API_KEY', 'CLAUDE_CODE_USE_BEDROCK']);
  assert.deepEqual(names('codex'), ['OPENAI_API_KEY']);
  assert.deepEqual(names('gemini'), ['GEMINI_API_KEY']);
  assert.deepEqual(names('opencode'), ['ANTHROPIC_API_KEY', 'GEMINI_API_KEY', 'OPENAI_API_KEY']);
});

function placeOf(t: Parameters<typeof makeGround>[0], ...programs: readonly string[]): { readonly here: Ground; readonly env: Readonly<Record<string, string>> } {
  const here = makeGround(t);
  here.write('project/prd.md', '# x\n');
  here.write('project/.loki/policies.yaml', 'version: 1\npolicies: {}\n');
  const bin = join(here.root, 'agents');
  mkdirSync(bin);
  for (const name of programs) writeFileSync(join(bin, name), `#!/bin/sh\nenv > "${here.root}/seen"\nexit 41\n`, { mode: 0o755 });
  return { here, env: { PATH: `${bin}:/usr/bin:/bin`, ANTHROPIC_API_KEY: 'a', OPENAI_API_KEY: 'o', GITHUB_TOKEN: 'must not be seen', LOKI_SLACK_BOT_TOKEN: 'must not be seen' } };
}

test('where none is configured, the first agent installed works, and the run says so', async (t) => {
  const { here, env } = placeOf(t, 'gemini', 'codex');
  const { exit, stdout } = await here.loki(['start', 'prd.md'], { env });
  assert.equal(exit, 1);
  assert.match(stdout, /No provider is configured: Codex CLI works, the first agent that is installed\. Choose with --provider or runs\.provider/);
  assert.match(stdout, /provider "codex" failed in REASON: it ended with exit code 41 \(2 tries\)/);
  const seen = readFileSync(join(here.root, 'seen'), 'utf8');
  assert.match(seen, /^OPENAI_API_KEY=o$/m);
  assert.match(seen, /^LOKI_SESSION_ID=ses_/m);
  assert.match(seen, /^LOKI_PHASE=REASON$/m);
  assert.doesNotMatch(seen, /ANTHROPIC_API_KEY|GITHUB_TOKEN|must not be seen|LOKI_HOOK=/);
});

test('an agent that is asked for says what is wrong with it, and is not named as a choice of ours', async (t) => {
  const { here, env } = placeOf(t, 'gemini', 'codex');
  const { stdout } = await here.loki(['start', 'prd.md', '--provider', 'gemini'], { env });
  assert.doesNotMatch(stdout, /No provider is configured/);
  assert.match(stdout, /provider "gemini" failed in REASON: it could not sign in to its model \(exit code 41\) \(1 tries\)/);
});

test('a script is played whoever is installed', async (t) => {
  const { here, env } = placeOf(t, 'claude');
  here.write('project/.loki/config.yaml', 'runs:\n  council: {reviewers: []}\n');
  here.write('project/script.json', JSON.stringify({ version: 1, title: 't', rounds: [{ REASON: [], ACT: [], REFLECT: [], VERIFY: { '*': [{ verdict: 'approve', reason: 'r' }] } }] }));
  const { exit, stdout } = await here.loki(['start', 'prd.md', '--script', 'script.json'], { env });
  assert.equal(exit, 0, stdout);
  assert.match(stdout, /No coding agent is at work: the script ".*script\.json" is played/);
});
