/** docs/threat-model.md claims no more than is so: its commands are judged, its rows about removed logs and failing hooks are tried. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { test } from 'node:test';
import type { Action } from '../../lib/base/action.ts';
import { createBuiltins } from '../../lib/policy/builtin.ts';
import { createPolicy } from '../../lib/policy/evaluate.ts';
import { createJudge } from '../../lib/policy/judge.ts';
import { scanners } from '../../lib/policy/scan/scanners.ts';
import { page } from '../support/page.ts';
import { parts } from '../support/policy.ts';
import { lokiProgram } from '../support/story.ts';

const name = 'docs/threat-model.md';
const home = '/home/alice';
const project = '/home/alice/shop';

const judge = createJudge({
  policy: createPolicy([], { ...parts, homeDir: home }), probe: parts.probe, monotonic: () => 0, scanners,
  builtins: createBuiltins({ lokiHome: `${home}/.loki`, projectDirs: [project], homeDir: home, controlPlane: ['127.0.0.1:57374'] }),
});
const judged = (action: Action): readonly [string, string | undefined] => {
  const { decision, violations } = judge(action, { project_dir: project });
  return [decision, violations[0]?.name];
};

test('each command of the page is judged as the page says', (t) => {
  const text = page(t, name);
  if (text === undefined) return;
  const rows = [...text.matchAll(/^\| `(.+)` \| (ALLOW|DENY|REQUIRE_APPROVAL) \| (.*) \|$/gm)];
  assert.ok(rows.length >= 20, String(rows.length));
  for (const [, cell = '', decision = '', rule = ''] of rows) {
    const command = cell.replaceAll('\\|', '|');
    assert.deepEqual(judged({ kind: 'exec', command }), decision === 'ALLOW' ? ['ALLOW', undefined] : [decision, rule], command);
  }
});

test('an agent may write its own state, and nothing else of .loki; keys and tokens are not read', () => {
  assert.deepEqual(judged({ kind: 'fs.write', file_path: '.loki/state/agent/notes.md' }), ['ALLOW', undefined]);
  for (const file of ['.loki/state/x', '.loki/config.yaml', '.claude/settings.json', '.codex/config.toml', '.gemini/settings.json', '.cursor/hooks.json', '.github/hooks/x.json', '.opencode/plugin/x.js', '/etc/loki/policies.yaml']) {
    assert.deepEqual(judged({ kind: 'fs.write', file_path: file }), ['DENY', 'builtin:protected-files'], file);
  }
  for (const file of [`${home}/.loki/keys/a`, `${home}/.loki/run/token`]) assert.deepEqual(judged({ kind: 'fs.read', file_path: file }), ['DENY', 'builtin:secret-keys'], file);
});

interface Said { readonly exit: number | null; readonly out: string }

/** An enrolled project of its own, and `loki` in it. */
function withProject(work: (loki: (args: string, input?: string) => Said, place: { readonly home: string; readonly project: string }) => void): void {
  const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'loki-threat-')));
  const place = { home: path.join(root, 'home'), project: path.join(root, 'shop') };
  fs.mkdirSync(place.project);
  const env = { PATH: process.env['PATH'] ?? '', HOME: root, LOKI_HOME: place.home };
  try {
    const loki = (args: string, input = ''): Said => {
      const { status, stdout } = spawnSync(process.execPath, [...lokiProgram, ...args.split(' ')], { cwd: place.project, env, encoding: 'utf8', input });
      return { exit: status, out: stdout };
    };
    assert.equal(loki('init --yes').exit, 0);
    work(loki, place);
  } finally {
    fs.rmSync(root, { recursive: true, force: true });
  }
}

const harmless = '{"kind":"exec","command":"npm test"}';

test('a log that was removed is missed until something is recorded again', () => {
  withProject((loki, { home: lokiHome }) => {
    assert.equal(loki('audit verify').exit, 0);
    fs.rmSync(path.join(lokiHome, 'dashboard/audit'), { recursive: true });
    assert.equal(loki('audit verify').exit, 7);
    assert.equal(loki('hook generic', harmless).exit, 0);
    assert.equal(loki('audit verify').exit, 0);
  });
});

test('a hook that cannot understand, find the policy as enrolled, or record, says no', () => {
  withProject((loki, { home: lokiHome, project: dir }) => {
    assert.equal(loki('hook generic', 'nonsense').exit, 2);
    const records = path.join(lokiHome, 'dashboard/audit');
    fs.renameSync(records, `${records}.real`);
    fs.symlinkSync(`${records}.real`, records);
    const refused = loki('hook generic', harmless);
    assert.equal(refused.exit, 3);
    assert.match(refused.out, /"rule":"builtin:recording"/);
    fs.unlinkSync(records);
    fs.renameSync(`${records}.real`, records);
    fs.rmSync(path.join(dir, '.loki/policies.yaml'));
    const changed = loki('hook generic', harmless);
    assert.equal(changed.exit, 3);
    assert.match(changed.out, /"rule":"project\.changed"/);
    assert.match(fs.readFileSync(path.join(records, fs.readdirSync(records)[0] ?? ''), 'utf8'), /policies\.yaml is missing/);
  });
});

test('a confirmation that a program gives with --yes decides, and is recorded as what it is', () => {
  withProject((loki, { home: lokiHome }) => {
    const asked = loki('hook generic', '{"kind":"exec","command":"git reset --hard HEAD~1"}');
    assert.equal(asked.exit, 5);
    const id = /apr_[0-9A-Z]{26}/.exec(asked.out)?.[0] ?? '';
    assert.equal(loki(`approve ${id} --yes`).exit, 0);
    const records = path.join(lokiHome, 'dashboard/audit');
    assert.match(fs.readFileSync(path.join(records, fs.readdirSync(records)[0] ?? ''), 'utf8'), /"event":"approval\.approve".*"proof":\{"kind":"terminal"\}/);
  });
});
