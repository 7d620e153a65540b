/** The expression language: what it means, and what it refuses at load. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compileCondition, lacking } from '../../lib/policy/compile.ts';
import { ExpressionMistake, parseExpression } from '../../lib/policy/expression.ts';
import { fieldsOfPoint } from '../../lib/policy/fields.ts';
import { scopeOf } from '../../lib/policy/readings.ts';
import { analyzeCommand, commandsOf } from '../../lib/policy/shell/analyze.ts';
import { plainProbe } from '../support/policy.ts';

function holds(text: string, context: Record<string, unknown>, reading: 'all' | 'any' = 'all'): boolean {
  const condition = compileCondition(parseExpression(text, fieldsOfPoint.pre_execution), text, reading);
  assert.equal(lacking(condition.first, context), undefined);
  return condition.test(scopeOf(context, plainProbe, (command) => commandsOf(analyzeCommand(command))));
}

function mistake(text: string): string {
  try {
    parseExpression(text, fieldsOfPoint.pre_execution);
  } catch (error) {
    assert.ok(error instanceof ExpressionMistake);
    return `${error.at}: ${error.message}`;
  }
  return 'none';
}

describe('expressions hold or do not', () => {
  const context = { active_agents: 5, branch: 'main', tool: 'Write', file_path: '/p/src/a.ts', project_dir: '/p', phase: 'deploy' };
  for (const [text, expected] of [
    ['active_agents <= 5', true], ['active_agents < 5', false], ['active_agents >= 5.0', true], ['active_agents > -1', true], ['active_agents == 5', true], ['active_agents != 5', false],
    ['active_agents in [1, 5]', true], ['active_agents not in [1, 5]', false],
    ['branch == "main"', true], ["branch == 'main'", true], ['branch != "main"', false], ['branch in ["dev", "main"]', true], ['branch not in ["dev"]', true],
    ['not branch == "main" or tool == "Write"', true], ['not (branch == "main" or tool == "Write")', false],
    ['branch == "x" and tool == "x" or phase == "deploy"', true], ['branch == "x" and (tool == "x" or phase == "deploy")', false],
    ['branch exists', true], ['exists branch', true], ['tenant exists', false], ['not tenant exists', true], ['tenant exists and tenant == "a"', false],
    ['branch matches "ma*"', true], ['branch matches ["x", "m?in"]', true], ['branch not matches "ma*"', false], ['branch contains "ai"', true],
    ['file_path must start with project_dir', true], ['file_path must start with "/q"', false], ['file_path must start with "src"', true], ['file_path must start with ["/q", project_dir]', true],
    ['file_path matches "*.ts"', true], ['file_path matches "src/*.ts"', true], ['file_path matches "/p/**"', true], ['file_path matches "lib/**"', false], ['file_path == "src/a.ts"', true],
    ['file_path in ["src/a.ts"]', true], ['1 == 1', true],
  ] as const) {
    test(text, () => assert.equal(holds(text, context), expected));
  }

  test('a path that only looks as if it were inside is not', () => {
    assert.equal(holds('file_path must start with project_dir', { file_path: '/p2/x', project_dir: '/p' }), false);
    assert.equal(holds('file_path must start with project_dir', { file_path: '/p/../q', project_dir: '/p' }), false);
  });

  test('a command is also looked at command by command', () => {
    assert.equal(holds('command matches "git push *"', { command: 'cd x && git  push origin' }, 'any'), true);
    assert.equal(holds('command matches "git push *"', { command: "g'i't pu\\sh origin" }, 'any'), true);
    assert.equal(holds('command matches "npm *"', { command: 'npm test; rm -rf x' }, 'all'), false);
    assert.equal(holds('command matches "git push *"', { command: 'git commit -m "git push x"' }, 'any'), false);
  });

  test('a URL is also looked at as a browser reads it', () => {
    assert.equal(holds('url matches "https://evil.example/*"', { url: 'HTTPS://EVIL.example/x' }, 'any'), true);
  });
});

test('a host that is permitted cannot be imitated by a path, a user name or a fragment', () => {
  const allowed = 'url matches "https://*.example.com/*"';
  assert.equal(holds(allowed, { url: 'https://api.example.com/a/b?c=d' }), true);
  for (const url of ['https://evil.test/x.example.com/y', 'https://evil.test?.example.com/', 'https://a@evil.test#.example.com/', 'https://evil.test\\.example.com/', 'http://api.example.com/']) {
    assert.equal(holds(allowed, { url }), false, url);
  }
});

test('a part of a command that is not understood is not permitted', () => {
  assert.equal(holds('command matches "npm *"', { command: 'npm test' }), true);
  assert.equal(holds('command matches "npm *"', { command: 'npm test; $X' }), false);
  assert.equal(holds('command matches "npm *"', { command: 'npm test; eval "$(npm x)"' }), false);
});

describe('expressions that are refused', () => {
  for (const [text, expected] of [
    ['', '0: the expression is empty'],
    ['file_pat must start with project_dir', '0: "file_pat" is not a field of this enforcement point (did you mean "file_path"?)'],
    ['file_path starts with project_dir', '10: a comparison expected after file_path, found "starts" (did you mean "start"?)'],
    ['file_path must begin with project_dir', '15: "start" expected, found "begin"'],
    ['active_agents <= "5"', '14: "<=" compares numbers; "5" is a string'],
    ['branch < 5', '7: "<" compares numbers; branch is a string'],
    ['branch == 5', '7: branch is a string, 5 is a number: they are never equal'],
    ['branch = "x"', '7: "=" has no meaning here (use == to compare)'],
    ['branch == "x" && tool == "y"', '14: "&" has no meaning here (use and)'],
    ['branch == "x', '10: the string that opens with " is not closed'],
    ['branch', '6: a comparison expected after branch, found the end of the expression'],
    ['branch in "main"', '10: "in" needs a list on its right; "main" is a string'],
    ['branch in []', '10: the list is empty'],
    ['branch matches tool', '15: "matches" needs a pattern in quotes; found tool'],
    ['branch matches "[a"', '16: "[" without "]"'],
    ['branch matches "{a"', '16: "{" without "}"'],
    ['command must start with "git"', '8: "must start with" compares paths; command is a string (for other text use matches "…*")'],
    ['branch == "x" tool == "y"', '14: "and" or "or" expected before "tool"'],
    ['(branch == "x"', '14: ")" expected, found the end of the expression'],
    ['kind in ["exec", "shell"]', '17: "shell" is no kind; known: exec, fs.read, fs.write, fs.delete, net, mcp, agent, prompt, other'],
  ] as const) {
    test(JSON.stringify(text), () => assert.equal(mistake(text), expected));
  }

  test('nesting, length and number of words are bounded', () => {
    assert.equal(mistake(`${'('.repeat(100)}1 == 1${')'.repeat(100)}`), '64: nested deeper than 64');
    assert.equal(mistake(`${'not '.repeat(100)}1 == 1`), '256: nested deeper than 64');
    assert.equal(mistake(`branch == "${'x'.repeat(5000)}"`), '4096: the expression is longer than 4096 characters');
    assert.match(mistake('1 == 1 or '.repeat(400) + '1 == 1'), /has more than 1000 words$/);
  });
});
