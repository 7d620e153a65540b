/** `npm run bench [name …] [--json]`: runs the benches whose names contain a given word, or all of them. */
import { cpus } from 'node:os';
import { apiBenches } from './api.bench.ts';
import { auditBenches } from './audit.bench.ts';
import { commandBenches } from './command.bench.ts';
import { httpHookBenches } from './http-hook.bench.ts';
import { hookBenches } from './hook.bench.ts';
import { merkleBenches } from './merkle.bench.ts';
import { outageBenches } from './outage.bench.ts';
import { policyBenches } from './policy.bench.ts';
import { policyLoadBenches } from './policy-load.bench.ts';
import { searchBenches } from './search.bench.ts';
import { streamBenches } from './streams.bench.ts';
import { storeBenches } from './store.bench.ts';
import { runBench, type Bench, type BenchResult, type Figure } from './harness.ts';

const benches: readonly Bench[] = [...apiBenches, ...auditBenches, ...merkleBenches, ...policyBenches, ...policyLoadBenches, ...commandBenches, ...httpHookBenches, ...hookBenches, ...searchBenches, ...streamBenches, ...storeBenches, ...outageBenches];

// `node --test` without names starts this file too, and a bench is no test.
if (process.env['NODE_TEST_CONTEXT'] !== undefined) process.exit(0);

const json = process.argv.includes('--json');
const words = process.argv.slice(2).filter((word) => !word.startsWith('-'));
const wanted = benches.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
if (wanted.length === 0) {
  console.error(`error: Cannot run a bench: none is called ${words.join(' ')}\nhint: There are: ${benches.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

const results: BenchResult[] = [];
for (const bench of wanted) {
  const result = await runBench(bench);
  results.push(result);
  if (!json) console.log(describe(result));
}
if (json) console.log(JSON.stringify({ node: process.version, platform: process.platform, cpu: cpus()[0]?.model ?? 'unknown', results }, null, 2));
process.exitCode = results.every(({ kept }) => kept) ? 0 : 1;

function describe({ name, unit, subject, floor, ratio, promise, kept, beside }: BenchResult): string {
  const more = beside === undefined ? '' : `\n       beside it: ratio ${beside.ratio.toFixed(2)}\n${line(beside.subject, unit)}\n${line(beside.floor, unit)}`;
  return `${kept ? 'kept  ' : 'BROKEN'} ${name}: ratio ${ratio.toFixed(2)}, promised ${promise}\n${line(subject, unit)}\n${line(floor, unit)}${more}`;
}

function line({ name, min, median, max }: Figure, unit: string): string {
  const each = (value: number): string => (value >= 1000 ? `${(value / 1000).toFixed(2)} ms` : `${value.toFixed(3)} us`);
  return `         ${name}: ${each(median)} each (${each(min)} to ${each(max)}), ${Math.round(1e6 / median).toLocaleString('en')} ${unit} a second`;
}
