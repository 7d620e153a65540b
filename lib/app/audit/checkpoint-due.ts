/**
 * Whether a process that is about to end, such as an agent's hook, finds a checkpoint due. It makes none itself: nobody may
 * wait for it. It leaves a command behind that does. Small, because every hook loads it.
 */
import { join } from '../../base/paths.ts';
import type { Installation } from '../installation.ts';
import { leaveBehind } from './leave-behind.ts';

/** What the process recorded. */
export interface Recorded {
  readonly entries: number;
  /** The number of its newest entry. */
  readonly seq: number;
  /** Whether it finished a file. */
  readonly turned: boolean;
}

/** Leaves `loki audit checkpoint` behind when one is due. Never throws. */
export function leaveCheckpoint(installation: Installation, recorded: Recorded): void {
  // The process of a session makes them for all that goes on in it.
  const reason = installation.surroundings.env['LOKI_SESSION_ID'] === undefined ? whyDue(installation, recorded) : undefined;
  if (reason === undefined) return;
  const { host: { disk }, home } = installation;
  try {
    // Others that end in the same moment see that one is on its way.
    disk.replace(home.home, claimPath(installation), new Uint8Array(), 0o600);
  } catch {
    return;
  }
  leaveBehind(installation, ['audit', 'checkpoint', '--reason', reason, '--quiet']);
}

function claimPath({ home }: Installation): string {
  return join(home.run, 'checkpoint-due');
}

/**
 * By number: when the count passes a multiple of `checkpoint_every`. By time: when the newest checkpoint is older than
 * `checkpoint_interval`, and so is the newest try at one; before the first one, the installation.
 */
function whyDue(installation: Installation, { entries, seq, turned }: Recorded): string | undefined {
  const { config: { audit }, host: { clock, disk }, home } = installation;
  if (entries === 0) return undefined;
  if (turned) return 'rotation';
  if (Math.floor(seq / audit.checkpointEvery) > Math.floor((seq - entries) / audit.checkpointEvery)) return 'entries';
  try {
    // A clock that was set back must not keep one from being made.
    const isRecent = (path: string): boolean => {
      const stat = disk.stat(path);
      return stat !== undefined && Math.abs(clock.now() - stat.modifiedMs) < audit.checkpointIntervalMs;
    };
    return [join(home.tlog, 'checkpoint'), claimPath(installation), join(home.run, 'lock.key')].some(isRecent) ? undefined : 'interval';
  } catch {
    return undefined;
  }
}
