/** How fast the judge and the scanners are, each as the best of several rounds: what else the machine does shows least in it. */
import { readFileSync } from 'node:fs';
import { createPolicy, type Policy } from '../../lib/policy/evaluate.ts';
import { loadPolicyFile } from '../../lib/policy/load.ts';
import { scanners, scanPii, scanSecrets } from '../../lib/policy/scan/scanners.ts';
import { analyzeCommand } from '../../lib/policy/shell/analyze.ts';
import { runPolicyTests } from '../../lib/policy/self-test.ts';
import { plainProbe } from '../support/policy.ts';
import { fixture } from '../support/root.ts';
import { cleanFiles } from './secrets.ts';

/** One figure; `promised` is what the work order asks for. */
export interface Speed {
  readonly what: string;
  readonly measured: string;
  readonly promised: string;
  readonly kept: boolean;
}

const parts = { probe: plainProbe, monotonic: () => performance.now(), scanners, analyze: analyzeCommand };
const context = { kind: 'fs.write', tool: 'Write', file_path: '/p/src/a.ts', project_dir: '/p', cwd: '/p', active_agents: 2, provider: 'claude', branch: 'main', actor: 'agent:claude', session_id: 's' };

/** Seconds of the fastest of some rounds. */
function best(rounds: number, run: () => void): number {
  let fastest = Infinity;
  for (let round = 0; round < rounds; round += 1) {
    const begun = performance.now();
    run();
    fastest = Math.min(fastest, performance.now() - begun);
  }
  return fastest / 1000;
}

function policyOf(text: string): Policy {
  const file = loadPolicyFile({ text, filename: 'speed.yaml', layer: 'project' });
  if (file.problems.length > 0) throw new Error(file.problems[0]?.message);
  return createPolicy([file], parts);
}

/** So many rules, of five sorts in turn; none is violated by the context. */
export function manyRules(count: number, tests = false): string {
  const sorts: readonly ((n: number) => string)[] = [
    (n) => `{ name: rule-${n}, rule: "active_agents <= ${5 + n}", action: require_approval }`,
    (n) => `{ name: rule-${n}, when: 'branch == "release-${n}"', action: deny }`,
    (n) => `{ name: rule-${n}, when: 'file_path matches "**/secret-${n}/**"', action: deny }`,
    (n) => `{ name: rule-${n}, rule: 'provider in ["claude", "codex", "other-${n}"]', action: deny }`,
    (n) => `{ name: rule-${n}, when: 'command matches "git push *--force-${n}*"', action: deny }`,
  ];
  const list = (each: (n: number) => string): string => Array.from({ length: count }, (_, n) => each(n)).join('');
  const rules = list((n) => `    - ${sorts[n % sorts.length]?.(n) ?? ''}\n`);
  const cases = tests ? `tests:\n${list((n) => `  - { name: test ${n}, point: pre_execution, context: { kind: fs.write, file_path: /p/secret-${n}/x, branch: main, provider: claude, active_agents: 1 }, expect: ${n % 5 === 2 ? 'DENY' : 'ALLOW'} }\n`)}` : '';
  return `version: 1\npolicies:\n  pre_execution:\n${rules}${cases}`;
}

/** Microseconds of one evaluation. */
function evaluation(policy: Policy, count: number): number {
  return best(9, () => { for (let n = 0; n < count; n += 1) policy.evaluate('pre_execution', context); }) / count * 1e6;
}

/** Fifty command lines of some 200 characters, each of what developers and agents run every day. */
export function commandsOf200Bytes(): readonly string[] {
  const commands = readFileSync(fixture('policy', 'ordinary-commands.txt'), 'utf8').split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Array.from({ length: 50 }, (_, n) => {
    let line = commands[n * 5] ?? 'ls';
    for (let next = n * 5 + 1; line.length < 190 && next < commands.length; next += 1) line += ` && ${commands[next] ?? ''}`;
    return line;
  });
}

function analysis(): number {
  const commands = commandsOf200Bytes();
  for (let warm = 0; warm < 40; warm += 1) for (const command of commands) analyzeCommand(command, { cwd: '/p', home: '/h' });
  return best(25, () => { for (const command of commands) analyzeCommand(command, { cwd: '/p', home: '/h' }); }) / commands.length * 1e6;
}

/** All speeds of the page. */
export function measureSpeed(): readonly Speed[] {
  const clean = cleanFiles().map((file) => readFileSync(file, 'utf8'));
  const megabytes = clean.reduce((sum, text) => sum + text.length, 0) / 1e6;
  const scan = (run: (text: string) => unknown): number => megabytes / best(5, () => { for (const text of clean) run(text); });
  const [five, hundred, command] = [evaluation(policyOf(manyRules(5)), 100_000), evaluation(policyOf(manyRules(100)), 10_000), analysis()];
  const [secrets, pii] = clean.length === 0 ? [0, 0] : [scan(scanSecrets), scan(scanPii)];
  const large = manyRules(200, true);
  const [parse, whole] = [best(15, () => { policyOf(large); }) * 1000, best(15, () => { runPolicyTests(policyOf(large)); }) * 1000];
  return [
    { what: 'evaluations a second, 5 rules', measured: `${(1 / five).toFixed(2)} million`, promised: 'at least 1 million', kept: five <= 1 },
    { what: 'one evaluation, 100 rules', measured: `${hundred.toFixed(1)} us`, promised: 'at most 10 us', kept: hundred <= 10 },
    { what: 'analysis of a command of 200 bytes', measured: `${command.toFixed(1)} us`, promised: 'at most 30 us', kept: command <= 30 },
    { what: 'secrets, clean source', measured: `${secrets.toFixed(0)} MB/s`, promised: 'at least 40 MB/s', kept: secrets >= 40 },
    { what: 'personal data, clean source', measured: `${pii.toFixed(0)} MB/s`, promised: 'at least 40 MB/s', kept: pii >= 40 },
    { what: 'parse and compile a policy of 200 rules and 200 tests', measured: `${parse.toFixed(1)} ms`, promised: 'at most 3 ms', kept: parse <= 3 },
    { what: 'the same, and run its tests', measured: `${whole.toFixed(1)} ms`, promised: 'at most 30 ms', kept: whole <= 30 },
  ];
}
