{{- /*
The pod template of one component. Takes {root, unit, component, functions, workers, resources}.
*/ -}}
{{- define "florin.pod" -}}
{{- $root := .root -}}
{{- $values := $root.Values -}}
metadata:
  labels:
    {{- include "florin.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
    {{- with $values.pod.labels }}{{ toYaml . | nindent 4 }}{{ end }}
  annotations:
    # What is in the settings is read once, at the start.
    checksum/settings: {{ include (print $root.Template.BasePath "/settings.yaml") $root | sha256sum }}
    {{- with $values.pod.annotations }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  serviceAccountName: {{ include "florin.serviceAccount" $root }}
  {{- include "florin.podSettings" $root | nindent 2 }}
  {{- if $values.pod.topologySpread }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "florin.selector" $root | nindent 10 }}
          app.kubernetes.io/component: {{ .component }}
  {{- end }}
  containers:
    - name: florin
      image: {{ include "florin.image" (dict "root" $root "image" .unit.image) }}
      imagePullPolicy: {{ .unit.image.pullPolicy }}
      args: [serve]
      ports:
        - name: http
          containerPort: 8064
        - name: metrics
          containerPort: 9464
      envFrom:
        - configMapRef:
            name: {{ include "florin.fullname" $root }}-settings
      env:
        - name: FLORIN_FUNCTIONS
          value: {{ .functions | quote }}
        - name: FLORIN_WORKERS
          value: {{ .workers | quote }}
        {{- include "florin.secrets" $root | nindent 8 }}
        {{- with $values.extraEnv }}{{ toYaml . | nindent 8 }}{{ end }}
      # It listens within a second; a database that is away delays readiness alone, and restarting would not bring it back.
      startupProbe:
        httpGet: { path: /livez, port: http }
        periodSeconds: 1
        failureThreshold: 30
      livenessProbe:
        httpGet: { path: /livez, port: http }
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 3
      readinessProbe:
        httpGet: { path: /readyz, port: http }
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: 2
      resources:
        {{- toYaml .resources | nindent 8 }}
      securityContext:
        {{- include "florin.containerSecurity" $root | nindent 8 }}
      {{- if $values.identity.jwksConfigMap }}
      volumeMounts:
        - name: jwks
          mountPath: /etc/florin/jwks
          readOnly: true
      {{- end }}
  {{- if $values.identity.jwksConfigMap }}
  volumes:
    - name: jwks
      configMap:
        name: {{ $values.identity.jwksConfigMap }}
  {{- end }}
{{- end -}}

{{- /* What every pod of the release has: the "restricted" Pod Security Standard, no token, no service links. */ -}}
{{- define "florin.podSettings" -}}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: {{ .Values.pod.terminationGracePeriodSeconds }}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .Values.pod.runAsUser }}
  runAsGroup: {{ .Values.pod.runAsUser }}
  fsGroup: {{ .Values.pod.runAsUser }}
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .Values.pod.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.pod.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.pod.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.pod.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{- define "florin.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- /* The addresses with passwords in them; the chart makes no Secret. */ -}}
{{- define "florin.secrets" -}}
- name: FLORIN_DATABASE_URL
  valueFrom:
    secretKeyRef:
      name: {{ required "database.existingSecret: name the Secret with the database's address" .Values.database.existingSecret }}
      key: {{ .Values.database.key }}
- name: FLORIN_QUEUE_URL
  valueFrom:
    secretKeyRef:
      name: {{ required "queue.existingSecret: name the Secret with the broker's address" .Values.queue.existingSecret }}
      key: {{ .Values.queue.key }}
{{- with .Values.card.existingSecret }}
- name: FLORIN_CARD_CREDENTIAL
  valueFrom:
    secretKeyRef:
      name: {{ . }}
      key: {{ $.Values.card.key }}
{{- end }}
{{- end -}}

{{- /* One Deployment. Takes what "florin.pod" takes, with {replicas}: none where an autoscaler sets it. */ -}}
{{- define "florin.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "florin.fullname" .root }}-{{ .component }}
  labels:
    {{- include "florin.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
spec:
  {{- if not (kindIs "invalid" .replicas) }}
  replicas: {{ .replicas }}
  {{- end }}
  revisionHistoryLimit: 5
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxUnavailable: 0
      maxSurge: 1
  selector:
    matchLabels:
      {{- include "florin.selector" .root | nindent 6 }}
      app.kubernetes.io/component: {{ .component }}
  template:
    {{- include "florin.pod" . | nindent 4 }}
{{- end -}}
