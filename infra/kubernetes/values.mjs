// Whether the chart's README, its values and its schema tell the same: node values.mjs MODELS CHART.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compare } from "./helm.mjs";
import { Models } from "./manifests.mjs";

const [models, chart] = process.argv.slice(2);
const read = (name) => readFileSync(join(chart, name), "utf8");
const [values] = await new Models(models).parse(read("values.yaml"));
const schema = JSON.parse(read("values.schema.json"));

/** Each value with its default. Resources are one value, as people set them. */
function leaves(value, path = []) {
  const inner = value !== null && typeof value === "object" && !Array.isArray(value) && Object.keys(value).length > 0;
  if (!inner || path.at(-1) === "resources") return [[path.join("."), JSON.stringify(value)]];
  return Object.entries(value).flatMap(([key, one]) => leaves(one, [...path, key]));
}

function promised(node, path = []) {
  const at = node.$ref ? schema.$defs[node.$ref.split("/").at(-1)] : node;
  if (!at.properties || path.at(-1) === "resources") return [path.join(".")];
  if (at.additionalProperties !== false) problems.push(`values.schema.json: ${path.join(".") || "the root"} takes unknown values`);
  return Object.entries(at.properties).flatMap(([key, one]) => promised(one, [...path, key]));
}

const problems = [];
const there = leaves(values);
const rows = [...read("README.md").matchAll(/^\| `([A-Za-z.]+)` \| `([^`]*)` \| (.+) \|$/gm)];
const compact = (text) => JSON.stringify(JSON.parse(text));
problems.push(...compare("README.md", rows.map(([, path, value]) => `${path} = ${compact(value)}`), there.map(([path, value]) => `${path} = ${value}`)));
problems.push(...compare("values.schema.json", promised(schema).filter((path) => path !== "global"), there.map(([path]) => path)));
if (problems.length) {
  console.error(problems.join("\n"));
  process.exit(1);
}
console.log(`${there.length} values`);
