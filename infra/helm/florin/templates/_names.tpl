{{- /* Names and labels (app.kubernetes.io, "Recommended Labels"). */ -}}
{{- define "florin.name" -}}
{{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- /* Room is left for the longest suffix that a component adds. */ -}}
{{- define "florin.fullname" -}}
{{- $name := include "florin.name" . -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{ default $full .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- end -}}

{{- define "florin.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: florin
{{ include "florin.selector" . }}
{{- end -}}

{{- define "florin.selector" -}}
app.kubernetes.io/name: {{ include "florin.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "florin.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ default (include "florin.fullname" .) .Values.serviceAccount.name }}
{{- else -}}
{{ default "default" .Values.serviceAccount.name }}
{{- end -}}
{{- end -}}

{{- /* The image of a unit: its own values over the common ones; a digest wins over a tag. */ -}}
{{- define "florin.image" -}}
{{- $image := .image -}}
{{- if $image.digest -}}
{{ printf "%s@%s" $image.repository $image.digest }}
{{- else -}}
{{ printf "%s:%s" $image.repository (default .root.Chart.AppVersion $image.tag) }}
{{- end -}}
{{- end -}}
