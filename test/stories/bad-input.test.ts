/** What a person can get wrong, and what a machine can: a clear message, the place, a suggestion, the documented exit code. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { GateReply } from '../../lib/gate/reply.ts';
import { makeGround, until, type Ground } from '../support/ground.ts';

describe('a word that means nothing: exit 2, the place, a suggestion', { concurrency: 2 }, () => {
  const rows: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['command', ['stat'], /^error: Cannot run "loki stat": there is no such command \(did you mean "loki start"\?\)\nhint: See: loki --help\n$/],
    ['command of a group', ['audit', 'verfy'], /^error: Cannot run "loki audit verfy": there is no such command \(did you mean "loki audit verify"\?\)/],
    ['flag', ['audit', 'verify', '--lgo', 'x'], /^error: Cannot run "loki audit verify": there is no flag "--lgo" \(did you mean "--log"\?\)\nhint: See: loki audit verify --help\n$/],
    ['word too many', ['version', 'please'], /^error: Cannot run "loki version": .*"please"/],
  ];
  for (const [what, args, message] of rows) {
    test(what, async (t) => {
      const { exit, stdout, stderr } = await makeGround(t).loki(args);
      assert.deepEqual([exit, stdout], [2, '']);
      assert.match(stderr, message);
    });
  }

  test('config key, with file, line and column', async (t) => {
    const here = makeGround(t);
    const file = here.write('project/.loki/config.yaml', 'runs:\n  max_iteration: 3\n');
    const { exit, stderr } = await here.loki(['status']);
    assert.equal(exit, 2);
    assert.match(stderr, new RegExp(`${file}:2:3: unknown key "runs\\.max_iteration" in the project file \\(did you mean "max_iterations"\\?\\)`));
  });

  test('policy key, with file, line and column; an agent that asks meanwhile is told no', async (t) => {
    const here = makeGround(t);
    here.write('project/.loki/policies.yaml', 'version: 1\npolicies:\n  pre_execution:\n    - name: a\n      wehn: "kind == \\"exec\\""\n      action: deny\n');
    const { exit, stderr } = await here.loki(['policy', 'check']);
    assert.equal(exit, 2);
    assert.match(stderr, /policies\.yaml:5:7: .*"wehn".*\(did you mean "when"\?\)/);
    const hook = await here.loki(['hook', 'generic'], { input: '{"kind":"other"}' });
    assert.deepEqual([hook.exit, (JSON.parse(hook.stdout) as GateReply).decision], [3, 'DENY']);
  });
});

describe('a requirements document that is none: exit 2, and nothing is begun', { concurrency: 2 }, () => {
  const rows: readonly (readonly [string, (path: string) => void, RegExp])[] = [
    ['missing', () => undefined, /there is no such file/],
    ['a directory', (path) => mkdirSync(path), /it is a directory\nhint: Name the document in it/],
    ['empty', (path) => writeFileSync(path, ' \n'), /it is empty/],
    ['no text', (path) => writeFileSync(path, Buffer.from([0x25, 0x50, 0, 0xff])), /it is not UTF-8 text/],
    ['a pipe', (path) => { execFileSync('mkfifo', [path]); }, /it is a device, socket or pipe/],
    ['far too long', (path) => writeFileSync(path, Buffer.alloc(2 << 20, 0x61)), /it has 2097152 bytes, at most 1048576 are read/],
  ];
  for (const [what, make, message] of rows) {
    test(what, async (t) => {
      const here = makeGround(t);
      here.write('project/.loki/policies.yaml', 'version: 1\npolicies: {}\n');
      make(join(here.project, 'the prd.md'));
      const { exit, stderr } = await here.loki(['start', 'the prd.md']);
      assert.equal(exit, 2, stderr);
      assert.match(stderr, new RegExp(`error: Cannot read PRD "${here.project}/the prd\\.md": `));
      assert.match(stderr, message);
      assert.equal(existsSync(here.home), false, 'nothing was recorded');
    });
  }

  test('unreadable', async (t) => {
    if (process.getuid?.() === 0) return t.diagnostic('root reads every file: not tried');
    const here = makeGround(t);
    mkdirSync(join(here.project, '.loki'));
    chmodSync(here.write('project/prd.md', '# x'), 0o000);
    const { exit, stderr } = await here.loki(['start', 'prd.md']);
    assert.equal(exit, 2);
    assert.match(stderr, /EACCES.*\nhint: Make the file readable for this user/);
    return undefined;
  });
});

test('a provider that is not there: exit 2, and nothing is begun', async (t) => {
  const here = makeGround(t);
  here.write('project/prd.md', '# x\n');
  here.write('project/.loki/policies.yaml', 'version: 1\npolicies: {}\n');
  const { exit, stderr } = await here.loki(['start', 'prd.md', '--provider', 'claude'], { env: { PATH: '/nowhere' } });
  assert.equal(exit, 2);
  assert.match(stderr, /error: Cannot use the provider "claude": the program "claude" is not on PATH.*\nhint: Install Claude Code \(npm install -g @anthropic-ai\/claude-code\), or choose another with --provider/);
  const nameless = await here.loki(['start', 'prd.md', '--provider', 'command']);
  assert.equal(nameless.exit, 2);
  assert.match(nameless.stderr, /error: Cannot use the provider "command": no command is named\nhint: Set runs\.provider: /);
  const { last_run } = JSON.parse((await here.loki(['status', '--json'])).stdout);
  assert.equal(last_run, null);
});

test('a port that is taken: exit 8, the port, what to do; the one that has it goes on', async (t) => {
  const here = makeGround(t);
  const first = here.start(['dashboard', '--port', '0', '--json']);
  let said = '';
  first.stdout?.on('data', (chunk: Buffer) => { said += chunk.toString(); });
  await until('the first one listens', () => said.includes('\n'));
  const { port } = JSON.parse(said);
  const second = await here.loki(['dashboard', '--port', String(port)]);
  assert.deepEqual([second.exit, second.stdout], [8, '']);
  assert.match(second.stderr, new RegExp(`error: Cannot listen on .*${port}: a control plane of this LOKI_HOME runs already at http://127.0.0.1:${port}\nhint: .*loki dashboard stop`));
  assert.equal((await fetch(`http://127.0.0.1:${port}/health/live`)).status, 200);
  const status = await here.loki(['dashboard', 'status', '--json']);
  assert.deepEqual([status.exit, JSON.parse(status.stdout).url, JSON.parse(status.stdout).pid], [0, `http://127.0.0.1:${port}`, first.pid], 'the address of the one that goes on stays written down');
  const ended = new Promise((resolve) => { first.once('exit', resolve); });
  first.kill('SIGINT');
  assert.equal(await ended, 0);
  assert.equal((await here.loki(['dashboard', 'status'])).exit, 8);
});

test('a port that another program has is told the same way', async (t) => {
  const server = createServer();
  t.after(() => server.close());
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const { exit, stderr } = await makeGround(t).loki(['dashboard', '--port', String(port)]);
  assert.equal(exit, 8, stderr);
  assert.match(stderr, new RegExp(`error: Cannot listen on .*${port}: another program listens there\nhint: Choose another port with --port, or stop what listens there`));
});

describe('a LOKI_HOME that cannot be written', { concurrency: 2 }, () => {
  const rows: readonly (readonly [string, readonly string[], string, number, RegExp])[] = [
    ['init', ['init', '--yes'], '', 2, /error: Cannot use LOKI_HOME ".*home": it is not a directory/],
    ['start', ['start', 'prd.md'], '', 2, /error: Cannot use LOKI_HOME ".*home": it is not a directory/],
    ['dashboard', ['dashboard', '--port', '0'], '', 2, /error: Cannot use LOKI_HOME ".*home": it is not a directory/],
    ['approve', ['approve', 'apr_01J8Z3K4M5N6P7Q8R9S0T1V2W3', '--yes'], '', 2, /error: Cannot use LOKI_HOME ".*home": it is not a directory/],
  ];
  for (const [what, args, input, exit, message] of rows) {
    test(`loki ${what} says so`, async (t) => {
      const here = makeGround(t);
      here.write('project/prd.md', '# x\n');
      here.write('project/.loki/policies.yaml', 'version: 1\npolicies: {}\n');
      writeFileSync(here.home, '');
      const end = await here.loki(args, { input });
      assert.equal(end.exit, exit, end.stdout + end.stderr);
      assert.match(end.stderr, message);
      assert.match(end.stderr, /\nhint: .+/);
      assert.doesNotMatch(end.stderr, /\n {4}at /, 'no stack');
    });
  }

  test('loki hook says no, exit 3', async (t) => {
    const here = makeGround(t);
    writeFileSync(here.home, '');
    const { exit, stdout } = await here.loki(['hook', 'generic'], { input: '{"kind":"exec","command":"ls"}' });
    const reply: GateReply = JSON.parse(stdout);
    assert.deepEqual([exit, reply.decision, reply.rule, reply.audit_seq], [3, 'DENY', 'builtin:recording', null]);
  });
});

/** Mounts a small file system and gives what takes it away; undefined where that cannot be done. */
function smallDisk(place: string): (() => void) | undefined {
  mkdirSync(place);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=700', 'tmpfs', place], { stdio: 'ignore', timeout: 10_000 });
  } catch {
    return undefined;
  }
  return () => { execFileSync('umount', ['--lazy', place], { stdio: 'ignore', timeout: 10_000 }); };
}

test('a disk that becomes full: what cannot be recorded is refused, nothing is half-recorded, and with room all goes on', async (t) => {
  const here = makeGround(t);
  const unmount = smallDisk(here.home);
  if (unmount === undefined) return t.diagnostic('no small file system can be mounted here; test/audit and test/store fill one in memory');
  try {
    await fillUp(here);
  } finally {
    unmount();
  }
  return undefined;
});

async function fillUp(here: Ground): Promise<void> {
  here.write('project/.loki/policies.yaml', 'version: 1\npolicies: {}\n');
  here.write('project/prd.md', '# x\n');
  await here.enrol();
  const ask = async (): Promise<readonly [number | null, GateReply]> => {
    const { exit, stdout } = await here.loki(['hook', 'generic'], { input: '{"kind":"exec","command":"ls"}' });
    return [exit, JSON.parse(stdout)];
  };
  assert.equal((await ask())[0], 0);
  const ballast = join(here.home, 'ballast');
  for (let size = 512 * 1024; size > 0;) {
    try {
      writeFileSync(ballast, Buffer.alloc(size), { flag: 'a' });
    } catch {
      // Smaller and smaller, until nothing fits.
      size = Math.floor(size / 2);
    }
  }
  const before = here.entries().length;
  let denied: readonly [number | null, GateReply] = await ask();
  // What is left of the log's last block still takes a few entries.
  for (let more = 0; denied[0] === 0 && more < 20; more += 1) denied = await ask();
  assert.deepEqual([denied[0], denied[1].rule, denied[1].audit_seq], [3, 'builtin:recording', null]);
  assert.match(denied[1].reason, /ENOSPC.*free (some )?space/);
  const start = await here.loki(['start', 'prd.md']);
  assert.equal(start.exit, 1, start.stdout);
  assert.match(start.stderr, /error: Cannot .*(ENOSPC|bytes are free).*\nhint: .*free (some )?space/);
  const empty = readdirSync(join(here.home, 'run')).filter((name) => statSync(join(here.home, 'run', name)).size === 0);
  assert.deepEqual(empty, [], 'no half-made file stays');
  const verified = await here.loki(['audit', 'verify']);
  assert.equal(verified.exit, 0, verified.stdout);
  execFileSync('rm', [ballast]);
  const [exit, reply] = await ask();
  assert.equal(exit, 0, reply.reason);
  assert.ok((reply.audit_seq ?? 0) > before);
  const run = await here.loki(['start', 'prd.md', '--max-iterations', '1']);
  assert.ok(run.exit === 0 || run.exit === 1, run.stderr);
  assert.match(run.stdout, /(completed|failed): .* \(run_/);
  assert.equal((await here.loki(['audit', 'verify'])).exit, 0);
}
