import type { z } from 'zod';
import { Account } from './account.ts';
import { Activity, ActivityEvent, AuditEntry } from './activity.ts';
import { Rule } from './bulk.ts';
import { Entity, Tag } from './entities.ts';
import { Problem } from './schemas.ts';
import { SignedIn } from './session.ts';
import { Offer, Task } from './tasks.ts';
import { Ticket } from './tickets.ts';
import { Token } from './tokens.ts';
import { User } from './users.ts';

/** Shapes that have a name in the OpenAPI document. */
export const namedSchemas: Readonly<Record<string, z.ZodType>> = { Account, Activity, ActivityEvent, AuditEntry, Entity, Offer, Problem, Rule, SignedIn, Tag, Task, Ticket, Token, User };
