/**
 * Sealing finished files, oldest first: each is read once, and when its chain holds and its neighbours fit, its seal is
 * written and an `audit.rotate` entry vouches for it. A file that does not hold gets no seal: it is evidence, and stays as
 * it is. The seal is on the medium before the entry; a crash in between is made good by the next round.
 */
import { isPlainObject, objectIn } from '../../base/json.ts';
import { LokiError, messageOf } from '../../errors.ts';
import { sha256Hex } from '../../base/digest.ts';
import { join } from '../../base/paths.ts';
import type { AuditEvent } from '../entry.ts';
import { compareFiles, parseLogFileName, plainName, type LogFileName } from '../files.ts';
import { openLogFile } from '../log-file.ts';
import { queryLog } from '../query.ts';
import { filesWithContent, writeOnce, type Kept, type KeepProblem } from './finished.ts';
import { openingOf, scanFile } from './scan.ts';
import { readSeal, sealPath, sealText, type Seal } from './seal.ts';

/** What a round of sealing did. */
export interface Sealed {
  readonly sealed: readonly string[];
  /** Whether the log vouches for every seal there is. */
  readonly isSure: boolean;
  readonly problems: readonly KeepProblem[];
}

/** Seals what is finished and has no seal yet. */
export async function sealFinished(kept: Kept): Promise<Sealed> {
  const files = filesWithContent(kept);
  const sealed: string[] = [];
  const problems: KeepProblem[] = [];
  const memory = { recorded: readRecorded(kept), isSure: true };
  for (const [at, name] of files.slice(0, -1).entries()) {
    const file = plainName(name.name);
    try {
      const known = readSeal(kept.disk, kept.base, kept.tlogDirectory, file);
      const seal = known ?? await sealFile(kept, name, files[at + 1]);
      if (typeof seal === 'string') problems.push({ file, found: seal });
      else {
        if (known === undefined) sealed.push(file);
        await recordRotation(kept, seal, known === undefined, memory);
      }
    } catch (error) {
      kept.signal?.throwIfAborted();
      if (error instanceof LokiError && error.code === 'audit.unwritable') throw error;
      // Its seal may be there all the same, and nobody vouches for it yet.
      memory.isSure = false;
      problems.push({ file, found: messageOf(error) });
    }
  }
  return { sealed, isSure: memory.isSure, problems };
}

/** Its new seal; or in words why it gets none. */
async function sealFile(kept: Kept, { name }: LogFileName, next: LogFileName | undefined): Promise<Seal | string> {
  const { disk, directory, tlogDirectory, timers, signal } = kept;
  const file = openLogFile(disk, directory, name);
  if (file === undefined || next === undefined) return 'it is gone';
  try {
    const scan = await scanFile(file, name, timers, { ...(signal === undefined ? {} : { signal }), onProgress: (done, total) => kept.onProgress?.(`sealing ${plainName(name)}`, done, total) });
    if ('broken' in scan) return scan.broken;
    const misfit = misfitAfter(kept, scan.seal, next);
    if (misfit !== undefined) return misfit;
    writeOnce(kept, sealPath(tlogDirectory, name), Buffer.from(sealText(scan.seal)));
    return scan.seal;
  } finally {
    file.close();
  }
}

/** The next file says after what it begins: a file that was cut at its end holds by itself, and does not fit. */
function misfitAfter({ disk, directory }: Kept, seal: Seal, next: LogFileName): string | undefined {
  const file = openLogFile(disk, directory, next.name);
  try {
    const opening = file === undefined ? undefined : openingOf(file);
    const fits = opening?.firstSeq === seal.last_seq + 1 && opening.previousHash === seal.last_hash;
    return fits ? undefined : `it ends at seq ${seal.last_seq}, and ${next.name} does not go on from there`;
  } finally {
    file?.close();
  }
}

/** The newest file whose seal the log vouches for, and whether that is so for all before it: they are taken in order. */
interface Memory {
  recorded: string | undefined;
  isSure: boolean;
}

/**
 * Records the seal, once. Which files have been is remembered beside the seals; where that was lost or not written any more,
 * the log itself is asked.
 */
async function recordRotation(kept: Kept, seal: Seal, isNew: boolean, memory: Memory): Promise<void> {
  const isKnown = memory.recorded !== undefined && !isAfter(seal.file, memory.recorded);
  if (isKnown && !isNew) return;
  if (isNew || !isInLog(kept, seal)) await kept.record(rotationOf(seal));
  if (isKnown || !memory.isSure) return;
  writeRecorded(kept, seal.file);
  memory.recorded = seal.file;
}

function rotationOf(seal: Seal): AuditEvent {
  const { file, first_seq, last_seq, entries, bytes, sha256, last_hash } = seal;
  return {
    event: 'audit.rotate', actor: 'system', resource: `file:${file}`,
    details: { file, first_seq, last_seq, entries, bytes, sha256, last_hash, seal_sha256: sha256Hex(sealText(seal)) },
  };
}

function isInLog({ disk, directory }: Kept, seal: Seal): boolean {
  for (const { resource, details } of queryLog(disk, directory, { event: 'audit.rotate', after: seal.last_seq })) {
    if (resource === `file:${seal.file}` || (isPlainObject(details) && details['file'] === seal.file)) return true;
  }
  return false;
}

function isAfter(file: string, other: string): boolean {
  const [a, b] = [parseLogFileName(file), parseLogFileName(other)];
  return a === undefined || b === undefined || compareFiles(a, b) > 0;
}

const recordedName = 'keeping.json';

function readRecorded({ disk, base, tlogDirectory }: Kept): string | undefined {
  const bytes = disk.readRecord(base, join(tlogDirectory, recordedName), 4096);
  const recorded = bytes === undefined ? undefined : objectIn(bytes)?.['recorded'];
  return typeof recorded === 'string' && parseLogFileName(recorded) !== undefined ? recorded : undefined;
}

function writeRecorded({ disk, base, tlogDirectory, fileMode }: Kept, recorded: string): void {
  disk.replace(base, join(tlogDirectory, recordedName), Buffer.from(`${JSON.stringify({ recorded })}\n`), fileMode);
}
