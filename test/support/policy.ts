/** What policy tests share: a real disk probe, the parts of a policy, and short ways to make one. */
import { readlinkSync, realpathSync } from 'node:fs';
import { createPolicy } from '../../lib/policy/evaluate.ts';
import type { Policy, PolicyParts } from '../../lib/policy/evaluate.ts';
import { loadPolicyFile } from '../../lib/policy/load.ts';
import type { Layer } from '../../lib/policy/rules.ts';
import { scanners } from '../../lib/policy/scan/scanners.ts';
import { analyzeCommand, rememberLast } from '../../lib/policy/shell/analyze.ts';
import type { PathProbe } from '../../lib/base/paths.ts';

function missing(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP' || code === 'EINVAL';
}

/** Looks at the real disk. */
export const diskProbe: PathProbe = {
  realpath(path) {
    try {
      return realpathSync.native(path);
    } catch (error) {
      if (missing(error)) return undefined;
      throw error;
    }
  },
  readlink(path) {
    try {
      return readlinkSync(path);
    } catch (error) {
      if (missing(error)) return undefined;
      throw error;
    }
  },
};

/** A disk on which every path is what it says. */
export const plainProbe: PathProbe = { realpath: (path) => path, readlink: () => undefined };

export const parts: PolicyParts = { probe: plainProbe, monotonic: () => performance.now(), scanners, analyze: rememberLast(analyzeCommand) };

/** A policy from texts; the layer of each is `project` unless given. */
export function policyOf(text: string, more: Partial<PolicyParts> = {}, layer: Layer = 'project'): Policy {
  return createPolicy([loadPolicyFile({ text, filename: 'policies.yaml', layer })], { ...parts, ...more });
}

/** A policy of pre-execution rules in flow style, one a line. */
export function preExecution(...rules: readonly string[]): Policy {
  return policyOf(`version: 1\npolicies:\n  pre_execution:\n${rules.map((rule) => `    - ${rule}\n`).join('')}`);
}

/** The contract's example of a boundary. */
export const boundary = `{ name: project-boundary, rule: "file_path must start with project_dir", action: deny }`;

/** Milliseconds of processor time of the fastest of several runs: what else the machine does shows less in it than in wall time. */
export function fastest(run: () => void, rounds = 5): number {
  let best = Infinity;
  for (let round = 0; round < rounds; round += 1) {
    const started = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(started);
    best = Math.min(best, (user + system) / 1000);
  }
  return best;
}
