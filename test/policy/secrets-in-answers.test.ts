/** Whatever an action holds, nothing that the answer says of it repeats a secret that the scanners know. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Action } from '../../lib/base/action.ts';
import { createBuiltins } from '../../lib/policy/builtin.ts';
import { createPolicy } from '../../lib/policy/evaluate.ts';
import { initialPolicyText } from '../../lib/policy/initial.ts';
import { createJudge } from '../../lib/policy/judge.ts';
import { loadPolicyFile } from '../../lib/policy/load.ts';
import { scanners } from '../../lib/policy/scan/scanners.ts';
import { analyzeCommand } from '../../lib/policy/shell/analyze.ts';

const secret = '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';
const project = '/home/u/p';
const probe = { realpath: (path: string) => path, readlink: () => undefined };
const parts = { probe, monotonic: () => 0, scanners };
const policy = createPolicy([loadPolicyFile({ text: initialPolicyText(), filename: 'policies.yaml', layer: 'project' })], { ...parts, analyze: analyzeCommand, homeDir: '/home/u' });
const builtins = createBuiltins({ lokiHome: '/home/u/.loki', projectDirs: [project], homeDir: '/home/u', controlPlane: ['127.0.0.1:57374'] });
const judge = createJudge({ ...parts, policy, builtins });

const actions: readonly Action[] = [
  ...[
    `git push --force https://x:${secret}@github.com/a/b main`, `rm -rf /etc/${secret}`, `echo x > /opt/${secret}/a`, `loki approve ${secret}`, `$${secret} x`, `rm -rf "$X/${secret}"`,
    `git -c alias.${secret}=!x y`, `cat /proc/self/root/${secret}`, `psql postgres://app:${secret}@db/x -c "drop table users"`, `curl "$HOST/${secret}"`,
  ].map((command): Action => ({ kind: 'exec', command, cwd: project })),
  { kind: 'fs.write', file_path: `${project}/.loki/${secret}`, content: 'a' },
  { kind: 'fs.delete', file_path: `/opt/${secret}` },
  { kind: 'fs.read', file_path: `/proc/self/root/${secret}` },
  { kind: 'net', url: `http://127.0.0.1:57374/?token=${secret}` },
  { kind: 'mcp', mcp_server: 's', mcp_tool: 't', content: JSON.stringify({ path: `${project}/.loki/${secret}` }) },
];

describe('the answer to an action with a secret in it', () => {
  for (const action of actions) {
    test(JSON.stringify(action).replaceAll(secret, '…'), () => {
      const answer = judge(action, { project_dir: project, active_agents: 1 }, { explain: true });
      assert.notEqual(answer.decision, 'ALLOW');
      assert.ok(!JSON.stringify(answer).includes(secret), answer.reason);
    });
  }
});
