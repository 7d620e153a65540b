/** Putting hooks in and taking them out through the command line: what is asked, kept, recorded and pinned, and what is refused. */
import assert from 'node:assert/strict';
import { existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { hookGround } from '../../../lib/app/hooks/ground.ts';
import { performPlan, planInstall, planUninstall } from '../../../lib/app/hooks/install.ts';
import { atTerminal } from '../../../lib/approvals/proof.ts';
import { objectIn, type JsonObject } from '../../../lib/base/json.ts';
import { sha256Hex } from '../../../lib/base/digest.ts';
import { makeGround, type Ground } from '../../support/ground.ts';

const settings = (here: Ground): string => join(here.project, '.claude/settings.local.json');
const read = (path: string): string => readFileSync(path, 'utf8');
const ofEvent = (here: Ground, event: string): readonly JsonObject[] => here.entries().filter((entry) => entry['event'] === event);
const tester = { by: 'user:tester', prove: atTerminal };

async function decided(here: Ground): Promise<string> {
  const { stdout } = await here.loki(['hook', 'generic'], { input: '{"kind":"exec","command":"ls"}' });
  return String(objectIn(stdout)?.['decision']);
}

test('hooks go in after a yes; the enrolment knows them, the log tells of them, and everything goes back as it was', async (t) => {
  const here = makeGround(t);
  await here.enrol();
  const mine = '{\n  "permissions": { "allow": ["Bash(ls)"] }\n}';
  here.write('project/.claude/settings.local.json', mine);
  chmodSync(settings(here), 0o640);

  const asked = await here.loki(['hooks', 'install']);
  assert.equal(asked.exit, 2);
  assert.match(asked.stderr, /^--- .*settings\.local\.json\n\+\+\+ /m);
  assert.match(asked.stderr, /it needs a confirmation/);
  assert.equal(read(settings(here)), mine);

  const done = await here.loki(['hooks', 'install', '--yes']);
  assert.equal(done.exit, 0, done.stderr);
  assert.equal(done.stdout, 'Installed the hooks of Claude Code. To see them work: loki hooks test\n');
  assert.ok(read(settings(here)).includes('"permissions": { "allow": ["Bash(ls)"] }'));
  assert.equal(statSync(settings(here)).mode & 0o777, 0o640);
  assert.equal(await decided(here), 'ALLOW');
  const [entry, ...more] = ofEvent(here, 'hooks.install');
  assert.equal(more.length, 0);
  assert.deepEqual(entry?.['details'], { agent: 'claude', scope: 'project', files: [{ path: settings(here), from: sha256Hex(mine), to: sha256Hex(read(settings(here))) }], proof: { kind: 'terminal' } });
  assert.deepEqual(ofEvent(here, 'policy.change').length, 1);
  assert.equal(read(join(here.home, 'backups/hooks', readdirSync(join(here.home, 'backups/hooks'))[0] ?? '')), mine);

  assert.match((await here.loki(['hooks', 'install'])).stdout, /nothing is to do/);
  assert.deepEqual(objectIn((await here.loki(['hooks', 'install', 'claude', '--json'])).stdout), { does: 'install', scope: 'project', changed: false, agents: [{ agent: 'claude', files: [] }] });

  const back = await here.loki(['hooks', 'uninstall', '--yes', '--json']);
  assert.deepEqual(objectIn(back.stdout), { does: 'uninstall', scope: 'project', changed: true, agents: [{ agent: 'claude', files: [{ path: settings(here), does: 'change' }] }] });
  assert.equal(read(settings(here)), mine);
  assert.equal(await decided(here), 'ALLOW');
  assert.equal(Object(ofEvent(here, 'hooks.disable')[0]?.['details'])['reason'], 'uninstalled');
  assert.equal((await here.loki(['hooks', 'uninstall'])).exit, 2);
});

test('the way back of one project leaves the trust that Codex has of another\'s hooks', async (t) => {
  const here = makeGround(t);
  await here.enrol();
  const [config, mine] = [join(here.root, 'codex/config.toml'), 'model = "x"\n'];
  here.write('codex/config.toml', mine);
  const env = { CODEX_HOME: join(here.root, 'codex') };
  for (const scope of ['user', 'project']) assert.equal((await here.loki(['hooks', 'install', 'codex', '--scope', scope, '--yes'], { env })).exit, 0);
  const both = read(config).match(/trusted_hash/g)?.length ?? 0;
  assert.equal((await here.loki(['hooks', 'uninstall', 'codex', '--scope', 'user', '--yes'], { env })).exit, 0);
  assert.equal(read(config).match(/trusted_hash/g)?.length, both / 2);
  assert.ok(!read(config).includes(join(here.root, 'codex/hooks.json')));
  assert.equal((await here.loki(['hooks', 'uninstall', 'codex', '--yes'], { env })).exit, 0);
  assert.equal(read(config), mine);
});

test('settings that their agent may not read are told of when hooks are put into them', async (t) => {
  const here = makeGround(t);
  await here.enrol();
  const commented = '{\n  // mine\n  "permissions": {}\n}\n';
  here.write('project/.claude/settings.local.json', commented);
  here.write('project/.gemini/settings.json', commented.replace('permissions', 'ui'));
  const { stderr } = await here.loki(['hooks', 'install', 'claude', '--yes', '--quiet']);
  assert.match(stderr, /warning: .*settings\.local\.json holds comments or trailing commas, which are not JSON: Claude Code may drop everything in it, hooks too/);
  assert.doesNotMatch((await here.loki(['hooks', 'install', 'gemini', '--yes'])).stderr, /warning/);
  assert.doesNotMatch((await here.loki(['hooks', 'uninstall', 'claude', '--yes'])).stderr, /warning/);
});

test('a dry run shows the change on stdout and makes none', async (t) => {
  const here = makeGround(t);
  await here.enrol();
  const { exit, stdout } = await here.loki(['hooks', 'install', 'gemini', '--dry-run', '--wait', '5m', '--approval', 'deny']);
  assert.equal(exit, 0);
  assert.match(stdout, /^--- \/dev\/null\n\+\+\+ .*\.gemini\/settings\.json\n@@ -0,0 \+1,\d+ @@\n\+\{\n/);
  assert.match(stdout, / hook gemini --project '.*\/project' --event BeforeTool --wait 300s --approval deny\)/);
  assert.equal(existsSync(join(here.project, '.gemini')), false);
  assert.equal(ofEvent(here, 'hooks.install').length, 0);
});

test('disabling takes a reason, which is recorded', async (t) => {
  const here = makeGround(t);
  await here.enrol();
  assert.equal((await here.loki(['hooks', 'install', 'cursor', '--yes'])).exit, 0);
  const unsaid = await here.loki(['hooks', 'disable', '--yes']);
  assert.equal(unsaid.exit, 2);
  assert.match(unsaid.stderr, /it is not said why/);
  const done = await here.loki(['hooks', 'disable', '--reason', 'INC-7: it must go on', '--yes']);
  assert.equal(done.exit, 0, done.stderr);
  assert.equal(Object(ofEvent(here, 'hooks.disable')[0]?.['details'])['reason'], 'INC-7: it must go on');
  assert.equal(existsSync(join(here.project, '.cursor/hooks.json')), false);
});

test('other changes of what is pinned are not swept in', async (t) => {
  const here = makeGround(t);
  await here.enrol();
  here.write('project/.claude/settings.json', '{"disableAllHooks": true}');
  const { exit, stderr } = await here.loki(['hooks', 'install', 'codex', '--yes']);
  assert.equal(exit, 3);
  assert.match(stderr, /\.claude\/settings\.json changed since the project was enrolled/);
  assert.match(stderr, /loki init/);
  assert.equal(existsSync(join(here.project, '.codex')), false);
});

test('a file that changes between the question and the answer is not written', async (t) => {
  const here = makeGround(t);
  await here.enrol();
  const ground = hookGround(here.installation());
  const plan = planInstall(ground, 'project', ['claude']);
  here.write('project/.claude/settings.local.json', '{"mine": true}');
  await assert.rejects(performPlan(ground, plan, tester), { code: 'conflict', message: /changed while you were asked/ });
  assert.equal(read(settings(here)), '{"mine": true}');
});

test('in a project nothing is written through a symlink; at home a link leads to where the settings are kept', async (t) => {
  const here = makeGround(t);
  await here.enrol();
  mkdirSync(join(here.root, 'elsewhere'));
  symlinkSync(join(here.root, 'elsewhere'), join(here.project, '.codex'));
  const { exit, stderr } = await here.loki(['hooks', 'install', 'codex', '--yes']);
  assert.equal(exit, 1);
  assert.match(stderr, /\.codex" is a symlink/);
  assert.deepEqual(readdirSync(join(here.root, 'elsewhere')), []);

  here.write('dotfiles/claude.json', '{}\n');
  mkdirSync(join(here.root, '.claude'));
  symlinkSync(join(here.root, 'dotfiles/claude.json'), join(here.root, '.claude/settings.json'));
  assert.equal((await here.loki(['hooks', 'install', 'claude', '--scope', 'user', '--yes'])).exit, 0);
  assert.ok(lstatSync(join(here.root, '.claude/settings.json')).isSymbolicLink());
  assert.match(read(join(here.root, 'dotfiles/claude.json')), /PreToolUse/);
  assert.doesNotMatch(read(join(here.root, 'dotfiles/claude.json')), /--project/);
  assert.equal((await here.loki(['hooks', 'uninstall', 'claude', '--scope', 'user', '--yes'])).exit, 0);
  assert.equal(read(join(here.root, 'dotfiles/claude.json')), '{}\n');
});

test('hooks of the whole machine: each account has its own home; and the way back, through two installations', async (t) => {
  const here = makeGround(t);
  const machine = join(here.root, 'machine');
  mkdirSync(join(machine, 'etc/claude-code'), { recursive: true });
  const path = join(machine, 'etc/claude-code/managed-settings.json');
  writeFileSync(path, '{ }\n');
  const ground = hookGround(here.installation({ LOKI_HOME: '' }), undefined, machine);
  await performPlan(ground, planInstall(ground, 'managed', ['claude']), tester);
  assert.match(read(path), / -i PATH=/);
  assert.doesNotMatch(read(path), /-i HOME=|LOKI_HOME=/);
  const again = hookGround(here.installation({ LOKI_HOME: '', LOKI_AUDIT_LEVEL: 'debug' }), undefined, machine);
  await performPlan(again, planInstall(again, 'managed', ['claude']), tester);
  assert.match(read(path), /LOKI_AUDIT_LEVEL=debug/);
  await performPlan(again, planUninstall(again, 'managed', []), tester);
  assert.equal(read(path), '{ }\n');
  assert.throws(() => planInstall(ground, 'managed', ['opencode']), { code: 'usage', message: /no place for hooks of the whole machine/ });
});

test('what hooks could not work with is refused before anything is asked', async (t) => {
  const here = makeGround(t);
  await here.enrol();
  const cases: readonly (readonly [readonly string[], Readonly<Record<string, string>>, RegExp])[] = [
    [['hooks', 'install', '--yes'], {}, /no coding agent was found/],
    [['hooks', 'install', 'claude', '--wait', '2h', '--yes'], {}, /cannot wait longer than 590 seconds/],
    [['hooks', 'install', 'claude', '--yes'], { LOKI_AUDIT_KEY: Buffer.alloc(32, 7).toString('base64') }, /not handed down to agents/],
    [['hooks', 'install', 'claude', '--scope', 'all'], {}, /--scope is one of/],
    [['hooks', 'install', 'vim'], {}, /AGENT is one of/],
  ];
  for (const [args, env, words] of cases) {
    const { exit, stderr } = await here.loki(args, { env });
    assert.equal(exit, 2, stderr);
    assert.match(stderr, words);
  }
  here.write('project/.claude/settings.local.json', '{"hooks": {');
  const broken = await here.loki(['hooks', 'install', 'claude', '--yes']);
  assert.equal(broken.exit, 2);
  assert.match(broken.stderr, /line 1, column 12/);
  assert.equal(read(settings(here)), '{"hooks": {');
  const nowhere = makeGround(t);
  assert.match((await nowhere.loki(['hooks', 'install', 'claude'])).stderr, /loki init/);
});

test('loki init puts hooks in for the agents that are here, unless told otherwise', async (t) => {
  const here = makeGround(t);
  here.write('project/.claude/notes.md', 'x');
  here.write('project/.gemini/settings.json', '{ broken');
  const without = await here.loki(['init', '--no-hooks', '--yes']);
  assert.equal(without.exit, 0, without.stderr);
  assert.equal(existsSync(settings(here)), false);
  const done = await here.loki(['init', '--yes']);
  assert.equal(done.exit, 0, done.stderr);
  assert.match(done.stderr, /No hooks for gemini: Cannot read/);
  assert.match(done.stderr, /This will put hooks into the settings of coding agents/);
  assert.match(done.stdout, /^Put hooks in for Claude Code\. Whether they are in force says: loki hooks status$/m);
  assert.ok(existsSync(settings(here)));
  assert.equal(read(join(here.project, '.gemini/settings.json')), '{ broken');
  assert.equal(await decided(here), 'ALLOW');
  assert.match((await here.loki(['init'])).stdout, /nothing has changed/);
  const fresh = makeGround(t);
  fresh.write('project/.cursor/rules/a.md', 'x');
  const first = await fresh.loki(['init', '--yes', '--json']);
  assert.equal(first.exit, 0, first.stderr);
  assert.ok(String(first.stdout).includes('.cursor/hooks.json'));
  assert.equal(await decided(fresh), 'ALLOW');
});
