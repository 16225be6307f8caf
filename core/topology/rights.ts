/** What a component says on NATS beside its tuples: read by `squall permissions`, and by nothing while it runs. */
import type { Rights } from './definition.js';

/**
 * The component with the rights that it needs for subjects and streams of its own. For connectors: who reads or writes
 * elsewhere than on the server of the run needs none.
 */
export function withRights<C extends object>(component: C, rights: Partial<Rights>): C & { readonly rights: Rights } {
  const { publish = [], subscribe = [], requests = false } = rights;
  // its marks are symbols, which a spread copies too
  return Object.freeze({
    ...component,
    rights: Object.freeze({
      publish: Object.freeze([...publish]),
      subscribe: Object.freeze([...subscribe]),
      requests,
    }),
  });
}
