/** Checks of what the log itself tells of troubles: torn tails, gaps, full disks, a clock that went back. */
import { join } from '../../base/paths.ts';
import { count, moment, ok, span, warn, type Check, type Outcome } from './check.ts';
import type { Scene } from './scene.ts';

/** A clock this much behind the newest entry is set wrong; less is the tick of two machines. */
const toleratedMs = 2000;
/** So many torn tails are no power cut any more. */
const manyTails = 10;

export const troubleChecks: readonly Check[] = [
  { name: 'newest entry', about: 'the end of the log, and the clock', look: newestEntry },
  { name: 'torn tails', about: 'ends of files that a power cut tore, kept aside', look: tornTails },
  { name: 'gaps', about: 'entries that could not be recorded (audit.gap)', look: (scene) => told(scene, 'audit.gap', 'entries were lost', 'loki enterprise audit tail --event audit.gap') },
  { name: 'full disk', about: 'times when the disk was full (audit.disk_full)', look: (scene) => told(scene, 'audit.disk_full', 'the disk was full', 'loki enterprise audit tail --event audit.disk_full') },
  { name: 'outcomes', about: 'allowed actions of which nothing says what became', look: outcomes },
];

function newestEntry(scene: Scene): Outcome {
  const { newest, failure, looked, whole } = scene.recent();
  if (failure !== undefined) return warn(`reading the log ended early: ${failure}`, 'loki audit verify');
  if (newest === undefined) return ok('nothing is recorded yet');
  const ahead = Date.parse(newest.timestamp) - scene.now;
  if (ahead > toleratedMs) return warn(`entry ${newest.seq} is dated ${span(ahead)} after this machine's clock: new entries keep its time until the clock is there`, 'Set the clock');
  return ok(`entry ${newest.seq} (${newest.event}) of ${newest.timestamp}; ${whole ? 'all' : 'the newest'} ${looked} were looked at for what follows`);
}

function tornTails({ installation: { host: { disk }, home } }: Scene): Outcome {
  const kept = disk.list(home.torn);
  if (kept.length === 0) return ok('none');
  const since = Math.min(...kept.map((name) => disk.stat(join(home.torn, name))?.modifiedMs ?? Number.POSITIVE_INFINITY));
  const found = `${count(kept.length, 'torn tail')} kept in ${home.torn}${Number.isFinite(since) ? ` since ${moment(since)}` : ''}; nobody had been told that they were recorded`;
  return kept.length < manyTails ? ok(found) : warn(found, 'So many are no power cut: look at the disk');
}

/** Between an action's decision and its outcome something may have died: whether it happened, only a look at the thing itself tells. */
async function outcomes({ installation }: Scene): Promise<Outcome> {
  const { unknownOutcomes } = await import('../audit/unknown-outcomes.ts');
  const { count: number, shown } = unknownOutcomes(installation);
  const newest = shown.at(-1);
  if (newest === undefined) return ok('none in the last day');
  return warn(`${count(number, 'action')} of the last day may or may not have happened, the newest: ${newest.kind} ${newest.what} (decision ${newest.seq}, ${newest.timestamp})`, 'Look whether each of them happened; loki resume goes on with a session that died');
}

/** How often the newest part of the log tells of it. */
function told(scene: Scene, event: string, words: string, look: string): Outcome {
  const { events, looked, whole } = scene.recent();
  const found = events.get(event);
  if (found === undefined) return ok(whole ? 'none' : `none in the newest ${looked} entries`);
  return warn(`${words} ${count(found.count, 'time')}${whole ? '' : ` in the newest ${looked} entries`}, the last time at ${found.newest.timestamp} (entry ${found.newest.seq})`, look);
}
