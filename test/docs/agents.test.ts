/** docs/agents against the program: a page for each agent, with each event that is asked for and each version that was recorded. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { agentTable } from '../../lib/agents/adapters.ts';
import { hookEvents } from '../../lib/agents/hook-events.ts';
import { fixture, packageRoot } from '../support/root.ts';

const folder = join(packageRoot, 'docs', 'agents');
const skip = existsSync(folder) ? false : 'a vendored copy of dist/ comes without docs/';

for (const { name } of agentTable) {
  test(`the page on ${name} tells of each event that is asked for, what holds against switching off, and what is not seen`, { skip }, () => {
    const page = readFileSync(join(folder, `${name}.md`), 'utf8');
    const untold = hookEvents[name].filter(({ event }) => !page.includes(`\`${event}\``)).map(({ event }) => event);
    assert.deepEqual(untold, []);
    for (const heading of ['## What is asked and told', '## Approvals', '## Output', '## Not seen']) assert.ok(page.includes(heading), heading);
    assert.match(page, /## Ways to switch/);
  });

  test(`the page on ${name} says with which version it was tried, as recorded`, { skip }, () => {
    const versions = existsSync(fixture('agents', name)) ? readdirSync(fixture('agents', name)) : [];
    const page = readFileSync(join(folder, `${name}.md`), 'utf8');
    if (versions.length === 0) assert.match(page, /Not run here/);
    for (const version of versions) {
      assert.ok(page.includes(version), version);
      assert.ok(readFileSync(join(folder, 'README.md'), 'utf8').includes(version), version);
    }
  });
}
