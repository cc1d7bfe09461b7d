// Command controlplane is a real Kubernetes control plane in one binary, for the tests and the demo.
//
// Each part runs as a process of its own, so that a test can kill, pause or restart one alone:
//
//	controlplane etcd|kube-apiserver|kube-controller-manager|kubectl|helm ARGS...
//
// The arguments are those of the upstream program of that name. Two parts are our own:
//
//	controlplane certs init|client|server ...          makes the certificates of a test CA
//	controlplane pod --mount SRC=DST... -- ARGV...     plays the container runtime for one process
//
// With CONTROLPLANE_DIE_WITH_STDIN=1 in its environment every part ends when its stdin does.
package main

import (
	"fmt"
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

const usage = "usage: controlplane etcd|kube-apiserver|kube-controller-manager|kubectl|helm|certs|pod ARGS..."

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
	part := os.Args[1]
	os.Args = os.Args[1:] // each part reads os.Args and expects its own name first
	dieWithStdin()

	switch part {
	case "etcd":
		etcdmain.Main(os.Args)
	case "kube-apiserver":
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	case "kube-controller-manager":
		os.Exit(cli.Run(controllermanager.NewControllerManagerCommand()))
	case "kubectl":
		if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
			kubectlutil.CheckErr(err)
		}
	case "helm":
		os.Exit(runHelm(os.Args[1:]))
	case "certs":
		exit(part, runCerts(os.Args[1:]))
	case "pod":
		exit(part, runPod(os.Args[1:]))
	case podInit:
		exit(part, runPodInit(os.Args[1:]))
	default:
		fmt.Fprintf(os.Stderr, "controlplane: unknown part %q\n%s\n", part, usage)
		os.Exit(2)
	}
}

func exit(part string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "controlplane %s: %v\n", part, err)
		os.Exit(1)
	}
	os.Exit(0)
}
