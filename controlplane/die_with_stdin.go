package main

import (
	"io"
	"os"
)

const dieWithStdinVariable = "CONTROLPLANE_DIE_WITH_STDIN"

// dieWithStdin makes this process end when stdin reaches EOF, if the environment asks for it: whoever starts a part
// holds the other end of a pipe, and his death, of whatever kind, closes it. What the part starts does not inherit this.
func dieWithStdin() {
	if os.Getenv(dieWithStdinVariable) != "1" {
		return
	}
	os.Unsetenv(dieWithStdinVariable)
	dieWithParent()
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
}
