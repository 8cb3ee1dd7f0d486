import { jsonBody, param } from '../server/call.ts';
import type { Call, Route } from '../server/call.ts';
import { badRequest, GraphFailure, itemNotFound } from '../server/graphFailure.ts';
import { created, NO_CONTENT, ok } from '../server/reply.ts';
import type { Reply } from '../server/reply.ts';
import { answerList, arrayListing } from '../odata/list.ts';
import type { Properties } from '../odata/list.ts';
import { shape } from '../odata/shape.ts';
import { makePicture } from '../seed/pictures.ts';
import { PERMISSIONS } from '../signIn/permissions.ts';
import { findFolder, mailboxOf } from './findMailbox.ts';
import type { Mailbox } from './mailbox.ts';

const READ = PERMISSIONS.readSettings;
const WRITE = PERMISSIONS.writeSettings;
const CATEGORIES = '/users/{user-id}/outlook/masterCategories';
const RULES = '/users/{user-id}/mailFolders/{mailFolder-id}/messageRules';
/** Fact 41. */
const MOST_TRANSLATED = 1000;

/** Fact 54 and what else a mailbox has besides items. */
export const settingsRoutes: readonly Route[] = [
  { method: 'GET', path: '/users/{user-id}/mailboxSettings', permissions: READ, only: ['select'], handle: (call) => ok(shape({ type: 'mailboxSettings' }, mailboxOf(call).settings, call.query)) },
  { method: 'PATCH', path: '/users/{user-id}/mailboxSettings', permissions: WRITE, handle: patchSettings },
  ...entryRoutes(CATEGORIES, 'outlookCategory', 'outlookCategory-id', ({ categories }) => categories),
  ...entryRoutes(RULES, 'messageRule', 'messageRule-id', ({ rules }) => rules),
  { method: 'POST', path: '/users/{user-id}/translateExchangeIds', permissions: ['User.Read.All', 'User.ReadWrite.All'], handle: translateIds },
  { method: 'GET', path: '/users/{user-id}/photo', permissions: PERMISSIONS.userPhotos, only: ['select'], handle: () => ok({ '@odata.mediaContentType': 'image/png', id: '96x96', height: 96, width: 96 }) },
  { method: 'GET', path: '/users/{user-id}/photo/$value', permissions: PERMISSIONS.userPhotos, only: [], handle: readPhoto },
];

function patchSettings(call: Call): Reply {
  const mailbox = mailboxOf(call);
  const body = jsonBody(call);
  const unknown = Object.keys(body).find((name) => !(name in mailbox.settings) && !name.includes('@'));
  if (unknown !== undefined) throw badRequest(`The property '${unknown}' does not exist on type 'microsoft.graph.mailboxSettings'.`, 'RequestBodyRead');
  mailbox.settings = { ...mailbox.settings, ...body };
  return ok({ '@odata.context': `${call.world.origin}/v1.0/$metadata#users('${call.params['user-id'] ?? ''}')/mailboxSettings`, ...mailbox.settings });
}

function entryRoutes(path: string, type: 'outlookCategory' | 'messageRule', id: string, listOf: (mailbox: Mailbox) => Properties[]): Route[] {
  const entries = (call: Call): Properties[] => {
    const folder = call.params['mailFolder-id'];
    if (folder !== undefined && findFolder(mailboxOf(call), folder).wellKnown !== 'inbox') throw badRequest('Rules are those of the inbox.', 'ErrorInvalidRequest');
    return listOf(mailboxOf(call));
  };
  const entryOf = (call: Call): Properties => {
    const entry = entries(call).find((candidate) => candidate['id'] === param(call, id));
    if (entry === undefined) throw itemNotFound();
    return entry;
  };
  return [
    { method: 'GET', path, permissions: READ, handle: (call) => answerList(call, arrayListing(type, entries(call), (document, query) => shape({ type }, document, query))) },
    {
      method: 'POST', path, permissions: WRITE,
      handle: (call) => {
        const body = jsonBody(call);
        const { displayName } = body;
        if (typeof displayName !== 'string') throw badRequest('A displayName is required.', 'ErrorInvalidRequest');
        refuseLostFolders(mailboxOf(call), body);
        if (type === 'outlookCategory' && entries(call).some((entry) => entry['displayName'] === displayName)) throw new GraphFailure(409, 'ErrorCategoryExists', 'There is a category of this name.');
        const entry = { id: call.world.newId(), ...(type === 'messageRule' ? { isReadOnly: false, hasError: false, isEnabled: true } : {}), ...body };
        entries(call).push(entry);
        return created(entry);
      },
    },
    { method: 'GET', path: `${path}/{${id}}`, permissions: READ, only: ['select'], handle: (call) => ok(shape({ type }, entryOf(call), call.query)) },
    {
      method: 'PATCH', path: `${path}/{${id}}`, permissions: WRITE,
      handle: (call) => {
        const body = jsonBody(call);
        if (type === 'outlookCategory' && 'displayName' in body) throw badRequest('The name of a category cannot be changed.', 'ErrorInvalidRequest');
        refuseLostFolders(mailboxOf(call), body);
        return ok(Object.assign(entryOf(call), body));
      },
    },
    {
      method: 'DELETE', path: `${path}/{${id}}`, permissions: WRITE,
      handle: (call) => {
        const list = entries(call);
        list.splice(list.indexOf(entryOf(call)), 1);
        return NO_CONTENT;
      },
    },
  ];
}

/** A rule moves mail only into folders that are there. */
function refuseLostFolders(mailbox: Mailbox, { actions }: Properties): void {
  const { moveToFolder, copyToFolder } = (actions ?? {}) as Properties;
  for (const id of [moveToFolder, copyToFolder]) if (typeof id === 'string') findFolder(mailbox, id, 'IPF.Note');
}

/** Fact 41: between ordinary and immutable ids. The other forms look the same here. */
function translateIds(call: Call): Reply {
  const mailbox = mailboxOf(call);
  const body = jsonBody(call);
  const { targetIdType } = body;
  const ids = body['inputIds'] ?? body['InputIds'];
  if (!Array.isArray(ids) || ids.length > MOST_TRANSLATED) throw badRequest(`inputIds is a list of at most ${MOST_TRANSLATED}.`, 'ErrorInvalidRequest');
  const value = ids.flatMap((sourceId: unknown) => {
    const target = typeof sourceId === 'string' ? mailbox.ids.read(sourceId) : undefined;
    if (target?.kind !== 'item') return [];
    const moves = mailbox.placeOf(target.key)?.shelf.get(target.key)?.moves;
    return moves === undefined ? [] : [{ sourceId, targetId: mailbox.ids.item(target.key, moves, /immutable/i.test(typeof targetIdType === 'string' ? targetIdType : ''), target.date) }];
  });
  return ok({ '@odata.context': `${call.world.origin}/v1.0/$metadata#Collection(microsoft.graph.convertIdResult)`, value });
}

function readPhoto(call: Call): Reply {
  const { owner } = mailboxOf(call);
  return { status: 200, bytes: makePicture(96, owner.seed, owner.person.address), headers: { 'Content-Type': 'image/png' } };
}
