package main

import (
	"context"
	"encoding/json"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/component-helpers/auth/rbac/validation"
	rbacvalidation "k8s.io/kubernetes/pkg/registry/rbac/validation"
	"k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac"
)

// answerCovers says whether the owner's rules cover the servant's, and which atomic rules are left over.
func answerCovers(input json.RawMessage) (any, error) {
	var q struct {
		Owner   []rbacv1.PolicyRule `json:"owner"`
		Servant []rbacv1.PolicyRule `json:"servant"`
	}
	if err := json.Unmarshal(input, &q); err != nil {
		return nil, err
	}
	covered, missing := validation.Covers(q.Owner, q.Servant)
	return map[string]any{"covered": covered, "missing": missing}, nil
}

// answerAuthorize puts a list of requests by one user to the RBAC authorizer over a fixed set of RBAC objects.
func answerAuthorize(input json.RawMessage) (any, error) {
	var q struct {
		Roles               []*rbacv1.Role               `json:"roles"`
		RoleBindings        []*rbacv1.RoleBinding        `json:"roleBindings"`
		ClusterRoles        []*rbacv1.ClusterRole        `json:"clusterRoles"`
		ClusterRoleBindings []*rbacv1.ClusterRoleBinding `json:"clusterRoleBindings"`
		User                string                       `json:"user"`
		Groups              []string                     `json:"groups"`
		Requests            []struct {
			Verb        string `json:"verb"`
			Namespace   string `json:"namespace"`
			APIGroup    string `json:"apiGroup"`
			Resource    string `json:"resource"`
			Subresource string `json:"subresource"`
			Name        string `json:"name"`
			Path        string `json:"path"`
		} `json:"requests"`
	}
	if err := json.Unmarshal(input, &q); err != nil {
		return nil, err
	}
	_, objects := rbacvalidation.NewTestRuleResolver(q.Roles, q.RoleBindings, q.ClusterRoles, q.ClusterRoleBindings)
	judge := rbac.New(objects, objects, objects, objects)

	allowed := make([]bool, 0, len(q.Requests))
	for _, r := range q.Requests {
		decision, _, _ := judge.Authorize(context.Background(), authorizer.AttributesRecord{
			User:            &user.DefaultInfo{Name: q.User, Groups: q.Groups},
			Verb:            r.Verb,
			Namespace:       r.Namespace,
			APIGroup:        r.APIGroup,
			Resource:        r.Resource,
			Subresource:     r.Subresource,
			Name:            r.Name,
			Path:            r.Path,
			ResourceRequest: r.Path == "",
		})
		allowed = append(allowed, decision == authorizer.DecisionAllow)
	}
	return allowed, nil
}
