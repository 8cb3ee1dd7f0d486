import type { Node, Response } from './imapConnection.ts';

/** What one untagged FETCH says of one message; only what was asked for is set. */
export interface FetchRow {
  uid: number;
  /** Sorted, without \Recent, joined by spaces. */
  flags?: string;
  /** As the server writes it: '17-Jul-1996 02:44:25 -0700'. */
  internalDate?: string;
  size?: number;
  /** BODY[…], whichever was asked for. */
  bytes?: Buffer;
}

export function textOf(node: Node | undefined): string {
  if (node === null || node === undefined || Array.isArray(node)) return '';
  const { value } = node as { value: string | Buffer };
  return typeof value === 'string' ? value : value.toString('utf8');
}

function bytesOf(node: Node | undefined): Buffer {
  if (node === null || node === undefined || Array.isArray(node)) return Buffer.alloc(0);
  const { value } = node as { value: string | Buffer };
  return typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
}

/** \Recent belongs to a session, not to the message. */
export function canonicalFlags(flags: readonly string[]): string {
  return [...new Set(flags)].filter((flag) => flag !== '' && flag.toLowerCase() !== '\\recent').sort().join(' ');
}

/** undefined for a row without UID: a flag change that the server tells on its own. */
export function parseFetchRow(response: Response): FetchRow | undefined {
  const list = response.attributes?.[1];
  if (!Array.isArray(list)) return undefined;
  const nodes = list as readonly Node[];
  const row: FetchRow = { uid: 0 };
  for (let i = 0; i + 1 < nodes.length; i += 2) {
    const value = nodes[i + 1];
    switch (textOf(nodes[i]).toUpperCase()) {
      case 'UID': row.uid = Number(textOf(value)); break;
      // A keyword that reads NIL is parsed as null.
      case 'FLAGS': row.flags = canonicalFlags(Array.isArray(value)
        ? (value as readonly Node[]).map((flag) => (flag === null ? 'NIL' : textOf(flag))) : []); break;
      case 'INTERNALDATE': row.internalDate = textOf(value); break;
      case 'RFC822.SIZE': row.size = Number(textOf(value)); break;
      case 'BODY': row.bytes = bytesOf(value); break;
      default: break;
    }
  }
  return row.uid > 0 ? row : undefined;
}
