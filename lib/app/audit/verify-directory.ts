/** Verification of a log of record in a directory of its own, as `loki-enterprise/audit` keeps one. */
import type { Disk, Timers } from '../../ports.ts';
import { join } from '../../base/paths.ts';
import { parseVkey } from '../../base/merkle/note.ts';
import type { Recorder } from '../../audit/entry.ts';
import { readableFiles } from '../../audit/log-file.ts';
import { readKnownKeys } from '../../audit/tlog/key.ts';
import { openTreeReader } from '../../audit/tlog/reader.ts';
import { recordedCheckpoints } from '../../audit/verify/recorded.ts';
import type { ChainReport, VerifyLogOptions } from '../../audit/verify/report.ts';
import { verifyChain, type TreeSide } from '../../audit/verify.ts';

/** Where the log lies; `tlog` and `keys` lie below `base`. */
export interface LogPlace {
  readonly disk: Disk;
  readonly timers: Timers;
  readonly base: string;
  readonly directory: string;
  readonly record: Recorder;
}

const largestCheckpoint = 1 << 16;

export async function verifyAndTell(place: LogPlace, { signal, against = [], vkeys = [], record = true }: VerifyLogOptions): Promise<ChainReport> {
  const { disk, timers, directory } = place;
  const list = (): readonly string[] => readableFiles(disk, directory).map(({ name }) => name);
  const tree = treeOf(place, against, vkeys);
  try {
    const report = await verifyChain({ chain: 'record', directory, names: list(), list }, { disk, timers, tree, ...(signal === undefined ? {} : { signal }) });
    const { verdict, entries_checked: entries } = report;
    // A log that is gone must not be begun anew by telling of it; one that cannot be written keeps nobody from verifying.
    if (record && entries > 0) await place.record({ event: 'audit.verify', actor: 'system', details: { verdict, entries, chains: ['record'], mode: 'full', against: against.length } }).catch(() => undefined);
    return report;
  } finally {
    tree.reader?.close();
  }
}

function treeOf({ disk, base, directory }: LogPlace, against: readonly string[], vkeys: readonly string[]): TreeSide {
  const keys = [...readKnownKeys({ disk, base, directory: join(base, 'keys') }), ...vkeys.map(parseVkey).filter((key) => key !== undefined)];
  const tlog = join(base, 'tlog');
  const path = join(tlog, 'checkpoint');
  return {
    path, keys, against: against.map((note, at) => ({ from: `checkpoint ${at + 1}`, note })), reader: openTreeReader({ disk, base, directory: tlog, keys }),
    look() {
      const recorded = recordedCheckpoints(disk, directory).get('record');
      return { recorded, newest: disk.readRecord(base, path, largestCheckpoint) };
    },
  };
}
