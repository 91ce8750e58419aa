import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkPhoto, MAX_PHOTO_BYTES } from './photo.ts';

/** As a browser's canvas writes it: JFIF and a colour profile, nothing else beside the picture. */
const PHOTO = readFileSync(new URL('../../tests/files/photos/register.jpg', import.meta.url));

function segment(marker: number, text: string): Buffer {
  const length = text.length + 2;
  return Buffer.concat([
    Buffer.from([0xff, marker, length >> 8, length & 0xff]),
    Buffer.from(text, 'latin1'),
  ]);
}
const withSegment = (marker: number, text: string) =>
  Buffer.concat([PHOTO.subarray(0, 2), segment(marker, text), PHOTO.subarray(2)]);

describe('checkPhoto', () => {
  test('a photo drawn anew is kept', () => {
    expect(checkPhoto(PHOTO)).toEqual({ ok: true, value: null });
    expect(checkPhoto(withSegment(0xee, 'Adobe'))).toEqual({ ok: true, value: null });
    expect(checkPhoto(withSegment(0xdd, '\0\x04'))).toEqual({ ok: true, value: null });
  });

  test.each([
    ['EXIF', withSegment(0xe1, 'Exif\0\0 59.33 N 18.06 E'), /where or with what/],
    ['XMP', withSegment(0xe1, 'http://ns.adobe.com/xap/1.0/\0'), /where or with what/],
    ['IPTC', withSegment(0xed, 'Photoshop 3.0'), /where or with what/],
    ['a comment', withSegment(0xfe, 'in the cellar'), /where or with what/],
    ['a film after it', Buffer.concat([PHOTO, Buffer.from('ftypmp42')]), /after the picture/],
    ['nothing', Buffer.alloc(0), /no JPEG/],
    ['a PNG', Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), /no JPEG/],
    ['no picture in it', Buffer.from([0xff, 0xd8, 0xff, 0xd9]), /no whole JPEG/],
    ['a segment without length', Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 0]), /no whole JPEG/],
    ['too large', Buffer.concat([PHOTO, Buffer.alloc(MAX_PHOTO_BYTES)]), /larger than 2 MiB/],
  ])('%s: refused', (_, bytes, sentence) => {
    expect(checkPhoto(bytes)).toEqual({ ok: false, message: expect.stringMatching(sentence) });
  });

  test('cut off anywhere it is not whole', () => {
    for (let length = 2; length < PHOTO.length; length += 1)
      expect([length, checkPhoto(PHOTO.subarray(0, length)).ok]).toEqual([length, false]);
  });

  test('whatever comes ends in a verdict', () => {
    const bytes = fc
      .uint8Array({ maxLength: 300 })
      .map((rest) => Buffer.concat([PHOTO.subarray(0, 2), rest]));
    fc.assert(fc.property(bytes, (any) => typeof checkPhoto(any).ok === 'boolean'));
  });
});
