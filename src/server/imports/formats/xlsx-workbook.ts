/** What a workbook consists of: its sheets in their order, and how the numbers of cells are meant. */
import type { Archive } from '../../zip/unzip.ts';
import { type Shown, shownBy } from './xlsx-cells.ts';
import { damaged, refused, tooLarge } from './xlsx-refused.ts';
import { readTexts, Texts } from './xlsx-texts.ts';
import { type Elements, readXml } from './xlsx-xml.ts';

const MAX_SHEETS = 1000;
/** A spreadsheet program has at most some 65,000 styles of cells, and formats of at most 255 characters. */
const MAX_STYLES = 100_000;
const MAX_FORMATS = 10_000;
const MAX_FORMAT_CODE = 255;

/** A sheet that people see. */
export interface Sheet {
  name: string;
  /** Its name in the archive. */
  part: string;
}

export interface Workbook {
  archive: Archive;
  sheets: Sheet[];
  /** Names of those that nobody sees. */
  hidden: string[];
  is_1904: boolean;
  /** How numbers are shown, by the style of their cell. */
  shown: Shown[];
  texts: Texts;
}

/** Calls back for each element; their texts do not matter. */
function eachElement(open: Elements['open'], close: Elements['close'] = () => {}): Elements {
  return { open, close, text: () => {} };
}

/** An attribute, whichever prefix it was given. */
function attributeOf(attributes: Readonly<Record<string, string>>, name: string): string | undefined {
  const key = Object.keys(attributes).find((each) => each === name || each.endsWith(`:${name}`));
  return key === undefined ? undefined : attributes[key];
}

interface Relation {
  id: string;
  /** The last word of its type: worksheet, styles. */
  type: string;
  part: string;
}

/** The name of a part that another refers to from its folder: sheets/../styles.xml, or /xl/styles.xml. */
function pathOf(target: string, folder: string): string {
  try {
    return decodeURI(new URL(target.replaceAll('\\', '/'), `zip:///${folder}`).pathname).slice(1);
  } catch {
    throw damaged(`a part at ${target.slice(0, 100)}`);
  }
}

/** What a part refers to, as names in the archive. @param part '' for the archive itself */
async function relationsOf(archive: Archive, part: string): Promise<Relation[]> {
  const folder = part.slice(0, part.lastIndexOf('/') + 1);
  const relations: Relation[] = [];
  const each = eachElement((name, { Id = '', Type = '', Target = '', TargetMode }) => {
    if (name !== 'Relationship' || TargetMode === 'External') return;
    relations.push({ id: Id, type: Type.slice(Type.lastIndexOf('/') + 1), part: pathOf(Target, folder) });
    if (relations.length > MAX_SHEETS * 10) throw tooLarge('has too many parts: save it as CSV');
  });
  const name = `${folder}_rels/${part.slice(folder.length)}.rels`;
  if (archive.has(name)) await readXml(archive.read(name), each);
  return relations;
}

/** What the archive is instead of a workbook. */
function notWorkbook(archive: Archive): Error {
  if (archive.has('xl/workbook.bin'))
    return refused('is a binary workbook (.xlsb): save it as .xlsx or as CSV');
  if (archive.has('content.xml') && archive.has('mimetype'))
    return refused('is an OpenDocument file (.ods): save it as .xlsx or as CSV');
  if (archive.has('Index/Document.iwa') || archive.has('Index.zip'))
    return refused('is a Numbers file: export it as .xlsx or as CSV');
  return refused('is a ZIP archive and no workbook: unpack it, and send the file that is in it');
}

async function partOfWorkbook(archive: Archive): Promise<string> {
  const main = (await relationsOf(archive, '')).find(({ type }) => type === 'officeDocument');
  const part = main?.part ?? 'xl/workbook.xml';
  if (part.toLowerCase().endsWith('.bin') || !archive.has(part)) throw notWorkbook(archive);
  return part;
}

async function readStyles(part: AsyncIterable<Buffer>): Promise<Shown[]> {
  const codes = new Map<number, string>();
  const ids: number[] = [];
  let in_cells = false;
  const open = (name: string, { numFmtId, formatCode = '' }: Readonly<Record<string, string>>) => {
    if (name === 'cellXfs') in_cells = true;
    else if (name === 'numFmt') codes.set(Number(numFmtId), formatCode.slice(0, MAX_FORMAT_CODE));
    else if (name === 'xf' && in_cells) ids.push(Number(numFmtId ?? 0));
    if (codes.size > MAX_FORMATS || ids.length > MAX_STYLES)
      throw tooLarge(`has more than ${MAX_FORMATS} formats or ${MAX_STYLES} styles: save it as CSV`);
  };
  const close = (name: string) => {
    if (name === 'cellXfs') in_cells = false;
  };
  await readXml(part, eachElement(open, close));
  const known = new Map([...new Set(ids)].map((id) => [id, shownBy(id, codes)]));
  return ids.map((id) => known.get(id)!);
}

/** Throws validation_failed for an archive that is no workbook, or a damaged one; body_too_large. */
export async function readWorkbook(archive: Archive): Promise<Workbook> {
  const part = await partOfWorkbook(archive);
  const relations = await relationsOf(archive, part);
  const [sheets, hidden]: [Sheet[], string[]] = [[], []];
  let is_1904 = false;
  const each = eachElement((element, attributes) => {
    if (element === 'workbookPr') is_1904 = /^(1|true)$/.test(attributes.date1904 ?? '');
    if (element !== 'sheet') return;
    const id = attributeOf(attributes, 'id');
    const relation = relations.find((each) => each.id === id);
    // Charts have sheets too.
    if (relation?.type !== 'worksheet') return;
    const name = (attributes.name ?? '').slice(0, 100);
    if ((attributes.state ?? 'visible') !== 'visible') hidden.push(name);
    else sheets.push({ name, part: relation.part });
    if (sheets.length + hidden.length > MAX_SHEETS)
      throw tooLarge(`has more than ${MAX_SHEETS} sheets: split it, or save it as CSV`);
  });
  await readXml(archive.read(part), each);
  if (sheets.length === 0 && hidden.length === 0) throw damaged('it has no sheets');
  const partOf = (type: string) => relations.find((relation) => relation.type === type)?.part;
  const [styles, texts] = [partOf('styles'), partOf('sharedStrings')];
  return {
    ...{ archive, sheets, hidden, is_1904 },
    shown: styles === undefined ? [] : await readStyles(archive.read(styles)),
    texts: texts === undefined ? new Texts() : await readTexts(archive.read(texts)),
  };
}
