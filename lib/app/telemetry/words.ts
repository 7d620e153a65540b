/** What others say of themselves, as telemetry may have it: names of tools and of agents, ids of sessions and calls. An agent can put anything there. */
import { sha256Hex } from '../../base/digest.ts';
import { isSubject } from '../../audit/protection/subjects.ts';
import { scanners } from '../../policy/scan/scanners.ts';

const plain = /^\w[\w.:-]{0,127}$/;

/** The word itself where it is short, plain and looks like no secret and no person; else its digest, which tells equal ones apart from others. */
export function wordOf(text: string): string {
  return plain.test(text) && !isSubject(text) && scanners.redact(text) === text ? text : `h${sha256Hex(text).slice(0, 16)}`;
}
