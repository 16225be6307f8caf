/** What a component says on NATS beside its tuples: read by `squall permissions`, and by nothing while it runs. */
import type { ComponentName, Rights } from './definition.js';

/**
 * The component with the rights that it needs for subjects and streams of its own. For connectors that use the server of
 * the run: who reads or writes elsewhere needs none.
 */
export function withRights<C extends object>(
  component: C,
  rights: (name: ComponentName) => Partial<Rights>,
): C & { readonly rights: (name: ComponentName) => Partial<Rights> } {
  // its marks are symbols, which a spread copies too
  return Object.freeze({ ...component, rights });
}
