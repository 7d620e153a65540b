/**
 * The certificate that the control plane is served with: read at start, looked at again from time to time, taken when it was
 * renewed. Refuses a key that everybody on the machine may read. A new pair that cannot be used is told and not taken: the one
 * in use goes on. Both files may be links, as the programs that renew certificates leave them.
 */
import type { Recorder } from '../audit/entry.ts';
import { checkServerPair, type NamedText, type ServerCertificate } from '../base/certificate.ts';
import { LokiError, messageOf } from '../errors.ts';
import type { ServerIdentity } from '../host/tls-options.ts';
import type { Disk } from '../ports.ts';
import type { Installation } from './installation.ts';

/** What is served, and what is known of it. */
export interface ServedPair {
  readonly identity: ServerIdentity;
  readonly certificate: ServerCertificate;
}

/** Watches over the files of a pair in use. */
export interface CertificateWatch {
  /** The one that is served now. */
  certificate(): ServerCertificate;
  /** Looks whether the files changed. Never rejects. */
  look(): Promise<void>;
  stop(): void;
}

const largestFile = 256 * 1024;
const lookEveryMs = 10_000;
/** Writing by others than its owner, any access by everybody. */
const tooOpen = 0o027;

/** The configured pair; undefined when there is none. Throws `config.invalid`. */
export function readServedPair(installation: Installation): ServedPair | undefined {
  const { host: { disk, clock }, config: { server: { tls } } } = installation;
  if (tls.cert === undefined || tls.key === undefined) return undefined;
  const [cert, key] = [readText(disk, tls.cert), readText(disk, tls.key)];
  const mode = disk.stat(disk.realpath(tls.key) ?? tls.key)?.mode ?? 0;
  if ((mode & tooOpen) !== 0) {
    throw new LokiError('config.invalid', {
      attempted: `serve TLS with "${tls.key}"`, found: `its mode is ${mode.toString(8).padStart(4, '0')}: others than its owner and group may use it`, hint: `chmod 600 "${tls.key}"`,
    });
  }
  return { identity: { cert: cert.text, key: key.text }, certificate: checkServerPair(cert, key, clock.now()) };
}

function readText(disk: Disk, path: string): NamedText {
  const bytes = disk.read(path, largestFile);
  if (bytes === undefined) throw new LokiError('config.invalid', { attempted: `serve TLS with "${path}"`, found: 'there is no such file' });
  return { path, text: Buffer.from(bytes).toString('latin1') };
}

/** `renew` gives a new pair to the server. */
export function watchServedPair(installation: Installation, served: ServedPair, renew: (identity: ServerIdentity) => void, record: Recorder): CertificateWatch {
  let current = served;
  let seen = signatureOf(installation);
  let suspect: string | undefined;
  const look = async (): Promise<void> => {
    const now = signatureOf(installation);
    if (now === seen) return;
    try {
      const next = readServedPair(installation);
      if (next !== undefined) {
        renew(next.identity);
        const before = current;
        [current, seen, suspect] = [next, now, undefined];
        if (next.certificate.fingerprint !== before.certificate.fingerprint) await tell(record, { from: before.certificate.fingerprint, to: next.certificate.fingerprint, valid_until: new Date(next.certificate.validUntil).toISOString() });
      }
    } catch (error) {
      // Two files are not replaced at once: what does not fit together now may do so at the next look.
      if (suspect !== now) suspect = now;
      else {
        seen = now;
        await tell(record, { kept: current.certificate.fingerprint, reason: messageOf(error) });
      }
    }
  };
  const stop = installation.host.timers.every(lookEveryMs, () => { void look(); });
  return { certificate: () => current.certificate, look, stop };
}

/** Told, not required: the certificate is in use whether or not that could be recorded. */
async function tell(record: Recorder, details: Readonly<Record<string, string>>): Promise<void> {
  await Promise.resolve(record({ event: 'config.change', actor: 'system', details: { what: 'certificate of the control plane', ...details } })).catch(() => undefined);
}

/** Differs whenever one of the files, or where it leads, is another one. */
function signatureOf({ host: { disk }, config: { server: { tls } } }: Installation): string {
  return [tls.cert, tls.key].map((path = '') => {
    const real = attempt(() => disk.realpath(path));
    const stat = real === undefined ? undefined : attempt(() => disk.stat(real));
    return [real, stat?.device, stat?.inode, stat?.size, stat?.modifiedMs, stat?.changedMs].join(' ');
  }).join('\n');
}

function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
