/** The hash of a topology, by which workers recognise that they built the same one. */
import { createHash } from 'node:crypto';
import type { Definition } from './checks.js';
import type { ComponentConfig, EdgePlan, TopologyPlan } from './definition.js';
import { typeName } from './fields.js';

/** 32 bits over everything structural, in declaration order; the code of components and groupings is not in it. */
export function hashOf({ name, components, edges, config }: Omit<TopologyPlan, 'hash'>): number {
  const canonical = [
    name,
    [config.maxSpoutPending, config.messageTimeoutMs, config.lingerMs],
    components.map(({ name, definition, tasks, config }) => [
      name,
      tasks,
      ...canonicalDefinition(definition),
      canonicalConfig(config),
    ]),
    edges.map(canonicalEdge),
  ];
  return createHash('sha256').update(JSON.stringify(canonical)).digest().readUInt32BE(0);
}

function canonicalDefinition(definition: Definition): readonly unknown[] {
  const streams = definition.streams.map(({ name, fields, direct }) => [name, canonicalFields(fields), direct]);
  if (definition.kind === 'spout') return ['spout', streams, definition.replay];
  const { inputs, ack, keepsState } = definition;
  return [
    'bolt',
    streams,
    inputs.map(({ name, fields }) => [name, fields ? canonicalFields(fields) : null]),
    [ack, keepsState],
  ];
}

function canonicalFields(fields: Definition['streams'][number]['fields']): readonly unknown[] {
  return fields.map(({ name, type }) => [name, typeName(type)]);
}

function canonicalConfig(config: ComponentConfig): readonly unknown[] {
  const { attempts, backoff } = config.retry;
  return [
    [config.maxSpoutPending, config.messageTimeoutMs, config.lingerMs],
    [config.tickEveryMs ?? null, config.executeTimeoutMs, config.concurrency],
    // JSON has no Infinity
    [String(attempts), backoff.firstMs, backoff.maxMs],
  ];
}

function canonicalEdge({ source, stream, target, input, grouping, feedback }: EdgePlan): readonly unknown[] {
  const keys = grouping.kind === 'fields' || grouping.kind === 'partialKey' ? grouping.keys : null;
  return [[source, stream.name, target, input], [grouping.kind, keys], feedback];
}
