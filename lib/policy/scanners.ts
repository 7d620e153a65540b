/** What finds secrets and personal data. Handed in, so that it is loaded only where content is judged. */
import type { Finding } from '../base/action.ts';
import type { UserPattern } from './rules.ts';

export interface Scanners {
  secrets(text: string): readonly Finding[];
  pii(text: string): readonly Finding[];
  patterns(text: string, patterns: readonly UserPattern[], rule: string): readonly Finding[];
  /** The text with every secret in it replaced. */
  redact(text: string): string;
}
