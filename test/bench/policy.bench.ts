/** The judge: evaluations against hashing, and the project boundary against asking the disk where a path is. */
import { hash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHost } from '../../lib/host/host.ts';
import { createPolicy, type Policy } from '../../lib/policy/evaluate.ts';
import { loadPolicyFile } from '../../lib/policy/load.ts';
import { scanners, scanPii, scanSecrets } from '../../lib/policy/scan/scanners.ts';
import { analyzeCommand, rememberLast } from '../../lib/policy/shell/analyze.ts';
import type { PathProbe } from '../../lib/base/paths.ts';
import { plainProbe } from '../support/policy.ts';
import { cleanFiles } from '../scorecard/secrets.ts';
import { commandsOf200Bytes, manyRules } from '../scorecard/speed.ts';
import type { Bench, Subject } from './harness.ts';

const fiveRules = `version: 1
policies:
  pre_execution:
    - { name: agents, rule: "active_agents <= 5", action: require_approval }
    - { name: main, when: 'branch == "main"', rule: 'kind != "fs.delete"', action: deny }
    - { name: force, when: 'command matches "git push * --force*"', action: deny }
    - { name: providers, rule: 'provider in ["claude", "codex"]', action: deny }
    - { name: tools, when: 'tool == "WebFetch"', action: warn }
`;
const boundary = 'version: 1\npolicies:\n  pre_execution:\n    - { name: boundary, rule: "file_path must start with project_dir", action: deny }\n';

function policyOf(text: string, probe?: PathProbe): Policy {
  const { disk, clock } = createHost(() => '/nowhere');
  const file = loadPolicyFile({ text, filename: 'bench.yaml', layer: 'project' });
  if (file.problems.length > 0) throw new Error(file.problems[0]?.message);
  return createPolicy([file], { probe: probe ?? { realpath: (path) => disk.realpath(path), readlink: (path) => disk.readlink(path) }, monotonic: () => clock.monotonic(), scanners, analyze: rememberLast(analyzeCommand) });
}

/** Both subjects do the same number, so their times compare unit by unit. */
const many = 200_000;

const evaluate: Bench = {
  // A million a second where hashing does two million.
  name: 'policy-evaluate', unit: 'evaluations', rounds: 9, promise: { kind: 'at least', share: 0.5 },
  async prepare() {
    const policy = policyOf(fiveRules);
    const context = { kind: 'fs.write', tool: 'Write', file_path: '/p/src/a.ts', project_dir: '/p', cwd: '/p', active_agents: 2, provider: 'claude', branch: 'main', actor: 'agent:claude', session_id: 's' };
    const bytes = Buffer.alloc(448, 97);
    if (!policy.evaluate('pre_execution', context).allowed) throw new Error('the context should be allowed');
    return {
      subject: { name: 'evaluate, 5 rules', run: () => { for (let n = 0; n < many; n += 1) policy.evaluate('pre_execution', context); return many; } },
      floor: { name: 'SHA-256 of 448 bytes', run: () => { for (let n = 0; n < many; n += 1) hash('sha256', bytes, 'hex'); return many; } },
      clean: () => undefined,
    };
  },
};

const insideProject: Bench = {
  name: 'policy-boundary', unit: 'evaluations', rounds: 9, promise: { kind: 'at most', times: 1.3 },
  async prepare() {
    const root = realpathSync(mkdtempSync(join(tmpdir(), 'loki-bench-')));
    mkdirSync(join(root, 'src', 'deep', 'er'), { recursive: true });
    const path = join(root, 'src', 'deep', 'er', 'file.ts');
    writeFileSync(path, '');
    const policy = policyOf(boundary);
    const context = { kind: 'fs.write', file_path: path, project_dir: root, cwd: root, active_agents: 1 };
    const count = 20_000;
    return {
      subject: { name: 'evaluate the project boundary', run: () => { for (let n = 0; n < count; n += 1) policy.evaluate('pre_execution', context); return count; } },
      floor: { name: 'one realpath', run: () => { for (let n = 0; n < count; n += 1) realpathSync.native(path); return count; } },
      clean: () => rmSync(root, { recursive: true }),
    };
  },
};

const hundredRules: Bench = {
  // Ten microseconds where hashing 448 bytes takes half of one.
  name: 'policy-evaluate-100', unit: 'evaluations', rounds: 9, promise: { kind: 'at most', times: 20 },
  async prepare() {
    const policy = policyOf(manyRules(100), plainProbe);
    const context = { kind: 'fs.write', tool: 'Write', file_path: '/p/src/a.ts', project_dir: '/p', cwd: '/p', active_agents: 2, provider: 'claude', branch: 'main', actor: 'agent:claude', session_id: 's' };
    const count = 10_000;
    return {
      subject: { name: 'evaluate, 100 rules', run: () => { for (let n = 0; n < count; n += 1) policy.evaluate('pre_execution', context); return count; } },
      floor: hashing(448, count), clean: () => undefined,
    };
  },
};

const analysis: Bench = {
  // Thirty microseconds where hashing 448 bytes takes half of one.
  name: 'shell-analysis', unit: 'commands', rounds: 15, promise: { kind: 'at most', times: 60 },
  async prepare() {
    const commands = commandsOf200Bytes();
    const count = 40 * commands.length;
    return {
      subject: { name: 'analysis of commands of 200 bytes', run: () => { for (let n = 0; n < count; n += 1) analyzeCommand(commands[n % commands.length] ?? '', { cwd: '/p', home: '/h' }); return count; } },
      floor: hashing(448, count), clean: () => undefined,
    };
  },
};

/** Megabytes of clean source, held against hashing them. */
function scanning(name: string, what: string, scan: (text: string) => unknown): Bench {
  return {
    // 40 MB/s where SHA-256 does some 1,600.
    name, unit: 'kilobytes', rounds: 7, promise: { kind: 'at least', share: 0.025 },
    async prepare() {
      const texts = cleanFiles().map((file) => readFileSync(file, 'utf8'));
      const bytes = texts.map((text) => Buffer.from(text));
      const kilobytes = Math.round(bytes.reduce((sum, { length }) => sum + length, 0) / 1000);
      return {
        subject: { name: what, run: () => { for (const text of texts) scan(text); return kilobytes; } },
        floor: { name: 'SHA-256 of the same', run: () => { for (const each of bytes) hash('sha256', each, 'hex'); return kilobytes; } },
        clean: () => undefined,
      };
    },
  };
}

function hashing(size: number, count: number): Subject {
  const bytes = Buffer.alloc(size, 97);
  return { name: `SHA-256 of ${size} bytes`, run: () => { for (let n = 0; n < count; n += 1) hash('sha256', bytes, 'hex'); return count; } };
}

export const policyBenches: readonly Bench[] = [
  evaluate, hundredRules, insideProject, analysis, scanning('scan-secrets', 'secrets in clean source', scanSecrets), scanning('scan-pii', 'personal data in clean source', scanPii),
];
