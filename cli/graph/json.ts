/** `--format json`: for programs. */
import type { TopologyConfig, TopologyPlan } from '../../core/topology/definition.js';
import { typeName } from '../../core/topology/fields.js';
import { type Role, roleOf } from './describe.js';

/** What `squall graph --format json` prints. Components and edges are in the order in which they are declared. */
export interface GraphJson {
  readonly topology: string;
  /** changes with the structure of the topology, as 8 hex digits */
  readonly hash: string;
  readonly config: TopologyConfig;
  readonly components: readonly {
    readonly name: string;
    /** `sink`: a bolt that nobody takes anything from */
    readonly role: Role;
    readonly tasks: number;
    /** its tasks have the numbers from this one on */
    readonly firstTask: number;
    readonly streams: readonly {
      readonly name: string;
      readonly direct: boolean;
      readonly fields: readonly { readonly name: string; readonly type: string }[];
    }[];
  }[];
  readonly edges: readonly {
    readonly source: string;
    readonly stream: string;
    readonly target: string;
    /** of the target; `default` where it has no name */
    readonly input: string;
    readonly grouping: string;
    /** of `fields` and `partialKey` */
    readonly keys?: readonly string[];
    readonly feedback: boolean;
  }[];
  /** names of components that feed each other */
  readonly cycles: readonly (readonly string[])[];
}

export function jsonGraph(plan: TopologyPlan): string {
  const { maxSpoutPending, messageTimeoutMs, lingerMs } = plan.config;
  const graph: GraphJson = {
    topology: plan.name,
    hash: plan.hash.toString(16).padStart(8, '0'),
    config: { maxSpoutPending, messageTimeoutMs, lingerMs },
    components: plan.components.map((component) => ({
      name: component.name,
      role: roleOf(component),
      tasks: component.tasks,
      firstTask: component.firstTask,
      streams: component.definition.streams.map(({ name, direct, fields }) => ({
        name,
        direct,
        fields: fields.map((field) => ({ name: field.name, type: typeName(field.type) })),
      })),
    })),
    edges: plan.edges.map(({ source, stream, target, input, grouping, feedback }) => ({
      source,
      stream: stream.name,
      target,
      input,
      grouping: grouping.kind,
      ...('keys' in grouping ? { keys: grouping.keys } : {}),
      feedback,
    })),
    cycles: plan.cycles,
  };
  return `${JSON.stringify(graph, undefined, 2)}\n`;
}
