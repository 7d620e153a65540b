/** Trees and proofs against published vectors, and every pair of small sizes against each other. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Frontier, root } from '../../../lib/base/merkle/frontier.ts';
import { parts, type Subtree } from '../../../lib/base/merkle/subtree.ts';
import { emptyRoot, leafHash, nodeHash } from '../../../lib/base/merkle/hash.ts';
import { consistencyProof, inclusionProof, rootOf, verifyConsistency, verifyInclusion } from '../../../lib/base/merkle/proof.ts';
import { fixture } from '../../support/root.ts';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));
const asHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const base64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));

interface CtTree {
  readonly leaves: readonly string[]; readonly roots: readonly string[]; readonly empty: string;
  readonly leaf: { readonly data: string; readonly hash: string };
  readonly node: { readonly left: string; readonly right: string; readonly hash: string };
  readonly inclusion: { readonly index: number; readonly size: number; readonly proof: readonly string[] };
  readonly consistency: readonly { readonly size1: number; readonly size2: number; readonly proof: readonly string[] }[];
}
const ct: CtTree = JSON.parse(readFileSync(fixture('merkle', 'ct-tree.json'), 'utf8'));

/** Subtree hashes of a tree, by definition: from the leaves each time. */
function hashesOf(leaves: readonly Uint8Array[]): (subtree: Subtree) => Uint8Array {
  const hashOf = ({ level, index }: Subtree): Uint8Array => {
    if (level === 0) return leaves[index] ?? assert.fail(`leaf ${index} is not there`);
    return nodeHash(hashOf({ level: level - 1, index: 2 * index }), hashOf({ level: level - 1, index: 2 * index + 1 }));
  };
  return hashOf;
}

test('hashes and roots are those of RFC 6962\'s published tree', () => {
  assert.equal(asHex(emptyRoot), ct.empty);
  assert.equal(asHex(leafHash(Buffer.from(ct.leaf.data))), ct.leaf.hash);
  assert.equal(asHex(nodeHash(Buffer.from(ct.node.left), Buffer.from(ct.node.right))), ct.node.hash);
  const leaves = ct.leaves.map((leaf) => leafHash(hex(leaf)));
  ct.roots.forEach((expected, at) => {
    assert.equal(asHex(root(leaves.slice(0, at + 1))), expected, `size ${at + 1}`);
    assert.equal(asHex(rootOf(at + 1, hashesOf(leaves))), expected, `size ${at + 1}, from subtrees`);
  });
  const { index, size, proof } = ct.inclusion;
  assert.deepEqual(inclusionProof(index, size, hashesOf(leaves)).map(asHex), proof);
  for (const claim of ct.consistency) assert.deepEqual(consistencyProof(claim.size1, claim.size2, hashesOf(leaves)).map(asHex), claim.proof);
});

test('every leaf and every pair of sizes up to 40 is proven, and with another root, size or index it is not', () => {
  const leaves = Array.from({ length: 40 }, (_, at) => leafHash(Buffer.from(`leaf ${at}`)));
  const hashOf = hashesOf(leaves);
  const roots = Array.from({ length: 41 }, (_, size) => root(leaves.slice(0, size)));
  const rootAt = (size: number): Uint8Array => roots[size] ?? assert.fail();
  for (let size = 1; size <= 40; size += 1) {
    for (let index = 0; index < size; index += 1) {
      const claim = { leafHash: leaves[index] ?? assert.fail(), index, size, proof: inclusionProof(index, size, hashOf), root: rootAt(size) };
      assert.equal(verifyInclusion(claim), true, `${index} of ${size}`);
      assert.equal(verifyInclusion({ ...claim, root: rootAt(size - 1) }), false);
      assert.equal(verifyInclusion({ ...claim, proof: [...claim.proof, emptyRoot] }), false);
      assert.equal(verifyInclusion({ ...claim, index: (index + 1) % size }), size === 1);
    }
    for (let size1 = 1; size1 <= size; size1 += 1) {
      const claim = { size1, size2: size, root1: rootAt(size1), root2: rootAt(size), proof: consistencyProof(size1, size, hashOf) };
      assert.equal(verifyConsistency(claim), true, `${size1} to ${size}`);
      assert.equal(verifyConsistency({ ...claim, root1: rootAt(size1 - 1) }), false);
      assert.equal(verifyConsistency({ ...claim, root2: leafHash(Buffer.from('another')) }), false);
      assert.equal(verifyConsistency({ ...claim, proof: claim.proof.slice(1) }), size1 === size);
    }
  }
});

test('a frontier taken up again from its subtrees goes on as one that was never let go', () => {
  const leaves = Array.from({ length: 70 }, (_, at) => leafHash(Buffer.from([at])));
  for (let size = 0; size < 64; size += 1) {
    const again = Frontier.of(size, parts(size).map(hashesOf(leaves)));
    assert.equal(asHex(again.root()), asHex(root(leaves.slice(0, size))));
    leaves.slice(size).forEach((leaf) => again.append(Buffer.from(leaf), 0, () => undefined));
    assert.equal(asHex(again.root()), asHex(root(leaves)));
  }
});

test('sizes beyond 32 bits are counted right', () => {
  for (const size of [2 ** 31 + 1, 2 ** 32, 2 ** 40 + 12_345, 2 ** 52 + 7, Number.MAX_SAFE_INTEGER]) {
    // A tree whose leaves are all the same: each complete subtree of a level is.
    const levels = [leafHash(Buffer.from('same'))];
    const hashOf = ({ level }: Subtree): Uint8Array => {
      while (levels.length <= level) { const below = levels.at(-1) ?? assert.fail(); levels.push(nodeHash(below, below)); }
      return levels[level] ?? assert.fail();
    };
    const all = rootOf(size, hashOf);
    assert.equal(asHex(Frontier.of(size, parts(size).map(hashOf)).root()), asHex(all));
    for (const index of [0, 1, 2 ** 31, size - 2, size - 1]) {
      const proof = inclusionProof(index, size, hashOf);
      assert.ok(proof.length <= 54, String(proof.length));
      assert.equal(verifyInclusion({ leafHash: hashOf({ level: 0, index }), index, size, proof, root: all }), true, `${index} of ${size}`);
      assert.equal(verifyInclusion({ leafHash: emptyRoot, index, size, proof, root: all }), false);
    }
    for (const size1 of [1, 2 ** 31, 2 ** 31 + 1, size - 1]) {
      assert.equal(verifyConsistency({ size1, size2: size, root1: rootOf(size1, hashOf), root2: all, proof: consistencyProof(size1, size, hashOf) }), true, `${size1} to ${size}`);
    }
  }
});

interface InclusionCase { readonly name: string; readonly leafIdx: number; readonly treeSize: number; readonly root: string; readonly leafHash: string; readonly proof: readonly string[] | null; readonly wantErr: boolean }
interface ConsistencyCase { readonly name: string; readonly size1: number; readonly size2: number; readonly root1: string; readonly root2: string; readonly proof: readonly string[] | null; readonly wantErr: boolean }
interface SubtreeCase { readonly start: number; readonly end: number; readonly size: number }
const published: { readonly inclusion: readonly InclusionCase[]; readonly consistency: readonly (ConsistencyCase & InclusionCase & SubtreeCase)[] } =
  JSON.parse(readFileSync(fixture('merkle', 'proofs.json'), 'utf8'));
const proofOf = (proof: readonly string[] | null): readonly Uint8Array[] => (proof ?? []).map(base64);

test('published inclusion proofs, good and bad, are judged as they should be', () => {
  for (const { name, leafIdx, treeSize, root: expected, leafHash: leaf, proof, wantErr } of published.inclusion) {
    assert.equal(verifyInclusion({ leafHash: base64(leaf), index: leafIdx, size: treeSize, proof: proofOf(proof), root: base64(expected) }), !wantErr, name);
  }
  assert.ok(published.inclusion.filter(({ wantErr }) => wantErr).length > 40);
});

test('published consistency proofs, good and bad, are judged as they should be', () => {
  const counted = { consistency: 0, subtree: 0, beginning: 0, others: 0 };
  for (const each of published.consistency) {
    const { name, root1, root2, proof, wantErr } = each;
    if (name.startsWith('consistency/')) {
      counted.consistency += 1;
      assert.equal(verifyConsistency({ size1: each.size1, size2: each.size2, root1: base64(root1), root2: base64(root2), proof: proofOf(proof) }), !wantErr, name);
    } else if (name.startsWith('subtreeinclusion/')) {
      // A subtree is a tree of its own: its leaf is one of as many as it has, if its range is one that a tree has.
      const { start, end } = each;
      const valid = start === 0 || (end > start && start % 2 ** Math.ceil(Math.log2(end - start)) === 0);
      const claim = { leafHash: base64(each.leafHash), index: each.leafIdx - start, size: end - start, proof: proofOf(proof), root: base64(each.root) };
      counted.subtree += 1;
      assert.equal(valid && verifyInclusion(claim), !wantErr, name);
    } else if (each.start === 0 && each.end > 0) {
      // A subtree that begins where the tree does is the tree as it once was.
      counted.beginning += 1;
      assert.equal(verifyConsistency({ size1: each.end, size2: each.size, root1: base64(root1), root2: base64(root2), proof: proofOf(proof) }), !wantErr, name);
    } else {
      counted.others += 1;
    }
  }
  // Subtrees elsewhere, and empty ones, are a kind of proof that this program neither makes nor reads.
  assert.deepEqual(counted, { consistency: 54, subtree: 99, beginning: 48, others: 17 });
});

test('what is no proof at all is answered with no, not thrown at', () => {
  const leaf = leafHash(Buffer.from('x'));
  const good = { leafHash: leaf, index: 0, size: 1, proof: [], root: leaf };
  assert.equal(verifyInclusion(good), true);
  for (const index of [-1, 1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60]) assert.equal(verifyInclusion({ ...good, index }), false, String(index));
  for (const size of [0, -1, 1.5, Number.NaN, 2 ** 60]) assert.equal(verifyInclusion({ ...good, size }), false, String(size));
  assert.equal(verifyInclusion({ ...good, root: leaf.subarray(1) }), false);
  assert.equal(verifyInclusion({ ...good, size: 2, proof: [leaf.subarray(1)] }), false);
  assert.equal(verifyInclusion({ ...good, size: 2 ** 50, proof: Array.from({ length: 100_000 }, () => leaf) }), false);
  const wrong: unknown = JSON.parse('{"leafHash":"x","index":"0","size":null,"proof":{"length":3},"root":7}');
  assert.equal(Reflect.apply(verifyInclusion, undefined, [wrong]), false);
  assert.equal(Reflect.apply(verifyConsistency, undefined, [{ ...good, size1: 0, size2: '1' }]), false);
});
