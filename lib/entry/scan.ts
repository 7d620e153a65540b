/** `loki-enterprise/scan`: find credentials and personal data in text. Findings say where and what, never the text itself. */
export { redact, scanPii, scanSecrets } from '../policy/scan/scanners.ts';
export type { ScanOptions, SecretOptions } from '../policy/scan/scanners.ts';
export type { Finding } from '../base/action.ts';
