{{- /*
The catalog as `florin catalog --format helm` wrote it, and what is deployed of it. No template names a service, a route,
a queue or a job: all of them loop over the units below.
*/ -}}
{{- define "florin.catalog" -}}
{{ .Files.Get "catalog.json" }}
{{- end -}}

{{- /*
The units of this release as JSON: {"units": [...]}. A unit is what shares its processes: one service, or with `suite`
all that are enabled.
*/ -}}
{{- define "florin.units" -}}
{{- $root := . -}}
{{- $services := (include "florin.catalog" . | fromJson).services -}}
{{- $known := list -}}
{{- range $services }}{{ $known = append $known .name }}{{ end -}}
{{- range $name, $_ := .Values.services -}}
{{- if not (has $name $known) -}}
{{- fail (printf "services.%s: the catalog has only %s" $name (join ", " $known)) -}}
{{- end -}}
{{- end -}}
{{- $common := pick .Values "image" "web" "worker" "clock" -}}
{{- $units := list -}}
{{- range $services -}}
{{- $own := get $root.Values.services .name | default dict -}}
{{- if dig "enabled" true $own -}}
{{- $unit := mergeOverwrite (deepCopy $common) (omit (deepCopy $own) "enabled") -}}
{{- $units = append $units (mergeOverwrite $unit (dict
  "name" .name
  "functions" (list .functions)
  "routes" .routes "prefixes" .prefixes "queues" .queues "jobs" .jobs "settings" .settings
)) -}}
{{- end -}}
{{- end -}}
{{- if not $units -}}{{ fail "every service is disabled: there is nothing to deploy" }}{{- end -}}
{{- if .Values.suite -}}
{{- range $name, $own := .Values.services -}}
{{- if omit ($own | default dict) "enabled" -}}
{{- fail (printf "services.%s: with suite all services are one deployment: only `enabled` says something of one" $name) -}}
{{- end -}}
{{- end -}}
{{- $all := mergeOverwrite (deepCopy $common) (dict "name" "suite") -}}
{{- range $key := list "functions" "routes" "prefixes" "queues" "jobs" "settings" -}}
{{- $joined := list -}}
{{- range $units }}{{ $joined = concat $joined (get . $key) }}{{ end -}}
{{- $_ := set $all $key $joined -}}
{{- end -}}
{{- $units = list $all -}}
{{- end -}}
{{ dict "units" $units | toJson }}
{{- end -}}

{{- /* The functions in a list of catalog entries, as FLORIN_FUNCTIONS takes them. */ -}}
{{- define "florin.functions" -}}
{{- $names := list -}}
{{- range . }}{{ $names = append $names .function }}{{ end -}}
{{ join "," $names }}
{{- end -}}
