/**
 * Policy files from text. Nothing is thrown for what a file says: its problems travel with it, and a file with problems
 * denies everything, so that a broken policy can neither be mistaken for an absent one nor crash its judge.
 */
import { sha256Hex } from '../base/digest.ts';
import { LokiError } from '../errors.ts';
import type { Problem } from '../errors.ts';
import { parseYamlNode } from '../formats/yaml/parse.ts';
import type { Layer, PolicyFile, PolicySource } from './rules.ts';
import { shapePolicy } from './shape.ts';

/** Names a project's policy may have. Only one of them may exist. */
export const policyFileNames: readonly string[] = ['policies.yaml', 'policies.yml', 'policies.json'];

/** The policy in a text; look at `problems` to see whether it is usable. */
export function loadPolicyFile(source: PolicySource): PolicyFile {
  const { text, filename, layer } = source;
  const digest = sha256Hex(text);
  if (text.replace(/^\uFEFF/, '').trim() === '') return broken(filename, layer, digest, [{ message: 'the policy file is empty', file: filename, line: 1, column: 1, hint: 'Write a policy, or remove the file' }]);
  try {
    const shaped = shapePolicy(parseYamlNode(text, { filename }), text, filename, layer);
    return { filename, layer, digest, ...shaped };
  } catch (error) {
    if (!(error instanceof LokiError)) throw error;
    const problems = error.problems.length > 0 ? error.problems : [{ message: error.message, file: filename }];
    return broken(filename, layer, digest, problems);
  }
}

/** Stands for a policy that should be there and cannot be read: everything is denied with the reason. */
export function unreadablePolicyFile(filename: string, layer: Layer, reason: string): PolicyFile {
  return broken(filename, layer, sha256Hex(''), [{ message: reason, file: filename }]);
}

function broken(filename: string, layer: Layer, digest: string, problems: readonly Problem[]): PolicyFile {
  return { filename, layer, digest, strict: false, rules: [], approvalGates: [], tests: [], problems };
}

/**
 * Which of a directory's files is the policy. Two are an error and not a matter of precedence: an agent that adds a file
 * must not be able to shadow the one that is there.
 */
export function choosePolicyFile(names: readonly string[]): string | undefined {
  const found = policyFileNames.filter((name) => names.includes(name));
  if (found.length > 1) {
    throw new LokiError('policy.invalid', { attempted: 'choose a policy file', found: `both ${found.join(' and ')} exist`, hint: `Keep one of them and remove the other` });
  }
  return found[0];
}
