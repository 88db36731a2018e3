// Adds to generated data what a new service would add: node grow.mjs FILE... A chart or a kustomization that had to be edited by
// hand for it would not show it.
import { readFileSync, writeFileSync } from "node:fs";

/** As the service payments, with a reaction of its own, under another name. */
function another(value) {
  return JSON.parse(JSON.stringify(value).replaceAll("payments", "ledger").replaceAll("/refunds", "/entries"));
}

for (const file of process.argv.slice(2)) {
  const data = JSON.parse(readFileSync(file, "utf8"));
  if (data.services) {
    const [payments, audit] = ["payments", "audit"].map((name) => data.services.find((service) => service.name === name));
    const queues = audit.queues.map((queue) => JSON.parse(JSON.stringify(queue).replaceAll("audit", "ledger")));
    const ledger = another(payments);
    // With more operations than one HTTPRoute takes.
    for (let entry = 1; entry <= 150; entry += 1) {
      const path = `/v1/ledger-entries-${entry}`;
      const operation = { function: `ledger.list_entries_${entry}`, method: "GET", path, exact: true, prefix: path, regex: path };
      ledger.routes.push({ ...ledger.routes[0], ...operation });
    }
    data.services.push({ ...ledger, queues });
  } else {
    const grown = data.items.filter((item) => item.metadata.name.includes("payments")).map(another);
    const triggers = data.items.filter((item) => item.kind === "Trigger");
    grown.push(...triggers.map((trigger) => JSON.parse(JSON.stringify(trigger).replaceAll("audit", "ledger"))));
    // The Service that takes deliveries serves the reaction too, and so does the worker.
    for (const { kind, metadata, spec } of grown) {
      const takes = kind === "Deployment" || (kind === "Service" && metadata.labels["florin.dev/door"] === "deliveries");
      if (takes) spec.template.spec.containers[0].env[0].value += ",ledger.record_event";
    }
    data.items.push(...grown);
  }
  writeFileSync(file, JSON.stringify(data, null, 2));
}
