/** Random rules over a few fields with a few values, so that one often follows from another, and contexts that tell them apart. */
import { loadPolicyFile } from '../../lib/policy/load.ts';
import type { PolicyFile } from '../../lib/policy/rules.ts';
import type { PathProbe } from '../../lib/base/paths.ts';
import type { Draw } from './property.ts';

/** A condition of at most so many levels. */
export function randomCondition(draw: Draw, depth: number): string {
  if (depth > 0 && draw.chance(0.6)) {
    const [left, right] = [randomCondition(draw, depth - 1), randomCondition(draw, depth - 1)];
    return draw.chance(0.25) ? `not (${left})` : `(${left} ${draw.pick(['and', 'or'] as const)} ${right})`;
  }
  return draw.pick([
    `active_agents ${draw.pick(['<', '<=', '>', '>=', '==', '!='] as const)} ${draw.integer(1, 4)}`,
    `branch ${draw.pick(['==', '!='] as const)} "${draw.pick(['a', 'ab', 'b'] as const)}"`,
    `branch ${draw.pick(['in', 'not in'] as const)} ["a", "${draw.pick(['ab', 'b'] as const)}"]`,
    `branch ${draw.pick(['matches', 'not matches'] as const)} "${draw.pick(['a*', '*b', '?', '*'] as const)}"`,
    `command ${draw.pick(['matches', 'not matches', 'contains', '==', '!='] as const)} "${draw.pick(['x', 'y', 'x y'] as const)}"`,
    `file_path ${draw.pick(['matches', 'not matches'] as const)} "${draw.pick(['/p/**', '**/a', '/p/a', 'a', 'd/*'] as const)}"`,
    `file_path must start with ${draw.pick(['project_dir', '"/p/d"'] as const)}`,
    `kind ${draw.pick(['==', '!='] as const)} "${draw.pick(['exec', 'fs.write'] as const)}"`,
  ]);
}

/** A rule in flow style. */
export function randomRule(draw: Draw, name: string): string {
  return `{ name: ${name}, ${draw.pick(['when', 'rule'] as const)}: '${randomCondition(draw, 2)}', action: ${draw.pick(['deny', 'warn', 'require_approval'] as const)} }`;
}

/** A file of pre-execution rules. */
export function fileOfRules(rules: readonly string[]): PolicyFile {
  return loadPolicyFile({ text: `version: 1\npolicies:\n  pre_execution:\n${rules.map((rule) => `    - ${rule}\n`).join('')}`, filename: 'p.yaml', layer: 'project' });
}

/** Complete contexts: every field that the conditions name is there. */
export const randomContexts: readonly Readonly<Record<string, unknown>>[] = ['exec', 'fs.write'].flatMap((kind) => [1, 2, 3, 4, 5].flatMap((active_agents) => ['a', 'ab', 'b', 'c'].flatMap((branch) => (kind === 'exec' ? ['x', 'y', 'x && y', 'x y', 'z'] : ['/p/a', '/p/d/a', '/q/a', '/p/link/a', '/p/../q/a'])
  .map((named) => ({ kind, active_agents, branch, project_dir: '/p', ...(kind === 'exec' ? { command: named } : { file_path: named }) })))));

/** One folder of the project is a link out of it. */
export const linked: PathProbe = { realpath: (path) => path.replace(/^\/p\/link(?=\/|$)/, '/q'), readlink: () => undefined };
