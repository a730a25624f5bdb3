//go:build e2e

package deploy

import (
	"bytes"
	"debug/elf"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// The image's build is followed once; what is asked of it are subtests.
func TestDockerfile(t *testing.T) {
	made := buildImage(t, "9.8.7-test")
	t.Run("HoldsNothingButTheBinaryAndTheCertificates", func(t *testing.T) { holdsNothingElse(t, made) })
	t.Run("TheBinaryIsStatic", func(t *testing.T) { binaryIsStatic(t, made) })
	t.Run("TheBinaryKnowsItsVersion", func(t *testing.T) { binaryKnowsItsVersion(t, made) })
	t.Run("TheUserIsANumberAndNotRoot", func(t *testing.T) {
		if uid, _ := user(t, made); uid == 0 {
			t.Error("it is root")
		}
	})
	t.Run("ExposesTheCableAlone", func(t *testing.T) {
		if !slices.Equal(made.exposed, []string{"8080"}) {
			t.Errorf("got %v, want 8080", made.exposed)
		}
	})
	t.Run("RunsInItsOwnRootAndChecksItsHealth", func(t *testing.T) { runsInItsOwnRoot(t, made) })
}

func holdsNothingElse(t *testing.T, made image) {
	var files []string
	err := filepath.WalkDir(made.root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			files = append(files, strings.TrimPrefix(path, made.root))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"/cablestay", "/etc/ssl/certs/ca-certificates.crt"}; !slices.Equal(files, want) {
		t.Errorf("got %v, want %v", files, want)
	}
}

func binaryIsStatic(t *testing.T, made image) {
	file, err := elf.Open(filepath.Join(made.root, "cablestay"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	for _, program := range file.Progs {
		if program.Type == elf.PT_INTERP {
			t.Error("it asks for an interpreter, which the image has not")
		}
	}
	if libraries, err := file.ImportedLibraries(); err != nil || len(libraries) > 0 {
		t.Errorf("libraries: got %v (%v), want none", libraries, err)
	}
	content, err := os.ReadFile(filepath.Join(made.root, "cablestay"))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(content, []byte(made.source)) {
		t.Error("it names the folder that it was built in")
	}
}

func binaryKnowsItsVersion(t *testing.T, made image) {
	output, err := inside(t, made, made.entrypoint[0], "version").CombinedOutput()
	if err != nil {
		t.Fatalf("cablestay version: %v\n%s", err, output)
	}
	if !strings.Contains(string(output), "9.8.7-test") {
		t.Errorf("got %q, want the version that the build was given", output)
	}
}

func user(t *testing.T, made image) (uid, gid uint32) {
	t.Helper()
	name, group, found := strings.Cut(made.user, ":")
	first, err := strconv.ParseUint(name, 10, 32)
	if err != nil {
		t.Fatalf("USER %s: %v", made.user, err)
	}
	second, err := strconv.ParseUint(group, 10, 32)
	if err != nil || !found {
		t.Fatalf("USER %s: %v", made.user, err)
	}
	return uint32(first), uint32(second)
}

// inside is a command that sees of the file system nothing but the image, as the image's user.
func inside(t *testing.T, made image, command ...string) *exec.Cmd {
	t.Helper()
	uid, gid := user(t, made)
	run := &exec.Cmd{Path: command[0], Args: command, Dir: "/", Env: []string{"PATH=/"}}
	run.SysProcAttr = &syscall.SysProcAttr{Chroot: made.root}
	if os.Getuid() == 0 {
		run.SysProcAttr.Credential = &syscall.Credential{Uid: uid, Gid: gid}
		return run
	}
	// Another root takes root, or a user namespace in which one is it.
	run.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
	run.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: int(uid), HostID: os.Getuid(), Size: 1}}
	run.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: int(gid), HostID: os.Getgid(), Size: 1}}
	return run
}

func runsInItsOwnRoot(t *testing.T, made image) {
	s := startRails(t)
	s.startBridge(t, inside(t, made, made.entrypoint...))
	ann := connect(t, s.cablePort, "ann", http.Header{"Origin": {"http://127.0.0.1:" + s.cablePort}})
	ann.expect(t, "welcome")
	ann.subscribe(t)

	health := func() error {
		check := inside(t, made, made.healthcheck...)
		check.Env = append(check.Env, "CABLESTAY_OPS_LISTEN=127.0.0.1:"+s.opsPort)
		return check.Run()
	}
	if err := health(); err != nil {
		t.Errorf("the health check of a bridge at work: %v", err)
	}
	s.bridge.terminate()
	if code := s.bridge.exit(t); code != 0 {
		t.Errorf("exit code: got %d, want 0", code)
	}
	if health() == nil {
		t.Error("the health check of a bridge that is gone passed")
	}
}
