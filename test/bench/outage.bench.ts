/**
 * An hour of a receiver that is away, at 1,000 spans a second: what a batch costs who makes it, held against writing the same bytes to a file. That memory is flat, the
 * disk bounded, and everything within the bound delivered afterwards, in order, is looked at in the same run, and ends the bench when it is not so.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bench } from './harness.ts';

const program = fileURLToPath(new URL(`../support/outage.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url));

interface Figures {
  readonly offerUs: number;
  readonly plainUs: number;
  readonly heapBefore: number;
  readonly heapAfter: number;
  readonly rssBefore: number;
  readonly rssAfter: number;
  readonly mostOnDiskMb: number;
  readonly offered: number;
  readonly waiting: number;
  readonly delivered: number;
  readonly dropped: { readonly spool_full?: number };
  readonly inOrder: boolean;
  readonly left: number;
}

/** MiB by which memory may be larger after the hour than once the folder was full: what a collector of garbage has not got round to. */
const [mostHeap, mostRss] = [8, 48];
const spoolMb = 64;

function anHour(): Figures {
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'loki-bench-')));
  try {
    const figures: Figures = JSON.parse(execFileSync(process.execPath, ['--expose-gc', ...process.execArgv, program, home], { encoding: 'utf8' }));
    console.error(`outage: ${Object.entries(figures).map(([name, value]) => `${name} ${typeof value === 'number' ? Math.round(value * 10) / 10 : JSON.stringify(value)}`).join(', ')}`);
    const broken = promises.filter(([, isKept]) => !isKept(figures)).map(([words]) => words);
    if (broken.length > 0) throw new Error(`an hour without a receiver: broken is: ${broken.join('; ')}`);
    return figures;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

const promises: readonly (readonly [words: string, isKept: (figures: Figures) => boolean])[] = [
  ['the heap is flat', ({ heapBefore, heapAfter }) => heapAfter - heapBefore <= mostHeap],
  ['the memory of the process is flat', ({ rssBefore, rssAfter }) => rssAfter - rssBefore <= mostRss],
  ['the disk is bounded', ({ mostOnDiskMb }) => mostOnDiskMb <= spoolMb],
  ['what was dropped is counted', ({ offered, waiting, dropped }) => waiting + (dropped.spool_full ?? 0) === offered],
  ['everything that waited is delivered', ({ waiting, delivered, left }) => waiting > 0 && delivered === waiting && left === 0],
  ['it is delivered in order', ({ inOrder }) => inOrder],
];

const outage: Bench = {
  name: 'telemetry-outage', unit: 'batches', rounds: 1, promise: { kind: 'at most', times: 4 },
  async prepare() {
    // It writes more than a gigabyte: once, also for the warm-up. The floor is measured within it, in turn: every eighth batch.
    const figures = anHour();
    return {
      subject: { name: 'a batch of 512 spans is offered while the receiver is away', run: () => ({ microseconds: figures.offerUs }) },
      floor: { name: 'the same bytes are written to a file, and the oldest is removed', run: () => ({ microseconds: figures.plainUs }) },
      clean: () => undefined,
    };
  },
};

export const outageBenches: readonly Bench[] = [outage];
