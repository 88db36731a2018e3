// What the objects of one release say of each other: every name leads somewhere.

/** What leads nowhere, one sentence each. `given` holds "Secret/name" and "ConfigMap/name" of what is there already. */
export function dangling(objects, given) {
  const problems = [];
  const of = (kind) => objects.filter((object) => object.kind === kind);
  const named = (kind, name) => of(kind).find((object) => object.metadata.name === name);
  const pods = objects.flatMap((object) => {
    const template = object.kind === "Pod" ? object : object.spec?.template;
    return template?.spec?.containers ? [{ object, template }] : [];
  });
  const selected = (labels) =>
    pods.filter(({ template }) =>
      Object.entries(labels).every(([key, value]) => template.metadata?.labels?.[key] === value),
    );
  const complain = (object, what) => problems.push(`${object.kind} ${object.metadata.name}: ${what}`);

  for (const { object, template } of pods) {
    const mine = object.spec.selector?.matchLabels;
    if (mine && !selected(mine).some((pod) => pod.object === object)) complain(object, "it does not select its own pods");
    if (mine && selected(mine).length > 1) complain(object, "it selects pods of others");
    const account = template.spec.serviceAccountName;
    if (account && !named("ServiceAccount", account)) complain(object, `no ServiceAccount ${account}`);
    for (const [kind, name] of sources(template.spec)) {
      if (!named(kind, name) && !given.includes(`${kind}/${name}`)) complain(object, `no ${kind} ${name}`);
    }
  }
  for (const service of of("Service").filter((object) => object.apiVersion === "v1" && object.spec.selector)) {
    const targets = selected(service.spec.selector);
    if (!targets.length) complain(service, "it selects no pod");
    for (const port of service.spec.ports) {
      const open = ({ template }) =>
        template.spec.containers.some((container) => container.ports?.some((one) => one.name === port.targetPort));
      if (!targets.some(open)) complain(service, `no pod has a port ${port.targetPort}`);
    }
  }
  for (const object of [...of("PodDisruptionBudget"), ...of("NetworkPolicy")]) {
    const labels = (object.spec.selector ?? object.spec.podSelector).matchLabels ?? {};
    if (!selected(labels).length) complain(object, "it selects no pod");
  }
  for (const object of [...of("HorizontalPodAutoscaler"), ...of("ScaledObject")]) {
    const deployment = named("Deployment", object.spec.scaleTargetRef.name);
    if (!deployment) complain(object, `no Deployment ${object.spec.scaleTargetRef.name}`);
    else if (deployment.spec.replicas !== undefined) complain(object, "the Deployment's own replicas would overrule it");
  }
  for (const scaled of of("ScaledObject")) {
    for (const trigger of scaled.spec.triggers) {
      if (!named("TriggerAuthentication", trigger.authenticationRef.name)) complain(scaled, "no TriggerAuthentication");
    }
  }
  for (const broker of of("Broker").filter((object) => object.spec.config)) {
    // Without a namespace it is the Broker's own (Knative's webhook).
    const { kind, name, namespace = broker.metadata.namespace } = broker.spec.config;
    if (named(kind, name)?.metadata.namespace !== namespace) complain(broker, `no ${kind} ${name} in ${namespace}`);
  }
  for (const store of of("SecretStore")) {
    const { name } = store.spec.provider.aws.auth.jwt.serviceAccountRef;
    if (!named("ServiceAccount", name)?.metadata.annotations?.["eks.amazonaws.com/role-arn"]) {
      complain(store, `no ServiceAccount ${name} with a role`);
    }
  }
  for (const secret of of("ExternalSecret")) {
    const { kind, name } = secret.spec.secretStoreRef;
    if (!named(kind, name)) complain(secret, `no ${kind} ${name}`);
  }
  const backends = [
    ...of("HTTPRoute").flatMap((route) =>
      route.spec.rules.flatMap((rule) => rule.backendRefs.map((ref) => [route, ref.name, (port) => port.port === ref.port])),
    ),
    ...of("Ingress").flatMap((ingress) =>
      ingress.spec.rules.flatMap((rule) =>
        rule.http.paths.map(({ backend: { service } }) => [ingress, service.name, (port) => port.name === service.port.name]),
      ),
    ),
  ];
  for (const [object, name, matches] of backends) {
    if (!named("Service", name)?.spec.ports.some(matches)) complain(object, `no Service ${name} with that port`);
  }
  return problems;
}

/** Every ConfigMap and Secret that a pod reads. */
function sources(spec) {
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  const env = containers.flatMap((container) => container.env ?? []).map((variable) => variable.valueFrom ?? {});
  const from = containers.flatMap((container) => container.envFrom ?? []);
  const volumes = spec.volumes ?? [];
  return [
    ...env.flatMap((source) => [["ConfigMap", source.configMapKeyRef?.name], ["Secret", source.secretKeyRef?.name]]),
    ...from.flatMap((source) => [["ConfigMap", source.configMapRef?.name], ["Secret", source.secretRef?.name]]),
    ...volumes.flatMap((volume) => [["ConfigMap", volume.configMap?.name], ["Secret", volume.secret?.secretName]]),
  ].filter(([, name]) => name);
}
