/** Embedded stores on a scratch folder of the real disk; each store object stands for a process of its own. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { createHost } from '../../lib/host/host.ts';
import { openEmbeddedStore } from '../../lib/store/embedded.ts';
import type { EmbeddedStoreOptions } from '../../lib/store/embedded.ts';
import type { Store } from '../../lib/store/store.ts';

/** A scratch LOKI_HOME and a way to open its store. Removed when the test file is done. */
export async function embeddedStores(): Promise<{ readonly home: string; readonly directory: string; open(options?: Partial<EmbeddedStoreOptions>): Promise<Store> }> {
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'loki-store-')));
  after(() => rmSync(home, { recursive: true, force: true }));
  return { home, directory: `${home}/dashboard/store`, open: (options = {}) => openStoreAt(home, options) };
}

/** The store of one home, as a process would open it. */
export async function openStoreAt(home: string, options: Partial<EmbeddedStoreOptions> = {}): Promise<Store> {
  const { disk, clock, timers, lock } = createHost(() => home);
  disk.ensureDirectory(home, `${home}/run`, 0o700);
  return openEmbeddedStore({ base: home, disk, clock, timers, lock: lock(`${home}/run/store`), ...options });
}
