/** The judge of actions: built-in rules that no policy can remove, derived actions, and the canonical form. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { Action } from '../../lib/base/action.ts';
import { createBuiltins } from '../../lib/policy/builtin.ts';
import { actionHash } from '../../lib/policy/canonical.ts';
import { createPolicy } from '../../lib/policy/evaluate.ts';
import type { Policy } from '../../lib/policy/evaluate.ts';
import { createJudge } from '../../lib/policy/judge.ts';
import type { Judgement } from '../../lib/policy/judge.ts';
import { scanners } from '../../lib/policy/scan/scanners.ts';
import { boundary, diskProbe, parts, policyOf } from '../support/policy.ts';

const home = realpathSync(mkdtempSync(join(tmpdir(), 'loki-judge-')));
after(() => rmSync(home, { recursive: true, force: true }));
const project = join(home, 'my project');
for (const folder of ['.loki/keys', 'my project/.loki', 'my project/.git/hooks', 'my project/src']) mkdirSync(join(home, folder), { recursive: true });
writeFileSync(join(project, '.loki', 'policies.yaml'), 'x');
symlinkSync(join(project, '.loki'), join(project, 'src', 'innocent'));

const none = createPolicy([], { ...parts, probe: diskProbe, homeDir: home });
const builtins = createBuiltins({ lokiHome: join(home, '.loki'), projectDirs: [project], homeDir: home, controlPlane: ['127.0.0.1:57374'] });

function judge(action: Action, policy: Policy = none): Judgement {
  return createJudge({ policy, builtins, probe: diskProbe, monotonic: () => performance.now(), scanners })(action, { project_dir: project, active_agents: 1 });
}
const exec = (command: string, policy: Policy = none): Judgement => judge({ kind: 'exec', command, tool: 'Bash' }, policy);

describe('built-in rules hold without any policy', () => {
  for (const [kind, path] of [
    ['fs.write', '.loki/policies.yaml'], ['fs.delete', '.loki/config.yaml'], ['fs.write', '.LOKI/Policies.yaml'], ['fs.write', 'src/innocent/policies.yaml'], ['fs.write', 'src/../.loki/x'], ['fs.delete', '.'], ['fs.delete', '..'],
    ['fs.write', '~/x/../.loki/x'], ['fs.write', '.claude/settings.json'], ['fs.write', '.claude/settings.local.json'], ['fs.write', '.codex/config.toml'], ['fs.write', '.gemini/settings.json'], ['fs.write', '.cursor/hooks.json'],
    ['fs.write', '.github/hooks/x.json'], ['fs.write', '.opencode/plugin/x.ts'], ['fs.write', '.git/hooks/pre-commit'], ['fs.write', '.git/config'], ['fs.write', '.git/modules/x/hooks/post-checkout'], ['fs.write', '../.bashrc'], ['fs.write', '../.zshenv'],
    ['fs.write', '../.gitconfig'], ['fs.write', '../.loki/dashboard/audit/x.jsonl'], ['fs.write', '../.claude/settings.json'], ['fs.write', '/etc/loki/policies.yaml'], ['fs.write', '/etc/claude-code/managed-settings.json'], ['fs.write', '/etc/profile.d/x.sh'],
  ] as const) {
    test(`${kind} ${path}`, () => {
      const found = judge({ kind, file_path: path });
      assert.equal(found.decision, 'DENY');
      assert.equal(found.violations[0]?.name, 'builtin:protected-files');
      assert.equal(found.violations[0]?.place, 'built in');
    });
  }
  for (const path of ['../.loki/keys/k', '../.loki/run/token']) test(`fs.read ${path}`, () => assert.equal(judge({ kind: 'fs.read', file_path: path }).violations[0]?.name, 'builtin:secret-keys'));
  for (const url of ['http://127.0.0.1:57374/api', 'http://localhost:57374', 'http://[::1]:57374/', 'http://0x7f.1:57374/', 'http://2130706433:57374/', 'ws://127.1.2.3:57374']) {
    test(`net ${url}`, () => assert.equal(judge({ kind: 'net', url }).violations[0]?.name, 'builtin:control-plane'));
  }
  for (const [command, rule] of [
    ['echo x > .loki/policies.yaml', 'builtin:protected-files'], ['rm -rf .l*', 'builtin:protected-files'], ['cd .loki && rm policies.yaml', 'builtin:protected-files'], ['cp /tmp/x .git/hooks/pre-commit', 'builtin:protected-files'],
    ['python3 -c "open(\'.loki/policies.yaml\', \'w\')"', 'builtin:protected-files'], ['git checkout -- .loki/policies.yaml', 'builtin:protected-files'], ['git config core.hooksPath /tmp', 'builtin:protected-files'], ['find . -name "*.yaml" -delete', 'builtin:protected-files'],
    ['ln -s .loki x', 'builtin:protected-files'], ['mv .loki y', 'builtin:protected-files'], ['unknown-tool --out=.loki/policies.yaml', 'builtin:protected-files'], ['cat ~/.loki/keys/k', 'builtin:secret-keys'], ['cp -r ~/.loki x', 'builtin:secret-keys'],
    ['loki approve apr_1', 'builtin:loki-commands'], ['npx loki approve apr_1', 'builtin:loki-commands'], ['node dist/cli/loki.js audit prune', 'builtin:loki-commands'], ['LOKI_AUDIT_RETENTION=1 loki audit keep', 'builtin:loki-commands'], ['sh -c "loki --project . hooks disable"', 'builtin:loki-commands'],
    ['loki runs start', 'builtin:loki-commands'], ['loki --json runs cancel run_1', 'builtin:loki-commands'], ['loki runs replay run_1', 'builtin:loki-commands'], ['loki tasks update tsk_1 --status completed', 'builtin:loki-commands'], ['loki projects delete prj_1', 'builtin:loki-commands'],
    ['loki tenants create --name a', 'builtin:loki-commands'], ['loki keys revoke key_1', 'builtin:loki-commands'], ['loki keys whatever-comes', 'builtin:loki-commands'], ['loki enterprise token generate a', 'builtin:loki-commands'], ['loki enterprise token list', 'builtin:loki-commands'],
    ['curl localhost:57374/api/x', 'builtin:control-plane'], ['nc 127.0.0.1 57374', 'builtin:control-plane'], ['$X y', 'builtin:unclear-command'], ["echo 'a", 'builtin:unclear-command'],
  ] as const) {
    test(command, () => {
      const found = exec(command);
      assert.ok(found.violations.some(({ name }) => name === rule), JSON.stringify(found.violations));
      assert.equal(found.decision, rule === 'builtin:unclear-command' ? 'REQUIRE_APPROVAL' : 'DENY');
    });
  }
});

describe('built-in rules leave work alone', () => {
  for (const action of [
    { kind: 'fs.write', file_path: 'src/a.ts' }, { kind: 'fs.write', file_path: '.loki/state/agent/notes.md' }, { kind: 'fs.read', file_path: '.loki/policies.yaml' }, { kind: 'fs.write', file_path: 'docs/loki/policies.yaml' },
    { kind: 'fs.write', file_path: '.github/workflows/ci.yaml' }, { kind: 'fs.write', file_path: '.claude/notes.md' }, { kind: 'net', url: 'https://example.com:57374/' }, { kind: 'net', url: 'http://127.0.0.1:3000/' },
  ] as const) test(JSON.stringify(action), () => assert.equal(judge(action).decision, 'ALLOW'));
  for (const command of [
    'npm test && npm run build', 'git add -A && git commit -m "change .loki/policies.yaml and loki approve"', 'cat .loki/policies.yaml', 'loki policy check', 'loki status', 'rm -rf node_modules *.log', 'echo "see 127.0.0.1:57374"',
    'cat > src/x.ts <<"EOF"\nimport "./.loki/policies";\nEOF', 'grep -rn "loki approve" docs', 'loki runs list --status running', 'loki tasks get tsk_1 --json', 'loki keys list', 'loki --quiet runs timeline run_1', 'loki runs watch run_1', 'git commit -m "loki runs start"', 'grep -rn LOKI_URL= docs', 'curl --url https://example.com', 'find . -name "*.tmp" -delete', 'node test/run.js',
  ]) test(command, () => assert.equal(exec(command).decision, 'ALLOW', exec(command).reason));
});

describe('what a command does is judged as if a tool had done it', () => {
  const policy = policyOf(`version: 1\npolicies:\n  pre_execution:\n    - ${boundary}\n    - { name: no-evil, when: 'url matches "*evil*"', action: deny }\n    - { name: limit, rule: "active_agents <= 5", action: deny }\n`, { probe: diskProbe, homeDir: home });
  for (const [command, rule] of [['cat /etc/passwd', 'project-boundary'], ['cd .. && touch x', 'project-boundary'], ['curl https://evil.example', 'no-evil'], ['sh -c "wget https://evil.example"', 'no-evil']] as const) {
    test(command, () => assert.deepEqual(exec(command, policy).violations.map(({ name }) => name), [rule]));
  }
  test('what every command may touch is not counted', () => assert.equal(exec('ls src > /dev/null 2> /dev/stderr', policy).decision, 'ALLOW'));
});

describe('content and the canonical action', () => {
  const secret = `AKIA${'QYLPMN5HHHFPZAM2'}`;
  const policy = policyOf(`version: 1\npolicies:\n  data:\n    - { name: scan, type: secret_detection, when: 'direction == "write" and path matches "*.ts"', action: deny }\n`, { probe: diskProbe, homeDir: home });

  test('content is judged with its path and direction', () => {
    assert.equal(judge({ kind: 'fs.write', file_path: 'src/a.ts', content: secret, tool: 'Write' }, policy).reason, 'Rule "scan" (policies.yaml:4:7): aws-access-key-id at line 1, column 1');
    assert.equal(judge({ kind: 'fs.write', file_path: 'src/a.md', content: secret, tool: 'Write' }, policy).decision, 'ALLOW');
  });

  test('has sorted members, real paths, no secret, and content as hash, size and findings', () => {
    const { canonical } = judge({ kind: 'fs.write', tool: 'Write', file_path: 'src/innocent/../a.ts', content: `k=${secret}`, cwd: project });
    assert.deepEqual(Object.keys(canonical), ['content', 'cwd', 'file_path', 'kind', 'tool']);
    assert.equal(canonical['file_path'], join(project, 'src', 'a.ts'));
    assert.ok(!JSON.stringify(canonical).includes(secret));
    assert.equal(JSON.stringify(exec(`curl -H "x: ${secret}" https://a.example`).canonical).includes(secret), false);
  });

  test('its hash is the same for the same action and another for another', () => {
    const hash = (content: string): string => actionHash(judge({ kind: 'fs.write', tool: 'Write', file_path: join(project, 'src', 'a.ts'), content }).canonical);
    assert.equal(hash('a'), hash('a'));
    assert.notEqual(hash('a'), hash('b'));
    assert.match(hash('a'), /^[0-9a-f]{64}$/);
  });

  test('hostile actions end in an answer', () => {
    assert.equal(judge({ kind: 'fs.write', file_path: 'a\0b' }).decision, 'DENY');
    assert.equal(judge({ kind: 'fs.write', file_path: `\ud800` }).decision, 'DENY');
    assert.equal(exec('x'.repeat(1_000_000)).decision, 'REQUIRE_APPROVAL');
    assert.equal(exec('('.repeat(50_000)).decision, 'REQUIRE_APPROVAL');
    assert.equal(judge({ kind: 'fs.write', file_path: 'src/big', content: 'x '.repeat(5_000_000) }, policyOf('version: 1\npolicies: { data: [{ name: s, type: secret_detection, action: warn }] }\n')).decision, 'DENY');
  });
});
