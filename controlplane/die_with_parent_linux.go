package main

import (
	"runtime"
	"syscall"
)

// dieWithParent also ends a process that is stopped (SIGSTOP) and cannot read its stdin.
func dieWithParent() {
	runtime.LockOSThread() // the request ends with the thread that made it
	syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0)
}
