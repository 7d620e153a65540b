/** What this process has used of the machine. */

export interface ProcessUsage {
  /** User and system, since the process began. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

export function processUsage(): ProcessUsage {
  const { user, system } = process.cpuUsage();
  return { cpuSeconds: (user + system) / 1e6, residentBytes: process.memoryUsage.rss() };
}
