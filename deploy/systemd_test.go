//go:build e2e

package deploy

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// units are where each is in the repository.
var units = map[string]string{
	"cablestay.service":      "deploy/systemd",
	"rails.service":          "deploy/systemd",
	"chat-rails.service":     "examples/chat/deploy/systemd",
	"chat-cable.service":     "examples/chat/deploy/systemd",
	"chat-cablestay.service": "examples/chat/deploy/systemd",
}

// systemdRoot is a root folder with this machine's own units, ours beside them, and the programs that ours name.
func systemdRoot(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for _, place := range []string{"/usr/lib/systemd/system", "/lib/systemd/system"} {
		if _, err := os.Stat(place); err != nil {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(root+place), 0o750); err != nil {
			t.Fatal(err)
		}
		if output, err := exec.Command("cp", "-a", place, root+place).CombinedOutput(); err != nil {
			t.Fatalf("copy %s: %v\n%s", place, err, output)
		}
	}
	for unit, in := range units {
		place(t, root, "/etc/systemd/system/"+unit, readFile(t, in, unit), 0o644)
	}
	for _, program := range []string{"/usr/local/bin/cablestay", "/usr/bin/bundle", "/usr/bin/puma", "/bin/kill"} {
		place(t, root, program, "#!/bin/sh\n", 0o755)
	}
	return root
}

func place(t *testing.T, root, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(root+path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(root+path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

func TestSystemd_UnderstandsEveryLineOfTheUnits(t *testing.T) {
	arguments := slices.Concat([]string{"verify", "--man=no", "--root=" + systemdRoot(t)}, slices.Sorted(maps.Keys(units)))
	verify := exec.Command("systemd-analyze", arguments...)
	// An unknown setting is a warning to systemd, and a mistake to us.
	if output, err := verify.CombinedOutput(); err != nil || len(output) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, output)
	}
}

func TestSystemd_TheBridgeMayDoLittleMoreThanHoldSockets(t *testing.T) {
	// Tenths of systemd's exposure level, 0 to 100; the network itself is 5 of them, and few services are below 50.
	security := exec.Command("systemd-analyze", "security", "--offline=yes", "--threshold=20", "--no-pager",
		"--root="+systemdRoot(t), "cablestay.service")
	if output, err := security.CombinedOutput(); err != nil {
		t.Errorf("systemd-analyze security: %v\n%s", err, output)
	}
}

func TestSystemd_TheBridgeStopsFirstAndOutlivesARestartOfRails(t *testing.T) {
	for unit, rails := range map[string]string{"cablestay.service": "rails.service", "chat-cablestay.service": "chat-rails.service"} {
		t.Run(unit, func(t *testing.T) { stopsFirst(t, readFile(t, units[unit], unit), rails) })
	}
}

func stopsFirst(t *testing.T, unit, rails string) {
	t.Helper()
	after, takesDown := map[string]bool{}, ""
	for line := range strings.Lines(unit) {
		key, value, found := strings.Cut(strings.TrimSpace(line), "=")
		switch {
		case !found:
		case key == "After":
			for name := range strings.FieldsSeq(value) {
				after[name] = true
			}
		case key == "Requires", key == "BindsTo", key == "PartOf", key == "Requisite":
			takesDown = line
		}
	}
	// systemd stops in the opposite order of its starts.
	for _, other := range []string{rails, "nginx.service", "redis-server.service"} {
		if !after[other] {
			t.Errorf("the bridge is not After=%s, which may so be gone while the bridge drains", other)
		}
	}
	if takesDown != "" {
		t.Errorf("%s would stop the bridge with the other unit", strings.TrimSpace(takesDown))
	}
}
