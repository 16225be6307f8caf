import { COMPONENT, type ComponentMark } from '../core/topology/component.js';

/** `component` with the `mistakes` in its options, to be reported with those of the topology that it is in. */
export function withMistakes<C extends { readonly [COMPONENT]: ComponentMark }>(component: C, mistakes: string[]): C {
  const all = [...mistakes, ...component[COMPONENT].mistakes];
  return Object.freeze({ ...component, [COMPONENT]: Object.freeze({ mistakes: Object.freeze(all) }) });
}
