/**
 * What Storm 2.8 and 3 have: the concepts of its core API, its groupings and its reliability, with the settings that each
 * names. `docs/coming-from-storm.md` answers each of them.
 */

export interface StormRow {
  readonly name: string;
  readonly keys?: readonly string[];
  /** there is no counterpart: the page says why */
  readonly none?: true;
  /** tests elsewhere that show the counterpart, by file and title as they stand in the source */
  readonly elsewhere?: readonly (readonly [file: string, title: string])[];
}

const CORE_API: readonly StormRow[] = [
  {
    name: 'Topology builder',
    keys: ['topology.name', 'topology.workers'],
    elsewhere: [
      ['topology/plan.test.ts', 'tasks are numbered from 1 in declaration order, edges from 0'],
      ['topology/plan.test.ts', 'names have 1 to 64 of the allowed characters and no leading underscore'],
      [
        'testing/features.test.ts',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: so it stands in the source
        'the bolts of a cycle run end together, once nothing goes round any more, with workers ${workers}',
      ],
    ],
  },
  {
    name: 'Validation at submit',
    keys: ['nimbus.topology.validator', 'nimbus.slots.perTopology', 'nimbus.executors.perTopology'],
    elsewhere: [
      [
        'topology/compile-errors.test.ts',
        'each mistake is a compile error that names the culprit, also in a large topology; a right topology is none',
      ],
      ['cli/squall.test.ts', 'check tells all mistakes of a file, one per line of stdout'],
    ],
  },
  { name: 'Spout' },
  { name: 'Rich bolt' },
  { name: 'Basic bolt' },
  { name: 'Tick-aware bolt base' },
  { name: 'Lambda components' },
  { name: 'Tuples' },
  { name: 'Streams' },
  {
    name: 'Direct streams',
    elsewhere: [
      ['testing/features.test.ts', 'a direct stream goes to the task that was named, and its values are in emitted'],
    ],
  },
  {
    name: 'Parallelism',
    keys: ['topology.tasks', 'topology.max.task.parallelism'],
    elsewhere: [
      ['e2e/word-count.test.ts', '… a process per task, with four tasks a bolt'],
      ['e2e/kills.test.ts', 'tasks packed into processes: one is killed, and another: nothing is lost'],
    ],
  },
  {
    name: 'Per-component config',
    elsewhere: [
      [
        'topology/component-config.test.ts',
        'a component has the settings of the topology, over them its definition’s, over them those it was added with',
      ],
    ],
  },
  { name: 'Tick tuples', keys: ['topology.tick.tuple.freq.secs'] },
  { name: 'Task context', keys: ['topology.worker.shared.thread.pool.size'] },
  {
    name: 'Errors',
    keys: ['topology.error.throttle.interval.secs', 'topology.max.error.report.per.interval'],
    elsewhere: [['cli/dead.test.ts', 'show tells values and every attempt, with its error and stack']],
  },
  {
    name: 'Config base class',
    elsewhere: [
      ['topology/parameters.test.ts', 'a topology is itself, a function is called with the settings, and may be async'],
      ['topology/parameters.test.ts', 'a setting that is never read is an error that names what is read'],
    ],
  },
  { name: 'Task hooks', keys: ['topology.auto.task.hooks'], none: true },
  { name: 'Worker hooks' },
  {
    name: 'Submitter and Nimbus hooks',
    keys: ['storm.topology.submission.notifier.plugin.class', 'nimbus.topology.action.notifier.plugin.class'],
    elsewhere: [
      ['e2e/stopping.test.ts', 'every listener of a run hears its events, in order, and the last one is `completed`'],
    ],
  },
  {
    name: 'Non-JVM components',
    keys: ['topology.multilang.serializer', 'topology.shellbolt.max.pending', 'topology.subprocess.timeout.secs'],
    none: true,
  },
  {
    name: 'Environment and class path per topology',
    keys: [
      'topology.environment',
      'topology.worker.childopts',
      'topology.worker.gc.childopts',
      'topology.classpath',
      'topology.classpath.beginning',
    ],
  },
  {
    name: 'Several Storm versions in one cluster',
    keys: [
      'supervisor.worker.version.classpath.map',
      'supervisor.worker.version.main.map',
      'supervisor.worker.default.version',
    ],
    none: true,
  },
];

const GROUPINGS: readonly StormRow[] = [
  {
    name: 'shuffle',
    keys: ['topology.disable.loadaware.messaging'],
    elsewhere: [
      [
        'grouping/shuffle.test.ts',
        "where nothing is on the way tuples are dealt in turn, one by one, from the sender's own offset on",
      ],
      ['e2e/sharing.test.ts', 'shuffle shares the load: of two equal tasks each executes at least a quarter'],
    ],
  },
  {
    name: 'load-aware shuffle',
    elsewhere: [
      [
        'grouping/shuffle.test.ts',
        'a task made 10 times slower gets a tenth of what each other gets, and slows none of them by more than 10 %',
      ],
    ],
  },
  {
    name: 'locality awareness',
    keys: [
      'topology.localityaware.higher.bound',
      'topology.localityaware.lower.bound',
      'storm.network.topography.plugin',
    ],
    none: true,
  },
  {
    name: 'localOrShuffle',
    elsewhere: [
      ['grouping/create.test.ts', "localOrShuffle deals among the tasks of the sender's process"],
      ['grouping/create.test.ts', 'localOrShuffle deals among all tasks where none is in the process'],
    ],
  },
  {
    name: 'fields',
    elsewhere: [
      ['grouping/fields.test.ts', 'equal values meet in one task, whatever else the tuple carries'],
      [
        'grouping/fields.test.ts',
        'the task of a word is pinned: another release, another process and another run choose it too',
      ],
    ],
  },
  {
    name: 'partial key',
    elsewhere: [
      [
        'grouping/partial-key.test.ts',
        'equal values of the keys meet in two tasks at most, the same ones for every sender, whatever it sent before',
      ],
      ['grouping/partial-key.test.ts', 'of its two tasks a key goes to the one that this sender has used less'],
    ],
  },
  { name: 'all' },
  { name: 'global' },
  { name: 'none', elsewhere: [['grouping/create.test.ts', 'shuffle and none use every task, wherever it is']] },
  {
    name: 'direct',
    elsewhere: [
      ['testing/features.test.ts', 'a direct stream goes to the task that was named, and its values are in emitted'],
    ],
  },
  {
    name: 'custom',
    elsewhere: [
      ['grouping/custom.test.ts', 'of a list every task is chosen once, in the order of the list'],
      ['grouping/custom.test.ts', 'an empty list means that nobody gets the tuple'],
    ],
  },
  {
    name: 'jitter-aware (3.x only)',
    keys: [
      'topology.upstream.feedback.enable',
      'topology.upstream.feedback.freq.secs',
      'topology.stats.ewma.enable',
      'topology.stats.ewma.smoothing.factor',
    ],
    elsewhere: [
      [
        'grouping/shuffle.test.ts',
        'the target with the shortest wait is chosen, load ÷ speed; among those alike the next in turn',
      ],
      [
        'grouping/shuffle.test.ts',
        'a task that has become slow, and one that is quick again, get their due share within a second',
      ],
    ],
  },
];

const WAITS = ['spout', 'bolt', 'backpressure'].flatMap((of) => [
  `topology.${of}.wait.strategy`,
  `topology.${of}.wait.progressive.level1.count`,
  `topology.${of}.wait.progressive.level2.count`,
  `topology.${of}.wait.progressive.level3.sleep.millis`,
  `topology.${of}.wait.park.microsec`,
]);

const RELIABILITY: readonly StormRow[] = [
  {
    name: 'At-least-once tracking',
    keys: ['topology.acker.executors'],
    elsewhere: [
      ['reliability/cow.test.ts', 'the cow jumped over the moon: the value of its root, step by step'],
      [
        'reliability/acker-and-ledger.test.ts',
        'messages in any order, lost, late and doubled, deaths of all kinds: a true completion, a replay or a dead letter, never a false completion',
      ],
    ],
  },
  { name: 'Ackers per worker (RAS)', keys: ['topology.ras.acker.executors.per.worker'], none: true },
  { name: 'Best effort' },
  {
    name: 'Message timeout',
    keys: ['topology.message.timeout.secs', 'topology.enable.message.timeouts'],
    elsewhere: [
      ['reliability/timing-wheel.test.ts', 'a slot is over between T and 1.125 T, to the bucket'],
      ['reliability/ledger.test.ts', 'time-out of the newest attempt: a new one, while this one lives on for T more'],
    ],
  },
  {
    name: 'Reset timeout',
    elsewhere: [['reliability/ledger.test.ts', 'a root that a task holds does not time out, however long it takes']],
  },
  {
    name: 'Anchoring',
    elsewhere: [
      [
        'runtime/joins.test.ts',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: so it stands in the source
        '${RUNS * JOINS} random joins: exactly the tuples of which a part failed are sent again, and all are acked once',
      ],
    ],
  },
  { name: 'Flow cap', keys: ['topology.max.spout.pending'] },
  { name: 'Wait strategies', keys: WAITS, none: true },
  {
    name: 'Backpressure',
    keys: [
      'topology.executor.receive.buffer.size',
      'topology.executor.overflow.limit',
      'topology.backpressure.check.millis',
    ],
    elsewhere: [['reliability/channel.test.ts', 'there is no room when the window is used up, in records or in bytes']],
  },
  { name: 'Exactly-once state', none: true },
];

/** By the heading of their table. */
export const STORM: Readonly<Record<string, readonly StormRow[]>> = {
  'The core API': CORE_API,
  Groupings: GROUPINGS,
  Reliability: RELIABILITY,
};

/** Tests that show what is deliberately different. */
export const DIFFERENT: readonly (readonly [file: string, title: string])[] = [
  ['testing/features.test.ts', 'under debug, a tuple that a bolt forgets fails, and a warning names the bolt'],
  ['testing/features.test.ts', 'what a component counts itself is in the result'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: so it stands in the source
  ['testing/run-local.test.ts', 'everything is executed and every end has run, with workers ${workers}'],
  ['e2e/faulty-bolts.test.ts', 'an execute that never settles is failed after executeTimeoutMs, and the run goes on'],
  [
    'e2e/faulty-bolts.test.ts',
    'a rejection that nobody handles ends the worker with its error; it is replaced, and nothing is lost',
  ],
  [
    'e2e/kills.test.ts',
    'a bolt, an acker, the spout and the sink are killed: nothing is lost, every replay has its true reason',
  ],
  ['e2e/ticks.test.ts', 'what a bolt emits at ticks and at the end is tracked, and replayed by its own task'],
  ['e2e/lifecycle.test.ts', 'squall pause and resume do the same from another process, and the run says so'],
];

/** What a Storm developer calls or implements. */
export const STORM_NAMES: readonly string[] = [
  // TopologyBuilder, BoltDeclarer, SpoutDeclarer
  ...['new TopologyBuilder', 'setSpout', 'setBolt', 'createTopology', 'setNumTasks', 'addConfiguration'],
  ...['setMaxSpoutPending', 'setMaxTaskParallelism', 'setDebug', 'shuffleGrouping', 'fieldsGrouping'],
  ...['partialKeyGrouping', 'allGrouping', 'globalGrouping', 'noneGrouping', 'directGrouping'],
  ...['localOrShuffleGrouping', 'customGrouping'],
  // OutputFieldsDeclarer, Fields, Values
  ...['declareOutputFields', 'declare', 'declareStream', 'new Fields', 'new Values', 'getComponentConfiguration'],
  // Tuple
  ...['getValueByField', 'getStringByField', 'getValue', 'getFields', 'Fields.select', 'getSourceComponent'],
  ...['getSourceStreamId', 'getSourceTask', 'getMessageId'],
  // ISpout, SpoutOutputCollector
  ...['ISpout.open', 'ISpout.nextTuple', 'ISpout.ack', 'ISpout.fail', 'ISpout.activate', 'ISpout.deactivate'],
  ...['ISpout.close', 'SpoutOutputCollector.emit', 'SpoutOutputCollector.emitDirect'],
  ...['SpoutOutputCollector.getPendingCount'],
  // IBolt, OutputCollector
  ...['IBolt.prepare', 'IBolt.execute', 'IBolt.cleanup', 'OutputCollector.emit', 'OutputCollector.emitDirect'],
  ...['OutputCollector.ack', 'OutputCollector.fail', 'OutputCollector.resetTimeout', 'reportError', 'flush'],
  // BasicBolt
  ...['BaseBasicBolt', 'BasicOutputCollector.emit', 'FailedException', 'ReportedFailedException'],
  ...['BaseTickTupleAwareRichBolt', 'TupleUtils.isTick'],
  // TopologyContext
  ...['getThisComponentId', 'getThisTaskId', 'getThisTaskIndex', 'getComponentTasks', 'getThisSources'],
  ...['getThisTargets', 'getComponentOutputFields', 'getStormId', 'getThisWorkerPort', 'getCodeDir', 'getPIDDir'],
  ...['getSharedExecutor', 'setTaskData', 'setExecutorData', 'getResource', 'registerMetric', 'registerCounter'],
  ...['addTaskHook'],
  // running
  ...['StormSubmitter.submitTopology', 'LocalCluster', 'Testing.completeTopology', 'FeederSpout'],
  ...['storm jar', 'storm local', 'storm list', 'storm activate', 'storm deactivate', 'storm kill', 'storm rebalance'],
  ...['ConfigurableTopology', 'ITaskHook', 'IWorkerHook', 'ISubmitterHook', 'CustomStreamGrouping', 'ShellBolt'],
];
