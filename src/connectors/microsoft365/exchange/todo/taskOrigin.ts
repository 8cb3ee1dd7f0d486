import { hasCode } from '../../graph/graphErrors.ts';
import { textOf, type Entry } from '../../graph/pages.ts';
import { listOf } from '../items/documents.ts';
import { parseOrigin, type Origin } from '../restore/origin.ts';
import type { Writing } from '../restore/partWriting.ts';

/** Tasks have no extended properties of the store, but open extensions: this one holds the origin. */
const EXTENSION = 'dev.holdfast.restored';
const EXTENSION_ID = `microsoft.graph.openTypeExtension.${EXTENSION}`;

/** The extension as a body has it. */
export function taskOrigin(origin: string): Entry {
  return { '@odata.type': '#microsoft.graph.openTypeExtension', extensionName: EXTENSION, origin };
}

export function originOfTask(task: Entry): Origin | undefined {
  const found = listOf(task, 'extensions').find(isOurs);
  return found === undefined ? undefined : parseOrigin(textOf(found, 'origin'));
}

function isOurs(extension: Entry): boolean {
  return extension['extensionName'] === EXTENSION || String(extension['id']).endsWith(EXTENSION);
}

/** Notes an origin on a task that has one, or has none. */
export async function noteOrigin(path: string, origin: string, { access: { graph, budget }, signal }: Writing, purpose: string): Promise<void> {
  const options = { purpose, budget, signal };
  try {
    await graph.patch(`${path}/extensions/${EXTENSION_ID}`, taskOrigin(origin), options);
  } catch (error) {
    if (!hasCode(error, 'not-found')) throw error;
    await graph.post(`${path}/extensions`, taskOrigin(origin), { ...options, repeatable: true }).catch(async (refusal: unknown) => {
      // Made already, by a request whose answer was lost.
      if (!hasCode(refusal, 'refused') || refusal.data['status'] !== 409) throw refusal;
      await graph.patch(`${path}/extensions/${EXTENSION_ID}`, taskOrigin(origin), options);
    });
  }
}
