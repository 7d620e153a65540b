// `loki start` with real coding agents and a scripted model, on loopback alone: the sample's document is worked on to a completed
// run, each action is decided by the gate, and what the policy forbids does not happen. The agents are looked for in AGENTS_DIR,
// a folder with node_modules/.bin, or in test/interop/agents; what is not there is skipped, and says so.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as anthropic from './model/anthropic.mjs';
import * as gemini from './model/gemini.mjs';
import * as openai from './model/openai.mjs';
import { scriptedModel } from './model/script.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));
const loki = join(root, 'dist', 'cli', 'loki.cjs');
const bin = join(process.env.AGENTS_DIR ?? join(here, 'agents'), 'node_modules', '.bin');
const script = JSON.parse(readFileSync(join(root, 'fixtures', 'agents', 'scripts', 'tally.json'), 'utf8'));

const codexModel = (url) => [
  'model = "gpt-5.5"', 'model_provider = "scripted"', 'check_for_update_on_startup = false', '[analytics]', 'enabled = false', '[features]', 'plugins = false', 'apps = false',
  '[model_providers.scripted]', 'name = "scripted"', `base_url = "${url}/v1"`, 'wire_api = "responses"', 'env_key = "OPENAI_API_KEY"', 'request_max_retries = 0', 'stream_max_retries = 0', '',
].join('\n');

/** The model's server, and how the agent is led to it: environment and files of its home. */
const agents = {
  claude: { server: anthropic, env: (url) => ({ ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: 'sk-ant-test-1234567890', DISABLE_TELEMETRY: '1', DISABLE_ERROR_REPORTING: '1', CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1' }) },
  codex: { server: openai, env: () => ({ OPENAI_API_KEY: 'sk-test-1234567890' }), files: (url) => ({ '.codex/config.toml': codexModel(url) }) },
  gemini: {
    server: gemini, env: (url) => ({ GOOGLE_GEMINI_BASE_URL: url, GEMINI_API_KEY: 'test-1234567890', GEMINI_MODEL: 'gemini-2.5-pro' }),
    files: () => ({ '.gemini/settings.json': JSON.stringify({ security: { auth: { selectedType: 'gemini-api-key' } }, privacy: { usageStatisticsEnabled: false } }) }),
  },
  opencode: {
    server: openai,
    env: (url) => ({ OPENCODE_DISABLE_MODELS_FETCH: '1', OPENCODE_DISABLE_LSP_DOWNLOAD: '1', OPENCODE_CONFIG_CONTENT: JSON.stringify({
      model: 'scripted/model', small_model: 'scripted/model', share: 'disabled',
      provider: { scripted: { npm: '@ai-sdk/openai-compatible', name: 'scripted', options: { baseURL: `${url}/v1`, apiKey: 'sk-test-1234567890' }, models: { model: { name: 'model', limit: { context: 200000, output: 8000 } } } } },
    }) }),
  },
};

/** The sample in a folder of its own, enrolled. Not in the temporary folder: Codex wants its home elsewhere. */
function ground(t, name, url) {
  const dir = realpathSync(mkdtempSync(join(process.env.LOKI_INTEROP_DIR ?? homedir(), '.loki-interop-')));
  t.after(() => rmSync(dir, { recursive: true, force: true, maxRetries: 3 }));
  const [project, home] = [join(dir, 'project'), join(dir, 'home')];
  cpSync(join(root, 'fixtures', 'sample', 'project'), project, { recursive: true });
  cpSync(join(root, 'fixtures', 'sample', 'PRD.md'), join(project, 'PRD.md'));
  for (const [path, text] of Object.entries({ '.keep': '', 'tmp/.keep': '', ...agents[name].files?.(url) })) {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), text);
  }
  const env = { PATH: `${bin}:${process.env.PATH}`, HOME: home, TMPDIR: join(home, 'tmp'), LANG: 'C.UTF-8', LOKI_HOME: join(home, '.loki'), GITHUB_TOKEN: 'must not be seen', ...agents[name].env(url) };
  const git = (...args) => execFileSync('git', args, { cwd: project, env: { ...env, GIT_CONFIG_NOSYSTEM: '1' } });
  git('init', '-q', '-b', 'main');
  git('add', '-A');
  git('-c', 'user.name=Sample', '-c', 'user.email=sample@example.com', 'commit', '-q', '-m', 'as it was');
  return { dir, project, env };
}

function run(args, { project, env }) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [loki, ...args], { cwd: project, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (part) => { stdout += part; });
    child.stderr.on('data', (part) => { stderr += part; });
    child.on('close', (exit) => resolve({ exit, stdout, stderr }));
  });
}

for (const [name, { server }] of Object.entries(agents)) {
  const missing = !existsSync(join(bin, name)) && `SKIPPED: ${name} is not in ${bin}; set AGENTS_DIR`;
  test(`loki start --provider ${name} works the sample's document to a completed run`, { skip: missing, timeout: 300_000 }, async (t) => {
    let place;
    const model = await server.start((prompt, turn) => scriptedModel(name, script, place.project)(prompt, turn));
    t.after(() => model.close());
    place = ground(t, name, model.url);
    for (const args of [['init', '--yes'], ['trust', '--yes']]) {
      const { exit, stderr } = await run(args, place);
      assert.equal(exit, 0, stderr);
    }
    const { exit, stdout, stderr } = await run(['start', 'PRD.md', '--provider', name, '--json'], place);
    assert.equal(exit, 0, `${stderr}\n${stdout.slice(-3000)}`);
    const lines = stdout.trim().split('\n').map((line) => JSON.parse(line));
    const events = lines.slice(0, -1).map((line) => line.event ?? line);
    const decisions = events.filter(({ event_type, details }) => event_type === 'policy_decision' && details.point === 'pre_execution').map(({ details }) => details);
    const about = (part) => decisions.filter(({ action }) => action.includes(part)).map(({ decision }) => decision);
    assert.ok(about('src/csv.js').length >= 3, 'reading and changing it was asked');
    assert.ok(about('src/csv.js').every((word) => word === 'ALLOW'));
    assert.deepEqual(about('test/quotes.test.js'), ['ALLOW']);
    assert.deepEqual(about('git push --force'), ['DENY']);
    assert.ok(about('node --test').length > 0);
    assert.ok(!existsSync(join(place.dir, 'tally-notes.txt')), 'nothing was written beside the project');
    assert.match(readFileSync(join(place.project, 'src', 'csv.js'), 'utf8'), /quoted = !quoted/);
    const outcome = lines.at(-1);
    assert.equal(outcome.status ?? outcome.outcome?.status, 'completed', JSON.stringify(outcome).slice(0, 500));
    assert.ok(!model.requests.some(({ body }) => JSON.stringify(body ?? '').includes('must not be seen')));
    assert.deepEqual(existsSync(join(place.env.LOKI_HOME, 'run')) ? execFileSync('find', [join(place.env.LOKI_HOME, 'run'), '-maxdepth', '1', '-name', 'ses_*'], { encoding: 'utf8' }) : '', '', 'the session\'s files are gone');
  });
}
