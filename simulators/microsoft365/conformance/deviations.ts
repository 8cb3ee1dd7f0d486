/** Where the simulator differs from the published OpenAPI document, one by one, with the reason. Tests fail for one that is missing here. */

/** Properties that it shows or takes, and the document does not have: 'type property'. */
export const UNDECLARED_PROPERTIES: Readonly<Record<string, string>> = {
  'microsoft.graph.mailboxFolder parentMailboxUrl': 'the documented examples show it',
  'microsoft.graph.mailboxFolder wellKnownName': 'the documented examples show it',
};

/** Types of which the document names only a base where more comes. */
export const LOOSE_TYPES: Readonly<Record<string, string>> = {
  'microsoft.graph.openTypeExtension': 'an open type: its properties are those that somebody gave it',
  'microsoft.graph.directoryObject': 'delta of users and groups is typed by the base; the documented examples show users and groups',
};

/** Routes that the document does not have. */
export const ROUTES_NOT_IN_DOCUMENT: Readonly<Record<string, string>> = {
  'GET /users/{user-id}/messages/{message-id}/attachments/{attachment-id}/$value': 'documented for item attachments in MIME form (fact 42)',
  'GET /users/{user-id}/mailFolders/{mailFolder-id}/messages/{message-id}/attachments/{attachment-id}/$value': 'documented for item attachments in MIME form (fact 42)',
  'GET /users/{user-id}/events/{event-id}/attachments/{attachment-id}/$value': 'documented for item attachments in MIME form (fact 42)',
  'GET /users/{user-id}/calendars/{calendar-id}/events/{event-id}/attachments/{attachment-id}/$value': 'documented for item attachments in MIME form (fact 42)',
};

/** Routes for which the permission table has no row. */
export const ROUTES_WITHOUT_PERMISSION_ROW: Readonly<Record<string, string>> = {
  'GET /users/{user-id}/settings/exchange': 'asked for like the user itself',
  'GET /groups/{group-id}/members/graph.user': 'asked for like the members',
  'POST /groups/{group-id}/members/$ref': 'asked for like the members',
  'DELETE /groups/{group-id}/members/{directoryObject-id}/$ref': 'asked for like the members',
  'GET /groups/{group-id}/events': 'closed to applications (facts 64 and 92)',
  'POST /groups/{group-id}/events': 'closed to applications (facts 64 and 92)',
  'POST /groups/{group-id}/conversations': 'closed to applications (facts 64 and 92)',
  'POST /groups/{group-id}/threads': 'closed to applications (facts 64 and 92)',
  'GET /users/{user-id}/mailFolders/{mailFolder-id}/messageRules': 'asked for like the settings of the mailbox (fact 54)',
  'POST /users/{user-id}/mailFolders/{mailFolder-id}/messageRules': 'asked for like the settings of the mailbox (fact 54)',
  'GET /users/{user-id}/mailFolders/{mailFolder-id}/messageRules/{messageRule-id}': 'asked for like the settings of the mailbox (fact 54)',
  'PATCH /users/{user-id}/mailFolders/{mailFolder-id}/messageRules/{messageRule-id}': 'asked for like the settings of the mailbox (fact 54)',
  'DELETE /users/{user-id}/mailFolders/{mailFolder-id}/messageRules/{messageRule-id}': 'asked for like the settings of the mailbox (fact 54)',
  'GET /users/{user-id}/photo/$value': 'asked for like the photo\'s description',
  'GET /users/{user-id}/messages/{message-id}/$value': 'asked for like a whole message',
  'GET /users/{user-id}/mailFolders/{mailFolder-id}/messages/{message-id}/$value': 'asked for like a whole message',
  'GET /users/{user-id}/messages/{message-id}/attachments/{attachment-id}': 'asked for like the list of attachments',
  'DELETE /users/{user-id}/messages/{message-id}/attachments/{attachment-id}': 'asked for like the list of attachments',
  'POST /users/{user-id}/mailFolders/{mailFolder-id}/messages/{message-id}/attachments/createUploadSession': 'asked for like the list of attachments',
  'GET /users/{user-id}/mailFolders/{mailFolder-id}/messages/{message-id}/attachments/{attachment-id}': 'asked for like the list of attachments',
  'DELETE /users/{user-id}/mailFolders/{mailFolder-id}/messages/{message-id}/attachments/{attachment-id}': 'asked for like the list of attachments',
  'GET /users/{user-id}/calendar': 'asked for like the list of calendars',
  'GET /users/{user-id}/calendars/{calendar-id}': 'asked for like the list of calendars',
  'PATCH /users/{user-id}/calendars/{calendar-id}': 'asked for like the list of calendars',
  'GET /users/{user-id}/events/{event-id}/attachments/{attachment-id}': 'asked for like the list of attachments',
  'DELETE /users/{user-id}/events/{event-id}/attachments/{attachment-id}': 'asked for like the list of attachments',
  'POST /users/{user-id}/calendars/{calendar-id}/events/{event-id}/attachments/createUploadSession': 'asked for like the list of attachments',
  'GET /users/{user-id}/calendars/{calendar-id}/events/{event-id}/attachments/{attachment-id}': 'asked for like the list of attachments',
  'DELETE /users/{user-id}/calendars/{calendar-id}/events/{event-id}/attachments/{attachment-id}': 'asked for like the list of attachments',
  'GET /users/{user-id}/contacts/{contact-id}/photo/$value': 'asked for like the photo\'s description',
  'PUT /users/{user-id}/contacts/{contact-id}/photo/$value': 'asked for like the photo\'s description',
  'GET /users/{user-id}/contactFolders/{contactFolder-id}/contacts/{contact-id}/photo/$value': 'asked for like the photo\'s description',
  'PUT /users/{user-id}/contactFolders/{contactFolder-id}/contacts/{contact-id}/photo/$value': 'asked for like the photo\'s description',
  'DELETE /users/{user-id}/contactFolders/{contactFolder-id}/contacts/{contact-id}/photo/$value': 'asked for like the photo\'s description',
  'DELETE /users/{user-id}/contacts/{contact-id}/photo/$value': 'asked for like the photo\'s description',
  'GET /users/{user-id}/todo/lists/{todoTaskList-id}/tasks/{todoTask-id}/attachments/{attachmentBase-id}/$value': 'asked for like the list of attachments',
  'GET /users/{user-id}/todo/lists/{todoTaskList-id}/tasks/{todoTask-id}/extensions': 'documented with the extension: asked for like the task',
  'POST /users/{user-id}/todo/lists/{todoTaskList-id}/tasks/{todoTask-id}/extensions': 'documented with the extension: asked for like the task',
  'GET /users/{user-id}/todo/lists/{todoTaskList-id}/tasks/{todoTask-id}/extensions/{extension-id}': 'documented with the extension: asked for like the task',
  'PATCH /users/{user-id}/todo/lists/{todoTaskList-id}/tasks/{todoTask-id}/extensions/{extension-id}': 'documented with the extension: asked for like the task',
  'DELETE /users/{user-id}/todo/lists/{todoTaskList-id}/tasks/{todoTask-id}/extensions/{extension-id}': 'documented with the extension: asked for like the task',
  'GET /admin/exchange/mailboxes/{mailbox-id}/folders/delta()': 'asked for like the list of folders',
  'GET /admin/exchange/mailboxes/{mailbox-id}/folders/{mailboxFolder-id}/childFolders': 'asked for like the list of folders',
  'GET /admin/exchange/mailboxes/{mailbox-id}/folders/{mailboxFolder-id}/items/delta()': 'asked for like the list of items',
};

/** Documented examples that it refuses, by name. */
export const REFUSED_EXAMPLES: Readonly<Record<string, string>> = {
  create_conversation_from_group: 'closed to applications (fact 92)',
  create_conversationthread_from_group: 'closed to applications (fact 92)',
  create_event_from_group: 'closed to applications (fact 64)',
  delete_group_event: 'closed to applications (fact 64)',
  get_event_based_on_eventmessage: 'messages about meetings are not simulated',
  get_group_events: 'closed to applications (fact 64)',
  get_to_count: 'the option is misspelled in the example: $orderbydisplayName',
  get_transitive_managers: 'managers are not simulated',
  group_get_calendarview: 'closed to applications (fact 64)',
  list_schemaextension: 'schema extensions are not simulated',
  update_message: 'the type of the example\'s body is empty',
};
