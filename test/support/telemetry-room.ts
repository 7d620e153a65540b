/** A folder for handed-over telemetry on the real disk, and destinations that keep what they are given. */
import { mkdirSync, mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Disk } from '../../lib/ports.ts';
import type { LooseFiles, SpoolFiles } from '../../lib/base/telemetry-ports.ts';
import type { AccountPlace } from '../../lib/app/telemetry/account.ts';
import type { Temporality } from '../../lib/app/telemetry/handover-names.ts';
import type { HandoverPlace } from '../../lib/app/telemetry/handover.ts';
import { createHost } from '../../lib/host/host.ts';
import { spoolDrivers } from '../../lib/host/spool-files.ts';
import type { Batch, DropReason, Signal } from '../../lib/telemetry/batch.ts';
import type { StandingDestination } from '../../lib/telemetry/export/options.ts';
import { createTestClock, type TestClock } from './fakes.ts';
import { removeFolder } from './remove.ts';

export interface TelemetryRoom {
  readonly home: string;
  readonly disk: Disk;
  readonly clock: TestClock;
  readonly place: HandoverPlace;
  readonly account: AccountPlace;
  readonly loose: LooseFiles;
}

export function telemetryRoom(t: { after(undo: () => void): void }): TelemetryRoom {
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'loki telemetry ')));
  t.after(() => removeFolder(home));
  mkdirSync(join(home, 'run'));
  const host = createHost(() => home);
  const clock = createTestClock();
  const { spoolFiles, looseFiles } = spoolDrivers(host);
  return {
    home, disk: host.disk, clock, loose: looseFiles,
    place: { files: spoolFiles, disk: host.disk, clock, random: host.random, base: home, folder: join(home, 'spool/telemetry/handed-over') },
    account: { disk: host.disk, loose: looseFiles, base: home, path: join(home, 'spool/telemetry/state.json') },
  };
}

/** A batch of a signal that holds nothing but its own word. */
export function batch(signal: Signal, word: string, items = 1): Batch {
  return { signal, items, body: JSON.stringify({ resourceSpans: [], word }) };
}

export interface KeepingDestination extends StandingDestination {
  /** Bodies, as they came. */
  readonly got: string[];
  /** Whether it takes files over now. */
  takes: boolean;
}

/** Takes everything at once. */
export function keepingDestination(files: SpoolFiles, name: string, signals: readonly Signal[] = ['traces', 'metrics', 'logs'], temporality: Temporality = 'cumulative'): KeepingDestination {
  const got: string[] = [];
  return {
    name, signals, temporality, got, takes: true,
    offer: ({ body }) => { got.push(body); },
    adopt(folder, file) {
      if (!this.takes) return false;
      const text = files.read(join(folder, file.name), 1 << 20);
      if (text !== undefined) got.push(text.trimEnd());
      return true;
    },
    flush: () => Promise.resolve(true),
    close: () => Promise.resolve(),
    stand: () => ({
      name, kind: 'otlp', state: 'direct', waiting: { items: 0, files: 0, fileBytes: 0, batches: 0, batchBytes: 0, oldest: null }, disk: null,
      signals: { traces: { state: 'direct', delivered: got.length, dropped: {}, lastSuccess: null, lastFailure: null, lastWarning: null, failures: 0, nextTry: null } },
    }),
  };
}

/** Drops as rows, for comparing. */
export type Row = readonly [Signal, DropReason, number];
