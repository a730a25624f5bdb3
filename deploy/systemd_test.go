//go:build e2e

package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var units = []string{"cablestay.service", "rails.service"}

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
	for _, unit := range units {
		place(t, root, "/etc/systemd/system/"+unit, readFile(t, "deploy/systemd", unit), 0o644)
	}
	for _, program := range []string{"/usr/local/bin/cablestay", "/usr/bin/bundle", "/bin/kill"} {
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
	verify := exec.Command("systemd-analyze", append([]string{"verify", "--man=no", "--root=" + systemdRoot(t)}, units...)...)
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
	after, takesDown := map[string]bool{}, ""
	for line := range strings.Lines(readFile(t, "deploy/systemd/cablestay.service")) {
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
	for _, unit := range []string{"rails.service", "nginx.service", "redis-server.service"} {
		if !after[unit] {
			t.Errorf("the bridge is not After=%s, which may so be gone while the bridge drains", unit)
		}
	}
	if takesDown != "" {
		t.Errorf("%s would stop the bridge with the other unit", strings.TrimSpace(takesDown))
	}
}
