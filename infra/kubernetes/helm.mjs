// Whether what the chart renders is what the catalog says: each operation has a route, each reaction a consumer, each job a
// clock, and there is nothing besides.

/** What differs, one sentence each; `match` is the chart's httpRoute.match. */
export function helm(objects, catalog, match) {
  const field = match === "regex" ? "regex" : "prefix";
  const routed = objects
    .filter((object) => object.kind === "HTTPRoute")
    .flatMap((route) => route.spec.rules.flatMap((rule) => rule.matches.map((one) => `${one.method} ${one.path.value}`)));
  const doors = catalog.services.flatMap((service) => service.routes.map((route) => `${route.method} ${route[field]}`));
  const serving = (workers) =>
    objects
      .filter((object) => object.kind === "Deployment")
      .map((object) => variables(object))
      .filter((environment) => environment.FLORIN_WORKERS === workers)
      .flatMap((environment) => environment.FLORIN_FUNCTIONS.split(","));
  const entered = catalog.services.flatMap((service) => [...service.queues, ...service.jobs].map((one) => one.function));
  return [
    ...compare("HTTPRoute", routed, doors),
    ...compare("worker or clock", serving("on"), entered),
    ...compare("web", serving("off"), catalog.services.map((service) => service.functions)),
    ...queues(objects, catalog),
    ...objects.filter((object) => object.kind === "HTTPRoute").flatMap(limits),
  ];
}

/** What the Gateway API takes of one route: kubernetes-sigs/gateway-api, apis/v1/httproute_types.go. */
function limits({ metadata, spec }) {
  const matches = spec.rules.map((rule) => rule.matches.length);
  const all = matches.reduce((sum, count) => sum + count, 0);
  if (matches.length <= 16 && Math.max(...matches) <= 64 && all <= 128) return [];
  return [`HTTPRoute ${metadata.name}: ${all} matches in rules of ${matches.join(", ")}`];
}

/** Every ScaledObject looks at the queues of the functions that its workers consume. */
function queues(objects, catalog) {
  const all = catalog.services.flatMap((service) => service.queues);
  return objects
    .filter((object) => object.kind === "ScaledObject")
    .flatMap((object) => {
      const name = object.spec.scaleTargetRef.name;
      const workers = objects.find((one) => one.kind === "Deployment" && one.metadata.name === name);
      const consumed = variables(workers).FLORIN_FUNCTIONS.split(",");
      const queues = consumed.map((consumer) => all.find((queue) => queue.function === consumer)?.queue);
      return compare(name, object.spec.triggers.map((trigger) => trigger.metadata.queueName), queues);
    });
}

function variables(deployment) {
  const env = deployment.spec.template.spec.containers[0].env ?? [];
  return Object.fromEntries(env.map(({ name, value }) => [name, value]));
}

/** What one list lacks of the other; repetitions count once. */
export function compare(what, there, wanted) {
  const missing = [...new Set(wanted)].filter((one) => !there.includes(one));
  const besides = [...new Set(there)].filter((one) => !wanted.includes(one));
  return [...missing.map((one) => `${what}: ${one} is missing`), ...besides.map((one) => `${what}: ${one} is in no catalog`)];
}
