/**
 * Real coding agents behind the gate: Claude Code, Codex CLI, Gemini CLI and opencode, each with a scripted model on loopback, hooked by
 * `loki hooks install` as a person would. An allowed write happens; a write outside, a secret, a destructive command and an edit of the
 * policy do not, the model is told why, and the log of record holds decision and outcome. Then the program is broken under them.
 *
 * The agents come from test/interop/agents (npm ci) or from AGENTS_DIR; the model servers and the driver from AGENT_TOOLS, by default the
 * folder ../shared/tools/agents beside the project. Without either the tests are skipped, and say so.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const tools = process.env.AGENT_TOOLS ?? join(dirname(root), 'shared/tools/agents');
process.env.AGENTS_DIR ??= join(root, 'test/interop/agents');
const bin = join(process.env.AGENTS_DIR, 'node_modules/.bin');
const missing = [[join(tools, 'drive.mjs'), 'the driver'], [bin, 'the agents']].filter(([path]) => !existsSync(path)).map(([path, what]) => `${what} (${path})`);
const skip = missing.length === 0 ? false : `SKIPPED: not here: ${missing.join(', ')}`;
if (skip) console.error(skip);
const { drive } = skip ? {} : await import(pathToFileURL(join(tools, 'drive.mjs')).href);

const secret = 'ghp_x7Kq2LmN9pRs4TuV6wXy8ZaB1cDe3FgH5iJk';
const timeout = 240_000;

/** How each agent's model calls its tools, and what the driver must say so that only our hooks can stop them. */
const agents = {
  claude: {
    write: (path, content) => ({ tool: 'Write', input: { file_path: path, content } }),
    shell: (command) => ({ tool: 'Bash', input: { command, description: 'x' } }),
    read: (path) => ({ tool: 'Read', input: { file_path: path } }),
    told: /Rule "/,
    settings: '.claude/settings.local.json',
  },
  codex: {
    write: (path, content) => ({ tool: 'apply_patch', input: `*** Begin Patch\n*** Add File: ${path}\n${content.split('\n').map((line) => `+${line}`).join('\n')}\n*** End Patch\n` }),
    shell: (command) => ({ tool: 'exec_command', input: { cmd: command } }),
    read: (path) => ({ tool: 'exec_command', input: { cmd: `cat ${path}` } }),
    args: ['--sandbox', 'danger-full-access'],
    told: /Rule "/,
    settings: '.codex/hooks.json',
    // Trusting a folder is a person's decision, and no part of installing hooks.
    prepare: ({ home, project }) => append(join(home, '.codex/config.toml'), `[projects.${JSON.stringify(project)}]\ntrust_level = "trusted"\n`),
  },
  gemini: {
    write: (path, content) => ({ tool: 'write_file', input: { file_path: path, content } }),
    shell: (command) => ({ tool: 'run_shell_command', input: { command, description: 'x' } }),
    read: (path) => ({ tool: 'read_file', input: { file_path: path } }),
    told: /Rule "|outside/,
    settings: '.gemini/settings.json',
  },
  opencode: {
    write: (path, content) => ({ tool: 'write', input: { filePath: path, content } }),
    shell: (command) => ({ tool: 'bash', input: { command, description: 'x' } }),
    read: (path) => ({ tool: 'read', input: { filePath: path } }),
    told: /Rule "/,
    settings: '.opencode/plugin/loki.js',
  },
};

function append(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, (existsSync(path) ? readFileSync(path, 'utf8') : '') + text);
}

/** A project under governance with one agent's hooks, in a home of its own. */
function ground(name) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), `loki-${name}-`)));
  after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  const [home, project, outside] = ['home', 'project', 'outside'].map((part) => join(folder, part));
  for (const path of [home, project, outside]) mkdirSync(path);
  mkdirSync(join(home, '.codex'));
  const script = join(folder, 'package/dist/cli/loki.cjs');
  // A copy, so that it can be broken.
  mkdirSync(dirname(dirname(script)), { recursive: true });
  spawnSync('cp', ['-r', join(root, 'dist/cli'), join(root, 'dist/lib'), dirname(dirname(script))]);
  spawnSync('cp', [join(root, 'package.json'), dirname(dirname(dirname(script)))]);
  const env = { PATH: process.env.PATH, HOME: home, LOKI_HOME: join(folder, 'loki'), CODEX_HOME: join(home, '.codex'), XDG_CONFIG_HOME: join(home, '.config'), LANG: 'C.UTF-8' };
  const loki = (...args) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { cwd: project, env, encoding: 'utf8', timeout: 60_000 });
    return { status, stdout, stderr };
  };
  const done = (result) => assert.equal(result.status, 0, result.stderr + result.stdout);
  writeFileSync(join(project, 'a.txt'), 'hello\n');
  spawnSync('git', ['init', '-q', project]);
  done(loki('init', '--yes'));
  // Only the project is allowed: /tmp, where this stands, is not.
  const policy = join(project, '.loki/policies.yaml');
  writeFileSync(policy, readFileSync(policy, 'utf8').replace(/\["?project_dir.*?\]/, 'project_dir').replaceAll(', "/tmp", "/var/tmp", "/private/tmp", "/var/folders"', ''));
  done(loki('init', '--yes'));
  agents[name].prepare?.({ home, project });
  done(loki('hooks', 'install', name, '--yes'));
  const entries = () => readdirSync(join(folder, 'loki/dashboard/audit')).sort().flatMap((file) => readFileSync(join(folder, 'loki/dashboard/audit', file), 'utf8').split('\n').filter(Boolean)).map((line) => JSON.parse(line));
  return { folder, home, project, outside, script, env, loki, entries };
}

const run = (name, { home, project }, steps, more = {}) => drive({ cli: name, home, project, steps: [...steps, { text: 'all done' }], timeout: 150, ...(agents[name].args === undefined ? {} : { args: agents[name].args }), ...more });

for (const name of Object.keys(agents)) {
  const { write, shell, read, told } = agents[name];
  describe(name, { skip, timeout: 4 * timeout }, () => {
    test('what is allowed happens, what is not does not, the model hears why, and all of it is recorded', { timeout }, async () => {
      const place = ground(name);
      const { project, outside, entries, loki } = place;
      writeFileSync(join(project, 'leak.txt'), `token ${secret}\n`);
      const policy = join(project, '.loki/policies.yaml');
      const policyBefore = readFileSync(policy, 'utf8');
      const summary = await run(name, place, [
        write(join(project, 'new.txt'), 'fine\n'), shell('echo ran > ran.txt'), write(join(outside, 'x.txt'), 'no\n'), write(join(project, 'secret.txt'), `const t = "${secret}"\n`), shell(`rm -rf ${outside} ${project}/.git`),
        write(policy, 'version: 1\npolicies: {}\n'), read(join(project, 'leak.txt')),
      ]);
      const outcomes = summary.calls.map(({ outcome }) => outcome);
      assert.equal(summary.calls.length, 7, `${summary.stdout}\n${summary.stderr}`);
      assert.deepEqual(outcomes.slice(0, 2), ['ran', 'ran'], JSON.stringify(summary.calls, null, 1));
      assert.equal(readFileSync(join(project, 'new.txt'), 'utf8').trim(), 'fine');
      assert.equal(existsSync(join(project, 'ran.txt')), true);
      for (const [at, what] of [[2, 'outside'], [3, 'secret'], [4, 'destructive'], [5, 'policy']]) {
        assert.notEqual(outcomes[at], 'ran', what);
        assert.match(summary.calls[at].result ?? '', told, what);
      }
      assert.equal(existsSync(join(outside, 'x.txt')), false);
      assert.equal(existsSync(join(project, 'secret.txt')), false);
      assert.equal(existsSync(join(project, '.git')), true);
      assert.equal(readFileSync(policy, 'utf8'), policyBefore);
      assert.doesNotMatch(summary.calls[6].result ?? '', new RegExp(secret), 'a secret in a file does not reach the model');
      const log = entries();
      const actor = `agent:${name}`;
      const decisions = log.filter((entry) => entry.actor === actor && /^policy\./.test(entry.event) && entry.details.action?.kind !== 'prompt' && entry.details.point !== 'data');
      assert.deepEqual(decisions.map(({ event }) => event).filter((event) => event === 'policy.allow').length >= 2, true);
      assert.ok(decisions.filter(({ event }) => event === 'policy.deny').length >= (name === 'gemini' ? 3 : 4), JSON.stringify(decisions.map(({ event, details }) => [event, details.action, details.reason])));
      const results = log.filter((entry) => entry.actor === actor && entry.event === 'agent.action');
      assert.ok(results.length >= 2);
      for (const { details } of results) {
        assert.equal(details.ungated, undefined, JSON.stringify(details));
        assert.equal(log.find(({ seq }) => seq === details.ref)?.event, 'policy.allow');
      }
      assert.ok(log.some(({ event }) => event === 'session.start'), 'the session is told');
      assert.doesNotMatch(JSON.stringify(log), new RegExp(secret));
      assert.equal(loki('audit', 'verify').status, 0);
    });

    test('a program that is broken, killed, gone or talks nonsense lets no tool run', { timeout: 2 * timeout }, async () => {
      const place = ground(name);
      const { project, script } = place;
      const working = readFileSync(script);
      for (const [what, text] of [
        ['throws', 'throw new Error("broken")'], ['exits with 1', 'process.exit(1)'], ['is killed', 'process.kill(process.pid, "SIGKILL")'], ['talks nonsense', 'console.log("nonsense")'],
        ['says two things', 'console.log("{}\\n{}x")'], ['is not there', undefined],
      ]) {
        if (text === undefined) rmSync(script);
        else writeFileSync(script, text);
        const summary = await run(name, place, [write(join(project, `${what}.txt`.replaceAll(' ', '-')), 'x\n'), shell(`touch "${what}"`)]);
        for (const call of summary.calls) assert.notEqual(call.outcome, 'ran', `${what}: ${JSON.stringify(call)}`);
        assert.deepEqual([existsSync(join(project, `${what}.txt`.replaceAll(' ', '-'))), existsSync(join(project, what))], [false, false], what);
      }
      writeFileSync(script, working);
    });

    test('settings that an agent changes in mid-session open nothing', { timeout }, async () => {
      const place = ground(name);
      const { project } = place;
      const settings = join(project, agents[name].settings);
      const attack = attackOnce(settings, join(project, 'started'));
      const summary = await run(name, place, [shell('echo > started; sleep 3'), shell('sleep 2; echo waited'), write(join(project, '.loki/state.txt'), 'no\n')]);
      assert.equal(attack(), true, 'the settings were changed while the agent worked');
      assert.notEqual(summary.calls.at(-1)?.outcome, 'ran', JSON.stringify(summary.calls));
      assert.equal(existsSync(join(project, '.loki/state.txt')), false);
    });
  });
}

/** Rewrites the settings once a file is there, as any process of the same user can. Gives whether that happened. */
function attackOnce(settings, signal) {
  let happened = false;
  const timer = setInterval(() => {
    if (!existsSync(signal)) return;
    clearInterval(timer);
    writeFileSync(settings, settings.endsWith('.js') ? 'export const x = 1;\n' : '{"disableAllHooks":true}');
    happened = true;
  }, 100);
  timer.unref();
  return () => {
    clearInterval(timer);
    return happened;
  };
}
