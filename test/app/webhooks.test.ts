/** Webhooks of approvals through the program: told by whoever changes an approval, sent by somebody else, signed so that a receiver can check it. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { termsOf } from '../../lib/app/approval-terms.ts';
import { openApprovals } from '../../lib/app/approvals.ts';
import { openRecord } from '../../lib/app/audit/record.ts';
import { deliverOnce, isDeliveryDue, newestSecret, rotateSecret, spoolPlace, webhookSecrets } from '../../lib/app/webhooks.ts';
import { waitingNames } from '../../lib/approvals/webhooks/spool.ts';
import type { ApprovalGate } from '../../lib/policy/rules.ts';
import { makeGround, until, type Ground } from '../support/ground.ts';

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface Receiver {
  readonly url: string;
  readonly received: Received[];
}

/** A receiver on this machine; answers with the statuses given, then 204. */
async function receiver(t: { after(undo: () => void): void }, statuses: number[] = []): Promise<Receiver> {
  const received: Received[] = [];
  const server: Server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => { body += text; }).on('end', () => {
      received.push({ headers: request.headers, body });
      response.writeHead(statuses.shift() ?? 204, { location: 'http://127.0.0.1:1/' }).end();
    });
  });
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done); });
  t.after(() => { server.closeAllConnections(); server.close(); });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?token=s3cret`, received };
}

function governed(t: { after(undo: () => void): void }, url: string): Ground {
  const ground = makeGround(t);
  ground.write('project/.loki/policies.yaml', [
    'version: 1', 'policies:', '  pre_execution:', '    - name: publishing', '      when: \'command matches "npm publish*"\'', '      action: require_approval',
    '  approval_gates:', '    - name: all', '      phase: none', `      webhook: ${url}`, '',
  ].join('\n'));
  return ground;
}

const publish = '{"kind":"exec","command":"npm publish"}';
const allowed = { LOKI_ALLOWED_INTERNAL_HOSTS: '127.0.0.1' };

test('an approval that is asked for and decided is told by processes left behind, in order, with a signature that checks', { timeout: 60_000 }, async (t) => {
  const { url, received } = await receiver(t);
  const ground = governed(t, url);
  const asked = await ground.loki(['hook', 'generic'], { input: publish, env: allowed });
  const id = /apr_[0-9A-Z]{26}/.exec(asked.stdout)?.[0] ?? '';
  assert.equal(asked.exit, 5);
  await until('the request is told', () => received.length === 1);
  assert.equal((await ground.loki(['approve', id, '--yes'], { env: allowed })).exit, 0);
  await until('the decision is told', () => received.length === 2);
  const secret = Buffer.from(newestSecret(ground.installation()).slice('whsec_'.length), 'base64');
  for (const { headers, body } of received) {
    const expected = createHmac('sha256', secret).update(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`).digest('base64');
    assert.equal(headers['webhook-signature'], `v1,${expected}`);
    assert.ok(Math.abs(Date.now() / 1000 - Number(headers['webhook-timestamp'])) < 60);
  }
  assert.deepEqual(received.map(({ body }) => JSON.parse(body)).map(({ type, data }) => [type, data.id, data.status]), [['approval.request', id, 'pending'], ['approval.approve', id, 'approved']]);
  assert.deepEqual(received.map(({ headers }) => headers['webhook-id']), [`${id}_0_request`, `${id}_1_approve`]);
  await until('both are recorded', () => ground.entries().filter(({ event }) => event === 'integration.deliver').length === 2);
  assert.ok(!JSON.stringify(ground.entries().filter(({ event }) => String(event).startsWith('integration.'))).includes('s3cret'));
  assert.equal(statSync(join(ground.home, 'keys/webhook.secret')).mode & 0o777, 0o600);
});

test('without being listed this machine is not called: the message waits, and the doctor says why', { timeout: 60_000 }, async (t) => {
  const { url, received } = await receiver(t);
  const ground = governed(t, url);
  const asked = await ground.loki(['hook', 'generic'], { input: publish });
  assert.equal(asked.exit, 5, 'nobody waits for it');
  await until('it was tried', () => ground.entries().some(({ event }) => event === 'integration.fail'));
  assert.deepEqual(received, []);
  const doctor = await ground.loki(['doctor', 'approvals']);
  assert.match(doctor.stdout, /warn {2}webhooks +1 message for webhooks, .*it is not https/);
  assert.ok(!doctor.stdout.includes('s3cret'));
  const again = await ground.loki(['webhooks', 'send', '--again', '--json'], { env: allowed });
  assert.deepEqual([again.exit, JSON.parse(again.stdout)], [0, { delivered: 1, waiting: 0, given_up: 0, busy: false }]);
  assert.equal(received.length, 1);
});

test('a redirect is not followed', { timeout: 60_000 }, async (t) => {
  const { url, received } = await receiver(t, [307]);
  const ground = governed(t, url);
  await ground.loki(['hook', 'generic'], { input: publish, env: allowed });
  await until('it was tried', () => ground.entries().some(({ event }) => event === 'integration.fail'));
  assert.equal(received.length, 1);
  assert.match(JSON.stringify(ground.entries()), /answered 307; redirects are not followed/);
});

test('a change whose process dies between its record and its showing is told by whoever finishes it, under the same id', async (t) => {
  const ground = makeGround(t);
  const here = ground.installation();
  const log = openRecord(here);
  const first = await openApprovals(here, log.record);
  const request = { actionHash: 'a', policyDigest: 'p', sessionId: 's', projectId: 'prj_1', rule: 'r', reason: 'x', action: { kind: 'other' }, approvers: [], required: 1, timeoutMs: 60_000, requestedBy: 'agent:x', webhook: 'https://hook.example/' };
  const { id } = await first.room.request(request);
  const place = spoolPlace(here);
  assert.deepEqual(waitingNames(place), [`${id}_0_request.json`]);
  assert.ok(isDeliveryDue(here));
  const dying = await openApprovals(here, (event) => (event.event === 'approval.reject' ? Promise.reject(new Error('killed')) : log.record(event)));
  await assert.rejects(dying.room.decide({ id, outcome: 'reject', by: 'user:bob', proof: { kind: 'terminal' } }), /killed/);
  assert.deepEqual(waitingNames(place), [`${id}_0_request.json`], 'what is not recorded is not told');
  assert.equal((await first.room.wait(id, 0)).status, 'rejected');
  assert.deepEqual(waitingNames(place), [`${id}_0_request.json`, `${id}_1_reject.json`]);
  assert.ok(!JSON.stringify(await first.room.get(id)).includes('hook.example'), 'an approval does not show where it is told');
  for (const open of [first, dying]) await open.close();
  await log.close();
  assert.equal(readdirSync(place.directory).length, 2);
});

test('one process sends at a time', async (t) => {
  const ground = makeGround(t);
  const here = ground.installation();
  here.host.disk.ensureDirectory(join(ground.home, '..'), ground.home, 0o700);
  here.host.disk.ensureDirectory(ground.home, here.home.run, 0o700);
  const lock = here.host.lock(join(here.home.run, 'webhooks'));
  await lock.acquire(0);
  assert.equal(await deliverOnce(here, () => Promise.resolve({ seq: null, chain_hash: null })), undefined);
  lock.release();
  assert.deepEqual(await deliverOnce(here, () => Promise.resolve({ seq: null, chain_hash: null })), { delivered: 0, waiting: 0, givenUp: 0 });
});

test('a secret is made once, kept to its owner, and changed with the old one still in force', async (t) => {
  const ground = makeGround(t);
  const here = ground.installation();
  here.host.disk.ensureDirectory(join(ground.home, '..'), ground.home, 0o700);
  const first = newestSecret(here);
  assert.match(first, /^whsec_[A-Za-z0-9+/]{43}=$/);
  assert.equal(newestSecret(here), first);
  const told: string[] = [];
  await rotateSecret(here, (event) => { told.push(`${event.event} ${event.actor}`); return Promise.resolve({ seq: 1, chain_hash: null }); }, 'user:alice');
  const second = newestSecret(here);
  assert.notEqual(second, first);
  assert.deepEqual(webhookSecrets(here).map((bytes) => Buffer.from(bytes).toString('base64')), [second, first].map((text) => text.slice(6)));
  assert.deepEqual(told, ['auth.token.rotate user:alice']);
  here.host.disk.replace(ground.home, join(here.home.keys, 'webhook.secret'), Buffer.from('rubbish\n'), 0o600);
  assert.throws(() => webhookSecrets(here), { code: 'io.failed' });
});

test('gates of one phase are taken together: the strictest of each layer, and no yes by time unless every one says so', () => {
  const gate = (more: Partial<ApprovalGate>): ApprovalGate => ({ name: 'g', phase: 'deploy', approvers: [], required: 1, timeoutMinutes: 30, autoApproveOnTimeout: false, place: 'p', layer: 'project', ...more });
  const organisation = gate({ layer: 'organisation', autoApproveOnTimeout: true, approvers: ['user:alice'], required: 2, timeoutMinutes: 60 });
  assert.equal(termsOf([]), undefined);
  assert.deepEqual(termsOf([organisation]), { approvers: ['user:alice'], required: 2, timeoutMs: 3_600_000, onTimeout: 'approve' });
  assert.deepEqual(termsOf([organisation, gate({ approvers: ['user:mallory'], webhook: 'https://x.example/' })]), { approvers: ['user:alice'], required: 2, timeoutMs: 1_800_000, onTimeout: 'reject', webhook: 'https://x.example/' });
  assert.equal(termsOf([gate({ autoApproveOnTimeout: true })])?.onTimeout, 'reject');
});
