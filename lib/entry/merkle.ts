/** `loki-enterprise/merkle`: check Merkle trees, proofs and signed notes (RFC 6962, C2SP), as docs/formats/checkpoint.md describes them. */
import { root as rootOfHashes } from '../base/merkle/frontier.ts';
import { leafHash } from '../base/merkle/hash.ts';
import { openNote, parseVkey } from '../base/merkle/note.ts';
import { verifyConsistency, verifyInclusion, type ConsistencyClaim, type InclusionClaim } from '../base/merkle/proof.ts';

/** The root of the tree over these leaves' data, in order: for a log, its lines without line feeds. */
export function root(leaves: Iterable<Uint8Array>): Uint8Array {
  return rootOfHashes(hashes(leaves));
}

function* hashes(leaves: Iterable<Uint8Array>): Generator<Uint8Array> {
  for (const leaf of leaves) yield leafHash(leaf);
}

/**
 * Whether a signed note, such as a checkpoint, was signed by one of these keys (`<name>+<id>+<base64>`), and no signature
 * of theirs fails. A key that cannot be read signs nothing. Signatures of other keys say nothing.
 */
export function verifyNote(text: string | Uint8Array, vkeys: readonly string[]): boolean {
  return openNote(text, vkeys.map(parseVkey).filter((key) => key !== undefined)).ok;
}

export { leafHash, verifyConsistency, verifyInclusion, type ConsistencyClaim, type InclusionClaim };
