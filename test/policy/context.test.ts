/** Contexts are typed: an unknown field, a wrong type and a word that the field cannot have are told, the value is not. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { EnforcementPoint } from '../../lib/base/action.ts';
import { contextMistakes } from '../../lib/policy/context.ts';

const mistakes = (context: Readonly<Record<string, unknown>>, point: EnforcementPoint = 'pre_execution'): readonly string[] => contextMistakes(context, point).map(({ message }) => message);

describe('contextMistakes()', () => {
  for (const [name, context, point, message] of [
    ['an unknown field', { comand: 'ls' }, 'pre_execution', '"comand" is not a field of pre_execution (did you mean "command"?)'],
    ['a field of another point', { tokens_consumed: 5 }, 'pre_execution', '"tokens_consumed" is not a field of pre_execution'],
    ['a number as text', { active_agents: '5' }, 'pre_execution', 'active_agents must be a number, not a string'],
    ['no number', { tokens_consumed: Infinity }, 'resource', 'tokens_consumed must be a number, not an endless one'],
    ['text as a number', { phase: 3 }, 'pre_execution', 'phase must be text, not a number'],
    ['a text where a list belongs', { passed_gates: 'tests' }, 'pre_deployment', 'passed_gates must be a list of texts, not a string'],
    ['a list of something else', { passed_gates: ['tests', 1] }, 'pre_deployment', 'passed_gates must be a list of texts, not such a list'],
    ['a mapping', { file_path: { a: 1 } }, 'pre_execution', 'file_path must be a path as text, not a mapping'],
    ['a kind that there is none of', { kind: 'exce' }, 'pre_execution', '"exce" is no kind (did you mean "exec"?); known: exec, fs.read, fs.write, fs.delete, net, mcp, agent, prompt, other'],
    ['a direction that there is none of', { direction: 'up' }, 'data', '"up" is no direction; known: write, read, prompt'],
    ['a name of every object', JSON.parse('{"__proto__": 1}') as Record<string, unknown>, 'data', '"__proto__" is not a field of data'],
  ] as const) {
    test(name, () => assert.deepEqual(mistakes(context, point), [message]));
  }
  test('finds nothing in what is complete, what is left out, and what is null', () => {
    assert.deepEqual(mistakes({ kind: 'exec', command: 'ls', active_agents: 1, branch: null }), []);
    assert.deepEqual(mistakes({}), []);
    assert.deepEqual(mistakes({ passed_gates: [] }, 'pre_deployment'), []);
  });
  test('does not tell a value that may be a secret, nor more than a person can read', () => {
    assert.doesNotMatch(mistakes({ command: ['hunter2hunter2'] }).join(), /hunter2/);
    assert.equal(mistakes(Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`f${at}`, 1]))).length, 100);
  });
});
