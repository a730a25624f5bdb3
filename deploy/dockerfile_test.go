//go:build e2e

package deploy

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// image is what the Dockerfile makes, made without Docker: the build stage's commands run in a folder, and its last
// stage is another folder.
type image struct {
	root        string // the last stage
	source      string // where it was built
	user        string
	entrypoint  []string
	healthcheck []string
	exposed     []string
}

type instruction struct{ name, arguments string }

// instructions are the Dockerfile's, in order, continued lines joined.
func instructions(t *testing.T) []instruction {
	t.Helper()
	var list []instruction
	text := regexp.MustCompile(`(?m)^#.*\n`).ReplaceAllString(readFile(t, "Dockerfile"), "")
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", " ")) {
		if line = strings.TrimSpace(line); line != "" {
			name, arguments, _ := strings.Cut(line, " ")
			list = append(list, instruction{name, strings.TrimSpace(arguments)})
		}
	}
	return list
}

// buildImage follows the Dockerfile to its end. It knows the instructions that ours has, and fails on any other.
func buildImage(t *testing.T, version string) image {
	t.Helper()
	context, build := buildContext(t), folder(t)
	made := image{root: folder(t)}
	arguments := map[string]string{"VERSION": version, "TARGETOS": runtime.GOOS, "TARGETARCH": runtime.GOARCH}
	workdir, last := "/", false
	for _, each := range instructions(t) {
		words := strings.Fields(each.arguments)
		switch each.name {
		case "FROM":
			last = !strings.Contains(each.arguments, " AS ")
			if last && each.arguments != "scratch" {
				t.Fatalf("the last stage is from %s, want scratch: nothing but the binary", each.arguments)
			}
		case "WORKDIR":
			workdir = each.arguments
			made.source = filepath.Join(build, workdir)
			if err := os.MkdirAll(made.source, 0o750); err != nil {
				t.Fatal(err)
			}
		case "ARG":
			if _, known := arguments[strings.SplitN(each.arguments, "=", 2)[0]]; !known {
				t.Fatalf("ARG %s: this test does not know it", each.arguments)
			}
		case "COPY":
			if last {
				copyStage(t, build, words, made.root)
			} else {
				copyContext(t, context, words, made.source)
			}
		case "RUN":
			run := exec.Command("sh", "-e", "-c", strings.ReplaceAll(each.arguments, workdir+"/", made.source+"/"))
			run.Dir, run.Env = made.source, os.Environ()
			for name, value := range arguments {
				run.Env = append(run.Env, name+"="+value)
			}
			if output, err := run.CombinedOutput(); err != nil {
				t.Fatalf("RUN %s: %v\n%s", each.arguments, err, output)
			}
		case "USER":
			made.user = each.arguments
		case "EXPOSE":
			made.exposed = words
		case "ENTRYPOINT":
			made.entrypoint = execForm(t, each.arguments)
		case "HEALTHCHECK":
			_, command, found := strings.Cut(each.arguments, "CMD ")
			if !found {
				t.Fatalf("HEALTHCHECK without a command: %s", each.arguments)
			}
			made.healthcheck = execForm(t, command)
		default:
			t.Fatalf("%s: this test does not know that instruction", each.name)
		}
	}
	return made
}

func execForm(t *testing.T, text string) []string {
	t.Helper()
	var words []string
	if err := json.Unmarshal([]byte(text), &words); err != nil {
		t.Fatalf("%s: there is no shell in the image, so this must be a JSON list: %v", text, err)
	}
	return words
}

// buildContext is a clean copy of what git has and .dockerignore lets through.
func buildContext(t *testing.T) string {
	t.Helper()
	list := exec.Command("git", "ls-files", "--cached", "--others", "--exclude-standard")
	list.Dir = repository(t)
	files, err := list.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	context := folder(t)
	for name := range strings.Lines(string(files)) {
		name = strings.TrimSpace(name)
		if info, err := os.Stat(repository(t, name)); err != nil || !info.Mode().IsRegular() || ignored(t, name) {
			continue
		}
		copyFile(t, repository(t, name), filepath.Join(context, name))
	}
	return context
}

// ignored says what .dockerignore does with a file: the last line that fits it decides.
func ignored(t *testing.T, name string) bool {
	t.Helper()
	result := false
	for line := range strings.Lines(readFile(t, ".dockerignore")) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		pattern, exception := strings.CutPrefix(line, "!")
		expression := regexp.QuoteMeta(pattern)
		expression = strings.ReplaceAll(expression, `\*\*/`, `(.*/)?`)
		expression = strings.ReplaceAll(expression, `\*`, `[^/]*`)
		if regexp.MustCompile(`^` + expression + `(/.*)?$`).MatchString(name) {
			result = !exception
		}
	}
	return result
}

func copyContext(t *testing.T, context string, words []string, destination string) {
	t.Helper()
	sources, target := words[:len(words)-1], filepath.Join(destination, words[len(words)-1])
	for _, source := range sources {
		err := filepath.WalkDir(filepath.Join(context, source), func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			relative, err := filepath.Rel(context, name)
			copyFile(t, name, filepath.Join(target, relative))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// copyStage copies what the last stage takes from the build stage, whose base image has Debian's certificates
// where this machine has them.
func copyStage(t *testing.T, build string, words []string, root string) {
	t.Helper()
	if len(words) != 3 || words[0] != "--from=build" {
		t.Fatalf("COPY %v in the last stage: want one file of the build stage", words)
	}
	source := filepath.Join(build, words[1])
	if strings.HasPrefix(words[1], "/etc/ssl/") {
		source = words[1]
	}
	copyFile(t, source, filepath.Join(root, path.Clean(words[2])))
}

func copyFile(t *testing.T, source, target string) {
	t.Helper()
	info, err := os.Stat(source)
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil { //nolint:gosec // the image's user must enter it
		t.Fatal(err)
	}
	if err := os.WriteFile(target, content, info.Mode().Perm()); err != nil {
		t.Fatal(err)
	}
}
