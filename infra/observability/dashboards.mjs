// Whether dashboards are what Grafana's own types say (npm: @grafana/schema, typescript): no field that nobody knows, none
// that is missing, no value that is none of those there are.
//
//   node dashboards.mjs DIRECTORY-WITH-NODE_MODULES DASHBOARD...

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";

const [modules, ...files] = process.argv.slice(2);
const ts = createRequire(join(modules, "package.json"))("typescript");

/// What each part of a dashboard must be. A panel's options are typed by its plugin.
const DECLARATIONS = `
import type { Dashboard, Panel, RowPanel, TableFieldOptions } from "@grafana/schema";
import type * as heatmap from "@grafana/schema/dist/types/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen";
import type * as stat from "@grafana/schema/dist/types/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen";
import type * as table from "@grafana/schema/dist/types/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen";
import type * as timeseries from "@grafana/schema/dist/types/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen";
// Panel itself leaves its options open.
type With<Options, Fields = {}> = Omit<Panel<Options, Fields>, "options"> & { options: Options };
export interface Parts {
  dashboard: Omit<Dashboard, "panels"> & { panels: unknown[] };
  row: RowPanel;
  heatmap: With<heatmap.Options, heatmap.FieldConfig>;
  stat: With<stat.Options>;
  table: With<table.Options, Partial<TableFieldOptions>>;
  timeseries: With<timeseries.Options, timeseries.FieldConfig>;
}
`;

/// What Grafana reads and its types leave out, by the field it stands in: the text of a variable's query, the texts and the
/// query of Prometheus's annotations.
const UNTYPED = { list: ["definition", "titleFormat", "textFormat"], target: ["expr", "interval"] };

const declared = join(modules, "parts.ts");
const options = {
  strict: true,
  skipLibCheck: true,
  noEmit: true,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Node10,
  target: ts.ScriptTarget.ES2022,
};
const host = ts.createCompilerHost(options);
const read = host.getSourceFile.bind(host);
host.getSourceFile = (name, ...rest) =>
  name === declared ? ts.createSourceFile(name, DECLARATIONS, options.target) : read(name, ...rest);
const program = ts.createProgram([declared], options, host);
const checker = program.getTypeChecker();
const source = program.getSourceFile(declared);
const wrong = program.getSemanticDiagnostics(source);
if (wrong.length > 0) {
  throw new Error(ts.flattenDiagnosticMessageText(wrong[0].messageText, "\n"));
}
const parts = checker.getTypeAtLocation(source.statements.find(ts.isInterfaceDeclaration));
const typeOf = (property) => checker.getTypeOfSymbolAtLocation(property, source);
const part = (name) => {
  const property = parts.getProperty(name);
  return property && typeOf(property);
};

/// What is wrong with a value that should be of a type; nothing when it is of it.
function problem(value, type, path) {
  const { Any, Unknown, BooleanLike, NumberLiteral, StringLiteral, NumberLike, StringLike, Null, Undefined } = ts.TypeFlags;
  const is = (flags) => (type.flags & flags) !== 0;
  const unless = (right) => (right ? undefined : `${path}: ${JSON.stringify(value)} is no ${checker.typeToString(type)}`);
  if (is(Any | Unknown)) return undefined;
  if (is(Null | Undefined)) return unless(is(Null) && value === null);
  if (is(BooleanLike)) return unless(typeof value === "boolean");
  if (type.isUnion()) {
    const tried = type.types.map((one) => problem(value, one, path));
    if (tried.includes(undefined)) return undefined;
    return tried.find((said) => !said.startsWith(`${path}: ${JSON.stringify(value)} is no `)) ?? unless(false);
  }
  if (is(NumberLiteral | StringLiteral)) return unless(value === type.value);
  if (is(NumberLike)) return unless(typeof value === "number");
  if (is(StringLike)) return unless(typeof value === "string");
  if (checker.isArrayType(type)) {
    if (!Array.isArray(value)) return unless(false);
    const [element] = checker.getTypeArguments(type);
    return value.map((one, index) => problem(one, element, `${path}[${index}]`)).find(Boolean);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return unless(false);
  const properties = checker.getPropertiesOfType(type);
  // "These fields, and any others" is said of fields that Grafana's plugins type: those it types are all there are.
  const open = (type.isIntersection() ? type.types : [type]).every((one) => checker.getIndexInfosOfType(one).length > 0);
  const missing = properties.find((one) => !(one.flags & ts.SymbolFlags.Optional) && !(one.name in value));
  if (missing) return `${path}: ${missing.name} is missing`;
  const field = path.replace(/\[\d+\]$/, "").split(".").at(-1);
  for (const [name, inner] of Object.entries(value)) {
    const property = properties.find((one) => one.name === name);
    if (property) {
      const said = problem(inner, typeOf(property), `${path}.${name}`);
      if (said) return said;
    } else if (!open && !UNTYPED[field]?.includes(name)) {
      return `${path}: nobody knows ${name}`;
    }
  }
  return undefined;
}

const found = [];
let panels = 0;
for (const file of files) {
  const dashboard = JSON.parse(readFileSync(file, "utf8"));
  found.push(problem(dashboard, part("dashboard"), basename(file)));
  for (const panel of dashboard.panels) {
    const path = `${basename(file)}: ${panel.title}`;
    const type = part(panel.type);
    found.push(type ? problem(panel, type, path) : `${path}: nobody checks a ${panel.type}`);
    panels += 1;
  }
}
const said = found.filter(Boolean);
if (said.length > 0) {
  console.error(said.join("\n"));
  process.exit(1);
}
console.log(`${panels} panels`);
