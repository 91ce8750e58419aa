/** Which photos are kept as evidence: JPEG as a phone draws it anew, without anything about where and with what it was taken. */
import type { Parsed } from './units.ts';

export const MAX_PHOTO_BYTES = 2 * 1024 * 1024;

const START = 0xd8;
const END = 0xd9;
const SCAN = 0xda;
/** JFIF, colour profile, Adobe's colour transform: what a picture needs to look right. */
const KEPT_SEGMENTS = [0xe0, 0xe2, 0xee];
/** Tables, frames, restart intervals (ITU-T T.81, table B.1). */
const isPicture = (marker: number) =>
  (marker >= 0xc0 && marker <= 0xcf) || (marker >= 0xdb && marker <= 0xdf);
const isRestart = (marker: number) => marker >= 0xd0 && marker <= 0xd7;

/** Where the marker after the compressed data that begins at `at` stands; the end if there is none. */
function afterScan(bytes: Uint8Array, at: number): number {
  for (; at + 1 < bytes.length; at += 1) {
    const next = bytes[at + 1]!;
    if (bytes[at] === 0xff && next !== 0 && next !== 0xff && !isRestart(next)) return at;
  }
  return bytes.length;
}

/**
 * Walks over the segments of a JPEG (ITU-T T.81, annex B).
 * @returns a sentence, for `body`, where it is none, is not whole, or says more than the picture
 */
export function checkPhoto(bytes: Uint8Array): Parsed<null> {
  const refuse = (message: string) => ({ ok: false as const, message });
  const broken = refuse('is no whole JPEG: take the photo again');
  if (bytes.length > MAX_PHOTO_BYTES) return refuse('is larger than 2 MiB: make the picture smaller');
  if (bytes[0] !== 0xff || bytes[1] !== START) return refuse('is no JPEG');
  let has_picture = false;
  for (let at = 2; at + 1 < bytes.length; ) {
    const marker = bytes[at + 1]!;
    if (bytes[at] !== 0xff) return broken;
    if (marker === END) {
      if (!has_picture) return broken;
      return at + 2 === bytes.length
        ? { ok: true, value: null }
        : refuse('has something after the picture: draw it anew');
    }
    const length = ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
    if (length < 2) return broken;
    if (marker === SCAN) has_picture = true;
    else if (!isPicture(marker) && !KEPT_SEGMENTS.includes(marker))
      return refuse('says where or with what it was taken (EXIF, XMP, comments): draw it anew without');
    at += 2 + length;
    if (marker === SCAN) at = afterScan(bytes, at);
  }
  return broken;
}
