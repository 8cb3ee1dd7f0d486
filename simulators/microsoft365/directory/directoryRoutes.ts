import { jsonBody, param } from '../server/call.ts';
import type { Call, Route } from '../server/call.ts';
import { badRequest, resourceNotFound } from '../server/graphFailure.ts';
import { created, NO_CONTENT, ok } from '../server/reply.ts';
import type { Reply } from '../server/reply.ts';
import { answerList, arrayListing } from '../odata/list.ts';
import type { Properties } from '../odata/list.ts';
import { shape } from '../odata/shape.ts';
import type { TypeName } from '../odata/typeProperties.ts';
import { openMailbox } from '../mailbox/findMailbox.ts';
import { PERMISSIONS } from '../signIn/permissions.ts';
import { MAIL_SKU } from './directory.ts';
import type { DirectoryGroup, DirectoryUser } from './directory.ts';
import { deltaGroups, deltaUsers } from './directoryDelta.ts';
import { textOf } from '../odata/textOf.ts';

const USER = '/users/{user-id}';
/** What a user shows where nothing is selected. */
const USUAL_USER = ['businessPhones', 'displayName', 'givenName', 'id', 'jobTitle', 'mail', 'mobilePhone', 'officeLocation', 'preferredLanguage', 'surname', 'userPrincipalName'];
const NEEDS_CONSISTENCY = /\b(endswith|contains|not|ne)\b/;

export const directoryRoutes: readonly Route[] = [
  { method: 'GET', path: '/users', permissions: PERMISSIONS.readUsers, handle: (call) => listObjects(call, call.world.directory.users, 'user') },
  { method: 'POST', path: '/users', permissions: PERMISSIONS.writeUsers, handle: createUser },
  { method: 'GET', path: '/users/delta()', permissions: PERMISSIONS.deltaUsers, only: ['select', 'filter'], handle: deltaUsers },
  { method: 'GET', path: USER, permissions: PERMISSIONS.readUsers, only: ['select', 'expand'], handle: (call) => ok({ '@odata.context': context(call, 'users/$entity'), ...shapeUser(call, userOf(call).document) }) },
  { method: 'PATCH', path: USER, permissions: PERMISSIONS.writeUsers, handle: patchUser },
  { method: 'DELETE', path: USER, permissions: PERMISSIONS.deleteUsers, handle: deleteUser },
  { method: 'GET', path: `${USER}/memberOf`, permissions: PERMISSIONS.readMemberships, handle: memberOf },
  { method: 'GET', path: `${USER}/licenseDetails`, permissions: PERMISSIONS.readLicenses, handle: licenseDetails },
  { method: 'GET', path: `${USER}/settings/exchange`, permissions: PERMISSIONS.readUsers, only: ['select', 'expand'], handle: exchangeSettings },
  { method: 'GET', path: '/groups', permissions: PERMISSIONS.readGroups, handle: (call) => listObjects(call, call.world.directory.groups, 'group') },
  { method: 'GET', path: '/groups/delta()', permissions: PERMISSIONS.readGroups, only: ['select', 'filter'], handle: deltaGroups },
  { method: 'GET', path: '/groups/{group-id}', permissions: PERMISSIONS.readGroups, only: ['select', 'expand'], handle: (call) => ok({ '@odata.context': context(call, 'groups/$entity'), ...shape({ type: 'group' }, groupOf(call).document, call.query) }) },
  { method: 'GET', path: '/groups/{group-id}/members', permissions: PERMISSIONS.readMembers, handle: (call) => listMembers(call, membersOf(call, groupOf(call), false)) },
  { method: 'GET', path: '/groups/{group-id}/transitiveMembers', permissions: PERMISSIONS.readMembers, handle: (call) => listMembers(call, membersOf(call, groupOf(call), true)) },
  { method: 'GET', path: '/groups/{group-id}/members/graph.user', permissions: PERMISSIONS.readMembers, handle: (call) => listMembers(call, membersOf(call, groupOf(call), false).filter((member) => 'person' in member)) },
  { method: 'POST', path: '/groups/{group-id}/members/$ref', permissions: PERMISSIONS.writeMembers, handle: addMember },
  { method: 'DELETE', path: '/groups/{group-id}/members/{directoryObject-id}/$ref', permissions: PERMISSIONS.writeMembers, handle: removeMember },
  { method: 'GET', path: '/groups/{group-id}/owners', permissions: PERMISSIONS.readOwners, handle: (call) => listMembers(call, groupOf(call).owners.flatMap((id) => call.world.directory.user(id) ?? [])) },
  { method: 'GET', path: '/organization', permissions: PERMISSIONS.readOrganization, handle: organization },
  { method: 'GET', path: '/subscribedSkus', permissions: PERMISSIONS.readSkus, handle: subscribedSkus },
];

type DirectoryObject = DirectoryUser | DirectoryGroup;

export function userOf(call: Call): DirectoryUser {
  const name = param(call, 'user-id');
  const user = call.world.directory.user(name);
  if (user === undefined) throw resourceNotFound(name);
  return user;
}

function groupOf(call: Call): DirectoryGroup {
  const id = param(call, 'group-id');
  const group = call.world.directory.group(id);
  if (group === undefined) throw resourceNotFound(id);
  return group;
}

function shapeUser(call: Call, document: Properties, query = call.query): Properties {
  return shape({ type: 'user', usual: USUAL_USER, expand: { memberOf: () => groupsOf(call, textOf(document['id'])).map((group) => typed(group)) } }, document, query);
}

function requireConsistency(call: Call): void {
  const { filterText, orderBy, search } = call.query;
  const needs = search !== undefined || (filterText !== undefined && (NEEDS_CONSISTENCY.test(filterText) || orderBy.length > 0));
  if (needs && (call.request.headers['consistencylevel'] !== 'eventual' || !call.query.count)) {
    throw badRequest('Unsupported or invalid query filter clause: it needs $count=true and the header ConsistencyLevel: eventual.', 'Request_UnsupportedQuery');
  }
}

function listObjects(call: Call, objects: readonly DirectoryObject[], type: TypeName): Reply {
  requireConsistency(call);
  const documents = objects.filter(({ deleted }) => deleted === undefined).map(({ document }) => document);
  const listing = arrayListing(type, documents, (document, query) => (type === 'user' ? shapeUser(call, document, query) : shape({ type }, document, query)));
  return answerList(call, { ...listing, searchable: true });
}

function createUser(call: Call): Reply {
  const body = jsonBody(call);
  for (const name of ['accountEnabled', 'displayName', 'mailNickname', 'userPrincipalName', 'passwordProfile']) {
    if (body[name] === undefined) throw badRequest(`A value is required for property '${name}' of resource 'User'.`, 'Request_BadRequest');
  }
  if (call.world.directory.user(textOf(body['userPrincipalName'])) !== undefined) throw badRequest('Another object with the same value for property userPrincipalName already exists.', 'Request_BadRequest');
  const { passwordProfile: _secret, ...properties } = body;
  const user = call.world.directory.addUser({ userType: 'Member', assignedLicenses: [], businessPhones: [], ...properties });
  return created({ '@odata.context': context(call, 'users/$entity'), ...shapeUser(call, user.document) });
}

function patchUser(call: Call): Reply {
  const user = userOf(call);
  user.document = { ...user.document, ...jsonBody(call) };
  user.sequence = call.world.directory.nextSequence();
  return NO_CONTENT;
}

function deleteUser(call: Call): Reply {
  call.world.directory.deleteObject(userOf(call));
  return NO_CONTENT;
}

function groupsOf(call: Call, id: string): DirectoryGroup[] {
  return call.world.directory.groups.filter(({ members, deleted }) => deleted === undefined && members.get(id)?.removed === false);
}

/** Groups, and the one directory role that somebody here has. */
function memberOf(call: Call): Reply {
  requireConsistency(call);
  const { directory } = call.world;
  const user = userOf(call);
  const roles = directory.users[0] === user ? [{ '@odata.type': '#microsoft.graph.directoryRole', ...directory.administratorRole }] : [];
  const objects = [...groupsOf(call, user.id).map(typed), ...roles];
  const listing = arrayListing('group', objects, (document, query) => (
    textOf(document['@odata.type']).endsWith('directoryRole') ? document : shape({ type: 'group' }, document, { ...query, select: undefined })
  ));
  return answerList(call, { ...listing, searchable: true });
}

function membersOf(call: Call, group: DirectoryGroup, transitive: boolean, seen = new Set<string>()): DirectoryObject[] {
  const { directory } = call.world;
  const direct = [...group.members].flatMap(([id, { removed }]) => (removed || seen.has(id) ? [] : directory.user(id) ?? directory.group(id) ?? []));
  for (const { id } of direct) seen.add(id);
  return transitive ? direct.flatMap((member) => ('members' in member ? [member, ...membersOf(call, member, true, seen)] : [member])) : direct;
}

function listMembers(call: Call, members: readonly DirectoryObject[]): Reply {
  requireConsistency(call);
  const listing = arrayListing('user', members.map(typed), (document, query) => (
    textOf(document['@odata.type']).endsWith('group') ? shape({ type: 'group' }, document, { ...query, select: undefined }) : shapeUser(call, document, query)
  ));
  return answerList(call, { ...listing, searchable: true });
}

function typed(object: DirectoryObject): Properties {
  return { '@odata.type': `#microsoft.graph.${'members' in object ? 'group' : 'user'}`, ...object.document };
}

function addMember(call: Call): Reply {
  const group = groupOf(call);
  const id = /\/(?:directoryObjects|users|groups)\/([^/]+)$/.exec(textOf(jsonBody(call)['@odata.id']))?.[1];
  const member = id === undefined ? undefined : call.world.directory.user(id) ?? call.world.directory.group(id);
  if (member === undefined) throw badRequest('@odata.id names no object of the directory.', 'Request_BadRequest');
  if (group.members.get(member.id)?.removed === false) throw badRequest("One or more added object references already exist for the following modified properties: 'members'.", 'Request_BadRequest');
  call.world.directory.setMember(group, member.id, true);
  return NO_CONTENT;
}

function removeMember(call: Call): Reply {
  const group = groupOf(call);
  const id = param(call, 'directoryObject-id');
  if (group.members.get(id)?.removed !== false) throw resourceNotFound(id);
  call.world.directory.setMember(group, id, false);
  return NO_CONTENT;
}

function licenseDetails(call: Call): Reply {
  const licenses = (userOf(call).document['assignedLicenses'] ?? []) as { skuId?: string }[];
  const details = licenses.map(({ skuId }) => ({
    id: skuId, skuId, skuPartNumber: MAIL_SKU.name, servicePlans: [{ servicePlanId: MAIL_SKU.plan.id, servicePlanName: MAIL_SKU.plan.name, provisioningStatus: 'Success', appliesTo: 'User' }],
  }));
  return answerList(call, arrayListing('licenseDetails', details, (document, query) => shape({ type: 'licenseDetails' }, document, query)));
}

/** Fact 55: where the mailbox import and export API finds the mailbox. */
function exchangeSettings(call: Call): Reply {
  const mailbox = openMailbox(call, userOf(call).id);
  return ok({ '@odata.context': context(call, `users('${param(call, 'user-id')}')/settings/exchange/$entity`), primaryMailboxId: mailbox.exportId });
}

function organization(call: Call): Reply {
  const document = {
    id: call.world.tenantId, displayName: 'Contoso', countryLetterCode: 'DE', preferredLanguage: 'en', tenantType: 'AAD',
    verifiedDomains: [{ name: call.world.domain, isDefault: true, isInitial: true, capabilities: 'Email, OfficeCommunicationsOnline', type: 'Managed' }],
  };
  return answerList(call, arrayListing('organization', [document], (shown, query) => shape({ type: 'organization' }, shown, query)));
}

function subscribedSkus(call: Call): Reply {
  const used = call.world.directory.users.filter(({ document }) => ((document['assignedLicenses'] ?? []) as unknown[]).length > 0).length;
  const sku = {
    id: `${call.world.tenantId}_${MAIL_SKU.id}`, accountId: call.world.tenantId, accountName: 'Contoso', appliesTo: 'User', capabilityStatus: 'Enabled', consumedUnits: used, skuId: MAIL_SKU.id,
    skuPartNumber: MAIL_SKU.name, prepaidUnits: { enabled: used + 5, suspended: 0, warning: 0, lockedOut: 0 }, subscriptionIds: [],
    servicePlans: [{ servicePlanId: MAIL_SKU.plan.id, servicePlanName: MAIL_SKU.plan.name, provisioningStatus: 'Success', appliesTo: 'User' }],
  };
  return answerList(call, arrayListing('subscribedSku', [sku], (document, query) => shape({ type: 'subscribedSku' }, document, query)));
}

function context(call: Call, what: string): string {
  return `${call.world.origin}/v1.0/$metadata#${what}`;
}
