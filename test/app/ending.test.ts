/** How processes that live long end, and what is in the log then. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import test from 'node:test';
import { openLongLivedRecord } from '../../lib/app/audit/long-lived.ts';
import { startForwarding } from '../../lib/app/audit/forwarding.ts';
import { makeGround, until, type Ground } from '../support/ground.ts';

const events = (ground: Ground): readonly unknown[] => ground.entries().map(({ event }) => event);

/** A control plane that has just been asked something: the entries about it wait to be written. */
async function justAsked(ground: Ground): Promise<void> {
  await until('it listens', () => existsSync(join(ground.home, 'run/address')));
  const [url, token] = ['address', 'token'].map((name) => readFileSync(join(ground.home, 'run', name), 'utf8').trim());
  const answer = await fetch(`${url}/api/v2/audit`, { headers: { authorization: `Bearer ${token}`, connection: 'close' } });
  await answer.text();
}

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  test(`${signal} ends the control plane in order: what waited is written, the end recorded, a checkpoint made`, async (t) => {
    const ground = makeGround(t);
    const child = ground.start(['dashboard', '--port', '0', '--json']);
    await justAsked(ground);
    child.kill(signal);
    // A closed terminal says so twice.
    if (signal === 'SIGHUP') child.kill(signal);
    assert.deepEqual(await once(child, 'exit'), [0, null]);
    assert.deepEqual(events(ground).filter((event) => ['api.request', 'audit.close', 'audit.checkpoint', 'audit.gap'].includes(String(event))), ['api.request', 'audit.close', 'audit.checkpoint']);
    assert.equal(existsSync(join(ground.home, 'run/address')), false);
  });
}

test('what forwarding says at its end is in the log', async (t) => {
  const ground = makeGround(t);
  // Nobody listens there.
  const installation = ground.installation({ LOKI_AUDIT_SYSLOG_HOST: '127.0.0.1', LOKI_AUDIT_SYSLOG_PORT: '9', LOKI_AUDIT_SYSLOG_PROTOCOL: 'tcp' });
  const log = await openLongLivedRecord(installation, 'control plane');
  await log.record({ event: 'policy.allow', actor: 'system', details: {} });
  await log.close();
  const forwarding = startForwarding(installation, log);
  await forwarding.stop();
  await log.close();
  assert.ok(events(ground).includes('syslog.error'));
  assert.deepEqual(readdirSync(join(ground.home, 'run')).filter((name) => name === 'unheard'), []);
});
