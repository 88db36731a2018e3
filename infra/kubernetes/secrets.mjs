// Whether the External Secrets Operator makes the Secrets that pods read.

/** What differs, one sentence each. */
export function secrets(objects) {
  const made = external(objects).flatMap((object) => keys(object).map((key) => `${name(object)}/${key}`));
  const read = objects
    .filter((object) => object.spec?.template?.spec?.containers)
    .flatMap((object) => object.spec.template.spec.containers.flatMap((container) => container.env ?? []))
    .flatMap(({ valueFrom }) => valueFrom?.secretKeyRef ?? [])
    .map((ref) => `${ref.name}/${ref.key}`);
  const missing = [...new Set(read)].filter((one) => !made.includes(one));
  const besides = made.filter((one) => !read.includes(one));
  return [...missing.map((one) => `no ExternalSecret makes ${one}`), ...besides.map((one) => `nobody reads ${one}`)];
}

/** Each template with the name of what it makes. */
export function templates(objects) {
  return external(objects).flatMap((object) =>
    Object.entries(object.spec.target?.template?.data ?? {}).map(([key, text]) => [`${name(object)}/${key}`, text]),
  );
}

const external = (objects) => objects.filter((object) => object.kind === "ExternalSecret");

/** The Secret is called as the ExternalSecret is, unless that says otherwise. */
const name = ({ metadata, spec }) => spec.target?.name ?? metadata.name;

/** The Secret's keys: where there is a template, its alone (it replaces what was fetched, unless its mergePolicy says otherwise). */
function keys({ spec }) {
  return spec.target?.template ? Object.keys(spec.target.template.data) : spec.data.map((one) => one.secretKey);
}
