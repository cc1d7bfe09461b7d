package main

import (
	"context"
	"encoding/json"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/component-helpers/auth/rbac/validation"
	rbacvalidation "k8s.io/kubernetes/pkg/registry/rbac/validation"
	"k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac"
)

// objects are the RBAC objects of a cluster.
type objects struct {
	Roles               []*rbacv1.Role               `json:"roles"`
	RoleBindings        []*rbacv1.RoleBinding        `json:"roleBindings"`
	ClusterRoles        []*rbacv1.ClusterRole        `json:"clusterRoles"`
	ClusterRoleBindings []*rbacv1.ClusterRoleBinding `json:"clusterRoleBindings"`
}

type request struct {
	Verb        string `json:"verb"`
	Namespace   string `json:"namespace"`
	APIGroup    string `json:"apiGroup"`
	Resource    string `json:"resource"`
	Subresource string `json:"subresource"`
	Name        string `json:"name"`
	Path        string `json:"path"`
}

func (r request) attributes(by identity) authorizer.Attributes {
	return authorizer.AttributesRecord{
		User:            by.info(),
		Verb:            r.Verb,
		Namespace:       r.Namespace,
		APIGroup:        r.APIGroup,
		Resource:        r.Resource,
		Subresource:     r.Subresource,
		Name:            r.Name,
		Path:            r.Path,
		ResourceRequest: r.Path == "",
	}
}

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
		objects
		identity
		Requests []request `json:"requests"`
	}
	if err := json.Unmarshal(input, &q); err != nil {
		return nil, err
	}
	_, static := rbacvalidation.NewTestRuleResolver(q.Roles, q.RoleBindings, q.ClusterRoles, q.ClusterRoleBindings)
	judge := rbac.New(static, static, static, static)

	allowed := make([]bool, 0, len(q.Requests))
	for _, r := range q.Requests {
		decision, _, _ := judge.Authorize(context.Background(), r.attributes(q.identity))
		allowed = append(allowed, decision == authorizer.DecisionAllow)
	}
	return allowed, nil
}

// answerRulesFor lists the rules that apply to a user in each namespace. What cannot be resolved is left out, as the
// authorizer leaves it out.
func answerRulesFor(input json.RawMessage) (any, error) {
	var q struct {
		objects
		identity
		Namespaces []string `json:"namespaces"`
	}
	if err := json.Unmarshal(input, &q); err != nil {
		return nil, err
	}
	resolver, _ := rbacvalidation.NewTestRuleResolver(q.Roles, q.RoleBindings, q.ClusterRoles, q.ClusterRoleBindings)

	all := make([][]rbacv1.PolicyRule, 0, len(q.Namespaces))
	for _, namespace := range q.Namespaces {
		rules, _ := resolver.RulesFor(context.Background(), q.info(), namespace)
		all = append(all, append([]rbacv1.PolicyRule{}, rules...))
	}
	return all, nil
}

// answerWhoCan lists the subjects that may do each request, as the bindings name them.
func answerWhoCan(input json.RawMessage) (any, error) {
	var q struct {
		objects
		Requests []request `json:"requests"`
	}
	if err := json.Unmarshal(input, &q); err != nil {
		return nil, err
	}
	_, static := rbacvalidation.NewTestRuleResolver(q.Roles, q.RoleBindings, q.ClusterRoles, q.ClusterRoleBindings)
	locator := rbac.NewSubjectAccessEvaluator(static, static, static, static, "")

	all := make([][]rbacv1.Subject, 0, len(q.Requests))
	for _, r := range q.Requests {
		subjects, _ := locator.AllowedSubjects(context.Background(), r.attributes(identity{}))
		all = append(all, subjects)
	}
	return all, nil
}
