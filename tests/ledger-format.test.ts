/** docs/ledger-format.md says what is so: its worked example is computed again, by both verifiers and by hand. */
import { createHash, hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MerkleTree, merkleRoot, rootFromPath, toHex } from '../src/core/chain.ts';
import { offline, standalone } from './support/verifier.ts';

const text = readFileSync(new URL('../docs/ledger-format.md', import.meta.url), 'utf8');
/** What stands in the document's one block of a kind. */
function block(kind: string): string {
  const found = text.split(`\`\`\`${kind}\n`);
  expect(found).toHaveLength(2);
  return found[1]!.split('```')[0]!;
}
const file = block('ndjson');
const lines = file.split('\n');
const entries = lines.filter((line) => line.startsWith('{"leaf_hash"'));
/** The hash in the row of the table that begins with this. */
const row = (what: string) => new RegExp(`^\\| ${what} \\|.*\`([0-9a-f]{64})\``, 'm').exec(text)![1]!;
const headers = [...text.matchAll(/`(\["electric-batch-1",.*?\])`/g)].map((match) => match[1]!);
const HEAD = '5aafc6c2b121b52433b0ea2620d694ba506b757321448669c01f0f5e629b7fcb';

function sha256(...parts: (string | Uint8Array)[]): Buffer {
  return parts.reduce((made, part) => made.update(part), createHash('sha256')).digest();
}
const hex = (digits: string) => Buffer.from(digits, 'hex');
const leafOf = (canonical: string | Uint8Array) => sha256(Uint8Array.of(0), canonical);
const nodeOf = (left: Uint8Array, right: Uint8Array) => sha256(Uint8Array.of(1), left, right);

describe('the worked example', () => {
  test('holds for both verifiers', async () => {
    expect(text).toContain(HEAD);
    expect(await standalone(file, HEAD)).toMatchObject({ code: 0, said: expect.stringContaining(HEAD) });
    expect(await offline(file)).toMatchObject({ code: 0, said: expect.stringContaining(HEAD) });
  });

  test('its bytes are the first entry: the line without its first 88 bytes and its last', () => {
    const bytes = hex(block('text').replaceAll('\n', ''));
    expect(bytes).toEqual(Buffer.from(lines[1]!).subarray(88, -1));
    expect(text).toContain(`The first entry's ${bytes.length} bytes`);
    expect(leafOf(bytes).toString('hex')).toBe(row('leaf 11'));
  });

  test('its table, line by line', () => {
    const leaves = entries.map((line) => leafOf(line.slice(88, -1)));
    expect(leaves.map((leaf) => leaf.toString('hex'))).toEqual(entries.map((line) => line.slice(14, 78)));
    const [first, second, third, fourth] = leaves as [Buffer, Buffer, Buffer, Buffer];
    expect([first, second, third].map((leaf) => leaf.toString('hex'))).toEqual([
      row('leaf 11'),
      row('leaf 12'),
      row('leaf 13'),
    ]);
    const node = nodeOf(first, second);
    expect(node.toString('hex')).toBe(row('node'));
    const root = nodeOf(node, third);
    expect(root.toString('hex')).toBe(row('root'));
    const one = sha256(Uint8Array.of(2), new Uint8Array(32), headers[0]!, root);
    expect(one.toString('hex')).toBe(row('batch 1'));
    expect(text).toContain(`whose leaf is the root: \`${fourth.toString('hex')}\``);
    expect(sha256(Uint8Array.of(2), one, headers[1]!, fourth).toString('hex')).toBe(HEAD);
  });

  test('a key that is no id is refused, though all hashes are right', async () => {
    const previous = hex(row('batch 1'));
    /** The file with another key in the header of its second batch, hashed anew. */
    const withKey = (key: unknown) => {
      const [batch, ...rest] = lines.slice(4);
      const changed = { ...JSON.parse(batch!), recorded_by_api_key_id: key };
      const { merkle_root, hash: _, ...header } = changed;
      const canonical = JSON.stringify(['electric-batch-1', ...Object.values(header)]);
      changed.hash = sha256(Uint8Array.of(2), previous, canonical, hex(merkle_root)).toString('hex');
      return [...lines.slice(0, 4), JSON.stringify(changed), ...rest].join('\n');
    };
    expect(withKey(31)).toBe(file);
    for (const key of [null, 32]) expect(await standalone(withKey(key))).toMatchObject({ code: 0 });
    for (const key of ['31', 0, -1, 1.5, true])
      expect([key, await standalone(withKey(key))]).toMatchObject([key, { code: 1 }]);
  });

  test('its proof leads to the head', async () => {
    const proof = block('json');
    expect(JSON.parse(proof).entry).toBe(entries[1]!.slice(88, -1));
    expect(await standalone(proof, HEAD)).toMatchObject({ code: 0 });
    expect(await standalone(proof, row('batch 1'))).toMatchObject({ code: 0 });
  });
});

test('joining neighbours level by level is the tree of RFC 9162, and every leaf has its path', () => {
  const digest = (bytes: Uint8Array) => hash('sha256', bytes, 'buffer');
  /** Word for word: MTH(D[n]) = HASH(0x01 || MTH(D[0:k]) || MTH(D[k:n])). */
  function tree(leaves: Buffer[]): Buffer {
    if (leaves.length === 1) return leaves[0]!;
    const k = 2 ** Math.floor(Math.log2(leaves.length - 1));
    return nodeOf(tree(leaves.slice(0, k)), tree(leaves.slice(k)));
  }
  const all = Array.from({ length: 70 }, (_, i) => leafOf(String(i)));
  for (let n = 1; n <= all.length; n++) {
    const leaves = all.slice(0, n);
    const root = toHex(merkleRoot(digest, leaves));
    expect([n, root]).toEqual([n, tree(leaves).toString('hex')]);
    for (let i = 0; i < n; i++) {
      const proving = new MerkleTree(digest, i);
      for (const leaf of leaves) proving.add(leaf);
      const path = proving.path();
      expect([n, i, toHex(rootFromPath(digest, leaves[i]!, path))]).toEqual([n, i, root]);
    }
  }
});

test('the canonical form of strings is what the document says', () => {
  const short: Record<string, string> = {
    '\b': 'b',
    '\t': 't',
    '\n': 'n',
    '\f': 'f',
    '\r': 'r',
    '"': '"',
    '\\': '\\',
  };
  function canonical(plain: string): string {
    const escaped = [...plain].map((c) => {
      if (short[c]) return `\\${short[c]}`;
      return c < ' ' ? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}` : c;
    });
    return `"${escaped.join('')}"`;
  }
  const control = Array.from({ length: 0x80 }, (_, i) => String.fromCharCode(i)).join('');
  expect(JSON.stringify(control)).toBe(canonical(control));
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (plain) => {
      expect(JSON.stringify(plain)).toBe(canonical(plain));
    }),
  );
});
