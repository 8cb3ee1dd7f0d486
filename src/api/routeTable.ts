import { isContractProcedure, type AnyContractProcedure } from '@orpc/contract';
import type { Access } from '../domain/index.ts';
import { allRoutes, type RouteMeta } from './contract/index.ts';

/** One route of the contract. */
export interface ApiRoute {
  /** 'session.signIn': also its name in logs and metrics. */
  readonly name: string;
  readonly method: string;
  /** With names of parameters: '/api/v1/users/{id}'. */
  readonly path: string;
  readonly access: Access | undefined;
  readonly pattern: RegExp;
  readonly meta: RouteMeta;
}

/** Every route that there is. The OpenAPI document and the test that calls each as everybody go through this list. */
export const API_ROUTES: readonly ApiRoute[] = routesBelow(allRoutes, []);

function routesBelow(node: object, names: readonly string[]): ApiRoute[] {
  if (isContractProcedure(node)) return [routeOf(node, names.join('.'))];
  return Object.entries(node).flatMap(([name, below]) => routesBelow(below as object, [...names, name]));
}

function routeOf(procedure: AnyContractProcedure, name: string): ApiRoute {
  const { route, meta } = procedure['~orpc'];
  const { method, path } = route;
  if (method === undefined || path === undefined) throw new Error(`the route ${name} has no method or path`);
  const pattern = new RegExp(`^${path.replaceAll(/[.]/g, '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`);
  return { name, method, path, access: (meta as RouteMeta).access, pattern, meta: meta as RouteMeta };
}

/** The route that serves a request; those of other methods on the same path, where there is none. */
export function findRoute(method: string, path: string): { route?: ApiRoute; others: readonly string[] } {
  const there = API_ROUTES.filter(({ pattern }) => pattern.test(path));
  const wanted = method === 'HEAD' ? 'GET' : method;
  const route = there.find((candidate) => candidate.method === wanted);
  return { ...(route && { route }), others: there.map((candidate) => candidate.method) };
}
