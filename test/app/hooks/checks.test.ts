/** Each trouble that nobody sees is made, and `loki hooks status` says what it is and what repairs it. */
import assert from 'node:assert/strict';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AgentName } from '../../../lib/agents/hook.ts';
import { hookFile, type Scope } from '../../../lib/agents/settings/places.ts';
import { reportHooks, type AgentFinding } from '../../../lib/app/hooks/checks.ts';
import { hookGround, type HookGround } from '../../../lib/app/hooks/ground.ts';
import { performPlan, planInstall } from '../../../lib/app/hooks/install.ts';
import { atTerminal } from '../../../lib/approvals/proof.ts';
import { isOlder } from '../../../lib/agents/settings/client-versions.ts';
import { objectIn } from '../../../lib/base/json.ts';
import { makeGround, type Ground } from '../../support/ground.ts';

type Env = Readonly<Record<string, string>>;

const groundOf = (here: Ground, env: Env = {}): HookGround => hookGround(here.installation(env), undefined, join(here.root, 'machine'));

async function install(here: Ground, agent: AgentName, scope: Scope = 'project', env: Env = {}): Promise<string> {
  const ground = groundOf(here, env);
  await performPlan(ground, planInstall(ground, scope, [agent]), { by: 'user:tester', prove: atTerminal });
  return hookFile(agent, scope, ground.places) ?? '';
}

async function found(here: Ground, agent: AgentName, check: string, env: Env = {}): Promise<AgentFinding> {
  const [report] = await reportHooks(groundOf(here, env), [agent]);
  return report?.checks.find((each) => each.check === check) ?? assert.fail(`there is a check "${check}"`);
}

function says(finding: AgentFinding, status: string, words: RegExp, repair?: RegExp): void {
  assert.equal(finding.status, status, finding.found);
  assert.match(finding.found, words);
  if (repair !== undefined) assert.match(finding.repair ?? '', repair);
}

/** The text of a file with one part changed. */
function change(path: string, from: string | RegExp, to: string): void {
  const text = readFileSync(path, 'utf8');
  assert.ok(typeof from === 'string' ? text.includes(from) : from.test(text), `${path} holds ${from}`);
  writeFileSync(path, text.replace(from, to));
}

async function enrolled(t: { after(undo: () => void): void }): Promise<Ground> {
  const here = makeGround(t);
  await here.enrol();
  return here;
}

test('hooks of every agent as they are installed: nothing is wrong', async (t) => {
  const here = await enrolled(t);
  here.write('.gemini/trustedFolders.json', JSON.stringify({ [here.root]: 'TRUST_FOLDER' }));
  here.write('.codex/config.toml', `[projects."${here.project}"]\ntrust_level = "trusted"\n`);
  for (const agent of ['claude', 'codex', 'gemini', 'cursor', 'copilot', 'opencode'] as const) await install(here, agent);
  const { exit, stdout } = await here.loki(['hooks', 'status']);
  assert.equal(exit, 0, stdout);
  assert.doesNotMatch(stdout, /warn|FAIL/);
  const doctor = await here.loki(['doctor', 'hooks']);
  assert.equal(doctor.exit, 0, doctor.stdout);
  const told = objectIn((await here.loki(['hooks', 'status', 'codex', '--json'])).stdout);
  assert.deepEqual([told?.['status'], Object(told?.['agents'])[0].installed], ['ok', [{ scope: 'project', path: join(here.project, '.codex/hooks.json') }]]);
});

test('not installed: a hole in an enrolled project, worth knowing elsewhere', async (t) => {
  const here = makeGround(t);
  assert.match((await here.loki(['hooks', 'status'])).stdout, /^No coding agent was found/);
  says(await found(here, 'claude', 'installed'), 'warn', /not judged and not recorded/, /^loki hooks install claude$/);
  await here.enrol();
  says(await found(here, 'claude', 'installed'), 'fail', /no hooks of ours/);
  const { exit, stdout } = await here.loki(['hooks', 'status', 'claude']);
  assert.equal(exit, 1);
  assert.match(stdout, /^Claude Code\n {2}FAIL {2}installed {2}no hooks of ours.*\n {2,}repair: loki hooks install claude\n$/);
  await install(here, 'claude');
  await install(here, 'claude', 'user');
  says(await found(here, 'claude', 'installed'), 'warn', /asked about more than once/, /^loki hooks uninstall claude --scope project$/);
});

test('settings that the agent drops without a word', async (t) => {
  const here = await enrolled(t);
  const path = await install(here, 'claude');
  const whole = readFileSync(path, 'utf8');
  here.write('project/.claude/settings.json', '{"hooks": {"Stop": [{"hooks": [{"type": "shell", "command": "x"}]}]}}');
  says(await found(here, 'claude', 'settings'), 'fail', /hooks\.Stop\[0\] holds a hook of the unknown type "shell"/);
  here.write('project/.claude/settings.json', '{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "x", "onFailure": "deny"}]}]}}');
  says(await found(here, 'claude', 'settings'), 'fail', /onFailure is "deny"/);
  here.write('project/.claude/settings.json', '{"hooks": {"Stop": {}}}');
  says(await found(here, 'claude', 'settings'), 'fail', /hooks\.Stop is no list/);
  rmSync(join(here.project, '.claude/settings.json'));
  writeFileSync(path, whole.replace('{', '{ // why\n'));
  says(await found(here, 'claude', 'settings'), 'fail', /comments/);
  writeFileSync(path, whole.slice(0, 100));
  says(await found(here, 'claude', 'settings'), 'fail', /settings\.local\.json: Cannot read/);
  says(await found(here, 'claude', 'installed'), 'fail', /no hooks of ours/);
});

test('events, matchers, guards and times that let a call pass', async (t) => {
  const here = await enrolled(t);
  const path = await install(here, 'claude');
  const whole = readFileSync(path, 'utf8');
  const cases: readonly (readonly [string | RegExp, string, RegExp])[] = [
    ['"PreToolUse"', '"OtherUse"', /nothing is asked about PreToolUse/],
    ['"PreToolUse": [\n      {', '"PreToolUse": [\n      {\n        "matcher": "Bash",', /PreToolUse has the matcher "Bash"/],
    ['"timeout": 600', '"timeout": 30', /PreToolUse has a time limit of 30 s/],
    [',\n            "onFailure": "block"', '', /PreToolUse lacks onFailure: "block"/],
    ['"timeout": 600', '"async": true, "timeout": 600', /not waited for/],
    ['"timeout": 600', '"if": "Bash(rm *)", "timeout": 600', /has a condition/],
  ];
  for (const [from, to, words] of cases) {
    writeFileSync(path, whole);
    change(path, from, to);
    says(await found(here, 'claude', 'events'), 'fail', words, /^loki hooks install claude$/);
  }
  const cursor = await install(await enrolledAgain(here), 'cursor');
  change(cursor, ',\n        "failClosed": true', '');
  says(await found(here, 'cursor', 'events'), 'fail', /preToolUse lacks failClosed: true/);
});

/** As `loki init` after a look at what changed. */
async function enrolledAgain(here: Ground): Promise<Ground> {
  await here.enrol();
  return here;
}

test('a command that starts something else, or for somebody else', async (t) => {
  const here = await enrolled(t);
  const path = await install(here, 'claude');
  const whole = readFileSync(path, 'utf8');
  const script = here.installation().host.facts.loki.at(-1) ?? '';
  const cases: readonly (readonly [string, string, string, RegExp])[] = [
    [script, `${script}.moved`, 'fail', /start .*\.moved, which does not exist: every call is refused/],
    [`--project '${here.project}'`, '--project /nowhere/shop', 'fail', /judge for \/nowhere\/shop, which does not exist/],
    [`--project '${here.project}'`, '--project /usr', 'fail', /judge for \/usr, not for this project/],
    [script, '/bin/sh', 'warn', /start another installation: .*\/bin\/sh/],
    [`LOKI_HOME='${here.home}'`, 'LOKI_HOME=/var/other', 'warn', /keep their records in \/var\/other/],
    ['exit 2', 'exit 0', 'fail', /changed by hand/],
  ];
  for (const [from, to, status, words] of cases) {
    writeFileSync(path, whole.replaceAll(from, to));
    says(await found(here, 'claude', 'command'), status, words, /^loki hooks install claude$/);
  }
  writeFileSync(path, whole);
  says(await found(here, 'claude', 'command'), 'ok', /as it was written/);
  await enrolledAgain(here);
  const plugin = await install(here, 'opencode');
  change(plugin, 'if (answer.allow !== true) throw', 'if (answer.allow === false) throw');
  says(await found(here, 'opencode', 'command'), 'fail', /not the one that this version writes/, /^loki hooks install opencode$/);
  says(await found(here, 'claude', 'pins'), 'fail', /loki\.js changed since/, /loki init/);
  await enrolledAgain(here);
  await install(here, 'claude', 'project', { LOKI_AUDIT_DISABLED: 'true' });
  says(await found(here, 'claude', 'command'), 'warn', /LOKI_AUDIT_DISABLED set, and have it for good/);
});

test('switches in any of an agent\'s settings', async (t) => {
  const here = await enrolled(t);
  const cases: readonly (readonly [AgentName, string, string, RegExp])[] = [
    ['claude', 'project/.claude/settings.json', '{"disableAllHooks": true}', /disableAllHooks in .*project\/\.claude\/settings\.json/],
    ['claude', '.claude/settings.json', '{"disableAllHooks": true}', /disableAllHooks in .*\/\.claude\/settings\.json/],
    ['claude', 'machine/etc/claude-code/managed-settings.json', '{"allowManagedHooksOnly": true}', /allowManagedHooksOnly/],
    ['codex', 'project/.codex/config.toml', '[features]\nhooks = false\n', /features\.hooks in .*project\/\.codex\/config\.toml/],
    ['codex', 'machine/etc/codex/requirements.toml', 'allow_managed_hooks_only = true\n', /allow_managed_hooks_only/],
    ['gemini', '.gemini/settings.json', '{"hooksConfig": {"enabled": false}}', /hooksConfig\.enabled/],
    ['gemini', '.gemini/settings.json', '{"hooksConfig": {"disabled": ["other", "loki-0a1b2c3d4e5f"]}}', /hooksConfig\.disabled/],
    ['copilot', 'project/.github/copilot/settings.json', '{"disableAllHooks": true}', /disableAllHooks/],
  ];
  for (const agent of ['claude', 'codex', 'gemini', 'copilot', 'opencode'] as const) await install(here, agent);
  for (const [agent, path, text, words] of cases) {
    says(await found(here, agent, 'switches'), 'ok', /none is set/);
    here.write(path, text);
    says(await found(here, agent, 'switches'), 'fail', words);
    rmSync(join(here.root, path));
  }
  says(await found(here, 'opencode', 'switches', { OPENCODE_PURE: '1' }), 'fail', /without any plugin/);
  says(await found(here, 'opencode', 'switches', { OPENCODE_DISABLE_PROJECT_CONFIG: '1' }), 'fail', /plugin of the project is left out/);
});

test('hooks and folders that the agent does not trust', async (t) => {
  const here = await enrolled(t);
  for (const agent of ['codex', 'gemini'] as const) await install(here, agent);
  const config = join(here.root, '.codex/config.toml');
  const trust = readFileSync(config, 'utf8');
  says(await found(here, 'codex', 'trust'), 'fail', /does not trust .*\/project, and leaves its hooks out/);
  writeFileSync(config, `${trust}\n[projects."${here.project}"]\ntrust_level = "trusted"\n`);
  says(await found(here, 'codex', 'trust'), 'ok', /hooks and the folder are trusted/);
  change(config, /trusted_hash = "sha256:.{4}/, 'trusted_hash = "sha256:0000');
  says(await found(here, 'codex', 'trust'), 'fail', /does not trust 1 of \d+ hooks/, /^loki hooks install codex$/);
  writeFileSync(config, `${trust.replace('trusted_hash', 'enabled = false\ntrusted_hash')}\n[projects]\n"${here.project}" = { trust_level = "trusted" }\n`);
  says(await found(here, 'codex', 'trust'), 'fail', /switched off in .*pre_tool_use:0:0/);

  says(await found(here, 'gemini', 'trust'), 'fail', /does not trust/);
  says(await found(here, 'gemini', 'trust', { GEMINI_CLI_TRUST_WORKSPACE: 'true' }), 'ok', /is set/);
  for (const [folder, word, status] of [[here.project, 'TRUST_FOLDER', 'ok'], [here.root, 'TRUST_FOLDER', 'ok'], [here.project, 'DO_NOT_TRUST', 'fail'], [join(here.root, 'other'), 'TRUST_PARENT', 'ok'], ['/elsewhere', 'TRUST_FOLDER', 'fail']] as const) {
    here.write('.gemini/trustedFolders.json', JSON.stringify({ [folder]: word }));
    says(await found(here, 'gemini', 'trust'), status, /trust/);
  }
});

test('versions are read beside the program, or asked of it, and the table says what they are good for', async (t) => {
  const here = await enrolled(t);
  await install(here, 'claude');
  await install(here, 'opencode');
  await install(here, 'copilot');
  const put = (version: string): void => {
    here.write('npm/lib/claude/package.json', JSON.stringify({ name: '@anthropic-ai/claude-code', version }));
    chmodSync(here.write('npm/lib/claude/claude', '#!/bin/sh\nexit 1\n'), 0o755);
  };
  const env = { PATH: join(here.root, 'npm/lib/claude') };
  for (const [version, status, words] of [['2.1.332', 'ok', /tried with 2\.1\.332/], ['2.1.290', 'warn', /older than 2\.1\.295: .*cannot be started/], ['1.0.9', 'fail', /older than 2\.1\.214/]] as const) {
    put(version);
    says(await found(here, 'claude', 'version', env), status, words);
  }
  const asked = { PATH: join(here.root, 'bin') };
  chmodSync(here.write('bin/opencode', '#!/bin/sh\necho opencode 2.0.1\n'), 0o755);
  says(await found(here, 'opencode', 'version', asked), 'fail', /2\.0\.1: from then on plugins have another interface/);
  chmodSync(here.write('bin/opencode', '#!/bin/sh\necho dev\n'), 0o755);
  says(await found(here, 'opencode', 'version', asked), 'warn', /cannot be told/, /loki hooks test opencode/);
  chmodSync(here.write('bin/copilot', '#!/bin/sh\necho 0.0.400\n'), 0o755);
  says(await found(here, 'copilot', 'version', asked), 'warn', /nobody has tried/);
  assert.deepEqual([isOlder('1.9.9', '1.10.0'), isOlder('2.0.0', '1.10.0'), isOlder('1.10.0', '1.10.0'), isOlder('dev', '1.0.0')], [true, false, false, false]);
});

test('code that is loaded before the hook, and a project that is not enrolled', async (t) => {
  const here = makeGround(t);
  await install(here, 'claude');
  says(await found(here, 'claude', 'pins'), 'warn', /not enrolled/, /^loki init$/);
  says(await found(here, 'claude', 'environment', { NODE_OPTIONS: '--require x' }), 'warn', /NODE_OPTIONS is set here/, /^unset NODE_OPTIONS$/);
  here.write('project/.claude/settings.json', '{"env": {"LD_PRELOAD": "./x.so", "EDITOR": "vi"}}');
  says(await found(here, 'claude', 'environment'), 'fail', /sets LD_PRELOAD for the agent/, /"env" in/);
  here.write('project/.claude/settings.json', '{"env": {"LOKI_SESSION_ID": "ses_01M7ZVG8VVQBKDX1K1Z2V9DR9Q"}}');
  says(await found(here, 'claude', 'environment'), 'fail', /sets LOKI_SESSION_ID, by which the hooks take the agent for one of a governed run/, /"env" in/);
});
