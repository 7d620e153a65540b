/**
 * Keeps a log over and over until its standard input ends, and prints what it did. Arguments: LOKI_HOME, and `compress` (as
 * if it were tomorrow, so that today's files count as over) or `prune` (all but the newest five files).
 */
import { openInstallation } from '../../lib/app/installation.ts';
import { openRecord } from '../../lib/app/audit/record.ts';
import { keepOnce } from '../../lib/app/audit/keeping.ts';
import { endWithoutArguments } from './program.ts';

endWithoutArguments();
const [home = '', what = 'compress'] = process.argv.slice(2);
const env = { HOME: home, LOKI_HOME: home, ...(what === 'prune' ? { LOKI_AUDIT_MAX_FILES: '5', LOKI_AUDIT_COMPRESS: 'false' } : {}) };
const installation = openInstallation({ env, cwd: home, homeDirectory: home });
const { clock } = installation.host;
const tomorrow = { ...installation, host: { ...installation.host, clock: { ...clock, now: () => clock.now() + 24 * 3600_000 } } };
let isEnding = false;
process.stdin.resume().once('end', () => { isEnding = true; });

const log = openRecord(installation, { keeps: true });
while (!isEnding) {
  const { state, sealed, compressed, pruned, problems } = await keepOnce(what === 'prune' ? installation : tomorrow, log, { waitMs: 30_000 });
  if (state === 'done') process.stdout.write(`${JSON.stringify({ sealed: sealed.length, compressed: compressed.length, pruned: pruned.length, problems })}\n`);
  await new Promise((resolve) => { setTimeout(resolve, 20); });
}
await log.close();
