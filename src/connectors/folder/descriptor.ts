import type { BinaryString, ItemRow } from '../../domain/index.ts';
// Not by the door: that loads the parsers of mail, too, which is a tenth of a small restore.
import { textFormatOfFile } from '../../formats/textFormat.ts';
import type { Descriptor, DiskEntry } from '../contract.ts';
import { decodeItemMeta } from './itemMeta.ts';

export const descriptor: Descriptor = {
  service: 'folder',
  title: 'Folder',
  kinds: {
    file: { title: 'File', extension: '' },
    link: { title: 'Symbolic link', extension: '' },
    special: { title: 'Device, pipe or socket', extension: '' },
  },
  limits: [
    'Devices, pipes and sockets are named in the snapshot but not stored.',
    'Hard links come back as separate files.',
    'Access control lists, extended attributes and file flags are not stored.',
    'Holes of sparse files come back as zeros.',
    'Access times are not stored.',
    'Files are read one after another while they may be in use: a snapshot is not one instant of the whole tree.',
    'Paths longer than the operating system opens (4,095 bytes on Linux) are named as failed.',
  ],
  search: {
    titles: { name: 'Name' },
    format: ({ kind, name }) => (kind === 'file' ? textFormatOfFile(name) : undefined),
    fields: () => ({ author: '', recipients: '' }),
  },
  preview: { form: ({ kind }) => (kind === 'file' ? 'file' : undefined) },
  onDisk,
};

/** The last part of the key is the name, byte for byte. */
function onDisk(row: ItemRow): DiskEntry {
  const name: BinaryString = row.name === '.' && row.parent === '' ? '.' : row.key.slice(row.key.lastIndexOf('\0') + 1);
  const meta = decodeItemMeta(row.meta);
  if (!meta) return { name };
  const { mode, uid, gid, mtimeNs, target } = meta;
  return { name, mode, uid, gid, modifiedNs: mtimeNs, ...(target === undefined ? {} : { link: target }) };
}
