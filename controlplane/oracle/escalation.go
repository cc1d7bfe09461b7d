package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	rbacapi "k8s.io/kubernetes/pkg/apis/rbac"
	rbacv1helpers "k8s.io/kubernetes/pkg/apis/rbac/v1"
	clusterrole "k8s.io/kubernetes/pkg/registry/rbac/clusterrole/policybased"
	clusterrolebinding "k8s.io/kubernetes/pkg/registry/rbac/clusterrolebinding/policybased"
	role "k8s.io/kubernetes/pkg/registry/rbac/role/policybased"
	rolebinding "k8s.io/kubernetes/pkg/registry/rbac/rolebinding/policybased"
	rbacvalidation "k8s.io/kubernetes/pkg/registry/rbac/validation"
	"k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac"
)

// answerEscalation writes objects through the storages of the four RBAC kinds, which refuse what would hand on more
// than its author holds. Beneath them nothing is stored: only their own verdict counts.
func answerEscalation(input json.RawMessage) (any, error) {
	var q struct {
		objects
		identity
		Writes []write `json:"writes"`
	}
	if err := json.Unmarshal(input, &q); err != nil {
		return nil, err
	}
	resolver, static := rbacvalidation.NewTestRuleResolver(q.Roles, q.RoleBindings, q.ClusterRoles, q.ClusterRoleBindings)
	judge := rbac.New(static, static, static, static)

	verdicts := make([]string, 0, len(q.Writes))
	for _, w := range q.Writes {
		verdict, err := w.put(q.identity, judge, resolver)
		if err != nil {
			return nil, err
		}
		verdicts = append(verdicts, verdict)
	}
	return verdicts, nil
}

type write struct {
	Kind      string          `json:"kind"`
	Namespace string          `json:"namespace"`
	Name      string          `json:"name"`
	Object    json.RawMessage `json:"object"`
	// OldObject is absent for a create.
	OldObject json.RawMessage `json:"oldObject"`
}

// store is what the four storages have in common.
type store interface {
	rest.Creater
	rest.Updater
}

func (w write) put(by identity, judge authorizer.Authorizer, resolver rbacvalidation.AuthorizationRuleResolver) (string, error) {
	object, err := w.decode(w.Object)
	if err != nil {
		return "", err
	}
	ctx := genericapirequest.WithNamespace(genericapirequest.WithUser(context.Background(), by.info()), w.Namespace)
	ctx = genericapirequest.WithRequestInfo(ctx, &genericapirequest.RequestInfo{
		IsResourceRequest: true,
		APIGroup:          rbacapi.GroupName,
		Resource:          strings.ToLower(w.Kind) + "s",
		Namespace:         w.Namespace,
		Name:              w.Name,
	})
	target := w.storage(judge, resolver)
	if w.OldObject == nil {
		_, err = target.Create(ctx, object, rest.ValidateAllObjectFunc, &metav1.CreateOptions{})
		return verdictOf(err), nil
	}
	before, err := w.decode(w.OldObject)
	if err != nil {
		return "", err
	}
	_, _, err = target.Update(
		context.WithValue(ctx, beforeKey{}, before), w.Name, rest.DefaultUpdatedObjectInfo(object),
		rest.ValidateAllObjectFunc, rest.ValidateAllObjectUpdateFunc, false, &metav1.UpdateOptions{},
	)
	return verdictOf(err), nil
}

func (w write) storage(judge authorizer.Authorizer, resolver rbacvalidation.AuthorizationRuleResolver) store {
	switch w.Kind {
	case "Role":
		return role.NewStorage(nothingStored{}, judge, resolver)
	case "ClusterRole":
		return clusterrole.NewStorage(nothingStored{}, judge, resolver)
	case "RoleBinding":
		return rolebinding.NewStorage(nothingStored{}, judge, resolver)
	default:
		return clusterrolebinding.NewStorage(nothingStored{}, judge, resolver)
	}
}

// decode reads, defaults and converts, as the API server does before its storages see an object.
func (w write) decode(raw json.RawMessage) (runtime.Object, error) {
	switch w.Kind {
	case "Role":
		in, out := &rbacv1.Role{}, &rbacapi.Role{}
		if err := json.Unmarshal(raw, in); err != nil {
			return nil, err
		}
		return out, rbacv1helpers.Convert_v1_Role_To_rbac_Role(in, out, nil)
	case "ClusterRole":
		in, out := &rbacv1.ClusterRole{}, &rbacapi.ClusterRole{}
		if err := json.Unmarshal(raw, in); err != nil {
			return nil, err
		}
		return out, rbacv1helpers.Convert_v1_ClusterRole_To_rbac_ClusterRole(in, out, nil)
	case "RoleBinding":
		in, out := &rbacv1.RoleBinding{}, &rbacapi.RoleBinding{}
		if err := json.Unmarshal(raw, in); err != nil {
			return nil, err
		}
		rbacv1helpers.SetObjectDefaults_RoleBinding(in)
		return out, rbacv1helpers.Convert_v1_RoleBinding_To_rbac_RoleBinding(in, out, nil)
	case "ClusterRoleBinding":
		in, out := &rbacv1.ClusterRoleBinding{}, &rbacapi.ClusterRoleBinding{}
		if err := json.Unmarshal(raw, in); err != nil {
			return nil, err
		}
		rbacv1helpers.SetObjectDefaults_ClusterRoleBinding(in)
		return out, rbacv1helpers.Convert_v1_ClusterRoleBinding_To_rbac_ClusterRoleBinding(in, out, nil)
	default:
		return nil, fmt.Errorf("unknown kind %q", w.Kind)
	}
}

// verdictOf names why a write is refused; the words are those of the storages.
func verdictOf(err error) string {
	switch {
	case err == nil:
		return "Allowed"
	case strings.Contains(err.Error(), "not currently held"):
		return "MissingRules"
	case strings.Contains(err.Error(), "cluster-admin privileges to use the aggregationRule"):
		return "Aggregation"
	default:
		return "NoSuchRole"
	}
}

type beforeKey struct{}

// nothingStored accepts every write. An update finds the object that its context carries.
type nothingStored struct{ rest.StandardStorage }

func (nothingStored) Create(_ context.Context, obj runtime.Object, _ rest.ValidateObjectFunc, _ *metav1.CreateOptions) (runtime.Object, error) {
	return obj, nil
}

func (nothingStored) Update(ctx context.Context, _ string, info rest.UpdatedObjectInfo, _ rest.ValidateObjectFunc, _ rest.ValidateObjectUpdateFunc, _ bool, _ *metav1.UpdateOptions) (runtime.Object, bool, error) {
	after, err := info.UpdatedObject(ctx, ctx.Value(beforeKey{}).(runtime.Object))
	return after, false, err
}

// identity is who asks.
type identity struct {
	User   string   `json:"user"`
	Groups []string `json:"groups"`
}

func (i identity) info() user.Info {
	return &user.DefaultInfo{Name: i.User, Groups: i.Groups}
}
