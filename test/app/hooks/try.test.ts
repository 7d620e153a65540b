/** `loki hooks test`: the installed command is really run, and a hook that does not do what it should is found out. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { objectIn, type JsonObject } from '../../../lib/base/json.ts';
import { makeGround, type Ground } from '../../support/ground.ts';

async function installed(t: { after(undo: () => void): void }, ...agents: readonly string[]): Promise<Ground> {
  const here = makeGround(t);
  await here.enrol();
  for (const agent of agents) assert.equal((await here.loki(['hooks', 'install', agent, '--yes'])).exit, 0);
  return here;
}

/** `check: status`, all of them. */
async function trials(here: Ground, agent: string): Promise<{ readonly exit: number | null; readonly told: string }> {
  const { exit, stdout } = await here.loki(['hooks', 'test', agent, '--json']);
  const [report] = Object(objectIn(stdout))['agents'];
  return { exit, told: report.trials.map(({ check, status }: JsonObject) => `${String(check)}: ${String(status)}`).join(', ') };
}

const allWell = 'harmless call: ok, forbidden call: ok, on record: ok, program gone: ok, garbage said: ok';

test('hooks that work: both calls are on record, and a broken hook refuses', async (t) => {
  const here = await installed(t, 'claude', 'opencode');
  const { exit, stdout } = await here.loki(['hooks', 'test']);
  assert.equal(exit, 0, stdout);
  assert.match(stdout, /^Claude Code \(project settings\)\n {2}ok {4}harmless call {3}let through\n {2}ok {4}forbidden call {2}refused: .*policies\.yaml/);
  assert.match(stdout, /OpenCode \(project settings\)\n/);
  assert.match(stdout, /on record {7}entries \d+ and \d+ of the log of record/);
  const policy = here.entries().filter((entry) => JSON.stringify(entry).includes('loki-canary-')).map((entry) => entry['event']);
  assert.deepEqual(policy, ['policy.allow', 'policy.deny', 'policy.allow', 'policy.deny']);
});

test('a command that was changed so that its failures are a yes is found out', async (t) => {
  const here = await installed(t, 'codex');
  const path = join(here.project, '.codex/hooks.json');
  writeFileSync(path, readFileSync(path, 'utf8').replaceAll('exit 2', 'exit 0'));
  // What is pinned was changed, so everything is denied, and that on record.
  assert.deepEqual(await trials(here, 'codex'), { exit: 1, told: 'harmless call: warn, forbidden call: ok, on record: ok, program gone: fail, garbage said: fail' });
});

test('hooks that keep their records elsewhere are found out', async (t) => {
  const here = await installed(t);
  assert.equal((await here.loki(['hooks', 'install', 'cursor', '--scope', 'user', '--yes'], { env: { LOKI_HOME: join(here.root, 'other') } })).exit, 0);
  assert.deepEqual(await trials(here, 'cursor'), { exit: 1, told: allWell.replace('on record: ok', 'on record: fail') });
});

test('without hooks there is nothing to test', async (t) => {
  const here = await installed(t);
  const { exit, stderr } = await here.loki(['hooks', 'test', 'claude']);
  assert.equal(exit, 2);
  assert.match(stderr, /Cannot test the hooks: Claude Code has none of ours\n.*loki hooks install claude/);
});
