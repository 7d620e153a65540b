/** `loki enterprise token`: keys made, rotated and revoked on the machine itself, with the control plane running and without. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { main } from '../../cli/main.ts';
import { commandTable, groupTable } from '../../cli/table.ts';
import type { JsonObject } from '../../lib/base/json.ts';
import { isToken } from '../../lib/base/token.ts';
import { actorOf } from '../../cli/open.ts';
import { makeApprover, passphrase } from '../support/approver.ts';
import { fakeTerminal, type FakeOptions, type FakeTerminal } from '../support/fake-terminal.ts';
import { makeGround, until, type Ground } from '../support/ground.ts';
import { opened } from '../support/ordered-runs.ts';

interface Said {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

interface Scene {
  readonly ground: Ground;
  loki(args: readonly string[], options?: FakeOptions): Promise<Said>;
  token(args: readonly string[], options?: FakeOptions): Promise<Said>;
  begin(args: readonly string[], options?: FakeOptions): { readonly terminal: FakeTerminal; readonly exit: Promise<number> };
}

function scene(t: TestContext): Scene {
  const ground = makeGround(t);
  const begin: Scene['begin'] = (args, given = {}) => {
    const terminal = { ...fakeTerminal({ cwd: ground.project, ...given, argv: args, env: { ...ground.env, ...given.env } }), homeDirectory: ground.root };
    return { terminal, exit: main(terminal, commandTable, groupTable) };
  };
  const loki: Scene['loki'] = async (args, given) => {
    const { terminal, exit } = begin(args, given);
    return { exit: await exit, out: terminal.printed.out, err: terminal.printed.err };
  };
  return { ground, begin, loki, token: (args, given) => loki(['enterprise', 'token', ...args], given) };
}

const listed = async ({ token }: Scene, ...flags: readonly string[]): Promise<readonly JsonObject[]> => JSON.parse((await token(['list', '--json', ...flags])).out);
const details = ({ details: told }: JsonObject): JsonObject => told as JsonObject;

function everything(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1')).join('\n');
}

test('a key is made without a control plane: its token alone on stdout, only its hash on disk, on record with who made it', async (t) => {
  const here = scene(t);
  const { token, ground } = here;
  assert.deepEqual(await listed(here), [], 'looking makes nothing');
  assert.deepEqual(readdirSync(ground.root).includes('home'), false);
  const made = await token(['generate', 'ci', '--role', 'operator', '--scopes', 'audit', '--cidr', '10.0.0.0/8', '--cidr', '192.0.2.7', '--expires', '90d', '--yes']);
  assert.equal(made.exit, 0, made.err);
  assert.equal(isToken(made.out.trim()) && made.out.endsWith('\n'), true);
  assert.ok(!made.err.includes(made.out.trim()) && !everything(ground.home).includes(made.out.trim()));
  const [key, ...none] = await listed(here);
  assert.deepEqual([none.length, key?.['name'], key?.['role'], key?.['scopes'], key?.['cidrs'], key?.['tenant_id'], key?.['sha256']], [0, 'ci', 'operator', ['audit'], ['10.0.0.0/8', '192.0.2.7'], null, undefined]);
  assert.equal(Math.round((Date.parse(String(key?.['expires_at'])) - Date.parse(String(key?.['created_at']))) / 86_400_000), 90);
  const [entry] = ground.entries().filter(({ event }) => event === 'auth.token.create');
  assert.deepEqual([entry?.['actor'], entry?.['resource'], Object(details(entry ?? {})['proof']).kind], [actorOf(ground.installation()), `key:${String(key?.['id'])}`, 'terminal']);
  const table = await token(['list']);
  assert.match(table.out, /^ID +NAME +STATE[^\n]*\nkey_\S+ +ci +active +operator \+ audit/);
  const json = await token(['generate', 'two', '--role', 'viewer', '--yes', '--json']);
  assert.equal(isToken(JSON.parse(json.out).token), true);
});

test('without a terminal and without --yes nothing is made; a person who says no is asked nothing more', async (t) => {
  const here = scene(t);
  assert.equal((await here.token(['generate', 'ci', '--role', 'viewer'])).exit, 2);
  const no = await here.token(['generate', 'ci', '--role', 'viewer'], { isTerminal: true, answers: ['n'] });
  assert.deepEqual([no.exit, no.out], [1, '']);
  assert.match(no.err, /Make the key "ci" \(viewer\)\?/);
  assert.deepEqual(await listed(here), []);
});

test('once an approver key exists it takes the passphrase, and the entry is signed; revoking takes none', async (t) => {
  const here = scene(t);
  const { token, ground } = here;
  await token(['generate', 'old', '--role', 'admin', '--yes']);
  const installation = ground.installation();
  const approver = await makeApprover(installation, actorOf(installation));
  for (const args of [['generate', 'ci', '--role', 'viewer', '--yes'], ['rotate', 'old', '--yes']]) assert.equal((await token(args)).exit, 4, args.join(' '));
  const made = await token(['generate', 'ci', '--role', 'viewer', '--yes'], { isTerminal: true, passphrases: ['not that one, surely', passphrase] });
  assert.equal(made.exit, 0, made.err);
  assert.match(made.err, /That is not the passphrase/);
  const created = ground.entries().filter((entry) => entry['event'] === 'auth.token.create' && details(entry)['name'] === 'ci');
  const proof = Object(details(created[0] ?? {})['proof']);
  assert.deepEqual([created.length, proof.kind, proof.key], [1, 'approver_key', approver.key]);
  assert.equal((await token(['revoke', 'ci', '--yes'])).exit, 0);
  assert.deepEqual((await listed(here, '--all')).map(({ name, state }) => [name, state]), [['old', 'active'], ['ci', 'revoked']]);
});

test('rotation keeps name and rights; a name means the newest, or all that count; the old token can be ended early', async (t) => {
  const here = scene(t);
  const { token } = here;
  await token(['generate', 'ci', '--role', 'operator', '--owner', 'alice', '--yes']);
  const first = (await listed(here))[0]?.['id'];
  const rotated = await token(['rotate', 'ci', '--yes', '--grace', '2h', '--json']);
  const { rotated_from, owner, role } = JSON.parse(rotated.out);
  assert.deepEqual([rotated_from, owner, role], [first, 'user:alice', 'operator']);
  assert.match(rotated.err, new RegExp(`to end it now: loki enterprise token revoke ${String(first)}`));
  assert.equal((await token(['rotate', 'ci', '--yes', '--grace', '2h'])).exit, 0, 'the newest of that name');
  assert.equal((await listed(here)).length, 3);
  assert.equal((await token(['revoke', String(first), '--yes'])).exit, 0);
  assert.deepEqual((await listed(here)).map(({ id }) => id === first), [false, false]);
  const all = await token(['revoke', 'ci'], { isTerminal: true, answers: ['y'] });
  assert.match(all.err, /Revoke these 2 keys\?/);
  assert.deepEqual([all.exit, (await listed(here)).length], [0, 0]);
  assert.match((await token(['revoke', 'ci', '--yes'])).err, /no key of the installation that counts has the name "ci"/);
  assert.equal((await token(['rotate', String(first), '--yes'])).exit, 1, 'one that does not count is not rotated');
  assert.equal((await token(['generate', 'ci', '--role', 'viewer', '--yes'])).exit, 0, 'and its name is free again');
});

test('keys of a tenant are made by its id or slug, and a name alone means the installation\'s', async (t) => {
  const here = scene(t);
  const { token, ground } = here;
  const tenant = 'tnt_01J8Z3T5C6D7E8F9G0H1J2K3M4';
  await opened(ground, ({ root }) => root.transact([], [{ key: `tenants/${tenant}`, value: { id: tenant, slug: 'payments' } }, { key: 'tenant-slugs/payments', value: { id: tenant } }]));
  for (const [name, wanted] of [['a', 'payments'], ['b', tenant]] as const) assert.equal((await token(['generate', name, '--role', 'viewer', '--tenant', wanted, '--yes'])).exit, 0, name);
  assert.deepEqual((await listed(here)).map(({ tenant_id }) => tenant_id), [tenant, tenant]);
  assert.equal((await token(['generate', 'c', '--role', 'viewer', '--tenant', 'nobody', '--yes'])).exit, 2);
  assert.match((await token(['revoke', 'a', '--yes'])).err, /A tenant has one of this name/);
  assert.equal((await token(['revoke', 'a', '--tenant', 'payments', '--yes'])).exit, 0);
});

test('what cannot be is refused before anybody is asked, every mistake at once', async (t) => {
  const { token } = scene(t);
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['generate', 'a'], /neither a role nor a scope/], [['generate', 'a b', '--role', 'viewer', '--cidr', '10.0.0.0/40'], /"name" must be[\s\S]*"cidrs\.0" must be/], [['generate', 'a', '--scopes', 'read,root'], /"scopes\.1" must be one of/],
    [['generate', 'a', '--scopes', 'approve'], /no owner is named/], [['generate', 'a', '--role', 'viewer', '--expires', '2020-01-01'], /expired already/], [['generate', 'a', '--role', 'viewer', '--expires', '31.12.2030'], /no point in time/],
    [['generate', 'a', '--role', 'root'], /one of admin, operator, viewer, auditor/], [['generate'], /NAME is missing/], [['revoke', 'key_01J8Z3T5C6D7E8F9G0H1J2K3M4'], /there is no key/], [['rotate', '../../etc'], /no key of the installation/],
  ];
  for (const [args, words] of cases) {
    const said = await token([...args, ...(args[0] === 'revoke' || args[1] === undefined ? [] : ['--yes'])]);
    assert.deepEqual([said.exit, said.out], [2, ''], `${args.join(' ')}: ${said.err}`);
    assert.match(said.err, words, args.join(' '));
  }
  await token(['generate', 'ci', '--role', 'viewer', '--yes']);
  const again = await token(['generate', 'ci', '--role', 'viewer', '--yes']);
  assert.deepEqual([again.exit, again.out], [1, '']);
});

test('a first start with authentication says how to get the first key; a key made meanwhile counts at once, and not after it was revoked', async (t) => {
  const here = scene(t);
  const { begin, token, loki } = here;
  const env = { LOKI_PORT: '0', LOKI_ENTERPRISE_AUTH: 'true' };
  const plane = begin(['dashboard'], { env });
  t.after(async () => { plane.terminal.stopping.abort('SIGINT'); await plane.exit; });
  await until('it listens', () => plane.terminal.printed.err.includes('Ctrl-C ends it'));
  assert.deepEqual(plane.terminal.printed.err.match(/^Nobody has a key/gm), ['Nobody has a key']);
  assert.match(plane.terminal.printed.err, /Nobody has a key yet\. .*loki enterprise token generate admin --role admin/);
  const { out } = await token(['generate', 'admin', '--role', 'admin', '--expires', '1d', '--yes'], { env });
  const as = { env: { ...env, LOKI_TOKEN: out.trim() } };
  const made = await loki(['tenants', 'create', '--name', 'A', '--slug', 'a'], as);
  assert.equal(made.exit, 0, made.err);
  assert.equal((await loki(['tenants', 'list', '--json'], { env })).exit, 0, 'the token of this machine reads');
  const secrets = await Promise.all([loki(['status'], as), loki(['enterprise', 'status', '--all', '--json'], as), loki(['dashboard', 'status', '--json'], as)]);
  for (const said of secrets) assert.doesNotMatch(said.out + said.err, /loki_[0-9A-Za-z]{36}/);
  await token(['revoke', 'admin', '--yes'], { env });
  const refused = await loki(['tenants', 'list'], as);
  assert.deepEqual([refused.exit, refused.out], [4, '']);
  assert.match(refused.err, /See whether the key in LOKI_TOKEN was revoked/);
  plane.terminal.stopping.abort('SIGINT');
  assert.equal(await plane.exit, 0);
});
