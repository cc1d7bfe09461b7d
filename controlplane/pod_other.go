//go:build !linux

package main

import "errors"

const podInit = "pod-init"

var errNoPods = errors.New("needs Linux: a pod's files are bind mounts in a mount namespace")

func runPod([]string) error     { return errNoPods }
func runPodInit([]string) error { return errNoPods }
