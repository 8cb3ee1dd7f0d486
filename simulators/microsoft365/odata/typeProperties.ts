import type * as Graph from '@microsoft/microsoft-graph-types';
import { badRequest } from '../server/graphFailure.ts';

/** Names that the published OpenAPI document has and the type package has not, or not yet. */
type Newer = 'primaryEmailAddress' | 'secondaryEmailAddress' | 'tertiaryEmailAddress' | 'identityParentId' | 'sponsorOf' | 'accessType' | 'infoCatalogs' | 'isFavorite'
  | 'onPremisesExtensionAttributes' | 'organizationId' | 'resourceBehaviorOptions' | 'resourceProvisioningOptions' | 'unseenConversationsCount' | 'unseenMessagesCount' | 'welcomeMessageEnabled';

/** The names that $select, $filter and $orderby may use, by type. The published types check those that they know. */
const PROPERTIES = {
  message: [
    'id', 'categories', 'changeKey', 'createdDateTime', 'lastModifiedDateTime', 'bccRecipients', 'body', 'bodyPreview', 'ccRecipients',
    'conversationId', 'conversationIndex', 'flag', 'from', 'hasAttachments', 'importance', 'inferenceClassification', 'internetMessageHeaders',
    'internetMessageId', 'isDeliveryReceiptRequested', 'isDraft', 'isRead', 'isReadReceiptRequested', 'parentFolderId', 'receivedDateTime',
    'replyTo', 'sender', 'sentDateTime', 'subject', 'toRecipients', 'uniqueBody', 'webLink', 'attachments', 'extensions',
    'multiValueExtendedProperties', 'singleValueExtendedProperties'
  ] satisfies (keyof Graph.Message)[],
  mailFolder: [
    'id', 'childFolderCount', 'displayName', 'isHidden', 'parentFolderId', 'totalItemCount', 'unreadItemCount', 'childFolders', 'messageRules',
    'messages', 'multiValueExtendedProperties', 'singleValueExtendedProperties'
  ] satisfies (keyof Graph.MailFolder)[],
  attachment: [
    'id', 'contentType', 'isInline', 'lastModifiedDateTime', 'name', 'size'
  ] satisfies (keyof Graph.Attachment)[],
  event: [
    'id', 'categories', 'changeKey', 'createdDateTime', 'lastModifiedDateTime', 'allowNewTimeProposals', 'attendees', 'body', 'bodyPreview',
    'cancelledOccurrences', 'end', 'hasAttachments', 'hideAttendees', 'iCalUId', 'importance', 'isAllDay', 'isCancelled', 'isDraft',
    'isOnlineMeeting', 'isOrganizer', 'isReminderOn', 'location', 'locations', 'onlineMeeting', 'onlineMeetingProvider', 'onlineMeetingUrl',
    'organizer', 'originalEndTimeZone', 'originalStart', 'originalStartTimeZone', 'recurrence', 'reminderMinutesBeforeStart', 'responseRequested',
    'responseStatus', 'sensitivity', 'seriesMasterId', 'showAs', 'start', 'subject', 'transactionId', 'type', 'webLink', 'attachments', 'calendar',
    'exceptionOccurrences', 'extensions', 'instances', 'multiValueExtendedProperties', 'singleValueExtendedProperties'
  ] satisfies (keyof Graph.Event)[],
  calendar: [
    'id', 'allowedOnlineMeetingProviders', 'canEdit', 'canShare', 'canViewPrivateItems', 'changeKey', 'color', 'defaultOnlineMeetingProvider',
    'hexColor', 'isDefaultCalendar', 'isRemovable', 'isTallyingResponses', 'name', 'owner', 'calendarPermissions', 'calendarView', 'events',
    'multiValueExtendedProperties', 'singleValueExtendedProperties'
  ] satisfies (keyof Graph.Calendar)[],
  calendarGroup: [
    'id', 'changeKey', 'classId', 'name', 'calendars'
  ] satisfies (keyof Graph.CalendarGroup)[],
  contact: [
    'id', 'categories', 'changeKey', 'createdDateTime', 'lastModifiedDateTime', 'assistantName', 'birthday', 'businessAddress', 'businessHomePage',
    'businessPhones', 'children', 'companyName', 'department', 'displayName', 'emailAddresses', 'fileAs', 'generation', 'givenName', 'homeAddress',
    'homePhones', 'imAddresses', 'initials', 'jobTitle', 'manager', 'middleName', 'mobilePhone', 'nickName', 'officeLocation', 'otherAddress',
    'parentFolderId', 'personalNotes', 'primaryEmailAddress', 'profession', 'secondaryEmailAddress', 'spouseName', 'surname',
    'tertiaryEmailAddress', 'title', 'yomiCompanyName', 'yomiGivenName', 'yomiSurname', 'extensions', 'multiValueExtendedProperties', 'photo',
    'singleValueExtendedProperties'
  ] satisfies (keyof Graph.Contact | Newer)[],
  contactFolder: [
    'id', 'displayName', 'parentFolderId', 'childFolders', 'contacts', 'multiValueExtendedProperties', 'singleValueExtendedProperties'
  ] satisfies (keyof Graph.ContactFolder)[],
  todoTask: [
    'id', 'body', 'bodyLastModifiedDateTime', 'categories', 'completedDateTime', 'createdDateTime', 'dueDateTime', 'hasAttachments', 'importance',
    'isReminderOn', 'lastModifiedDateTime', 'recurrence', 'reminderDateTime', 'startDateTime', 'status', 'title', 'attachments',
    'attachmentSessions', 'checklistItems', 'extensions', 'linkedResources'
  ] satisfies (keyof Graph.TodoTask)[],
  todoTaskList: [
    'id', 'displayName', 'isOwner', 'isShared', 'wellknownListName', 'extensions', 'tasks'
  ] satisfies (keyof Graph.TodoTaskList)[],
  checklistItem: [
    'id', 'checkedDateTime', 'createdDateTime', 'displayName', 'isChecked'
  ] satisfies (keyof Graph.ChecklistItem)[],
  linkedResource: [
    'id', 'applicationName', 'displayName', 'externalId', 'webUrl'
  ] satisfies (keyof Graph.LinkedResource)[],
  openTypeExtension: [
    'id', 'extensionName'
  ] satisfies (keyof Graph.OpenTypeExtension)[],
  mailboxFolder: [
    'id', 'childFolderCount', 'displayName', 'parentFolderId', 'totalItemCount', 'type', 'childFolders', 'items', 'multiValueExtendedProperties',
    'singleValueExtendedProperties', 'parentMailboxUrl', 'wellKnownName'
  ],
  mailboxItem: [
    'id', 'categories', 'changeKey', 'createdDateTime', 'lastModifiedDateTime', 'size', 'type', 'multiValueExtendedProperties',
    'singleValueExtendedProperties'
  ],
  user: [
    'id', 'deletedDateTime', 'aboutMe', 'accountEnabled', 'ageGroup', 'assignedLicenses', 'assignedPlans', 'authorizationInfo', 'birthday',
    'businessPhones', 'city', 'companyName', 'consentProvidedForMinor', 'country', 'createdDateTime', 'creationType', 'customSecurityAttributes',
    'department', 'deviceEnrollmentLimit', 'displayName', 'employeeHireDate', 'employeeId', 'employeeLeaveDateTime', 'employeeOrgData',
    'employeeType', 'externalUserState', 'externalUserStateChangeDateTime', 'faxNumber', 'givenName', 'hireDate', 'identities', 'identityParentId',
    'imAddresses', 'interests', 'isManagementRestricted', 'isResourceAccount', 'jobTitle', 'lastPasswordChangeDateTime',
    'legalAgeGroupClassification', 'licenseAssignmentStates', 'mail', 'mailboxSettings', 'mailNickname', 'mobilePhone', 'mySite', 'officeLocation',
    'onPremisesDistinguishedName', 'onPremisesDomainName', 'onPremisesExtensionAttributes', 'onPremisesImmutableId', 'onPremisesLastSyncDateTime',
    'onPremisesProvisioningErrors', 'onPremisesSamAccountName', 'onPremisesSecurityIdentifier', 'onPremisesSyncEnabled',
    'onPremisesUserPrincipalName', 'otherMails', 'passwordPolicies', 'passwordProfile', 'pastProjects', 'postalCode', 'preferredDataLocation',
    'preferredLanguage', 'preferredName', 'print', 'provisionedPlans', 'proxyAddresses', 'responsibilities', 'schools', 'securityIdentifier',
    'serviceProvisioningErrors', 'showInAddressList', 'signInActivity', 'signInSessionsValidFromDateTime', 'skills', 'state', 'streetAddress',
    'surname', 'usageLocation', 'userPrincipalName', 'userType', 'calendar', 'calendarGroups', 'calendars', 'calendarView', 'chats',
    'contactFolders', 'contacts', 'createdObjects', 'directReports', 'drive', 'drives', 'events', 'extensions', 'followedSites', 'joinedTeams',
    'licenseDetails', 'mailFolders', 'manager', 'memberOf', 'messages', 'ownedDevices', 'ownedObjects', 'people', 'permissionGrants', 'photo',
    'photos', 'planner', 'registeredDevices', 'sponsorOf', 'sponsors', 'todo', 'transitiveMemberOf'
  ] satisfies (keyof Graph.User | Newer)[],
  group: [
    'id', 'deletedDateTime', 'accessType', 'allowExternalSenders', 'assignedLabels', 'assignedLicenses', 'autoSubscribeNewMembers',
    'classification', 'createdDateTime', 'description', 'displayName', 'expirationDateTime', 'groupTypes', 'hasMembersWithLicenseErrors',
    'hideFromAddressLists', 'hideFromOutlookClients', 'infoCatalogs', 'isArchived', 'isAssignableToRole', 'isFavorite', 'isManagementRestricted',
    'isSubscribedByMail', 'licenseProcessingState', 'mail', 'mailEnabled', 'mailNickname', 'membershipRule', 'membershipRuleProcessingState',
    'onPremisesDomainName', 'onPremisesExtensionAttributes', 'onPremisesLastSyncDateTime', 'onPremisesNetBiosName', 'onPremisesProvisioningErrors',
    'onPremisesSamAccountName', 'onPremisesSecurityIdentifier', 'onPremisesSyncEnabled', 'organizationId', 'preferredDataLocation',
    'preferredLanguage', 'proxyAddresses', 'renewedDateTime', 'resourceBehaviorOptions', 'resourceProvisioningOptions', 'securityEnabled',
    'securityIdentifier', 'serviceProvisioningErrors', 'theme', 'uniqueName', 'unseenConversationsCount', 'unseenCount', 'unseenMessagesCount',
    'visibility', 'welcomeMessageEnabled', 'acceptedSenders', 'calendar', 'calendarView', 'conversations', 'createdOnBehalfOf', 'drive', 'drives',
    'events', 'extensions', 'memberOf', 'members', 'membersWithLicenseErrors', 'owners', 'permissionGrants', 'photo', 'photos', 'planner',
    'rejectedSenders', 'sites', 'team', 'threads', 'transitiveMemberOf', 'transitiveMembers'
  ] satisfies (keyof Graph.Group | Newer)[],
  organization: [
    'id', 'deletedDateTime', 'assignedPlans', 'businessPhones', 'city', 'country', 'countryLetterCode', 'createdDateTime', 'defaultUsageLocation',
    'displayName', 'marketingNotificationEmails', 'mobileDeviceManagementAuthority', 'onPremisesLastSyncDateTime', 'onPremisesSyncEnabled',
    'partnerTenantType', 'postalCode', 'preferredLanguage', 'privacyProfile', 'provisionedPlans', 'securityComplianceNotificationMails',
    'securityComplianceNotificationPhones', 'state', 'street', 'technicalNotificationMails', 'tenantType', 'verifiedDomains', 'extensions'
  ] satisfies (keyof Graph.Organization)[],
  subscribedSku: [
    'id', 'accountId', 'accountName', 'appliesTo', 'capabilityStatus', 'consumedUnits', 'prepaidUnits', 'servicePlans', 'skuId', 'skuPartNumber',
    'subscriptionIds'
  ] satisfies (keyof Graph.SubscribedSku)[],
  profilePhoto: [
    'id', 'height', 'width'
  ] satisfies (keyof Graph.ProfilePhoto)[],
  outlookCategory: [
    'id', 'color', 'displayName'
  ] satisfies (keyof Graph.OutlookCategory)[],
  mailboxSettings: [
    'archiveFolder', 'automaticRepliesSetting', 'dateFormat', 'delegateMeetingMessageDeliveryOptions', 'language', 'timeFormat', 'timeZone',
    'userPurpose', 'workingHours'
  ] satisfies (keyof Graph.MailboxSettings)[],
  licenseDetails: [
    'id', 'servicePlans', 'skuId', 'skuPartNumber'
  ] satisfies (keyof Graph.LicenseDetails)[],
  attachmentBase: [
    'id', 'contentType', 'lastModifiedDateTime', 'name', 'size'
  ] satisfies (keyof Graph.AttachmentBase)[],
  messageRule: [
    'id', 'actions', 'conditions', 'displayName', 'exceptions', 'hasError', 'isEnabled', 'isReadOnly', 'sequence'
  ] satisfies (keyof Graph.MessageRule)[],
};

export type TypeName = keyof typeof PROPERTIES;

const LOWER: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries(PROPERTIES).map(([type, names]) => [type, new Set<string>(names.map((name) => name.toLowerCase()))]),
);

/** 400 where a name is none of the type's. Names are taken in any case, as the service does. */
export function checkProperties(type: TypeName, names: readonly string[]): void {
  for (const name of names) {
    const first = name.split('/')[0] ?? '';
    if (first === '*' || LOWER.get(type)?.has(first.toLowerCase())) continue;
    throw badRequest(`Could not find a property named '${name}' on type 'microsoft.graph.${type}'.`, 'RequestBroker--ParseUri');
  }
}

/** Whether a body's property is one of the type's. Annotations and types are. */
export function isPropertyOf(type: TypeName, name: string): boolean {
  return name.includes('@') || (LOWER.get(type)?.has(name.toLowerCase()) ?? false);
}
