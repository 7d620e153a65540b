/** What the log of record says of each change that is made over the API: the events of the row, by whom, of which tenant, in which request, and no secret. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AuditEvent } from '../../lib/audit/entry.ts';
import { timers } from '../../lib/host/time.ts';
import type { Route } from '../../lib/server/message.ts';
import { routeTable } from '../../lib/server/route-table.ts';
import { createStreams } from '../../lib/server/streams.ts';
import { samples } from '../support/samples.ts';
import { as, textOf, twoTenants } from '../support/two-tenants.ts';

const world = await twoTenants();
const routes: readonly Route[] = routeTable(world.kit.services, createStreams(timers), () => false);
const changing = routes.filter(({ records, version, path }) => records.length > 0 && (version === 2 || !path.startsWith('/api/')));

/** Recorded of every request, whatever it is. */
const usual: ReadonlySet<string> = new Set(['api.request', 'auth.token.use', 'auth.fail', 'auth.denied']);

/** Routes whose parts in the kit stand in for what records, or that need an identity provider; their own tests look at what they record. */
const elsewhere: ReadonlySet<string> = new Set(['policies.replace', 'auth.callback', 'auth.device.token', 'audit.export']);

/** Who may do what the row asks for, in the first tenant where there is such a thing. */
const callerOf = ({ scope, reach, operation }: Route): string => (operation === 'auth.session' ? 'scope.read' : reach === 'installation' ? 'root' : `scope.${scope}`);

const secrets = (): readonly string[] => world.tokens.flatMap((token) => [token, token.slice(5, 30)]);

for (const route of changing.filter(({ operation }) => !elsewhere.has(operation))) {
  test(`${route.operation} is on record as what it is`, async () => {
    const sample = samples[route.operation];
    assert.ok(sample !== undefined);
    const { path = [], query, body, headers } = await sample.ask(world, world.alpha);
    const before = world.kit.recorded.length;
    let at = 0;
    const target = route.path.replaceAll(/:[A-Za-z]+/g, () => path[at++] ?? '') + (query === undefined ? '' : `?${query}`);
    const response = await as(world, callerOf(route), target, { method: route.method, ...(body === undefined ? {} : { body }), ...(headers === undefined ? {} : { headers }) });
    const text = await textOf(response);
    assert.ok(response.status < 300, `${response.status} ${text}`);
    const token = (text === '' ? {} : JSON.parse(text) as { readonly token?: string }).token;
    if (token !== undefined) world.tokens.push(token);
    const all = world.kit.recorded.slice(before);
    const told = all.filter(({ event, details }) => !usual.has(event) || (route.operation === 'auth.session' && details?.['exchanged_for'] !== undefined));
    assert.equal(told.length, 1, JSON.stringify(all));
    const [event] = told as [AuditEvent];
    assert.ok(route.records.includes(event.event), `${event.event} is none of ${route.records.join(', ')}`);
    assert.match(event.actor, route.scope === 'approve' ? /^user:alice$/ : /^token:ALPHA\./);
    // A cancel may be carried out by the process that drives the run: the request names the run in its path.
    if (route.operation !== 'runs.cancel') assert.equal(event.details?.['request_id'], response.headers['X-Request-Id'], `${event.event} says in which request it happened`);
    assert.match(String(event.resource ?? event.details?.['approval_id']), /^(?:[a-z]+:)?\S+/, 'it says what it happened to');
    const tenant = event.metadata?.['tenant_id'];
    if (route.operation.startsWith('tenants.')) assert.match(String(tenant), /^tnt_/, 'of a tenant');
    else assert.equal(tenant, world.alpha.tenant, `${event.event} is filed under its tenant`);
    const request = all.find((one) => one.event === 'api.request');
    assert.deepEqual([request?.details?.['request_id'], request?.details?.['status'], request?.details?.['route']], [response.headers['X-Request-Id'], response.status, route.path]);
    for (const secret of secrets()) assert.ok(!JSON.stringify(world.kit.recorded).includes(secret), 'a token is in the log');
  });
}

test('every route that changes something says what it records, but for those that say why not', () => {
  const silent = routes.filter(({ method, records, version, path }) => method !== 'GET' && records.length === 0 && (version === 2 || !path.startsWith('/api/'))).map(({ operation }) => operation);
  // Judged: each decision is on record by itself. A timeline is one. Nothing is changed by asking. Signing out ends what is the caller's own.
  assert.deepEqual(silent.sort(), ['auth.backchannelLogout', 'auth.device.decide', 'auth.device.start', 'auth.logout', 'hooks.claude', 'policies.evaluate', 'runs.report']);
});

test('an update says from what to what, and of a long text only how long', async () => {
  const { alpha, kit } = world;
  const change = async (body: object): Promise<unknown> => {
    assert.equal((await as(world, 'scope.write', `/api/v2/tasks/${alpha.task}`, { method: 'PUT', body })).status, 200);
    return kit.recorded.findLast(({ event }) => event.startsWith('task.'))?.details?.['changed'];
  };
  assert.deepEqual(await change({ title: 'Second', priority: 'high', status: 'pending' }), { title: { from: 'ALPHA one', to: 'Second' }, priority: { from: 'medium', to: 'high' } });
  assert.deepEqual(await change({ description: 'x'.repeat(300) }), { description: { from: '', to: '300 characters' } });
  assert.deepEqual(await change({}), {});
});

test('denials and wrong tokens are on record with the reason, and without what was shown', async () => {
  const seen = async (caller: string | undefined, target: string): Promise<AuditEvent | undefined> => {
    const before = world.kit.recorded.length;
    await as(world, caller, target);
    return world.kit.recorded.slice(before).find(({ event }) => event === 'auth.fail' || event === 'auth.denied');
  };
  for (const [caller, event, reason] of [
    ['unknown', 'auth.fail', /not known/], ['mistyped', 'auth.fail', /checksum/], ['expired', 'auth.fail', /has expired/], ['revoked', 'auth.fail', /was revoked/], ['of.no.tenant', 'auth.fail', /tenant does not exist/],
    ['of.a.place', 'auth.fail', /not for the address 127\.0\.0\.1/], ['malformed', 'auth.fail', /not "Bearer"/], ['scope.read', 'auth.denied', /needs the scope "admin"/], [undefined, 'auth.denied', /needs the scope/],
  ] as const) {
    const told = await seen(caller, '/api/v2/keys');
    assert.equal(told?.event, event, caller);
    assert.match(String(told?.details?.['reason']), reason);
  }
  for (const secret of Object.values(world.callers)) assert.ok(!JSON.stringify(world.kit.recorded).includes(secret.replace('Bearer ', '')));
});
