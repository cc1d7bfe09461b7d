package main

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"unsafe"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	rbacv1ac "k8s.io/client-go/applyconfigurations/rbac/v1"
	rbacinformers "k8s.io/client-go/informers/rbac/v1"
	rbacclient "k8s.io/client-go/kubernetes/typed/rbac/v1"
	rbaclisters "k8s.io/client-go/listers/rbac/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/kubernetes/pkg/controller/clusterroleaggregation"
)

// A chain of aggregates settles in as many rounds as it has links.
const mostRounds = 100

// answerAggregation lets the cluster's own controller fill in the rules of aggregated ClusterRoles, until nothing
// changes any more, and lists the rules of every ClusterRole by its name.
func answerAggregation(input json.RawMessage) (any, error) {
	var q struct {
		ClusterRoles []*rbacv1.ClusterRole `json:"clusterRoles"`
	}
	if err := json.Unmarshal(input, &q); err != nil {
		return nil, err
	}
	cluster := &clusterRoles{indexer: cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})}
	for _, role := range q.ClusterRoles {
		if err := cluster.indexer.Add(role); err != nil {
			return nil, err
		}
	}
	if err := cluster.settle(); err != nil {
		return nil, err
	}
	rules := map[string][]rbacv1.PolicyRule{}
	for _, stored := range cluster.indexer.List() {
		role := stored.(*rbacv1.ClusterRole)
		rules[role.Name] = append([]rbacv1.PolicyRule{}, role.Rules...)
	}
	return rules, nil
}

// clusterRoles is all that the controller sees of a cluster: an informer, a lister and a client over one store.
type clusterRoles struct {
	rbacclient.ClusterRoleInterface
	indexer cache.Indexer
	writes  int
}

func (c *clusterRoles) settle() error {
	sync := syncHandlerOf(clusterroleaggregation.NewClusterRoleAggregation(informer{cluster: c}, getter{cluster: c}))
	for range mostRounds {
		before := c.writes
		for _, name := range c.indexer.ListKeys() {
			if err := sync(context.Background(), name); err != nil {
				return err
			}
		}
		if c.writes == before {
			return nil
		}
	}
	return errors.New("the rules do not settle")
}

// syncHandlerOf takes out the unexported step by which the controller brings one ClusterRole up to date: through its
// queue nobody could tell when it is done.
func syncHandlerOf(controller *clusterroleaggregation.ClusterRoleAggregationController) func(context.Context, string) error {
	field := reflect.ValueOf(controller).Elem().FieldByName("syncHandler")
	return *(*func(context.Context, string) error)(unsafe.Pointer(field.UnsafeAddr()))
}

func (c *clusterRoles) Apply(_ context.Context, applied *rbacv1ac.ClusterRoleApplyConfiguration, _ metav1.ApplyOptions) (*rbacv1.ClusterRole, error) {
	c.writes++
	stored, _, err := c.indexer.GetByKey(*applied.Name)
	if err != nil {
		return nil, err
	}
	updated := stored.(*rbacv1.ClusterRole).DeepCopy()
	updated.Rules = nil
	for _, rule := range applied.Rules {
		updated.Rules = append(updated.Rules, rbacv1.PolicyRule{
			Verbs:           rule.Verbs,
			APIGroups:       rule.APIGroups,
			Resources:       rule.Resources,
			ResourceNames:   rule.ResourceNames,
			NonResourceURLs: rule.NonResourceURLs,
		})
	}
	return updated, c.indexer.Update(updated)
}

type informer struct {
	cache.SharedIndexInformer
	cluster *clusterRoles
}

func (i informer) Informer() cache.SharedIndexInformer { return i }

func (i informer) Lister() rbaclisters.ClusterRoleLister {
	return rbaclisters.NewClusterRoleLister(i.cluster.indexer)
}

func (i informer) HasSynced() bool { return true }

func (i informer) AddEventHandler(cache.ResourceEventHandler) (cache.ResourceEventHandlerRegistration, error) {
	return nil, nil
}

type getter struct{ cluster *clusterRoles }

func (g getter) ClusterRoles() rbacclient.ClusterRoleInterface { return g.cluster }

var _ rbacinformers.ClusterRoleInformer = informer{}
