import { z } from 'zod';
import { ActivityQuestion, AuditQuestion } from './activity.ts';
import { route } from './route.ts';

const SERVICE = ['Service'];
const TEXT = 'text/plain';
const CSV = 'text/csv';
const ACTIVITY = ['Activity'];

/**
 * Routes that answer with something else than a JSON document, and so are handlers of requests. They stand in the
 * contract like all others: in the OpenAPI document, and in the test that calls every route as everybody.
 */
export const plain = {
  health: route({ who: 'anyone' }, { method: 'GET', path: '/healthz', summary: 'The process answers', tags: SERVICE, produces: TEXT }).output(z.string()),
  readiness: route({ who: 'anyone' }, {
    method: 'GET', path: '/readyz', summary: 'Database and storage answer', tags: SERVICE, produces: TEXT, also: { 503: 'Names of what does not' },
  }).output(z.string()),
  metrics: route({ who: 'operator' }, {
    method: 'GET', path: '/metrics', summary: 'Metrics for Prometheus', tags: SERVICE, produces: TEXT,
    description: 'For the machine itself, and with the bearer token of HOLDFAST_METRICS_TOKEN_FILE for others.',
  }).output(z.string()),
  openApi: route({ who: 'anyone' }, { method: 'GET', path: '/api/v1/openapi.json', summary: 'This document', tags: SERVICE }).output(z.unknown()),
  auditFile: route({ who: 'permitted', permission: 'activity.view' }, {
    method: 'GET', path: '/api/v1/audit.csv', summary: 'Security audit as CSV; takes ranges', tags: ACTIVITY, produces: CSV,
    also: { 206: 'The range that was asked for', 304: 'The file that the caller has' },
  }).input(AuditQuestion.extend({ until: z.coerce.number().int().min(1).optional().describe('Last entry; all unless given') })).output(z.string()),
  activityFile: route({ who: 'permitted', permission: 'activity.view' }, {
    method: 'GET', path: '/api/v1/activities.csv', summary: 'System activity as CSV, oldest first', tags: ACTIVITY, produces: CSV,
  }).input(ActivityQuestion).output(z.string()),
  usageFile: route({ who: 'permitted', permission: 'tasks.view' }, {
    method: 'GET', path: '/api/v1/usage.csv', summary: 'Usage report: all entities of the account as CSV', tags: ['Backup tasks'], produces: CSV,
    description: 'Service, task, name, address, status (active, inactive or archived), licence, size of the backups and time of the last one.',
  }).output(z.string()),
  activate: route({ who: 'anyone' }, {
    method: 'GET', path: '/api/v1/auth/activation', summary: 'Where a mailed activation link leads', tags: ['Signing in'],
    description: 'Activates account or user, and leads on to the start page.', successStatus: 303,
  }).input(z.object({ token: z.string().max(2000) })).output(z.void()),
  confirmEmail: route({ who: 'anyone' }, {
    method: 'GET', path: '/api/v1/auth/email-change', summary: 'Where the mailed link of a new address leads', tags: ['Signing in'],
    description: 'Makes the address count, and leads on to the start page.', successStatus: 303,
  }).input(z.object({ token: z.string().max(200) })).output(z.void()),
  consentCallback: route({ who: 'user', session: true }, {
    method: 'GET', path: '/api/v1/authorisations/callback', summary: 'Where a provider sends the browser after its page of consent', tags: ['Backup tasks'],
    description: 'Makes or authorises the task, or leads on to the provider\'s next page; in the end to the start page, which tells the outcome.', successStatus: 303,
  }).input(z.object({ state: z.string().max(100) })).output(z.void()),
};
