// What every pod of Florin must be: the "restricted" Pod Security Standard and what the house asks besides.

/** What is wrong with the pods of these objects, one sentence each. */
export function careless(objects) {
  return objects.flatMap((object) => {
    const template = object.kind === "Pod" ? object : object.spec?.template;
    if (!template?.spec?.containers) return [];
    // Knative takes no security context of the pod, so it must be the container's.
    const knative = object.apiVersion.startsWith("serving.knative.dev");
    return [...pod(template.spec, knative), ...template.spec.containers.flatMap((one) => container(one, knative))].map(
      (problem) => `${object.kind} ${object.metadata.name}: ${problem}`,
    );
  });
}

function pod(spec, knative) {
  const problems = [];
  const must = (holds, what) => holds || problems.push(what);
  must(spec.enableServiceLinks === false, "enableServiceLinks must be false");
  must(spec.automountServiceAccountToken === false, "automountServiceAccountToken must be false");
  if (!knative) must(spec.securityContext?.runAsNonRoot === true, "the pod must run as non-root");
  if (!knative) must(confined(spec), "seccompProfile must be RuntimeDefault");
  must(!spec.hostNetwork && !spec.hostPID && !spec.hostIPC, "it must stay out of the host's namespaces");
  for (const volume of spec.volumes ?? []) must(!volume.hostPath, `volume ${volume.name} is the host's`);
  return problems;
}

const confined = (spec) => spec.securityContext?.seccompProfile?.type === "RuntimeDefault";

function container(spec, knative) {
  const problems = [];
  const must = (holds, what) => holds || problems.push(`container ${spec.name}: ${what}`);
  const security = spec.securityContext ?? {};
  must(security.allowPrivilegeEscalation === false, "allowPrivilegeEscalation must be false");
  must(security.readOnlyRootFilesystem === true, "readOnlyRootFilesystem must be true");
  must(security.runAsNonRoot === true, "runAsNonRoot must be true");
  must(JSON.stringify(security.capabilities?.drop) === '["ALL"]' && !security.capabilities.add, "it must drop ALL");
  if (knative) must(confined(spec), "seccompProfile must be RuntimeDefault");
  must(spec.resources?.requests?.memory && spec.resources?.requests?.cpu, "it must request memory and CPU");
  must(spec.resources?.limits?.memory, "its memory must be limited");
  must(!/:latest$/.test(spec.image) && /[:@]/.test(spec.image), `${spec.image} must be a fixed version`);
  if (spec.args?.[0] === "serve" || spec.ports) must(spec.readinessProbe, "it must have a readiness probe");
  return problems;
}
