import { hasCode } from '../../graph/graphErrors.ts';
import type { Entry } from '../../graph/pages.ts';
import { objectOf } from '../items/documents.ts';
import type { Writing } from '../restore/partWriting.ts';
import { photoOf } from './contactContent.ts';

/** The photo of a kept contact; undefined where it has none. */
export function keptPhoto(document: Entry): { readonly type: string; readonly bytes: Buffer } | undefined {
  const { contentType, contentBytes } = objectOf(document, '@holdfast.photo');
  return typeof contentBytes === 'string' ? { type: typeof contentType === 'string' && contentType !== '' ? contentType : 'image/jpeg', bytes: Buffer.from(contentBytes, 'base64') } : undefined;
}

/** Whether the photo of a standing contact is that of a kept one. */
export async function isSamePhoto(path: string, document: Entry, { access, signal }: Writing): Promise<boolean> {
  const now = await photoOf(access, path, signal);
  return (now?.['contentBytes'] ?? undefined) === keptPhoto(document)?.bytes.toString('base64');
}

/** Gives a contact the photo of the kept one, or none. One that the service refuses is lost, and named. */
export async function setPhoto(path: string, document: Entry, { access, losses, signal }: Writing, purpose: string): Promise<void> {
  const { graph, budget } = access;
  const photo = keptPhoto(document);
  const options = { purpose, budget, signal };
  try {
    if (photo === undefined) await graph.remove(`${path}/photo/$value`, options);
    else await graph.put(`${path}/photo/$value`, photo.bytes, { ...options, headers: { 'content-type': photo.type } });
  } catch (error) {
    if (photo === undefined && hasCode(error, 'not-found')) return;
    if (!hasCode(error, 'refused')) throw error;
    losses.add('photo-lost', photo === undefined ? `that it had no photo: ${error.message}` : `its photo: ${error.message}`);
  }
}
