{{/* Names are fixed, not derived from the release: CRDs, pool roles and webhooks allow one installation per cluster. */}}

{{- define "lapse.labels" -}}
app.kubernetes.io/name: lapse
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_") }}
{{- end }}

{{- define "lapse.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end }}

{{/* The user name under which the controller writes. */}}
{{- define "lapse.operatorUser" -}}
system:serviceaccount:{{ .Release.Namespace }}:lapse-controller
{{- end }}

{{/*
The names of the pool, as a list item each. A rule without resourceNames is a rule for every name, so an empty pool is
an error here and not only in the schema, which can be skipped.
*/}}
{{- define "lapse.poolRoleNames" -}}
{{- $size := int .Values.pool.size -}}
{{- if lt $size 1 }}{{ fail "pool.size must be at least 1" }}{{ end -}}
{{- range $i := until $size }}
- lapse-set-{{ $i }}
{{- end }}
{{- end }}
