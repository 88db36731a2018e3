// The environment that a pod's container gets, as a shell that starts the same program would write it.

/** NAME=value of the first container of this object; `values` says what is in Secrets and ConfigMaps, by "name/key". */
export function environment(objects, kind, name, values) {
  const object = objects.find((one) => one.kind === kind && one.metadata.name === name && one.spec?.template);
  if (!object) throw new Error(`no ${kind} ${name}`);
  const [container] = object.spec.template.spec.containers;
  const variables = new Map();
  for (const { configMapRef, secretRef } of container.envFrom ?? []) {
    for (const [key, value] of Object.entries(data(objects, (configMapRef ?? secretRef).name, values))) variables.set(key, value);
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    if (value !== undefined) {
      variables.set(name, value);
      continue;
    }
    const { name: source, key, optional } = valueFrom.secretKeyRef ?? valueFrom.configMapKeyRef;
    const said = data(objects, source, values)[key];
    if (said === undefined && !optional) throw new Error(`nobody says what ${source}/${key} is`);
    if (said !== undefined) variables.set(name, said);
  }
  return { arguments: container.args ?? [], variables: Object.fromEntries(variables) };
}

function data(objects, source, values) {
  const object = objects.find((one) => ["ConfigMap", "Secret"].includes(one.kind) && one.metadata.name === source);
  const given = Object.entries(values).filter(([at]) => at.startsWith(`${source}/`));
  return { ...object?.data, ...object?.stringData, ...Object.fromEntries(given.map(([at, value]) => [at.slice(source.length + 1), value])) };
}
