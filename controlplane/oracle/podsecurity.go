package main

import (
	"encoding/json"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

type podSecurityFinding struct {
	Reason string `json:"reason"`
	Detail string `json:"detail"`
}

// answerPodSecurity runs Pod Security's own evaluator at one level and version over one pod.
func answerPodSecurity(input json.RawMessage) (any, error) {
	var q struct {
		Level    string            `json:"level"`
		Version  string            `json:"version"`
		Metadata metav1.ObjectMeta `json:"metadata"`
		Spec     corev1.PodSpec    `json:"spec"`
	}
	if err := json.Unmarshal(input, &q); err != nil {
		return nil, err
	}
	level, err := api.ParseLevel(q.Level)
	if err != nil {
		return nil, err
	}
	version, err := api.ParseVersion(q.Version)
	if err != nil {
		return nil, err
	}
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return nil, err
	}
	findings := []podSecurityFinding{}
	for _, result := range evaluator.EvaluatePod(api.LevelVersion{Level: level, Version: version}, &q.Metadata, &q.Spec) {
		if !result.Allowed {
			findings = append(findings, podSecurityFinding{Reason: result.ForbiddenReason, Detail: result.ForbiddenDetail})
		}
	}
	return findings, nil
}
