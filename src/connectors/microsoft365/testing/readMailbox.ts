import { createHash } from 'node:crypto';
import type { TestTenant } from './testTenant.ts';

export type Document = Readonly<Record<string, any>>;

/** A mail as Graph shows it, with its attachments, by where it lies. */
export interface ShownMail {
  readonly path: string;
  readonly fields: Document;
}

const HIDDEN = ['recoverableitemsdeletions'];

/** All mails of a mailbox, read over Graph by nothing of the product. The key is the path and the Message-ID. */
export async function readMailbox(tenant: TestTenant, address = tenant.address): Promise<Map<string, ShownMail>> {
  const mails = new Map<string, ShownMail>();
  const read = async (id: string, path: string): Promise<void> => {
    const listed = await all(tenant, `/mailFolders/${id}/messages?$top=200&$expand=attachments`, address);
    // Shown when asked for alone.
    const headers = new Map((await all(tenant, `/mailFolders/${id}/messages?$top=200&$select=id,internetMessageHeaders`, address)).map((message) => [message['id'], message['internetMessageHeaders']]));
    for (const message of listed) {
      const fields = { ...message, internetMessageHeaders: headers.get(message['id']), attachments: await attachments(tenant, address, message) };
      let key = `${path} ${message['internetMessageId']}`;
      while (mails.has(key)) key += ' (again)';
      mails.set(key, { path, fields });
    }
  };
  const below = async (parent: string, path: string): Promise<void> => {
    for (const { id, displayName } of await all(tenant, `/mailFolders/${parent}/childFolders?$top=100`, address)) {
      const at = path === '' ? displayName : `${path}/${displayName}`;
      await read(id, at);
      await below(id, at);
    }
  };
  await below('msgfolderroot', '');
  for (const name of HIDDEN) await read(name, name);
  return mails;
}

/** Paths of all folders that people see. */
export async function folderPaths(tenant: TestTenant, address = tenant.address): Promise<string[]> {
  const paths: string[] = [];
  const below = async (parent: string, path: string): Promise<void> => {
    for (const { id, displayName } of await all(tenant, `/mailFolders/${parent}/childFolders?$top=100`, address)) {
      const at = path === '' ? displayName : `${path}/${displayName}`;
      paths.push(at);
      await below(id, at);
    }
  };
  await below('msgfolderroot', '');
  return paths.sort();
}

/** All entries of a list, page by page. */
export async function all(tenant: TestTenant, path: string, address: string): Promise<Document[]> {
  const found: Document[] = [];
  for (let next: string | undefined = path; next !== undefined;) {
    const page: any = await tenant.ask('GET', next, undefined, address);
    found.push(...page.value);
    next = page['@odata.nextLink']?.replace(/^.*?\/users\/[^/]+/, '');
  }
  return found;
}

async function attachments(tenant: TestTenant, address: string, message: Document): Promise<Document[]> {
  const shown: Document[] = [];
  for (const { name, contentType, isInline, contentId, contentBytes, ...rest } of (message['attachments'] ?? []) as Document[]) {
    if (rest['@odata.type'] === '#microsoft.graph.itemAttachment') {
      const { item } = await tenant.ask('GET', `/messages/${message['id']}/attachments/${rest['id']}?$expand=microsoft.graph.itemAttachment/item`, undefined, address);
      const { subject, body, from, toRecipients, internetMessageId } = item;
      shown.push({ name, item: { subject, body: plain(body), from, toRecipients, internetMessageId } });
    } else shown.push({ name, contentType, isInline, contentId, sha256: createHash('sha256').update(Buffer.from(contentBytes, 'base64')).digest('hex') });
  }
  return shown;
}

/** Line ends and the space after the last word say nothing. */
function plain(body: Document): Document {
  return { ...body, content: String(body['content']).replaceAll('\r\n', '\n').trimEnd() };
}

/** Names of fields that differ between a mail and the one that was given back; a field of a field as 'flag/dueDateTime' is told by its first part. */
export function differences(before: Document, after: Document): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  const value = (document: Document, name: string): string => JSON.stringify(name === 'body' && name in document ? plain(document[name]) : document[name]);
  return [...names].filter((name) => value(before, name) !== value(after, name)).sort();
}
