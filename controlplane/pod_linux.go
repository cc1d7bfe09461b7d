package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
)

// podInit is the part that becomes the container's process: it runs inside the new namespaces.
const podInit = "pod-init"

const capSysAdmin = 21

// podStatus is what runPod reports, one JSON object a line: first the process, then how it ended.
type podStatus struct {
	Pid    int    `json:"pid,omitempty"`
	Code   *int   `json:"code,omitempty"`
	Signal string `json:"signal,omitempty"`
}

// runPod plays the container runtime for one process: a mount namespace with an empty /run, into which the mounts go,
// and a PID namespace, so that everything the process started ends with it. Everything else is the machine's own.
//
// With --status-fd=N the process's PID (outside) and its end are reported there. Signals to this process are passed on;
// the container's process is killed when this process dies.
func runPod(args []string) error {
	report := io.Discard
	if len(args) > 0 && strings.HasPrefix(args[0], "--status-fd=") {
		var fd uintptr
		if _, err := fmt.Sscanf(args[0], "--status-fd=%d", &fd); err != nil {
			return fmt.Errorf("%s: not a file descriptor", args[0])
		}
		syscall.CloseOnExec(int(fd))
		report = os.NewFile(fd, "status")
		args = args[1:]
	}
	if _, _, err := parsePod(args); err != nil {
		return err
	}

	runtime.LockOSThread() // the kernel ties Pdeathsig to the thread that forks
	process := exec.Command("/proc/self/exe", append([]string{podInit}, args...)...)
	process.Stdout, process.Stderr = os.Stdout, os.Stderr
	process.SysProcAttr = podNamespaces()
	if err := process.Start(); err != nil {
		return fmt.Errorf("starting the namespaces: %w", err)
	}
	status := json.NewEncoder(report)
	status.Encode(podStatus{Pid: process.Process.Pid})
	passSignalsOn(process.Process)

	var exited *exec.ExitError
	if err := process.Wait(); err != nil && !errors.As(err, &exited) {
		return err
	}
	end := process.ProcessState.Sys().(syscall.WaitStatus)
	if end.Signaled() {
		status.Encode(podStatus{Signal: signalName(end.Signal())})
		os.Exit(128 + int(end.Signal()))
	}
	code := end.ExitStatus()
	status.Encode(podStatus{Code: &code})
	os.Exit(code)
	return nil
}

// podNamespaces: without root the namespaces belong to a user namespace in which this user stays himself and may mount.
func podNamespaces() *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID,
		Pdeathsig:  syscall.SIGKILL,
		Setsid:     true, // a terminal's Ctrl-C reaches this process alone, which passes it on once
	}
	if uid, gid := os.Getuid(), os.Getgid(); uid != 0 {
		attributes.Cloneflags |= syscall.CLONE_NEWUSER
		attributes.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}}
		attributes.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: gid, Size: 1}}
		attributes.AmbientCaps = []uintptr{capSysAdmin}
	}
	return attributes
}

func passSignalsOn(process *os.Process) {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2)
	go func() {
		for s := range signals {
			process.Signal(s)
		}
	}()
}

func signalName(s syscall.Signal) string {
	names := map[syscall.Signal]string{
		syscall.SIGHUP: "SIGHUP", syscall.SIGINT: "SIGINT", syscall.SIGQUIT: "SIGQUIT", syscall.SIGILL: "SIGILL",
		syscall.SIGTRAP: "SIGTRAP", syscall.SIGABRT: "SIGABRT", syscall.SIGBUS: "SIGBUS", syscall.SIGFPE: "SIGFPE",
		syscall.SIGKILL: "SIGKILL", syscall.SIGSEGV: "SIGSEGV", syscall.SIGTERM: "SIGTERM",
	}
	if name, known := names[s]; known {
		return name
	}
	return fmt.Sprintf("signal %d", int(s))
}
