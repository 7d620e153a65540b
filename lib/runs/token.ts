/** Which run a token is for: only its hash is kept, at the root of the store, and it is good for as long as the run has not ended. */
import { secretsEqual } from '../base/digest.ts';
import { isPlainObject } from '../base/json.ts';
import { runOfToken, runTokenHash } from '../base/run-token.ts';
import type { Store } from '../store/store.ts';
import { tenantView } from '../store/tenant-view.ts';
import { readRun } from './progress.ts';
import { runKeys } from './run.ts';
import { hasEnded } from './state.ts';

/** The run and its tenant; undefined for a token that was not given out, or whose run has ended or tenant is gone. */
export async function runWithToken(root: Store, token: string): Promise<{ readonly run: string; readonly tenant: string | null } | undefined> {
  const run = runOfToken(token);
  const kept = run === undefined ? undefined : await keptOf(root, run);
  if (run === undefined || kept === undefined || !secretsEqual(kept.sha256, runTokenHash(token))) return undefined;
  if (kept.tenant_id !== null && await root.get(`tenants/${kept.tenant_id}`) === undefined) return undefined;
  const entry = await tenantView(root, kept.tenant_id).get(runKeys.run(run));
  return entry === undefined || hasEnded(readRun(entry.value).status) ? undefined : { run, tenant: kept.tenant_id };
}

async function keptOf(root: Store, runId: string): Promise<{ readonly tenant_id: string | null; readonly sha256: string } | undefined> {
  const value = (await root.get(runKeys.token(runId)))?.value;
  if (!isPlainObject(value)) return undefined;
  const { tenant_id, sha256 } = value;
  return typeof sha256 === 'string' && (tenant_id === null || typeof tenant_id === 'string') ? { tenant_id, sha256 } : undefined;
}
