/** JSON Web Tokens (RFC 7519) as they are, and in base64 once more. */
import { characters, endsWord, startsWord } from '../matcher.ts';
import type { Detector, Scan } from '../scan.ts';

const part = characters('A-Za-z0-9_/\\-');
const base64 = characters('A-Za-z0-9+/_-');
const [leastHeader, leastPayload, leastSignature] = [17, 17, 10];
const leastEncoded = 60;

/** Header and payload, each base64 of an object and so beginning with `ey`, and a signature, which may be missing. */
const plain: Detector = {
  text: 'ey',
  found(scan: Scan, at: number): void {
    const { text, runs } = scan;
    if (!text.startsWith('ey', at) || !startsWord(text, at)) return;
    const header = runs.end(at, part);
    if (header - at < leastHeader || !text.startsWith('.ey', header)) return;
    const payload = runs.end(header + 1, part);
    if (payload - header < leastPayload || text.charAt(payload) !== '.') return;
    const end = runs.end(payload + 1, part);
    const signed = end - payload > leastSignature;
    if (!signed && end > payload + 1 && !endsWord(text, end)) return;
    scan.report({ rule: 'json-web-token', offset: at, length: end - at, confidence: signed ? 'high' : 'medium' }, 'own');
  },
};

/** `eyJ` in base64. */
const encoded: Detector = {
  text: 'zxlk',
  found(scan: Scan, at: number): void {
    const { text, runs } = scan;
    if (!text.startsWith('ZXlK', at) || !startsWord(text, at)) return;
    const end = runs.end(at, base64);
    if (end - at >= leastEncoded) scan.report({ rule: 'json-web-token', offset: at, length: end - at, confidence: 'medium' }, 'own');
  },
};

export const jsonWebTokens: readonly Detector[] = [plain, encoded];
