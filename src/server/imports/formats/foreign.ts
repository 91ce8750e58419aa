/** Files that are no list of readings, told by how they begin: each with what to do instead. */
import { invalid } from '../../errors.ts';

/** First bytes, and what such a file is. */
const MAGIC: readonly [number[], string][] = [
  [[0x1f, 0x8b], 'is compressed (gzip): unpack it first'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'is compressed (zstd): unpack it first'],
  [[0x42, 0x5a, 0x68], 'is compressed (bzip2): unpack it first'],
  [[0x37, 0x7a, 0xbc, 0xaf], 'is compressed (7z): unpack it first'],
  [[0x25, 0x50, 0x44, 0x46], 'is a PDF: ask for the readings as CSV, XLSX or Green Button'],
  [
    [0xd0, 0xcf, 0x11, 0xe0],
    'is a spreadsheet of the old Excel (.xls) or has a password: save it without one as XLSX or CSV',
  ],
  [[0x89, 0x50, 0x4e, 0x47], 'is a picture: type its readings in, or ask for them as CSV'],
  [[0xff, 0xd8, 0xff], 'is a picture: type its readings in, or ask for them as CSV'],
];

/**
 * Throws validation_failed for what is none of the formats, with a remedy.
 * @param head the first bytes
 * @param begins the same as text
 */
export function refuseForeign(head: Buffer, begins: string): void {
  const refuse = (message: string) => invalid([{ path: 'line 1', message }]);
  const magic = MAGIC.find(([bytes]) => bytes.every((byte, i) => head[i] === byte));
  if (magic) throw refuse(magic[1]);
  if (/^<(?:!doctype\s+html|html|head|body)[\s>]/i.test(begins))
    throw refuse('is a web page (HTML), perhaps one that asks to sign in: download the file itself');
  if (/^(?:\[|\{\s*[\r\n])/.test(begins))
    throw refuse(
      'is JSON, but not one object on each line (NDJSON): write every reading on a line of its own',
    );
  const nul = begins.indexOf('\0');
  if (nul < 0 || begins.startsWith('PK')) return;
  const line = begins.slice(0, nul).split('\n').length;
  throw invalid([
    {
      path: `line ${line}`,
      message: 'has a NUL byte: the file is no text, or in another encoding: say encoding',
    },
  ]);
}
