/** Workbooks that are broken, something else, or mean harm, and what is said of each. */
import { type ZippedFile, zip } from '../../src/server/zip/zip.ts';
import { type Parts, row, workbookBytes } from './workbook.ts';

const HEADING = row(1, 'Date', 'Main meter (kWh)');
export const rows = (...more: string[]) => HEADING + more.join('');
export const good = rows(row(2, '2026-01-01', 1), row(3, '2026-01-02', 2));
const DIRECTORY_ENTRY = Buffer.from('PK\x01\x02', 'latin1');
const DIRECTORY_END = Buffer.from('PK\x05\x06', 'latin1');

export const sheet = (data: string | ZippedFile['content'], more: Partial<Parts> = {}) =>
  workbookBytes({ sheets: { S: data }, ...more });

async function archive(files: Record<string, string>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of zip(Object.entries(files).map(([name, text]) => ({ name, content: [text] }))))
    pieces.push(piece);
  return Buffer.concat(pieces);
}

/** The directory entry of a part of an archive, to be changed in place. */
function entryOf(bytes: Buffer, name: string): Buffer {
  const at = bytes.lastIndexOf(Buffer.from(name));
  return bytes.subarray(bytes.lastIndexOf(DIRECTORY_ENTRY, at));
}

const SHEET = 'xl/worksheets/sheet1.xml';
async function with_entry(change: (entry: Buffer, bytes: Buffer) => void, name = SHEET): Promise<Buffer> {
  const bytes = await sheet(good);
  change(entryOf(bytes, name), bytes);
  return bytes;
}

/** So many times the same text. */
function* repeated(text: string, times: number): Generator<string> {
  const piece = text.repeat(1000);
  for (let i = 0; i < times; i += 1000) yield piece;
}

type Refused = [name: string, body: () => Promise<Buffer>, code: string, said: RegExp];
export const REFUSED: Refused[] = [
  [
    'a bomb: 400 MB of nothing',
    () => sheet(repeated(' '.repeat(1000), 400_000)),
    'body_too_large',
    /unpacks to more than 200 times its size.*CSV/,
  ],
  [
    'a bomb of shared texts',
    () => sheet(good, { texts: repeated(`<si><t>${'x'.repeat(1000)}</t></si>`, 100_000) }),
    'body_too_large',
    /unpacks to more than 200 times/,
  ],
  [
    'a part that announces more than four gigabytes',
    () => with_entry((entry) => entry.writeUInt32LE(0xfffffff0, 24)),
    'body_too_large',
    /unpacks to more than/,
  ],
  [
    'a size that lies low',
    () => with_entry((entry) => entry.writeUInt32LE(10, 24)),
    'validation_failed',
    /^file: is a damaged XLSX file \(a part is larger than announced\)/,
  ],
  [
    'a size that lies high',
    () => with_entry((entry) => entry.writeUInt32LE(entry.readUInt32LE(24) + 1, 24)),
    'validation_failed',
    /^file: is a damaged XLSX file \(a part is not what it was\)/,
  ],
  [
    'another checksum',
    () => with_entry((entry) => entry.writeUInt32LE(0, 16)),
    'validation_failed',
    /^file: is a damaged XLSX file \(a part is not what it was\)/,
  ],
  [
    'entries that overlap',
    () =>
      with_entry((entry, bytes) =>
        entry.writeUInt32LE(entryOf(bytes, 'xl/styles.xml').readUInt32LE(42) + 1, 42),
      ),
    'validation_failed',
    /^file: is a damaged XLSX file \(its parts overlap\)/,
  ],
  [
    'an entry that lies in the directory',
    () => with_entry((entry, bytes) => entry.writeUInt32LE(bytes.length - 40, 42)),
    'validation_failed',
    /^file: is a damaged XLSX file \(its parts overlap\)/,
  ],
  [
    'too many entries',
    async () => {
      const bytes = await sheet(good);
      bytes.writeUInt16LE(60_001, bytes.lastIndexOf(DIRECTORY_END) + 10);
      return bytes;
    },
    'body_too_large',
    /more than 60000 parts/,
  ],
  [
    'more entries than there are',
    async () => {
      const bytes = await sheet(good);
      bytes.writeUInt16LE(9000, bytes.lastIndexOf(DIRECTORY_END) + 10);
      return bytes;
    },
    'validation_failed',
    /directory is cut off/,
  ],
  [
    'a password on its parts',
    () => with_entry((entry) => entry.writeUInt16LE(entry.readUInt16LE(8) | 1, 8)),
    'validation_failed',
    /^file: has a password: save it without one/,
  ],
  [
    'a password on the whole, as Excel sets it',
    async () => Buffer.from('d0cf11e0a1b11ae100000000', 'hex'),
    'validation_failed',
    /has a password: save it without one/,
  ],
  [
    'packed in another way',
    () => with_entry((entry) => entry.writeUInt16LE(14, 10)),
    'validation_failed',
    /packed by method 14/,
  ],
  [
    'cut off',
    async () => (await sheet(good)).subarray(0, 900),
    'validation_failed',
    /^file: is a damaged XLSX file \(it has no end\).*save it again/,
  ],
  [
    'an end alone',
    async () => Buffer.concat([DIRECTORY_END, Buffer.alloc(18)]),
    'validation_failed',
    /no workbook/,
  ],
  [
    'a beginning alone',
    async () => Buffer.from('PK\x03\x04', 'latin1'),
    'validation_failed',
    /it has no end/,
  ],
  [
    'an archive with a CSV in it',
    () => archive({ 'readings.csv': 'timestamp,Main meter\n' }),
    'validation_failed',
    /^file: is a ZIP archive and no workbook: unpack it/,
  ],
  [
    'a binary workbook',
    () => archive({ 'xl/workbook.bin': '' }),
    'validation_failed',
    /\(\.xlsb\): save it as \.xlsx or as CSV/,
  ],
  [
    'OpenDocument',
    () => archive({ mimetype: 'application/vnd.oasis.opendocument.spreadsheet', 'content.xml': '' }),
    'validation_failed',
    /\(\.ods\): save it as \.xlsx/,
  ],
  [
    'a sheet that is not there',
    () =>
      sheet(good, {
        others: {
          'xl/_rels/workbook.xml.rels':
            '<Relationships><Relationship Id="rId0" Type="x/worksheet" Target="nowhere.xml"/></Relationships>',
        },
      }),
    'validation_failed',
    /nowhere\.xml is missing/,
  ],
  [
    'an address that is none',
    () =>
      sheet(good, {
        others: {
          'xl/_rels/workbook.xml.rels':
            '<Relationships><Relationship Id="rId0" Type="x/worksheet" Target="http://[/%zz"/></Relationships>',
        },
      }),
    'validation_failed',
    /^file: is a damaged XLSX file \(a part at http/,
  ],
  ['no sheets', () => workbookBytes({ sheets: {} }), 'validation_failed', /it has no sheets/],
  [
    'only hidden sheets',
    () => sheet(good, { states: { S: 'state="veryHidden"' } }),
    'validation_failed',
    /Hidden sheets are not read/,
  ],
  [
    'more sheets than anybody has',
    () =>
      workbookBytes({ sheets: Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`s${i}`, ''])) }),
    'body_too_large',
    /more than 1000 sheets/,
  ],
  [
    'a million columns',
    () => sheet(rows('<row r="2"><c r="BDWGN2"><v>1</v></c></row>')),
    'validation_failed',
    /a cell BDWGN2, which no sheet has/,
  ],
  [
    'the last column of all',
    () => sheet(rows('<row r="2"><c r="XFD2"><v>1</v></c></row>')),
    'validation_failed',
    /^line 2: has a cell beyond column 10000/,
  ],
  [
    'columns without names',
    () => sheet(`${HEADING}<row r="2">${'<c><v>1</v></c>'.repeat(20_000)}</row>`),
    'validation_failed',
    /^line 2: has a cell beyond column 10000/,
  ],
  [
    'a row that no sheet has',
    () => sheet(`${HEADING}<row r="1048577"/>`),
    'validation_failed',
    /a row that is none/,
  ],
  [
    'a cell of a megabyte',
    () => sheet(rows(row(2, 'x'.repeat(1_000_000)))),
    'body_too_large',
    /more than 32767 characters/,
  ],
  [
    'a shared text of a megabyte',
    () => sheet(rows(row(2, [0, 's'])), { texts: `<si><t>${'x'.repeat(1_000_000)}</t></si>` }),
    'body_too_large',
    /more than 32767 characters/,
  ],
  [
    'a long text in every cell of a row',
    () =>
      sheet(rows(`<row r="2">${'<c t="s"><v>0</v></c>'.repeat(9000)}</row>`), {
        texts: `<si><t>${'x'.repeat(30_000)}</t></si>`,
      }),
    'body_too_large',
    /more than 100000 characters in row 2/,
  ],
  [
    'a text that is not there',
    () => sheet(rows(row(2, [7, 's']))),
    'validation_failed',
    /text that is not there/,
  ],
  [
    'a billion laughs',
    () =>
      sheet('', {
        others: { [SHEET]: '<!DOCTYPE w [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><worksheet>&b;</worksheet>' },
      }),
    'validation_failed',
    /a document type, which no workbook has/,
  ],
  [
    'an entity',
    () => sheet(rows(row(2, '&b;'))),
    'validation_failed',
    /damaged XLSX file \(Invalid character entity/,
  ],
  [
    'a file from elsewhere',
    () =>
      sheet(good, { others: { 'xl/workbook.xml': '<!DOCTYPE w SYSTEM "file:///etc/passwd"><workbook/>' } }),
    'validation_failed',
    /a document type/,
  ],
  [
    'XML without end of depth',
    () => sheet('<a>'.repeat(10_000)),
    'validation_failed',
    /elements deeper than 64/,
  ],
  [
    'a thousand attributes',
    () => sheet(`<row ${Array.from({ length: 1000 }, (_, i) => `a${i}=""`).join(' ')}/>`),
    'validation_failed',
    /more than 200 attributes/,
  ],
  [
    'XML that ends too early',
    () => sheet('', { others: { [SHEET]: '<worksheet><sheetData>' } }),
    'validation_failed',
    /damaged XLSX file \(Unclosed root tag/,
  ],
  ['no XML', () => sheet('', { others: { [SHEET]: 'Hello' } }), 'validation_failed', /damaged XLSX file/],
  [
    'an empty sheet',
    () => sheet(''),
    'validation_failed',
    /^file: has no sheet with a heading above rows with dates/,
  ],
  ['a wish that has no use', () => sheet(good), 'validation_failed', /^encoding: has no use/],
];
