package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"strings"
	"syscall"
)

const (
	prCapAmbient         = 47
	prCapAmbientClearAll = 4
)

// A mount makes a directory of the machine visible below /run.
type mount struct{ source, target string }

// parsePod reads `--mount SRC=DST... -- ARGV...`. DST is below /run or /var/run, which are the same.
func parsePod(args []string) ([]mount, []string, error) {
	var mounts []mount
	for len(args) >= 2 && args[0] == "--mount" {
		source, target, ok := strings.Cut(args[1], "=")
		target = path.Clean(target)
		if strings.HasPrefix(target, "/var/run/") {
			target = strings.TrimPrefix(target, "/var")
		}
		if !ok || !path.IsAbs(source) || !strings.HasPrefix(target, "/run/") {
			return nil, nil, fmt.Errorf("--mount %s: want an absolute directory, =, and a path below /run", args[1])
		}
		mounts = append(mounts, mount{source, target})
		args = args[2:]
	}
	if len(args) < 2 || args[0] != "--" {
		return nil, nil, errors.New("usage: controlplane pod [--status-fd=N] --mount SRC=DST... -- ARGV...")
	}
	return mounts, args[1:], nil
}

// runPodInit sets the files up and becomes ARGV. It is process 1 of its PID namespace.
func runPodInit(args []string) error {
	if os.Getpid() != 1 {
		return errors.New("only `controlplane pod` starts this")
	}
	mounts, argv, err := parsePod(args)
	if err != nil {
		return err
	}
	if target, err := os.Readlink("/var/run"); err != nil || path.Join("/var", target) != "/run" && target != "/run" {
		return errors.New("/var/run is no link to /run on this machine")
	}
	if err := setUpRun(mounts); err != nil {
		return err
	}
	program, err := exec.LookPath(argv[0])
	if err != nil {
		return err
	}
	dieWithParent() // again: what Pdeathsig asked for holds for the first thread, and another one may get here
	syscall.RawSyscall6(syscall.SYS_PRCTL, prCapAmbient, prCapAmbientClearAll, 0, 0, 0, 0)
	return fmt.Errorf("%s: %w", program, syscall.Exec(program, argv, os.Environ()))
}

func setUpRun(mounts []mount) error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making the mounts private: %w", err)
	}
	sources := make([]*os.File, 0, len(mounts)) // opened first: a source may itself be below /run
	for _, m := range mounts {
		source, err := os.Open(m.source)
		if err != nil {
			return err
		}
		defer source.Close()
		sources = append(sources, source)
	}
	if err := syscall.Mount("tmpfs", "/run", "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV, "mode=755"); err != nil {
		return fmt.Errorf("an empty /run: %w", err)
	}
	for i, m := range mounts {
		if err := os.MkdirAll(m.target, 0o755); err != nil {
			return err
		}
		source := fmt.Sprintf("/proc/self/fd/%d", sources[i].Fd())
		if err := syscall.Mount(source, m.target, "", syscall.MS_BIND|syscall.MS_REC, ""); err != nil {
			return fmt.Errorf("mounting %s on %s: %w", m.source, m.target, err)
		}
	}
	return nil
}
