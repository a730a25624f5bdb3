package freeport_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/cablestay/cablestay/bridge/freeport"
)

// found is how many ports each process takes: so many that two that knew nothing of each other would be sure to draw the
// same now and then.
const found = 500

func TestFind_GivesNoPortTwiceThoughNobodyListensOnItYetAndAnotherProcessAsks(t *testing.T) {
	const asAnother = "FREEPORT_AS_ANOTHER_PROCESS"
	if os.Getenv(asAnother) != "" {
		for range found {
			fmt.Println(freeport.Find(t))
		}
		return
	}
	seen := make(map[string]bool)
	for range found {
		port := freeport.Find(t)
		if seen[port] {
			t.Fatalf("port %s was given twice by one process", port)
		}
		seen[port] = true
	}

	another := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$")
	another.Env = append(os.Environ(), asAnother+"=1")
	output, err := another.Output()
	if err != nil {
		t.Fatalf("the other process: %v\n%s", err, output)
	}
	ports := strings.Fields(string(output))[:found]
	for _, port := range ports {
		if seen[port] {
			t.Fatalf("port %s was given by two processes", port)
		}
	}
}
