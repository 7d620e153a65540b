import assert from 'node:assert/strict';
import { test } from 'node:test';
import { analyzeCommand } from '../../../lib/policy/shell/analyze.ts';

const opening = [
  'bash', 'sh', 'bash -i', 'exec zsh', 'env A=1 bash', 'sudo bash', 'bash -s', 'bash --norc', 'nohup bash', 'timeout 100 sh', 'python3', 'python3 -i x.py', 'node', 'node -i', 'ruby', 'perl', 'irb', 'psql', 'psql -h db', 'mysql',
  'sqlite3 a.db', 'ssh host', 'ssh -t host', 'gdb ./a', 'vim x', 'less x', 'tmux', 'xargs sh -c', 'cd x && bash', 'true; python3 -q', 'socat - TCP:x:1', 'docker exec -it c bash', 'su', 'script',
];

const closed = [
  'npm test', 'bash script.sh', 'bash -c "npm test"', 'echo ls | bash', 'bash < script.sh', 'bash <<< "ls"', 'python3 x.py', 'python3 -c "print(1)"', 'python3 -m pytest', 'echo 1 | python3', 'node index.js', 'node -e "1"', 'node --version', 'python3 -V',
  'psql -c "select 1"', 'mysql -e "select 1"', 'sqlite3 a.db "select 1"', 'ssh host ls', 'find . | xargs grep x', 'ruby a.rb', 'perl -ne print x', 'gdb -batch ./a', 'git log', 'make', 'cat x | less',
];

for (const command of opening) {
  test(`analyzeCommand() says that a prompt is opened: ${command}`, () => {
    assert.notDeepEqual(analyzeCommand(command).opens, []);
  });
}

for (const command of closed) {
  test(`analyzeCommand() finds no prompt opened: ${command}`, () => {
    assert.deepEqual(analyzeCommand(command).opens, []);
  });
}
