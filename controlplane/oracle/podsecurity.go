package main

import (
	"encoding/json"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// evaluator knows the checks of every version, and takes longer to make than to ask.
var evaluator = sync.OnceValues(func() (policy.Evaluator, error) {
	return policy.NewEvaluator(policy.DefaultChecks(), nil)
})

// answerPodSecurity runs Pod Security's own evaluator over one pod at each of the levels, at one version, and lists
// the reasons why each forbids it.
func answerPodSecurity(input json.RawMessage) (any, error) {
	var q struct {
		Levels   []string          `json:"levels"`
		Version  string            `json:"version"`
		Metadata metav1.ObjectMeta `json:"metadata"`
		Spec     corev1.PodSpec    `json:"spec"`
	}
	if err := json.Unmarshal(input, &q); err != nil {
		return nil, err
	}
	version, err := api.ParseVersion(q.Version)
	if err != nil {
		return nil, err
	}
	checks, err := evaluator()
	if err != nil {
		return nil, err
	}
	all := make([][]string, 0, len(q.Levels))
	for _, name := range q.Levels {
		level, err := api.ParseLevel(name)
		if err != nil {
			return nil, err
		}
		reasons := []string{}
		for _, result := range checks.EvaluatePod(api.LevelVersion{Level: level, Version: version}, &q.Metadata, &q.Spec) {
			if !result.Allowed {
				reasons = append(reasons, result.ForbiddenReason)
			}
		}
		all = append(all, reasons)
	}
	return all, nil
}
