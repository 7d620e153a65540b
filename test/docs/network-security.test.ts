/** docs/network-security.md says what is so: its settings can be read, its limits are the ones in force, its files and links exist. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { resolveConfig } from '../../lib/config/resolve.ts';
import { usualHttpLimits } from '../../lib/host/http-server.ts';
import { longestBody } from '../../lib/server/body.ts';
import { usualStreamLimits } from '../../lib/server/streams.ts';
import { blocks, page } from '../support/page.ts';
import { packageRoot } from '../support/root.ts';

const name = 'docs/network-security.md';

test('its configurations are accepted, and say what the page says', (t) => {
  const text = page(t, name);
  if (text === undefined) return;
  const [own, behind] = blocks(text, 'yaml').map((yaml) => resolveConfig({
    env: {}, files: [{ layer: 'user', path: 'config.yaml', text: yaml }], facts: { hostname: 'h', homeDir: '/home/u' },
  }));
  assert.deepEqual([own?.auth.enabled, own?.server.host, own?.server.tls.cert, own?.server.drain], [true, '0.0.0.0', '/etc/loki/tls/fullchain.pem', 5000]);
  assert.deepEqual([behind?.auth.enabled, behind?.server.trustedProxies, behind?.server.drain], [true, ['10.0.0.1'], 10_000]);
});

test('its table of limits has the numbers in force', (t) => {
  const text = page(t, name);
  if (text === undefined) return;
  const limits = new Map([...text.slice(text.indexOf('## Limits')).matchAll(/^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)].map(([, what = '', limit = '']) => [what, limit] as const));
  const { connections, headerBytes, headersMs, requestMs, keepAliveMs, idleMs, slowReaderMs } = usualHttpLimits;
  assert.equal(limits.get('connections'), String(connections));
  assert.ok(limits.get('header fields of a request')?.startsWith(`${headerBytes / 1024} KiB, `));
  assert.equal(limits.get('time to send the header fields, or to shake hands'), `${headersMs / 1000} s`);
  assert.equal(limits.get('time to send the whole request'), `${requestMs / 1000} s`);
  assert.ok(limits.get('a body')?.startsWith(`${longestBody / 1024 / 1024} MiB `));
  assert.equal(limits.get('an idle connection'), `${keepAliveMs / 1000} s between requests, ${idleMs / 1000} s in one`);
  assert.equal(limits.get('a reader of a stream that takes nothing'), `${slowReaderMs / 1000} s`);
  assert.equal(limits.get('event streams'), `${usualStreamLimits.all}, of one caller ${usualStreamLimits.perCaller}`);
});

test('files and links that it names exist', (t) => {
  const text = page(t, name);
  if (text === undefined) return;
  for (const [, target = ''] of text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)) assert.ok(existsSync(join(packageRoot, 'docs', target)), target);
  for (const [, file = ''] of text.matchAll(/`(test\/[\w/.-]+)`/g)) assert.ok(existsSync(join(packageRoot, file)) || existsSync(join(packageRoot, 'dist', file.replace(/\.ts$/, '.js'))), file);
});
