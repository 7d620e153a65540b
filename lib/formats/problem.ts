/**
 * Errors for HTTP clients: problem details (RFC 9457). The status comes from the error table. What an unexpected error or
 * a failure inside the program says is for the log, not for the client: those answers carry only the request id to look
 * it up by.
 */
import { LokiError, errorMeanings, type ErrorCode, type Problem } from '../errors.ts';

export const problemMediaType = 'application/problem+json';

/** One mistake among several. */
export interface ProblemItem {
  readonly detail: string;
  /** Where in the body (RFC 6901). */
  readonly pointer?: string;
  /** Where in a text that the body holds, such as a policy; from 1. */
  readonly line?: number;
  readonly column?: number;
  readonly hint?: string;
}

/** Members in the order they are written. */
export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly hint: string;
  readonly request_id: string;
  readonly errors?: readonly ProblemItem[];
}

/** The document for any thrown value. `status` is the one of the error table when left out. */
export function problemDocument(error: unknown, requestId: string, status: number = statusOf(error)): ProblemDocument {
  const code = error instanceof LokiError ? error.code : 'internal';
  const common = { type: `urn:loki:problem:${code}`, title: titleOf(code), status };
  if (!(error instanceof LokiError) || status === 500) {
    const detail = 'Cannot answer the request: something failed inside the control plane';
    return { ...common, detail, code, hint: `Look for ${requestId} in the log of record`, request_id: requestId };
  }
  const errors = error.problems.map(({ message, ...rest }) => ({ detail: message, ...placeOf(rest) }));
  return {
    ...common, detail: error.message, code, hint: error.hint, request_id: requestId, ...(errors.length === 0 ? {} : { errors }),
  };
}

/** What is known of where a mistake is; never which file of this machine it is in. */
function placeOf({ pointer, line, column, hint }: Pick<Problem, 'pointer' | 'line' | 'column' | 'hint'>): Omit<ProblemItem, 'detail'> {
  return { ...(pointer === undefined ? {} : { pointer }), ...(line === undefined ? {} : { line }), ...(column === undefined ? {} : { column }), ...(hint === undefined ? {} : { hint }) };
}

/** Status of the answer that a thrown value becomes. */
export function statusOf(error: unknown): number {
  return errorMeanings[error instanceof LokiError ? error.code : 'internal'].status;
}

/** `request.media` reads "Request media": the same words for every error of a type, as RFC 9457 asks. */
function titleOf(code: ErrorCode): string {
  const words = code.replaceAll(/[._]/g, ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
