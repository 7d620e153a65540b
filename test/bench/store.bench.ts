/** Starting on a store of a million runs, held against reading the same snapshot and parsing every line of it. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bench } from './harness.ts';

const program = fileURLToPath(new URL(`../support/store-start.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url));

function start(what: 'fill' | 'open' | 'list' | 'parse', home: string): Readonly<Record<string, number>> {
  return JSON.parse(execFileSync(process.execPath, [...process.execArgv, program, what, home], { encoding: 'utf8' }));
}

/** A process each, as a start is: what one leaves in memory is no matter to the next. */
const starting: Bench = {
  name: 'store-start', unit: 'starts', rounds: 3, promise: { kind: 'at most', times: 2 },
  async prepare() {
    const home = realpathSync(mkdtempSync(join(tmpdir(), 'loki-bench-')));
    start('fill', home);
    const about = start('list', home);
    console.error(`store-start: ${Object.entries(about).map(([name, value]) => `${name} ${Math.round(value)}`).join(', ')}`);
    return {
      subject: { name: 'a store of 1,000,000 runs is opened, its checksums checked, and one run read', run() { start('open', home); return 1; } },
      floor: { name: 'its snapshot is read and every line parsed', run() { start('parse', home); return 1; } },
      clean: () => rmSync(home, { recursive: true, force: true }),
    };
  },
};

export const storeBenches: readonly Bench[] = [starting];
