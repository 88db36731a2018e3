// Reads Kubernetes manifests and says what is wrong with them, with the validators that are generated from the Go types of
// Kubernetes, Knative, KEDA, the Gateway API, the Prometheus operator and the External Secrets Operator (npm: kubernetes-models,
// @kubernetes-models/*).
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

// Where a kind's model is looked for, in this order, under its group and version.
const PACKAGES = [
  "kubernetes-models",
  "@kubernetes-models/knative",
  "@kubernetes-models/keda",
  "@kubernetes-models/gateway-api",
  "@kubernetes-models/prometheus-operator",
  "@kubernetes-models/external-secrets",
];

// Kinds that no package has, each by its own definition's fields.
const OWN = {
  // knative-extensions/eventing-rabbitmq, config/broker/300-rabbitmqbrokerconfig.yaml
  "eventing.knative.dev/v1alpha1/RabbitmqBrokerConfig": {
    queueType: (value) => ["quorum", "classic"].includes(value),
    vhost: (value) => typeof value === "string",
    rabbitmqClusterReference: (value) =>
      Object.keys(value).every((key) => ["name", "namespace", "connectionSecret"].includes(key)) &&
      // Exactly one of them says where the broker is.
      (typeof value.name === "string") !== (typeof value.connectionSecret?.name === "string"),
  },
  // knative-extensions/eventing-kafka-broker, the Go type KafkaChannelSpec
  "messaging.knative.dev/v1beta1/KafkaChannel": {
    numPartitions: (value) => Number.isInteger(value) && value > 0,
    replicationFactor: (value) => Number.isInteger(value) && value > 0,
    // A duration of ISO 8601.
    retentionDuration: (value) => /^P(\d+D)?(T(\d+H)?(\d+M)?(\d+S)?)?$/.test(value),
  },
};

/** The installed packages: a directory with node_modules. */
export class Models {
  constructor(directory) {
    this.modules = join(directory, "node_modules");
  }

  async import(path) {
    return import(pathToFileURL(join(this.modules, path)));
  }

  /** The objects of a text of YAML documents; a List is its items. */
  async parse(text) {
    const yaml = await this.import("yaml/dist/index.js");
    const { parseAllDocuments } = yaml.default ?? yaml;
    const objects = [];
    for (const document of parseAllDocuments(text, { uniqueKeys: true })) {
      const [error] = [...document.errors, ...document.warnings];
      if (error) throw new Error(error.message);
      const object = document.toJS();
      if (object === null) continue;
      objects.push(...(object.kind === "List" ? object.items : [object]));
    }
    return objects;
  }

  /** What Knative makes the channels of a Broker like: objects that stand as text in a ConfigMap, here with its name. */
  async channels(objects) {
    const channels = [];
    for (const { kind, metadata, data } of objects) {
      const text = kind === "ConfigMap" && data?.["channel-template-spec"];
      if (text) channels.push(...(await this.parse(text)).map((channel) => ({ ...channel, metadata: { name: metadata.name } })));
    }
    return channels;
  }

  /** What is wrong with these objects, one sentence each; nothing when they are right. */
  async problems(objects) {
    const problems = [];
    const names = new Set();
    for (const object of [...objects, ...(await this.channels(objects))]) {
      const name = `${object.kind} ${object.metadata?.name}`;
      if (names.has(`${object.apiVersion} ${name}`)) problems.push(`${name}: it is there twice`);
      names.add(`${object.apiVersion} ${name}`);
      problems.push(...(await this.#object(object)).map((problem) => `${name}: ${problem}`));
    }
    return problems;
  }

  async #object(object) {
    const kind = `${object.apiVersion}/${object.kind}`;
    if (OWN[kind]) {
      const right = (key) => OWN[kind][key]?.(object.spec[key]);
      return Object.keys(object.spec).filter((key) => !right(key)).map((key) => `/spec/${key} is wrong`);
    }
    const validate = await this.#validator(kind);
    if (!validate) return [`nobody knows ${kind}`];
    const watched = watch(object);
    validate(watched.value);
    const wrong = (validate.errors ?? []).filter(isOurs).map((error) => `${error.instancePath || "/"} ${said(error)}`);
    return [...wrong, ...unknown(watched, "")];
  }

  async #validator(kind) {
    for (const candidate of PACKAGES) {
      const model = join(candidate, `${kind}.js`);
      if (!existsSync(join(this.modules, model))) continue;
      const [, schema] = readFileSync(join(this.modules, model), "utf8").match(/from"[./]*(_schemas\/[^"]+)"/);
      return (await this.import(join(candidate, schema))).validate;
    }
  }
}

/** The status is written by the cluster, whatever a Go type says of it. */
function isOurs(error) {
  return !(error.instancePath === "" && error.params.missingProperty === "status");
}

function said(error) {
  const allowed = error.params.allowedValues ? `: ${error.params.allowedValues.join(", ")}` : "";
  return `breaks ${error.keyword} ${JSON.stringify(error.params.missingProperty ?? error.params.type ?? "")}${allowed}`;
}

// The validators let unknown fields pass, as an API server does that prunes them. A field that the validator never looks at is
// one that nobody knows: every value is watched, and what was not read is reported.
function watch(value) {
  if (value === null || typeof value !== "object") return { value };
  const read = new Set();
  const children = {};
  const copy = Array.isArray(value) ? [] : {};
  for (const key of Object.keys(value)) {
    children[key] = watch(value[key]);
    copy[key] = children[key].value;
  }
  const get = (target, key) => {
    if (typeof key === "string") read.add(key);
    return target[key];
  };
  return { value: new Proxy(copy, { get }), read, children };
}

function unknown({ read, children }, path) {
  if (!children) return [];
  const keys = Object.keys(children);
  // A value of which nothing is read has no type of its own (a quantity, an object that the API keeps as it is).
  if (!keys.some((key) => read.has(key))) return [];
  return keys.flatMap((key) =>
    read.has(key) ? unknown(children[key], `${path}/${key}`) : [`${path}/${key} is no field that anybody knows`],
  );
}
