/** docs/api.md and the route table say the same. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { timers } from '../../lib/host/time.ts';
import { routeTable } from '../../lib/server/route-table.ts';
import { createStreams } from '../../lib/server/streams.ts';
import { webFiles } from '../../lib/server/web.ts';
import { createKit, send } from '../support/api-kit.ts';
import { packageRoot } from '../support/root.ts';

const manual = join(packageRoot, 'docs', 'api.md');
/** A vendored copy has no docs/. */
const page = existsSync(manual) ? readFileSync(manual, 'utf8') : undefined;
const { services } = createKit();
const parts = new Set(webFiles.map(({ path }) => path));
const paths = new Set(routeTable(services, createStreams(timers), () => false).map(({ path }) => path).filter((path) => path === '/' || !parts.has(path)));

test('docs/api.md lists every route, and no other', (t) => {
  if (page === undefined) return t.diagnostic('docs/ is not here: the routes were not compared');
  const table = page.slice(page.indexOf('## Routes'), page.indexOf('Filters of `/audit`'));
  const listed = new Set([...table.matchAll(/^\| (`\/[^|]*) \|/gm)].flatMap(([, cell = '']) => [...cell.matchAll(/`(\/[^`]*)`/g)].map(([, path = '']) => path)));
  return assert.deepEqual([...listed].sort(), [...paths].sort());
});

test('what docs/api.md calls with curl is answered as a request that is understood', async (t) => {
  if (page === undefined) return t.diagnostic('docs/ is not here: nothing was called');
  const { api } = createKit();
  const calls = [...page.matchAll(/curl .*?'?http:\/\/127\.0\.0\.1:57374(\/[^'\s]*)'?$/gm)].map(([, target = '']) => target);
  assert.ok(calls.length >= 7, String(calls.length));
  for (const target of calls) {
    const { status } = await send(api, target);
    assert.ok(status === 200 || (status === 404 && target.includes('run_01J8Z3T5C6D7E8F9G0H1J2K3M4')), `${target}: ${status}`);
  }
  return undefined;
});
