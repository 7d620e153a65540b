/** Where the command line talks to and as whom: which token goes to which address, and that none goes anywhere else. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { destination, type ApiDestination } from '../../lib/app/api/place.ts';
import { noteRunning } from '../../lib/app/control-plane-address.ts';
import { newToken } from '../../lib/base/token.ts';
import { LokiError } from '../../lib/errors.ts';
import { random } from '../../lib/host/time.ts';
import { makeGround, type Ground } from '../support/ground.ts';

const own = newToken(random);
const local = newToken(random);
const login = newToken(random);
const here = 'http://127.0.0.1:57374';
const there = 'https://loki.example.com';

interface Scene {
  readonly ground: Ground;
  at(given?: string, env?: Readonly<Record<string, string>>): ApiDestination;
  loggedIn(url: string, expires?: string): void;
}

/** A LOKI_HOME whose control plane is this very process. */
function scene(t: TestContext, isRunning = true): Scene {
  const ground = makeGround(t);
  const run = join(ground.home, 'run');
  mkdirSync(run, { recursive: true, mode: 0o700 });
  writeFileSync(join(run, 'token'), `${local}\n`, { mode: 0o600 });
  if (isRunning) noteRunning(ground.installation(), { url: here, socket: join(run, 'loki.sock'), since: '2026-02-15T14:30:00.000Z', version: '0.1.0', in_the_clear: false });
  return {
    ground,
    at: (given, env = {}) => destination(ground.installation(env), given, 'look'),
    loggedIn: (url, expires) => writeFileSync(join(run, 'login'), JSON.stringify({ url, token: login, actor: 'user:alice', expires_at: expires ?? null }), { mode: 0o600 }),
  };
}

const said = ({ place, credential, token }: ApiDestination): readonly unknown[] => ['base' in place ? place.base : 'socket', credential, token];
const refused = (work: () => unknown): readonly string[] => {
  try {
    work();
  } catch (error) {
    if (error instanceof LokiError) return [error.code, `${error.message}\n${error.hint}`];
    throw error;
  }
  return [];
};

test('an address is found in order: the flag, LOKI_URL, where somebody is logged in, this machine', (t) => {
  const { at, loggedIn } = scene(t);
  assert.deepEqual(said(at()), ['socket', 'local', local]);
  loggedIn(there);
  assert.deepEqual(said(at()), [there, 'login', login]);
  assert.deepEqual(said(at(undefined, { LOKI_URL: 'https://other.example.com/loki/', LOKI_TOKEN: own })), ['https://other.example.com/loki', 'LOKI_TOKEN', own]);
  assert.deepEqual(said(at(`${there}/`, { LOKI_URL: 'https://other.example.com' })), [there, 'login', login]);
  assert.deepEqual(said(at(undefined, { LOKI_TOKEN: own })), ['socket', 'LOKI_TOKEN', own], 'without LOKI_URL it is meant for this machine');
  assert.deepEqual(said(at(here)), [here, 'local', local]);
  assert.deepEqual([at().isLocal, at(here).isLocal], [false, true]);
});

test('a token goes to the origin that it belongs to, and nowhere else', (t) => {
  const { at, loggedIn } = scene(t);
  loggedIn(there);
  for (const other of ['https://evil.example.com', `${there}.evil.example.com`, `${there}:8443`, 'http://localhost:57374', 'http://127.0.0.1:57375']) {
    assert.deepEqual(said(at(other)).slice(1), ['none', undefined], other);
    const [code, words = ''] = refused(() => at(other, { LOKI_URL: there, LOKI_TOKEN: own }));
    assert.equal(code, 'auth.required', other);
    assert.match(words, /LOKI_TOKEN is for https:\/\/loki\.example\.com, and is not shown to/);
    assert.ok(!words.includes(own));
  }
  assert.deepEqual(said(at(there, { LOKI_TOKEN: own })), [there, 'login', login], 'one for this machine is not shown there, and the login is');
  loggedIn(there, '2020-01-01T00:00:00.000Z');
  assert.deepEqual(said(at()), [there, 'none', undefined], 'a login that is over does not lead to this machine instead');
});

test('nothing is sent without encryption beyond this machine, and what is no plain address is refused', (t) => {
  const { at } = scene(t);
  for (const url of ['http://loki.example.com', 'http://10.0.0.1:57374', 'http://127.0.0.1.evil.example.com', 'http://localhost.evil.example.com', 'ftp://127.0.0.1', 'file:///etc/passwd', 'loki.example.com', 'https://alice:secret@loki.example.com', 'https://loki.example.com/?a=b', 'https://loki.example.com/#x', '//loki.example.com', '']) {
    const [code, words = ''] = refused(() => at(url));
    assert.equal(code, 'usage', url);
    assert.ok(!words.includes('secret'), url);
  }
  assert.equal(refused(() => at(undefined, { LOKI_URL: 'http://loki.example.com', LOKI_TOKEN: own }))[0], 'usage');
  for (const url of ['http://127.0.0.1:1', 'http://localhost:1', 'http://[::1]:1', 'https://loki.example.com/below']) assert.equal(at(url).credential, 'none', url);
});

test('a mistyped token is told without asking, one of another form is left to the control plane', (t) => {
  const { at } = scene(t);
  const wrong = own.replace(/.$/, (last) => (last === 'x' ? 'y' : 'x'));
  for (const token of [wrong, own.slice(0, -1), `${own}0`, 'loki_', 'two words', 'töken']) {
    const [code, words = ''] = refused(() => at(undefined, { LOKI_TOKEN: token }));
    assert.equal(code, 'auth.required', token);
    assert.ok(token.length < 10 || !words.includes(token), token);
  }
  assert.equal(at(undefined, { LOKI_TOKEN: 'eyJhbGciOiJSUzI1NiJ9.e30.c2ln' }).credential, 'LOKI_TOKEN');
});

test('where no control plane runs that is said; a file that tells of one that died is not believed, nor is its port shown the token', (t) => {
  const { at, ground } = scene(t, false);
  assert.match(refused(() => at()).join('\n'), /^net\.unreachable\n.*no control plane runs here[\s\S]*loki dashboard start --detach/);
  writeFileSync(join(ground.home, 'run/dashboard.json'), JSON.stringify({ pid: process.pid, start: 'another', url: here, socket: null, since: '', version: '' }), { mode: 0o600 });
  assert.equal(refused(() => at())[0], 'net.unreachable');
  assert.deepEqual(said(at(here)).slice(1), ['none', undefined]);
  rmSync(join(ground.home, 'run/dashboard.json'));
  writeFileSync(join(ground.home, 'run/login'), JSON.stringify({ url: there, token: login, actor: 'user:alice' }), { mode: 0o644 });
  assert.equal(refused(() => at())[0], 'record.unsafe', 'a login that others can read');
});
