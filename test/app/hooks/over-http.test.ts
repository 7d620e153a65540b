/** Hooks over HTTP through the command line: where they may be had, what is written and kept, what is found out, and the way back. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startControlPlane, type RunningControlPlane } from '../../../lib/app/control-plane.ts';
import { objectIn, type JsonObject } from '../../../lib/base/json.ts';
import { makeGround, type Ground } from '../../support/ground.ts';

const settings = (here: Ground): string => join(here.project, '.claude/settings.local.json');
const read = (path: string): string => readFileSync(path, 'utf8');
const keys = (here: Ground): readonly string[] => (existsSync(join(here.home, 'keys/hooks')) ? readdirSync(join(here.home, 'keys/hooks')) : []);
const token = (here: Ground): string => /Bearer (lokihook_[^"]+)/.exec(read(settings(here)))?.[1] ?? '';

/** A program that says it is Claude Code of a version. */
function putClaude(here: Ground, version: string): Readonly<Record<string, string>> {
  chmodSync(here.write('bin/claude', `#!/bin/sh\necho "${version} (Claude Code)"\n`), 0o755);
  return { PATH: `${join(here.root, 'bin')}:${here.env['PATH'] ?? ''}` };
}

interface Served {
  readonly here: Ground;
  readonly plane: RunningControlPlane;
  loki(...args: readonly string[]): ReturnType<Ground['loki']>;
}

async function served(t: { after(undo: () => void | Promise<void>): void }): Promise<Served> {
  const here = makeGround(t);
  await here.enrol();
  const env = putClaude(here, '2.1.332');
  const plane = await startControlPlane(here.installation({ LOKI_PORT: '0' }));
  t.after(() => plane.stop());
  return { here, plane, loki: (...args) => here.loki(args, { env }) };
}

async function status({ loki }: Served, check: string): Promise<JsonObject> {
  const [report] = Object(objectIn((await loki('hooks', 'status', 'claude', '--json')).stdout))['agents'];
  return report.checks.find((each: JsonObject) => each['check'] === check);
}

test('they are put in, answer, are put in again, and are taken out with their token', async (t) => {
  const at = await served(t);
  const { here, plane, loki } = at;
  const mine = '{\n  "permissions": { "allow": ["Bash(ls)"] }\n}';
  here.write('project/.claude/settings.local.json', mine);
  const done = await loki('hooks', 'install', 'claude', '--http', '--yes');
  assert.equal(done.exit, 0, done.stderr);
  assert.match(done.stderr, /While the control plane does not run, Claude Code refuses every call/);
  const hooks = Object(objectIn(read(settings(here)))?.['hooks']);
  const shown = { Authorization: `Bearer ${token(here)}`, 'X-Loki-Entrypoint': '$CLAUDE_CODE_ENTRYPOINT' };
  assert.deepEqual(hooks.PreToolUse, [{ hooks: [{ type: 'http', url: `${plane.url}/hooks/claude?event=PreToolUse`, headers: shown, allowedEnvVars: ['CLAUDE_CODE_ENTRYPOINT'], timeout: 600, onFailure: 'block' }] }]);
  assert.deepEqual(hooks.PostToolUse, [{ hooks: [{ type: 'http', url: `${plane.url}/hooks/claude?event=PostToolUse`, headers: shown, allowedEnvVars: ['CLAUDE_CODE_ENTRYPOINT'], timeout: 30 }] }]);
  const kinds = Object.entries<readonly { readonly hooks: readonly { readonly type: string }[] }[]>(hooks).map(([event, [group]]) => `${event} ${group?.hooks[0]?.type}`);
  assert.deepEqual(kinds.filter((kind) => kind.endsWith('http')), ['PreToolUse http', 'PreSkillShellCommand http', 'PostToolUse http', 'PostToolUseFailure http']);
  assert.equal(kinds.length, 13);
  assert.equal(statSync(settings(here)).mode & 0o077, 0, 'a token is its owner\'s alone');
  const [key = ''] = keys(here);
  assert.doesNotMatch(read(join(here.home, 'keys/hooks', key)), new RegExp(token(here)));
  const [entry] = here.entries().filter(({ event }) => event === 'hooks.install');
  assert.equal(Object(entry?.['details']).asks, plane.url);
  assert.doesNotMatch(JSON.stringify(here.entries()), /lokihook_/);

  const { exit, stdout } = await loki('hooks', 'status');
  assert.equal(exit, 0, stdout);
  assert.match(stdout, new RegExp(`ok {4}http {9}they ask ${plane.url}, which answers`));
  const tried = await loki('hooks', 'test', 'claude');
  assert.equal(tried.exit, 0, tried.stdout);
  assert.match(tried.stdout, /ok {4}harmless call {3}let through\n {2}ok {4}forbidden call {2}refused: .*policies\.yaml[^]*ok {4}nobody answers[^]*ok {4}wrong token {5}refused: status 401/);

  const before = read(settings(here));
  assert.match((await loki('hooks', 'install', 'claude', '--http')).stdout, /nothing is to do/);
  assert.equal((await loki('init')).exit, 0);
  assert.equal(read(settings(here)), before, 'loki init leaves them as they are');
  assert.equal((await loki('hooks', 'install', 'claude', '--http', '--approval', 'deny', '--yes')).exit, 0);
  assert.notEqual(read(settings(here)), before, 'another token for other terms');
  assert.equal(keys(here).length, 1);
  assert.equal((await status(at, 'http'))['status'], 'ok');

  assert.equal((await loki('hooks', 'install', 'claude', '--yes')).exit, 0);
  assert.doesNotMatch(read(settings(here)), /"http"|lokihook_/);
  assert.deepEqual(keys(here), []);
  assert.equal((await loki('hooks', 'install', 'claude', '--http', '--yes')).exit, 0);
  assert.equal((await loki('hooks', 'disable', 'claude', '--reason', 'INC-7', '--yes')).exit, 0);
  assert.equal(read(settings(here)), mine);
  assert.deepEqual(keys(here), []);
});

test('where they could not be relied on they are refused', async (t) => {
  const { here, plane, loki } = await served(t);
  const env = { PATH: `${join(here.root, 'bin')}:${here.env['PATH'] ?? ''}` };
  const refused = async (exit: number, words: RegExp, args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<void> => {
    const end = await here.loki(['hooks', 'install', ...args, '--http', '--yes'], { env: { ...env, ...more } });
    assert.equal(end.exit, exit, end.stderr);
    assert.match(end.stderr, words);
    assert.equal(existsSync(settings(here)), false);
    assert.deepEqual(keys(here), []);
  };
  await refused(2, /Copilot CLI lets the tool run when its HTTP hook fails, and asks https addresses only/, ['copilot']);
  for (const agent of ['codex', 'gemini', 'cursor', 'opencode']) await refused(2, /has none\n/, [agent]);
  await refused(2, /no agent was named/, []);
  await refused(2, /for one project/, ['claude', '--scope', 'user']);
  await refused(2, /HTTP_PROXY is set/, ['claude'], { HTTP_PROXY: 'http://proxy.example:3128' });
  await refused(2, /no claude is on the PATH/, ['claude'], { PATH: here.env['PATH'] ?? '' });
  putClaude(here, '2.1.294');
  await refused(2, /2\.1\.294 lets a tool run when an HTTP hook fails/, ['claude']);
  putClaude(here, 'dev');
  await refused(2, /cannot be told/, ['claude']);
  putClaude(here, '2.1.295');
  assert.equal((await here.loki(['hooks', 'install', 'claude', '--http', '--dry-run'], { env: { ...env, HTTP_PROXY: 'http://proxy.example:3128', NO_PROXY: 'localhost,127.0.0.1' } })).exit, 0);
  const unknown = makeGround(t);
  unknown.write('project/.loki/policies.yaml', 'version: 1\npolicies: {}\n');
  assert.match((await unknown.loki(['hooks', 'install', 'claude', '--http', '--yes'], { env })).stderr, /the project is not enrolled/);
  await plane.stop();
  await refused(8, /the control plane does not run\n.*loki dashboard/, ['claude']);
  writeFileSync(join(here.home, 'run/address'), 'http://127.0.0.1:1\n', { mode: 0o600 });
  await refused(8, /does not answer at http:\/\/127\.0\.0\.1:1/, ['claude']);
  assert.equal((await loki('hooks', 'status', 'claude')).exit, 1);
});

test('each trouble of theirs is found out', async (t) => {
  const at = await served(t);
  const { here, plane, loki } = at;
  assert.equal((await loki('hooks', 'install', 'claude', '--http', '--yes')).exit, 0);
  const whole = read(settings(here));
  const says = async (check: string, words: RegExp, repair: RegExp): Promise<void> => {
    const { status: how, found, repair: way } = await status(at, check);
    assert.equal(how, 'fail', String(found));
    assert.match(String(found), words);
    assert.match(String(way), repair);
  };
  writeFileSync(settings(here), whole.replaceAll(plane.url, 'http://127.0.0.1:9'));
  await says('http', /the hooks ask http:\/\/127\.0\.0\.1:9, and the control plane listens on/, /^loki hooks install claude --http$/);
  const other = `${token(here).slice(0, -4)}AAAA`;
  writeFileSync(settings(here), whole.replaceAll(token(here), other));
  await says('http', /does not know the token of the hooks: .*every call is refused/, /--http$/);
  writeFileSync(settings(here), whole.replace(',\n            "onFailure": "block"', ''));
  await says('events', /PreToolUse lacks onFailure: "block"/, /--http$/);
  assert.match((await loki('hooks', 'test', 'claude')).stdout, /FAIL {2}nobody answers/);
  writeFileSync(settings(here), whole);
  here.write('project/.claude/settings.json', '{"env":{"HTTP_PROXY":"http://proxy.example:3128"}}');
  await says('http', /settings\.json sets HTTP_PROXY: the hooks go to that proxy/, /NO_PROXY/);
  here.write('project/.claude/settings.json', '{"allowedHttpHookUrls":["https://hooks.example/*"]}');
  await says('http', /allowedHttpHookUrls in .* lets Claude Code ask no such address/, /"http:\/\/127\.0\.0\.1:\d+\/\*"/);
  here.write('project/.claude/settings.json', '{"allowedHttpHookUrls":["http://127.0.0.1:*"]}');
  assert.equal((await status(at, 'http'))['status'], 'ok');
  putClaude(here, '2.1.290');
  await says('version', /2\.1\.290 is older than 2\.1\.295/, /Update/);
  await plane.stop();
  await says('http', /the control plane does not run: every call is refused/, /^loki dashboard$/);
});
