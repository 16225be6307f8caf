import { plural } from '../format.js';
import { sizeText } from '../graph/describe.js';
import { inFlowOrder } from '../graph/order.js';
import { explainComponent } from './component.js';
import { explainEdge } from './edge.js';
import { type Fact, section } from './facts.js';
import type { Setting } from './setting.js';
import { ackSubject, everySubject } from './subject.js';
import { explainWeakestLink } from './weakest.js';

/** The whole explanation: the run, every edge, every component, and what limits the guarantee. */
export function explanation(setting: Setting): string {
  const { plan } = setting;
  const parts = [
    explainRun(setting),
    ...plan.edges.map((edge) => explainEdge(edge, setting)),
    ...inFlowOrder(plan).map((component) => explainComponent(component, setting)),
    explainWeakestLink(setting),
  ];
  return `${parts.join('\n\n')}\n`;
}

function explainRun({ plan, workers, ackers, assignment }: Setting): string {
  const facts: Fact[] = [
    ['run', `--workers ${workers} --ackers ${ackers}: ${plural(assignment.workers.length, 'process', 'processes')}`],
  ];
  if (ackers > 0) {
    facts.push(['ackers', `${plural(ackers, 'task')}, on ${ackSubject(plan.name, assignment.ackers)}`]);
  }
  facts.push(['to listen', `nats sub '${everySubject(plan.name)}'`]);
  if (workers !== 'task') facts.push(['local', 'tuples between tasks of one process touch no subject']);
  return section(`${plan.name}: ${sizeText(plan)}`, facts);
}
