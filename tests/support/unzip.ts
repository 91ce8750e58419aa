import { inflateRawSync } from 'node:zlib';

/** The files of an archive, by its directory; pictures as latin1. */
export function unzip(bytes: Buffer): Map<string, string> {
  const end = bytes.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  const files = new Map<string, string>();
  let at = bytes.readUInt32LE(end + 16);
  for (let i = 0; i < bytes.readUInt16LE(end + 10); i += 1) {
    const [packed, named] = [bytes.readUInt32LE(at + 20), bytes.readUInt16LE(at + 28)];
    const name = bytes.toString('utf8', at + 46, at + 46 + named);
    const begin = bytes.readUInt32LE(at + 42) + 30 + named;
    const content = inflateRawSync(bytes.subarray(begin, begin + packed));
    files.set(name, content.toString(name.endsWith('.jpg') ? 'latin1' : 'utf8'));
    at += 46 + named;
  }
  return files;
}
