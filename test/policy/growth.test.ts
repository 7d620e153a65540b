/** Cost grows with the input and not with its square: each test doubles hostile input and compares times, never seconds. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compileUserPattern, matchUserPattern } from '../../lib/policy/patterns.ts';
import { scanPii, scanSecrets } from '../../lib/policy/scan/scanners.ts';
import { analyzeCommand } from '../../lib/policy/shell/analyze.ts';
import { linear } from '../support/growth.ts';

describe('scanning stays linear on hostile text', () => {
  const seeds: Readonly<Record<string, string>> = {
    'prefixes in a row': 'AKIAghp_sk-ant-xoxb-eyJ-----BEGIN glpat-', 'dashes and prefixes': '-sk-ant--glpat--xoxb-', 'token characters': 'aB3_', 'tokens of three parts': 'eyJa.eyJb.', 'key headers': '-----BEGIN PRIVATE KEY-----\n',
    'names and signs': 'password=token=secret:', 'quotes after names': 'api_key="', 'URLs': 'x://a:b', 'at signs': 'a@', 'digits': '4', 'digit groups': '41 ', 'bank numbers': 'DE89 ', 'letters and dots': 'a.', 'bearer': 'Bearer ', 'new lines': '\n',
  };
  for (const [name, seed] of Object.entries(seeds)) {
    test(name, () => linear((size) => {
      const text = seed.repeat(Math.ceil(size / seed.length));
      scanSecrets(text);
      scanPii(text);
    }, 8_000));
  }
});

test('a pattern of the user stays linear on hostile text', () => {
  const pattern = compileUserPattern('a+b?c[a-z]{1,3}x');
  assert.ok(typeof pattern !== 'string');
  linear((size) => matchUserPattern(pattern, 'a'.repeat(size), 10), 5_000);
});

test('a pattern finds what lies across the edge of a window, and in a long line', () => {
  const pattern = compileUserPattern('ACME-[0-9]{6}');
  assert.ok(typeof pattern !== 'string');
  for (const at of [0, 250, 505, 508, 511, 760, 5000]) assert.deepEqual(matchUserPattern(pattern, `${'x'.repeat(at)}ACME-123456${'y'.repeat(300)}`, 10), [{ offset: at, length: 11 }]);
});

describe('reading commands stays linear on hostile text', () => {
  const seeds: Readonly<Record<string, string>> = {
    'separators': ';', 'words': 'a ', 'quotes': "'a' ", 'double quotes': '"$x" ', 'substitutions': '$(a) ', 'open substitutions': '$(', 'backquotes': '`a` ', 'redirects': '>a ', 'one long word': 'a', 'escapes': '\\a', 'here-documents': '<<E\nE\n',
    'brackets': '(a)', 'open brackets': '(', 'assignments': 'a=b ', 'paths': 'rm /a/b ', 'braces': '{a,b} ', 'dollars': '$', 'ANSI quotes': "$'\\x41' ", 'changes of directory': 'cd a;',
    'arithmetic': '$((a)) ', 'open arithmetic': '$((', 'two brackets': '((a) ', 'case statements': 'case a in a) b;; esac;', 'open case statements': 'case a in ', 'case patterns': 'case x in a|', 'parameters': '${a:-b} ', 'open parameters': '${a:-', 'open parameters in quotes': '"${a:-', 'arrays': 'a=(b);', 'open arrays': 'a=(',
    'functions': 'f(){ f|f& };', 'statements': 'if a; then ', 'loops': 'for a in b; do rm $a; done;', 'tests': '[[ a < b ]];', 'carriage returns': 'a\r\n', 'pipes to shells': 'sh|', 'decoders': 'echo a|base64 -d|', 'printed substitutions': '$(echo a)', 'nested substitutions': '$(echo $(echo ', 'backquotes in substitutions': '`$(',
    'names from a pipe': 'echo a|xargs rm;', 'xargs': 'xargs ', 'parallel': 'parallel a ::: b c ::: ', 'wrappers': 'sudo ', 'texts that env splits': 'env -S "a" ', 'other machines': 'ssh a ', 'containers': 'docker run a ', 'git': 'git push -f +a;', 'options': 'rm -abcdef ', 'long options': 'git push --force ', 'find': 'find . -name a -exec b {} ; ', 'links': 'ln -s a b;',
    'programs of python': `python -c "os.system('a')";`, 'calls in a program': 'python -c "os.system(', 'strings in a program': `node -e "'a' + '`, 'statements of SQL': "psql -c 'drop a;';", 'PowerShell': 'powershell -c "a";', 'here-documents with commands': 'cat <<A\n$(a)\nA\n', 'downloads': 'curl -o a b ',
  };
  for (const [name, seed] of Object.entries(seeds)) test(name, () => linear((size) => { analyzeCommand(seed.repeat(Math.ceil(size / seed.length)), { cwd: '/p' }); }, 3_000));
});
