/** Sign-on as the settings put it together: which provider, which authorities, and what is kept of it on disk. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { prepareHome } from '../../lib/app/installation.ts';
import { openSignOn, readAuthorities } from '../../lib/app/sign-on.ts';
import { createKit } from '../support/api-kit.ts';
import { makeGround } from '../support/ground.ts';
import { createProvider, issuerName } from '../support/issuer-kit.ts';

const start = { origin: 'http://127.0.0.1:1', returnTo: undefined, fresh: false, cookie: undefined };

test('a provider\'s documents are kept for its owner alone, and a restart without a network begins from them', async (t) => {
  const ground = makeGround(t);
  prepareHome(ground.installation());
  const { store, services: { record, keys } } = createKit();
  const provider = createProvider();
  const env = { LOKI_OIDC_ISSUER: issuerName, LOKI_OIDC_CLIENT_ID: 'loki-client', LOKI_OIDC_CLIENT_SECRET: 'sesame', LOKI_OIDC_REDIRECT_URI: 'https://loki.example.com/auth/callback' };
  const open = (): ReturnType<typeof openSignOn> => openSignOn(ground.installation(env), { store, record, keys, ca: undefined, http: provider.http });
  const service = open();
  assert.deepEqual([service.issuer, service.secure, provider.asked.length], [issuerName, true, 0], 'nothing is asked before somebody signs in');
  const { location, cookies } = await service.begin(start);
  assert.equal(new URL(location).searchParams.get('redirect_uri'), 'https://loki.example.com/auth/callback');
  assert.match(cookies.join(), /^__Host-loki-sign-on-.*; Secure$/);
  const folder = join(ground.home, 'keys/issuers');
  const files = readdirSync(folder);
  assert.equal(files.length, 1);
  for (const file of files) {
    assert.equal(statSync(join(folder, file)).mode & 0o777, 0o600);
    assert.doesNotMatch(readFileSync(join(folder, file), 'utf8'), /sesame/);
  }
  provider.down = true;
  assert.ok((await open().begin(start)).location.startsWith(`${issuerName}/authorize`));
  writeFileSync(join(folder, files[0] ?? ''), '{"issuer":"https://evil.example.com"}');
  await assert.rejects(open().begin(start), { code: 'auth.issuer', message: /ECONNREFUSED/ });
});

test('without a provider nobody signs in, and a file of authorities that is not there is told at start', async (t) => {
  const ground = makeGround(t);
  prepareHome(ground.installation());
  const { store, services: { record, keys } } = createKit();
  const service = openSignOn(ground.installation(), { store, record, keys, ca: readAuthorities(ground.installation()) });
  assert.deepEqual([service.issuer, service.secure], [undefined, false]);
  await assert.rejects(service.begin(start), { code: 'not_found', message: /no identity provider is configured/ });
  writeFileSync(join(ground.home, 'config.yaml'), 'enterprise:\n  auth:\n    oidc:\n      ca: /nowhere/ca.pem\n', { mode: 0o600 });
  assert.throws(() => readAuthorities(ground.installation()), { code: 'config.invalid', message: /there is no file \/nowhere\/ca\.pem/ });
});
