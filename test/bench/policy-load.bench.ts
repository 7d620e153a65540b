/** Loading a policy of 200 rules with 200 tests, alone and with its tests run, against what reading and hashing as much JSON takes. */
import { hash } from 'node:crypto';
import { createPolicy, type Policy } from '../../lib/policy/evaluate.ts';
import { loadPolicyFile } from '../../lib/policy/load.ts';
import { scanners } from '../../lib/policy/scan/scanners.ts';
import { runPolicyTests } from '../../lib/policy/self-test.ts';
import { analyzeCommand } from '../../lib/policy/shell/analyze.ts';
import type { Bench } from './harness.ts';

const count = 200;

/** Rules of five kinds and a test of each, as people write them. */
const ruleOf: readonly ((n: number) => string)[] = [
  (n) => `      rule: "file_path must start with project_dir"\n      when: 'kind in ["fs.write", "fs.delete"] and branch == "release-${n}"'\n      action: deny\n`,
  (n) => `      when: 'command matches ["git push *--force-${n}*", "tool${n} *"]'\n      action: deny\n`,
  (n) => `      rule: "active_agents <= ${n}"\n      when: 'kind == "agent"'\n      action: require_approval\n`,
  (n) => `      when: 'file_path matches ["**/.ssh${n}/**", "**/*.pem${n}"]'\n      action: require_approval\n`,
  (n) => `      when: 'url matches "https://*.example${n}.test/*"'\n      action: deny\n`,
];
const testOf: readonly ((n: number) => string)[] = [
  (n) => `{ kind: fs.write, file_path: /etc/f${n}, project_dir: /home/u/p, branch: release-${n} }\n    expect: DENY\n`,
  (n) => `{ kind: exec, command: "npm test && tool${n} run", project_dir: /home/u/p }\n    expect: DENY\n`,
  (n) => `{ kind: agent, agent: reviewer, active_agents: ${n + 1} }\n    expect: REQUIRE_APPROVAL\n`,
  (n) => `{ kind: fs.read, file_path: /home/u/.ssh${n}/id, project_dir: /home/u/p }\n    expect: REQUIRE_APPROVAL\n`,
  (n) => `{ kind: net, url: "https://a.example${n}.test/x" }\n    expect: DENY\n`,
];

function policyText(): string {
  const each = (part: (n: number) => string): string => Array.from({ length: count }, (_, n) => part(n)).join('');
  const rules = each((n) => `    - name: rule-${n}\n${ruleOf[n % 5]?.(n) ?? ''}`);
  const tests = each((n) => `  - name: test ${n}\n    point: pre_execution\n    context: ${testOf[n % 5]?.(n) ?? ''}`);
  return `version: 1\npolicies:\n  pre_execution:\n${rules}tests:\n${tests}`;
}

function load(text: string): Policy {
  return createPolicy([loadPolicyFile({ text, filename: 'bench.yaml', layer: 'project' })], {
    probe: { realpath: (path) => path, readlink: () => undefined }, monotonic: () => 0, scanners, analyze: analyzeCommand,
  });
}

const policies = 20;

function benchOf(name: string, times: number, run: (text: string) => unknown): Bench {
  return {
    name, unit: 'policies', rounds: 7, promise: { kind: 'at most', times },
    async prepare() {
      const text = policyText();
      const policy = load(text);
      const failed = [...policy.problems.map(({ message }) => message), ...runPolicyTests(policy).flatMap(({ passed, because }) => passed ? [] : [because])];
      if (failed.length > 0) throw new Error(failed[0]);
      const bytes = Buffer.alloc(1 << 20, 97);
      return {
        subject: { name, run: () => { for (let n = 0; n < policies; n += 1) run(text); return policies; } },
        // A megabyte takes somewhat under a millisecond where a policy may take three.
        floor: { name: 'SHA-256 of 1 MiB', run: () => { for (let n = 0; n < policies; n += 1) hash('sha256', bytes, 'hex'); return policies; } },
        clean: () => undefined,
      };
    },
  };
}

export const policyLoadBenches: readonly Bench[] = [
  benchOf('policy-load', 4, (text) => load(text)),
  benchOf('policy-load-and-test', 30, (text) => runPolicyTests(load(text))),
];
