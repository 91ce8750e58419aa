/** Photos of registers, by their SHA-256. */
export interface Photos {
  /** Resolves once it is kept for good. @param sha256 of the bytes, hexadecimal */
  put(sha256: string, bytes: Uint8Array): Promise<void>;
  /** Null where there is none. */
  get(sha256: string): Promise<Uint8Array | null>;
}
