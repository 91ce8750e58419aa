/** Workbooks written part by part, as wrong as a test wants them. */
import { type ZippedFile, zip } from '../../src/server/zip/zip.ts';

const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const RELATIONS = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
type Pieces = ZippedFile['content'];

export interface Parts {
  /** Rows of each sheet, as XML, by its name. */
  sheets: Record<string, string | Pieces>;
  /** Of `<si>` elements. */
  texts?: string | Pieces;
  /** Custom formats of numbers, by their numbers; cells of style 1 have the first of all, and so on. */
  formats?: readonly (number | string)[];
  /** Within `<workbookPr/>`. */
  properties?: string;
  /** Within each `<sheet/>`. */
  states?: Record<string, string>;
  /** Further parts, or others instead of the usual. */
  others?: Record<string, string | Pieces>;
}

async function* within(
  begin: string,
  pieces: string | Pieces,
  end: string,
): AsyncGenerator<string | Uint8Array> {
  yield XML + begin;
  if (typeof pieces === 'string') yield pieces;
  else yield* pieces;
  yield end;
}

const relations = (all: readonly [id: string, type: string, target: string][]) =>
  `${XML}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${all
    .map(([id, type, target]) => `<Relationship Id="${id}" Type="${RELATIONS}/${type}" Target="${target}"/>`)
    .join('')}</Relationships>`;

function stylesOf(formats: readonly (number | string)[]): string {
  const ids = formats.map((format, i) => (typeof format === 'number' ? format : 164 + i));
  const codes = formats.map((format, i) =>
    typeof format === 'number'
      ? ''
      : `<numFmt numFmtId="${164 + i}" formatCode="${format.replaceAll('"', '&quot;')}"/>`,
  );
  const styles = [0, ...ids].map((id) => `<xf numFmtId="${id}"/>`).join('');
  return `${XML}<styleSheet xmlns="${MAIN}"><numFmts>${codes.join('')}</numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs>${styles}</cellXfs></styleSheet>`;
}

function partsOf({
  sheets,
  texts = '',
  formats = [],
  properties = '',
  states = {},
}: Parts): Record<string, string | Pieces> {
  const names = Object.keys(sheets);
  const listed = names.map(
    (name, i) => `<sheet name="${name}" sheetId="${i + 1}" ${states[name] ?? ''} r:id="rId${i}"/>`,
  );
  return {
    '_rels/.rels': relations([['rId1', 'officeDocument', 'xl/workbook.xml']]),
    'xl/workbook.xml': `${XML}<workbook xmlns="${MAIN}" xmlns:r="${RELATIONS}"><workbookPr ${properties}/><sheets>${listed.join('')}</sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': relations([
      ...names.map(
        (_, i) => [`rId${i}`, 'worksheet', `worksheets/sheet${i + 1}.xml`] as [string, string, string],
      ),
      ['rIdStyles', 'styles', '/xl/styles.xml'],
      ['rIdTexts', 'sharedStrings', 'sharedStrings.xml'],
    ]),
    'xl/styles.xml': stylesOf(formats),
    'xl/sharedStrings.xml': within(`<sst xmlns="${MAIN}">`, texts, '</sst>'),
    ...Object.fromEntries(
      names.map((name, i) => [
        `xl/worksheets/sheet${i + 1}.xml`,
        within(`<worksheet xmlns="${MAIN}"><sheetData>`, sheets[name]!, '</sheetData></worksheet>'),
      ]),
    ),
  };
}

/** The bytes of a workbook, as they are written. */
export function workbook(parts: Parts): AsyncGenerator<Buffer> {
  const all = { ...partsOf(parts), ...parts.others };
  return zip(
    Object.entries(all).map(([name, text]) => ({ name, content: typeof text === 'string' ? [text] : text })),
  );
}

/** All of them at once. */
export async function workbookBytes(parts: Parts): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of workbook(parts)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** A row of cells as XML: numbers, texts, or [number or text, style or type]. */
export function row(
  line: number,
  ...cells: (number | string | readonly [number | string, number | string] | null)[]
): string {
  const each = cells.map((cell, i) => {
    const ref = `r="${String.fromCharCode(65 + i)}${line}"`;
    if (cell === null) return '';
    if (typeof cell === 'number') return `<c ${ref}><v>${cell}</v></c>`;
    if (typeof cell === 'string') return `<c ${ref} t="inlineStr"><is><t>${cell}</t></is></c>`;
    const [value, as] = cell;
    return `<c ${ref} ${typeof as === 'number' ? `s="${as}"` : `t="${as}"`}><v>${value}</v></c>`;
  });
  return `<row r="${line}">${each.join('')}</row>`;
}
