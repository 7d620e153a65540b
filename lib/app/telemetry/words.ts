/** What others say of themselves, as telemetry may have it: names of tools and of agents, ids of sessions and calls. An agent can put anything there. */
import { sha256Hex } from '../../base/digest.ts';
import { scanners } from '../../policy/scan/scanners.ts';

const plain = /^\w[\w.-]{0,127}$/;
/** Nothing shorter is a secret by its form alone, and most names of tools are. */
const shortestSecret = 16;

/** Ids as we and most agents make them: looking for secrets in them costs more than all else that is told. */
const madeId = /^(?:[a-z]{3}_[0-7][0-9A-HJKMNP-TV-Z]{25}|(?:toolu|call)_[0-9A-Za-z]{24}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** The word itself where it is short, plain and looks like no secret; else its digest, which tells equal ones apart from others. */
export function wordOf(text: string): string {
  return plain.test(text) && (text.length < shortestSecret || madeId.test(text) || scanners.redact(text) === text) ? text : `h${sha256Hex(text).slice(0, 16)}`;
}
