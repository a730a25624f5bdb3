package redis_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestMain fails the package when a test has left a goroutine behind.
func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 {
		if stacks := leftGoroutines(); stacks != "" {
			fmt.Fprintln(os.Stderr, "goroutines left behind:\n\n"+stacks)
			code = 1
		}
	}
	os.Exit(code)
}

// leftGoroutines gives what is on its way out a moment to get there.
func leftGoroutines() string {
	var left []string
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		buffer := make([]byte, 1<<20)
		left = left[:0]
		for stack := range strings.SplitSeq(string(buffer[:runtime.Stack(buffer, true)]), "\n\n") {
			// Ours and go-redis'; under fuzzing there are Go's own as well.
			if strings.Contains(stack, "redis") && !strings.Contains(stack, "TestMain") {
				left = append(left, stack)
			}
		}
		if len(left) == 0 {
			return ""
		}
	}
	return strings.Join(left, "\n\n")
}
