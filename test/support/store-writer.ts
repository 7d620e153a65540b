/**
 * A process that writes the store of a home until it is killed: `store-writer HOME NAME`. Each transaction writes one key of
 * its own and moves a counter that all writers share; each acknowledged one is a line `<key> <revision>` on standard output.
 */
import { writeSync } from 'node:fs';
import { openStoreAt } from './embedded-stores.ts';
import { endWithoutArguments } from './program.ts';

endWithoutArguments();
const [home = '', name = ''] = process.argv.slice(2);
const store = await openStoreAt(home, { journalBytes: 20_000 });

async function write(lane: number): Promise<never> {
  for (let n = 1; ; n += 1) {
    const key = `w/${name}-${lane}-${n}`;
    const counter = await store.get('counter');
    const count = typeof counter?.value === 'number' ? counter.value : 0;
    const outcome = await store.transact([{ key: 'counter', revision: counter?.revision ?? 0 }], [{ key: 'counter', value: count + 1 }, { key, value: 'x'.repeat(100) }]);
    if (outcome.committed) writeSync(1, `${key} ${outcome.revision}\n`);
  }
}

await Promise.all([write(1), write(2)]);
