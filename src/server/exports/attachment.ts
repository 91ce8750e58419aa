/**
 * Content-Disposition of a download (RFC 6266): the name as it is, and one in plain letters for old programs. Whatever a
 * file system or a header could stumble over becomes a hyphen.
 */
export function attachment(name: string): string {
  const safe =
    name
      .replace(/[\p{Cc}\p{Cf}\p{Cs}\\/:*?"<>|%]+/gu, '-')
      .replace(/^[.\s-]+/, '')
      .slice(-150) || 'download';
  const plain = safe
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/[^\x20-\x7e]/g, '-');
  const encoded = encodeURIComponent(safe).replace(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
