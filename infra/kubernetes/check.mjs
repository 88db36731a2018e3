// The command line of the checks: node check.mjs MODELS MANIFESTS TASK [ARGUMENT...].
//
//   manifests GIVEN...                  every object is valid, careful and refers to what is there; GIVEN is Secret/name ...
//   names KIND                          the names of the objects of a kind that make pods
//   environment KIND NAME SOURCE=VALUE  what its container is started with; SOURCE is name/key of a Secret or ConfigMap
//   helm CATALOG MATCH                  routes, queues and jobs are those of the catalog
//   knative CATALOG                     Triggers, PingSources and Services are those of the catalog
//   secrets                             ExternalSecrets make what pods read of Secrets, and nothing else
//   templates                           name/key of each Secret's value that is made by a template, and the template
import { readFileSync } from "node:fs";
import { environment } from "./environment.mjs";
import { helm } from "./helm.mjs";
import { knative } from "./knative.mjs";
import { Models } from "./manifests.mjs";
import { careless } from "./pods.mjs";
import { dangling } from "./references.mjs";
import { secrets, templates } from "./secrets.mjs";

const [models, manifests, task, ...rest] = process.argv.slice(2);
const known = new Models(models);
const objects = await known.parse(readFileSync(manifests, "utf8"));

const tasks = {
  async manifests() {
    const problems = [...(await known.problems(objects)), ...careless(objects), ...dangling(objects, rest)];
    report(problems, `${objects.length} objects`);
  },
  names() {
    const named = objects.filter((object) => object.kind === rest[0] && object.spec?.template);
    console.log(named.map((object) => object.metadata.name).join("\n"));
  },
  environment() {
    const [kind, name, ...said] = rest;
    const values = Object.fromEntries(said.map((one) => [one.slice(0, one.indexOf("=")), one.slice(one.indexOf("=") + 1)]));
    const started = environment(objects, kind, name, values);
    for (const one of started.arguments) console.log(`argument ${one}`);
    for (const [name, value] of Object.entries(started.variables)) console.log(`variable ${name}=${value}`);
  },
  helm: () => report(helm(objects, JSON.parse(readFileSync(rest[0], "utf8")), rest[1]), "as the catalog says"),
  async knative() {
    const catalog = JSON.parse(readFileSync(rest[0], "utf8"));
    report(knative(objects, await known.channels(objects), catalog), "as the catalog says");
  },
  secrets: () => report(secrets(objects), "made as they are read"),
  templates() {
    for (const [name, text] of templates(objects)) console.log(`${name} ${text}`);
  },
};

function report(problems, well) {
  if (problems.length) {
    console.error(problems.join("\n"));
    process.exit(1);
  }
  console.log(well);
}

if (!tasks[task]) throw new Error(`there is no task ${task}`);
await tasks[task]();
