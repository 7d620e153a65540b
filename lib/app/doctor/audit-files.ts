/** Checks of the log's files and of which events reach them: what hides events, what is missing, what waits for keeping. */
import { basename, join } from '../../base/paths.ts';
import { canBeExcluded, isEventName, levels, usualLevel, eventNames } from '../../audit/events.ts';
import { dayOf, logFiles, parseLogFileName, type LogFileName } from '../../audit/files.ts';
import { farAheadMs } from '../../audit/keeping/plan.ts';
import { readableFiles } from '../../audit/log-file.ts';
import { undo } from './audit-place.ts';
import { count, fail, names, ok, span, warn, type Check, type Outcome } from './check.ts';
import { firstSeq, type Scene } from './scene.ts';

const dayMs = 86_400_000;
/** Keeping runs hourly in what lives long, and after hooks; a file that waits longer has been forgotten. */
const patienceMs = 2 * dayMs;

export const fileChecks: readonly Check[] = [
  { name: 'events', about: 'events that level and exclude_events leave out', look: events },
  { name: 'other files', about: 'files in the log\'s folder that are no part of the log', look: strangers },
  { name: 'oldest entries', about: 'whether the log begins at its beginning', look: oldest },
  { name: 'twins', about: 'days that lie there both plain and compressed', look: twins },
  { name: 'keeping', about: 'finished files: sealed, compressed, not kept too long', look: keeping },
];

function events({ installation }: Scene): Outcome {
  const { level, excludeEvents } = installation.config.audit;
  const excludable = eventNames.filter((name) => isEventName(name) && canBeExcluded(name));
  const byLevel = excludable.filter((name) => isEventName(name) && levels.indexOf(usualLevel(name)) < levels.indexOf(level));
  const byList = excludable.filter((name) => excludeEvents.includes(name));
  const usual = levels.indexOf(level) <= levels.indexOf('info');
  const levelWords = byLevel.length === 0 ? '' : `level "${level}" leaves out ${usual ? names(byLevel) : byLevel.join(', ')}`;
  const listWords = byList.length === 0 ? '' : `exclude_events leaves out ${byList.join(', ')}`;
  const found = [levelWords, listWords].filter((words) => words !== '').join('; ');
  if (found === '') return ok('every event is recorded');
  if (byList.length > 0) return warn(found, undo(installation, 'enterprise.audit.exclude_events'));
  return usual ? ok(`${found}; LOKI_AUDIT_LEVEL=debug records it too`) : warn(found, 'export LOKI_AUDIT_LEVEL=info');
}

function strangers({ installation: { host: { disk }, home } }: Scene): Outcome {
  const others = disk.list(home.audit).filter((name) => parseLogFileName(name) === undefined);
  if (others.length === 0) return ok('none');
  return ok(`${names(others)}: no part of the log, harmless; verification passes ${others.length === 1 ? 'it' : 'them'} over, a log shipper may not`);
}

/** Pruning leaves a signed statement of what it took; other ways of removing old files leave none. */
function oldest(scene: Scene): Outcome {
  const { installation: { host: { disk }, home } } = scene;
  const first = firstSeq(scene);
  if (first === undefined) return logFiles(disk.list(home.audit)).length === 0 ? ok('there is no entry yet') : warn('no file begins with an entry', 'loki audit verify');
  if (first.seq === 1) return ok(`entry 1 is there, in ${first.file}`);
  const stated = Math.max(0, ...disk.list(home.tlog).map((name) => Number(/^prune-(\d{1,16})$/.exec(name)?.[1] ?? 0)));
  if (stated >= first.seq - 1) return ok(`the log begins at entry ${first.seq}; a signed statement says what pruning took before`);
  return warn(
    `the log begins at entry ${first.seq}, and no statement says what became of ${stated === 0 ? '' : `${stated + 1} to `}${first.seq - 1}: as after find -delete or another cleaning by hand. What is left is whole; verification says "incomplete"`,
    'Restore the files from a copy; from now on let retention_days and loki audit prune remove old ones',
  );
}

function twins({ installation: { host: { disk }, home } }: Scene): Outcome {
  const all = disk.list(home.audit);
  const both = all.filter((name) => parseLogFileName(name)?.compressed === false && all.includes(`${name}.gz`));
  if (both.length === 0) return ok('none');
  return warn(`${names(both)} and the same compressed: compressing was broken off; the plain file is the one that is read`, 'loki audit keep');
}

function keeping({ installation, now }: Scene): Outcome {
  const { host: { disk }, home, config } = installation;
  const finished = readableFiles(disk, home.audit).slice(0, -1);
  if (finished.length === 0) return ok('no file is finished yet');
  const seals = new Set(disk.list(join(home.tlog, 'seals')));
  const waiting = finished.filter(({ name }) => now - (disk.stat(join(home.audit, name))?.modifiedMs ?? now) > patienceMs);
  const unsealed = waiting.filter(({ name }) => !seals.has(`${name.replace(/\.gz$/, '')}.json`));
  const plain = config.audit.compress ? waiting.filter(({ compressed }) => !compressed) : [];
  const late = pastRetention(finished, now, config.audit.retentionDays);
  const tooMany = config.audit.maxFiles === undefined ? 0 : Math.max(0, finished.length + 1 - config.audit.maxFiles);
  const troubles = [
    [unsealed.length, `${count(unsealed.length, 'file')} without a seal`], [plain.length, `${count(plain.length, 'file')} not compressed`],
    [late.length, `${count(late.length, 'file')} older than retention_days (${config.audit.retentionDays})`], [tooMany, `${count(tooMany, 'file')} more than max_files`],
  ] as const;
  const found = troubles.flatMap(([number, words]) => (number === 0 ? [] : [words]));
  if (found.length === 0) return ok(`${count(finished.length, 'finished file')}${config.audit.compress ? '' : '; compression is off: LOKI_AUDIT_COMPRESS=true'}`);
  return warn(`for more than ${span(patienceMs)}: ${found.join(', ')}`, late.length > 0 && isFarAhead(finished, now) ? 'loki audit keep; then loki audit prune, which asks: the clock is far ahead of the finished entries' : 'loki audit keep');
}

/** Then keeping removes nothing by its age. */
function isFarAhead(finished: readonly LogFileName[], now: number): boolean {
  return now > Date.parse(`${finished.at(-1)?.day ?? ''}T00:00:00.000Z`) + dayMs + farAheadMs;
}

function pastRetention(finished: readonly LogFileName[], now: number, days: number): readonly LogFileName[] {
  const last = dayOf(Math.max(0, now - days * dayMs - patienceMs));
  return finished.filter(({ day }) => day < last);
}

/** Where the log stands by the newest checkpoint, against where it ends: used by the checks of checkpoints. */
export function endsBefore(size: number, scene: Scene): Outcome | undefined {
  const { newest } = scene.recent();
  const last = newest?.seq ?? 0;
  if (last >= size) return undefined;
  return fail(`the newest checkpoint covers ${size} entries, and the log ends at ${last}: entries were cut off`, `loki audit verify, and compare with a copy of ${basename(scene.installation.home.audit)}`);
}
