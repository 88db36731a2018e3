// Whether what kustomize renders is what the catalog says, and whether every event finds its way to a guarded door.
import { compare } from "./helm.mjs";

// Far above Florin's own limit of attempts, so that Florin decides and not the broker.
const MOST_ATTEMPTS = 12;
// Seconds: how long an event may wait for a door that is open again, and how long a door may be closed before events are given up.
const LONGEST_WAIT = 600;
const LONGEST_OUTAGE = 6 * 60 * 60;
// Where a SinkBinding mounts the token for its sink (knative/eventing, pkg/apis/sources/v1/sinkbinding_lifecycle.go).
const TOKEN_FILE = "/oidc/token";
const DELIVERY = ["retry", "backoffPolicy", "backoffDelay", "timeout", "deadLetterSink"];

/** What differs, one sentence each; `channels` are those of the Brokers' ConfigMaps. */
export function knative(objects, channels, catalog) {
  const of = (kind, group) => objects.filter((object) => object.kind === kind && object.apiVersion.startsWith(group));
  const services = of("Service", "serving.knative.dev/");
  const isPublic = (service) => service.metadata.labels["florin.dev/door"] === "public";
  const problems = compare("public Service", services.filter(isPublic).map(functions), catalog.services.map((one) => one.functions));
  problems.push(...services.flatMap((service) => served(service, isPublic(service))));

  const triggers = of("Trigger", "eventing.knative.dev/");
  const pings = of("PingSource", "sources.knative.dev/");
  const entered = (list) => catalog.services.flatMap((service) => service[list].map((one) => one.function));
  const workers = of("Deployment", "apps/").filter((object) => variables(object).FLORIN_WORKERS === "on");
  if (workers.length) {
    const consumed = workers.flatMap((worker) => functions(worker).split(","));
    problems.push(...compare("worker", consumed, [...entered("queues"), ...entered("jobs")]));
    if (triggers.length || pings.length) problems.push("a worker and Triggers or PingSources: every event would come twice");
    return problems;
  }
  const senders = [
    ...triggers.map((trigger) => [trigger, trigger.spec.subscriber]),
    ...triggers.map((trigger) => [trigger, trigger.spec.delivery?.deadLetterSink ?? {}]),
    ...pings.map((ping) => [ping, ping.spec.sink]),
  ];
  problems.push(...compare("Trigger", triggers.map((one) => receiver(one.spec.subscriber)?.entered), entered("queues")));
  problems.push(...compare("PingSource", pings.map((one) => receiver(one.spec.sink)?.entered), entered("jobs")));
  problems.push(...senders.flatMap(([object, sink]) => reaches(object, sink, services)));
  const byToken = senders.some(([, sink]) => sink.audience);
  problems.push(...services.flatMap((service) => publishes(service, byToken)));
  const brokers = of("Broker", "eventing.knative.dev/");
  problems.push(...triggers.flatMap((trigger) => delivered(trigger, brokers)));
  problems.push(...brokers.flatMap((broker) => kept(broker, channels)));
  const schedules = Object.fromEntries(catalog.services.flatMap((one) => one.jobs.map((job) => [job.function, job.schedule])));
  for (const { metadata, spec } of pings) {
    if (spec.schedule !== schedules[receiver(spec.sink)?.entered]) problems.push(`PingSource ${metadata.name}: not as often as the job`);
  }
  return problems;
}

function served(service, isPublic) {
  const { name, labels } = service.metadata;
  const [container] = service.spec.template.spec.containers;
  const problems = [];
  const must = (holds, what) => holds || problems.push(`Service ${name}: ${what}`);
  const doors = ["FLORIN_DELIVERY_SECRET", "FLORIN_DELIVERY_AUDIENCE"].filter((door) => container.env.some((one) => one.name === door));
  must(doors.length === (isPublic ? 0 : 1), isPublic ? "its guarded door is public" : "one guard must open its door");
  must((labels["networking.knative.dev/visibility"] === "cluster-local") !== isPublic, "its visibility is the wrong one");
  must(container.ports[0].name === "h2c", "its port must be called h2c");
  must(service.spec.template.spec.timeoutSeconds > 30, "a drain takes up to 30 seconds");
  return problems;
}

/** Where senders bear the platform's tokens, the Broker takes nothing without one; elsewhere nobody mounts any. */
function publishes(service, byToken) {
  const said = service.spec.template.spec.containers[0].env.find((one) => one.name === "FLORIN_QUEUE_TOKEN_FILE");
  if (byToken ? said?.value === TOKEN_FILE : !said) return [];
  return [`Service ${service.metadata.name}: ${byToken ? "the Broker would refuse what it publishes without a token" : "nobody mounts its token"}`];
}

function delivered({ metadata, spec }, brokers) {
  const missing = DELIVERY.filter((field) => spec.delivery?.[field] === undefined);
  const problems = missing.map((field) => `delivery.${field} is missing, and the Broker's is ignored`);
  const { retry, backoffPolicy, backoffDelay } = spec.delivery ?? {};
  if (!(retry > 5 * MOST_ATTEMPTS)) problems.push("the broker would give up before Florin does");
  // Without a longest wait of Knative's, an exponential one is as long again as the outage was.
  const seconds = Number(/^PT(\d+)S$/.exec(backoffDelay)?.[1]);
  const longest = backoffPolicy === "linear" ? seconds * retry : Infinity;
  if (!(longest <= LONGEST_WAIT)) problems.push("an event would wait for long at a door that is open again");
  if (!((longest * (retry + 1)) / 2 >= LONGEST_OUTAGE)) problems.push("the broker would give up while a database is away");
  if (!brokers.some((broker) => broker.metadata.name === spec.broker)) problems.push(`no Broker ${spec.broker}`);
  return problems.map((problem) => `Trigger ${metadata.name}: ${problem}`);
}

/** Whether an event that a channel-based Broker took outlives a pod and a disk. */
function kept({ metadata, spec }, channels) {
  if (metadata.annotations["eventing.knative.dev/broker.class"] !== "MTChannelBasedBroker") return [];
  const channel = channels.find((one) => one.metadata.name === spec.config.name);
  return channel?.spec?.replicationFactor > 1 ? [] : [`Broker ${metadata.name}: its channel keeps no second copy of an event`];
}

/** Whether the address is that of a Service which serves the function, and something opens its door. */
function reaches(object, sink, services) {
  const at = receiver(sink);
  const service = services.find((one) => one.metadata.name === at?.service && one.metadata.namespace === at.namespace);
  const problems = [];
  if (!service) problems.push(`no Service at ${sink.uri}`);
  else if (!functions(service).split(",").includes(at.entered)) problems.push(`${at.service} does not serve ${at.entered}`);
  if (!at?.secret && !sink.audience) problems.push("nothing opens the guarded door: its events would be refused and lost");
  return problems.map((problem) => `${object.kind} ${object.metadata.name}: ${problem}`);
}

function receiver({ uri }) {
  const parts = /^http:\/\/(?:[^:@/]+:([^@/]+)@)?([a-z0-9-]+)\.([a-z0-9-]+)\.svc\.cluster\.local\/_deliver\/(.+)$/.exec(uri ?? "");
  return parts && { secret: parts[1], service: parts[2], namespace: parts[3], entered: parts[4] };
}

function variables(object) {
  const env = object.spec.template.spec.containers[0].env;
  return Object.fromEntries(env.map(({ name, value }) => [name, value]));
}

function functions(object) {
  return variables(object).FLORIN_FUNCTIONS;
}
