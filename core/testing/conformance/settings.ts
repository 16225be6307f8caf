/** What the topologies of the suites are told by the process that checks; one parameter, as `--set` gives it. */

export interface CheckSettings {
  /** of the topology */
  readonly name: string;
  /** where the component is exported, and under which name */
  readonly module: string;
  readonly component: string;
  /** for an export that is a function from parameters to a component */
  readonly parameters: Readonly<Record<string, string>>;
  readonly tasks: number;
  /** for journals, and for the gate */
  readonly folder: string;
  /** 0, 1, …: a run that was cut off or drained is started again */
  readonly start: number;
  readonly seed: number;
}

export interface SourceSettings extends CheckSettings {
  readonly pending: number;
}

export interface SinkSettings extends CheckSettings {
  /** name of an exported function from a number to the values of a tuple; undefined: the suite's own */
  readonly values: string | undefined;
  /** numbers of the messages: from, up to but without */
  readonly from: number;
  readonly to: number;
  /** some tuples are failed after they were sent to the sink */
  readonly spoils: boolean;
}

export function settingsText(settings: SourceSettings | SinkSettings): { readonly check: string } {
  return { check: JSON.stringify(settings) };
}

export function readSettings<S extends CheckSettings>({ check = '{}' }: { readonly check?: string }): S {
  return JSON.parse(check) as S;
}
