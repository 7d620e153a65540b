/** Trees of more leaves than 32 bits count: made of complete subtrees whose leaves are all the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Frontier } from '../../../lib/base/merkle/frontier.ts';
import { leafHash, nodeHash, sameHash } from '../../../lib/base/merkle/hash.ts';
import { consistencyProof, inclusionProof, rootOf, verifyConsistency, verifyInclusion } from '../../../lib/base/merkle/proof.ts';
import { parts } from '../../../lib/base/merkle/subtree.ts';

const leaf = leafHash(Buffer.from('entry'));
const levels: Uint8Array[] = [leaf];
while (levels.length < 54) { const below = levels.at(-1) ?? leaf; levels.push(nodeHash(below, below)); }
const hashOf = ({ level }: { readonly level: number }): Uint8Array => levels[level] ?? assert.fail(String(level));

test('growing, proving and checking at the edges of 2^31, 2^32 and 2^52', () => {
  for (const edge of [2 ** 31, 2 ** 32, 2 ** 32 + 2 ** 31 + 12_345, 2 ** 52]) {
    for (const size of [edge - 1, edge, edge + 1]) {
      const frontier = Frontier.of(size, parts(size).map(hashOf));
      const root = rootOf(size, hashOf);
      assert.ok(sameHash(frontier.root(), root), String(size));
      const completed: number[] = [];
      frontier.append(Buffer.from(leaf), 0, (level) => completed.push(level));
      const grown = rootOf(size + 1, hashOf);
      assert.ok(sameHash(frontier.root(), grown) && frontier.size === size + 1, String(size));
      assert.deepEqual(completed, Array.from({ length: completed.length }, (_, level) => level));
      assert.ok((size + 1) % 2 ** (completed.length - 1) === 0 && (size + 1) % 2 ** completed.length !== 0);
      for (const index of [0, 2 ** 31 - 2, size - 1]) {
        assert.ok(verifyInclusion({ leafHash: leaf, index, size, proof: inclusionProof(index, size, hashOf), root }), `${index} of ${size}`);
      }
      assert.ok(verifyConsistency({ size1: size, size2: size + 1, root1: root, root2: grown, proof: consistencyProof(size, size + 1, hashOf) }), String(size));
    }
  }
});
