/** Where the control plane of this installation says that it listens. */
import { join } from '../base/paths.ts';
import type { Installation } from './installation.ts';

/** Where a running control plane writes down its address, for the command line and the built-in rules. */
export function addressFile({ home }: Installation): string {
  return join(home.run, 'address');
}

/** The address of the control plane that runs here, if one has written it down. */
export function runningAddress(installation: Installation): string | undefined {
  const bytes = installation.host.disk.readRecord(installation.home.home, addressFile(installation), 256);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8').trim();
}
