import { createHash } from 'node:crypto';
import { parseMessageMeta, type MessageMeta } from '../messageItem.ts';

/** What of a mail can be set at any time (facts 44 and 45), by Graph's names. */
export interface MailState {
  readonly isRead: boolean;
  readonly categories: readonly string[];
  /** followupFlag. */
  readonly flag: unknown;
  readonly importance: string;
  readonly inferenceClassification: string;
}

const NO_FLAG = { flagStatus: 'notFlagged' };

export function stateOf(meta: string): MailState {
  const { unread, categories = [], flag = NO_FLAG, importance = 'normal', inference = 'focused' }: MessageMeta = parseMessageMeta(meta);
  return { isRead: unread !== true, categories, flag, importance, inferenceClassification: inference };
}

/** The state with a restore's own category. */
export function tagged(state: MailState, tag: string | undefined): MailState {
  return tag === undefined || state.categories.includes(tag) ? state : { ...state, categories: [...state.categories, tag] };
}

/** Whether they are the same, a restore's own category apart. */
export function sameState(a: MailState, b: MailState, tag: string | undefined): boolean {
  return canonical(a, tag) === canonical(b, tag);
}

/** Tells the state of a row from others. */
export function stateMark(meta: string): string {
  return createHash('sha256').update(canonical(stateOf(meta), undefined)).digest('base64url').slice(0, 16);
}

function canonical({ isRead, categories, flag, importance, inferenceClassification }: MailState, tag: string | undefined): string {
  return JSON.stringify([isRead, [...new Set(categories)].filter((one) => one !== tag).sort(), flagParts(flag), importance.toLowerCase(), inferenceClassification.toLowerCase()]);
}

/** Times come back with more or fewer digits than they were set with. */
function flagParts(flag: unknown): readonly unknown[] {
  const parts = (typeof flag === 'object' && flag !== null ? flag : {}) as Readonly<Record<string, unknown>>;
  const time = (name: string): string => {
    const { dateTime, timeZone } = (parts[name] ?? {}) as { dateTime?: unknown; timeZone?: unknown };
    return typeof dateTime === 'string' ? `${dateTime.slice(0, 19)} ${String(timeZone)}` : '';
  };
  return [parts['flagStatus'], time('startDateTime'), time('dueDateTime'), time('completedDateTime')];
}
