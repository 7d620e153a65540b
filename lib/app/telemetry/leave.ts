/**
 * Whether somebody should be left behind to send what was handed over: nobody is at it, something waits, and trying makes sense. Costs a few looks at
 * the disk. A receiver that was just asked in vain is not asked by every hook; what waits is taken over all the same before the folder is full.
 */
import { telemetrySection } from '../../config/sections/telemetry.ts';
import type { Installation } from '../installation.ts';
import { leaveBehind, leavesBehind } from '../audit/leave-behind.ts';
import { readAccount, type Account } from './account.ts';
import { look } from './handover-names.ts';
import { accountPlace, handoverPlace } from './parts.ts';
import { telemetryPlaces } from './places.ts';

/** A lock whose holder lives was renewed within this. */
const renewedWithinMs = 6_000;
/** No wait that was written down is longer. */
const longestWaitMs = 15 * 60_000;
/** With so many files somebody is started in any case. */
const manyFiles = 256;

/** Whether a process lives that sends. */
export function hasCourier({ host: { disk, clock }, home }: Installation): boolean {
  const held = disk.stat(`${telemetryPlaces(home).lock}.lock`);
  return held !== undefined && Math.abs(clock.now() - held.changedMs) < renewedWithinMs;
}

/** Whether a receiver stands in a configuration file. Whoever is left behind goes by those alone (`lib/app/audit/leave-behind.ts`). */
export function isSentByFiles({ config }: Installation): boolean {
  return config.telemetry.destinations.length > 0 || ['organisation', 'user'].includes(config.origin(telemetrySection.endpoint.key).layer);
}

export function isSendingDue(installation: Installation): boolean {
  if (!isSentByFiles(installation) || hasCourier(installation)) return false;
  const { batches } = look(handoverPlace(installation));
  if (batches.length === 0) return false;
  return batches.length >= manyFiles || waitOf(readAccount(accountPlace(installation)), installation.host.clock.now()) <= 0;
}

/** Until one of the receivers is to be tried again; nothing where one of them answers. */
function waitOf(account: Account | undefined, now: number): number {
  const waits = (account?.destinations ?? []).map(({ signals }) => Math.max(0, ...Object.values(signals).map(({ nextTry }) => (nextTry ?? 0) - now)));
  const wait = waits.length === 0 ? 0 : Math.min(...waits);
  return wait > longestWaitMs ? 0 : wait;
}

/** Leaves the sending behind, when something is to be sent by somebody else. Never throws. */
export function leaveTelemetry(installation: Installation): void {
  try {
    if (leavesBehind(installation) && isSendingDue(installation)) leaveBehind(installation, ['telemetry', 'send', '--linger', '10s', '--quiet']);
  } catch {
    return;
  }
}
