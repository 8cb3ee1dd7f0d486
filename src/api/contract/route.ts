import { oc, type Route } from '@orpc/contract';
import type { Access } from '../../domain/index.ts';

/** What every route says of itself besides its shape. */
export interface RouteMeta {
  /** Who may call it. Only the builder below leaves it open for a moment; the server refuses a route without it. */
  readonly access?: Access;
  /** Type of the answer where it is no JSON. */
  readonly produces?: string;
  /** Statuses that it answers with besides the one of success and refusals, with what they mean. */
  readonly also?: Readonly<Record<number, string>>;
}

const base = oc.$meta<RouteMeta>({});

/** What a route is besides who may call it. */
export type RouteDefinition = Pick<Route, 'description' | 'successStatus' | 'successDescription'> & Omit<RouteMeta, 'access'> & {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: `/${string}`;
  readonly summary: string;
  readonly tags: readonly string[];
};

/** Begins a route of the contract: who may call it comes first, so that none is without. */
export function route(access: Access, definition: RouteDefinition): ReturnType<typeof make> {
  return make(access, definition);
}

function make(access: Access, { tags, produces, also, ...definition }: RouteDefinition) {
  return base.meta({ access, ...(produces !== undefined && { produces }), ...(also && { also }) }).route({ ...definition, tags: [...tags] });
}
