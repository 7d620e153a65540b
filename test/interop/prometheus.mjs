/** Prometheus and its promtool from Debian's package, installed or unpacked into a temporary folder. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The path of one of its programs; undefined when the package cannot be had. What is downloaded lands in `work`. */
export function prometheusIn(work) {
  const folder = unpack(work);
  return folder === undefined ? undefined : (name) => join(folder, 'usr/bin', name);
}

function unpack(work) {
  if (existsSync('/usr/bin/prometheus')) return '/';
  spawnSync('apt-get', ['download', '-q', 'prometheus'], { cwd: work, timeout: 120_000, stdio: 'ignore' });
  for (const file of readdirSync(work).filter((name) => name.endsWith('.deb'))) spawnSync('dpkg', ['-x', file, '.'], { cwd: work, timeout: 60_000, stdio: 'ignore' });
  return existsSync(join(work, 'usr/bin/prometheus')) ? work : undefined;
}
