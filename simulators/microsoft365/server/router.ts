import type { Method, Route } from './call.ts';

/** A route and what its braces stood for. */
export interface RouteMatch {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

interface Node {
  readonly fixed: Map<string, Node>;
  parameter: { readonly names: Map<Route, string>; readonly node: Node } | undefined;
  readonly routes: Map<Method, { readonly route: Route; readonly names: readonly string[] }>;
}

/** Finds routes by path. Fixed segments win over parameters: 'users/delta' is no user. */
export class Router {
  readonly #root = emptyNode();
  readonly routes: readonly Route[];

  constructor(routes: readonly Route[]) {
    this.routes = routes;
    for (const route of routes) this.#add(route);
  }

  /** The match, 'method' where only the method is wrong, or undefined. */
  find(method: string, path: string): RouteMatch | 'method' | undefined {
    const values: string[] = [];
    const node = walk(this.#root, segmentsOf(path), 0, values);
    if (node === undefined) return undefined;
    const found = node.routes.get(method as Method);
    if (found === undefined) return 'method';
    return { route: found.route, params: Object.fromEntries(found.names.map((name, place) => [name, values[place] ?? ''])) };
  }

  #add(route: Route): void {
    let node = this.#root;
    const names: string[] = [];
    for (const segment of segmentsOf(route.path)) {
      const name = /^\{(.+)\}$/.exec(segment)?.[1];
      if (name === undefined) {
        const key = fixedKey(segment);
        let next = node.fixed.get(key);
        if (next === undefined) node.fixed.set(key, next = emptyNode());
        node = next;
      } else {
        names.push(name);
        node.parameter ??= { names: new Map(), node: emptyNode() };
        node = node.parameter.node;
      }
    }
    if (node.routes.has(route.method)) throw new Error(`two routes for ${route.method} ${route.path}`);
    node.routes.set(route.method, { route, names });
  }
}

function walk(node: Node, segments: readonly string[], at: number, values: string[]): Node | undefined {
  const segment = segments[at];
  if (segment === undefined) return node.routes.size > 0 ? node : undefined;
  const fixed = node.fixed.get(fixedKey(segment));
  const found = fixed === undefined ? undefined : walk(fixed, segments, at + 1, values);
  if (found !== undefined || node.parameter === undefined) return found;
  values.push(segment);
  const below = walk(node.parameter.node, segments, at + 1, values);
  if (below === undefined) values.pop();
  return below;
}

/** Fact 26: delta, delta() and microsoft.graph.delta are one. Names of segments are found in any case; ids are not (fact 41). */
function fixedKey(segment: string): string {
  return segment.replace(/^(microsoft\.)?graph\./i, '').replace(/\(\)$/, '').toLowerCase();
}

function segmentsOf(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}

function emptyNode(): Node {
  return { fixed: new Map(), parameter: undefined, routes: new Map() };
}
