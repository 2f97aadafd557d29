// The bench's two ends: a stand-in for Juju controllers, and the load. Each is told what to do
// by lines of JSON on its standard input, answers each with one on its standard output, and ends
// when the input does.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
)

func main() {
	debug.SetGCPercent(400) // they shall not be the bottleneck
	roles := map[string]func(*lines) error{"standin": standin, "load": load}
	if len(os.Args) != 2 || roles[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: bench standin|load")
		os.Exit(2)
	}
	input := &lines{scanner: bufio.NewScanner(os.Stdin)}
	input.scanner.Buffer(make([]byte, 1<<16), 1<<28)
	if err := roles[os.Args[1]](input); err != nil {
		fmt.Fprintln(os.Stderr, "ERROR", err)
		os.Exit(1)
	}
}

type lines struct {
	scanner *bufio.Scanner
}

// next reads a line into value; false at the end of the input.
func (l *lines) next(value any) (bool, error) {
	if !l.scanner.Scan() {
		return false, l.scanner.Err()
	}
	return true, json.Unmarshal(l.scanner.Bytes(), value)
}

func (l *lines) say(value any) {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	_, _ = os.Stdout.Write(append(data, '\n'))
}
