/** A hook over HTTP, with a policy of 100 rules and the decision on the medium before the answer, against the server's own way there and back. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import * as http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hookToken, hookTokenHash } from '../../lib/base/hook-token.ts';
import { openInstallation } from '../../lib/app/installation.ts';
import { writeHookKey } from '../../lib/app/hook/tokens.ts';
import { lokiProgram } from '../support/story.ts';
import type { Bench } from './harness.ts';

const perRound = 40;
const rules = Array.from({ length: 100 }, (_, n) => `    - { name: rule-${n}, when: '${n % 2 === 0 ? 'command matches "never' : 'file_path matches "**/never'}-${n}/*"', action: deny }`).join('\n');

interface Served {
  readonly address: string;
  readonly token: string;
  readonly project: string;
  end(): Promise<void>;
}

async function serve(): Promise<Served> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'loki-bench-')));
  const project = join(root, 'project');
  mkdirSync(join(project, '.loki'), { recursive: true });
  writeFileSync(join(project, '.loki/policies.yaml'), `version: 1\npolicies:\n  pre_execution:\n${rules}\n`);
  const env = { PATH: process.env['PATH'] ?? '', HOME: root, LOKI_HOME: join(root, 'home') };
  const made = spawnSync(process.execPath, [...lokiProgram, 'init', '--yes', '--no-hooks'], { cwd: project, env });
  if (made.status !== 0) throw new Error(String(made.stderr).slice(0, 1000));
  const installation = openInstallation({ env, cwd: project, homeDirectory: root });
  const projectId = installation.project?.id ?? '';
  const token = hookToken(projectId, installation.host.random.bytes(32));
  writeHookKey(installation, projectId, { sha256: hookTokenHash(token), project, approval: 'auto' });
  const plane: ChildProcess = spawn(process.execPath, [...lokiProgram, 'dashboard', '--port', '0'], { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] });
  if (plane.stdout !== null) await once(plane.stdout, 'data');
  return {
    address: readFileSync(join(root, 'home/run/address'), 'utf8').trim(), token, project,
    async end() {
      plane.kill('SIGTERM');
      await once(plane, 'exit');
      rmSync(root, { recursive: true });
    },
  };
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function ask(url: string, method: string, headers: Readonly<Record<string, string>>, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { agent, method, headers }, (answer) => {
      let text = '';
      answer.on('data', (part: Buffer) => { text += part.toString('utf8'); });
      answer.once('end', () => { if (answer.statusCode === 200) resolve(text); else reject(new Error(`${answer.statusCode}: ${text}`)); });
    });
    request.once('error', reject);
    request.end(body);
  });
}

const hook: Bench = {
  name: 'hook-http', unit: 'hooks', rounds: 15, promise: { kind: 'at most plus', milliseconds: 20 },
  async prepare() {
    const { address, token, project, end } = await serve();
    const headers = { 'authorization': `Bearer ${token}`, 'content-type': 'application/json' };
    const event = JSON.stringify({
      session_id: 'bench', cwd: project, hook_event_name: 'PreToolUse', permission_mode: 'default', tool_name: 'Write', tool_use_id: 'call_1',
      tool_input: { file_path: join(project, 'src/index.js'), content: 'export const one = 1;\n' },
    });
    const taken: number[] = [];
    return {
      subject: {
        name: 'a write that is allowed by 100 rules',
        async run() {
          for (let n = 0; n < perRound; n += 1) {
            const from = performance.now();
            const answer = await ask(`${address}/hooks/claude?event=PreToolUse`, 'POST', headers, event);
            taken.push(performance.now() - from);
            if (answer !== '{}') throw new Error(answer);
          }
          return perRound;
        },
      },
      floor: {
        name: 'GET /health/live',
        async run() {
          for (let n = 0; n < perRound; n += 1) await ask(`${address}/health/live`, 'GET', {}, '');
          return perRound;
        },
      },
      async clean() {
        const sorted = taken.slice(perRound).toSorted((a, b) => a - b);
        const at = (share: number): string => (sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN).toFixed(1);
        console.error(`hook-http: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms of ${sorted.length}`);
        agent.destroy();
        await end();
      },
    };
  },
};

export const httpHookBenches: readonly Bench[] = [hook];
