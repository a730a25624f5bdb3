package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func nothingSet(string) (string, bool) { return "", false }

func environment(variables map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := variables[name]
		return value, ok
	}
}

// The table is README.md's; what a person reads there is what the binary takes.
func TestSettings_READMEHasThemAll(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(readme), "<!-- settings -->")
	table, _, ended := strings.Cut(after, "<!-- /settings -->")
	if !found || !ended {
		t.Fatal("README.md has no <!-- settings --> … <!-- /settings -->")
	}
	want := "| flag | variable | default | |\n|---|---|---|---|\n"
	for _, s := range allSettings {
		byDefault := s.byDefault()
		if s.otherwise == "" {
			byDefault = "`" + byDefault + "`"
		}
		want += fmt.Sprintf("| `--%s` | `%s` | %s | %s |\n", s.name, s.variable(), byDefault, s.help)
	}
	if got := strings.TrimSpace(table) + "\n"; got != want {
		t.Errorf("README.md's table: got\n%s\nwant\n%s", got, want)
	}
}

func TestSettings_DefaultsAreTheDocumentedOnes(t *testing.T) {
	s, err := newSettings(flags{"secret": "s"}, nothingSet)
	if err != nil {
		t.Fatal(err)
	}
	if s.listen != "0.0.0.0:8080" || s.opsListen != "127.0.0.1:9292" || s.railsURL != "http://127.0.0.1:3000" {
		t.Errorf("addresses: got %s, %s, %s", s.listen, s.opsListen, s.railsURL)
	}
	if s.drain != 5*time.Second || s.shutdownTimeout != 30*time.Second {
		t.Errorf("times: got %s and %s, want 5s and 30s", s.drain, s.shutdownTimeout)
	}
	if s.certificate != nil {
		t.Error("TLS: got on, want off")
	}
	if s.compression {
		t.Error("compression: got on, want off, as in stock")
	}
	if s.ioURing {
		t.Error("io_uring: got on, want off")
	}
	if s.redis != nil || s.channelPrefix != nil || s.paths != nil || s.rpcConcurrency != 0 {
		t.Errorf("got %v, %v, %v, %d, want all left to Rails", s.redis, s.channelPrefix, s.paths, s.rpcConcurrency)
	}
}

func TestSettings_FlagWinsOverVariableWinsOverDefault(t *testing.T) {
	lookup := environment(map[string]string{
		"CABLESTAY_SECRET": "s", "CABLESTAY_DRAIN": "2s", "CABLESTAY_LISTEN": "127.0.0.1:1", "CABLESTAY_SHUTDOWN_TIMEOUT": "",
	})
	s, err := newSettings(flags{"drain": "1s"}, lookup)
	if err != nil {
		t.Fatal(err)
	}
	if s.drain != time.Second {
		t.Errorf("drain: got %s, want the flag's", s.drain)
	}
	if s.listen != "127.0.0.1:1" {
		t.Errorf("listen: got %s, want the variable's", s.listen)
	}
	if s.shutdownTimeout != 30*time.Second {
		t.Errorf("shutdown timeout: got %s, want the default, as the variable is empty", s.shutdownTimeout)
	}
}

func TestSettings_PathsAddUp(t *testing.T) {
	_, given, err := parseArguments([]string{"--secret", "s", "--path", "/cable", "--path", "/a, /t/:tenant/cable"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := newSettings(given, nothingSet)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(s.paths, " "), "/cable /a /t/:tenant/cable"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSettings_SecretComesFromItsFileWithoutTheNewline(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	for content, want := range map[string]string{"s3cret\n": "s3cret", "s3cret": "s3cret", "s3cret\r\n": "s3cret", " a b \n\n": " a b \n"} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := newSettings(flags{}, environment(map[string]string{"CABLESTAY_SECRET_FILE": file}))
		if err != nil {
			t.Fatal(err)
		}
		if s.secret != want {
			t.Errorf("%q: got %q, want %q", content, s.secret, want)
		}
	}
}

func TestSettings_BadOnesAreNamedAsTheyWereGiven(t *testing.T) {
	const hidden = "hunter2"
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"listen": "nowhere", "ops-listen": "127.0.0.1:70000", "rails-url": "ftp://u:" + hidden + "@rails", "secret-file": empty,
		"redis-url": "http://:" + hidden + "@redis", "path": "cable", "rpc-concurrency": "-1", "drain": "soon", "shutdown-timeout": "-1s",
		"compression": "some", "tls-cert": "/nonexistent", "tls-key": "/nonexistent", "io-uring": "perhaps", "metrics-by-channel": "maybe", "log-level": "loud", "log-format": "xml",
	} {
		t.Run(name, func(t *testing.T) {
			var variable string
			for _, s := range allSettings {
				if s.name == name {
					variable = s.variable()
				}
			}
			_, err := newSettings(flags{name: value}, nothingSet)
			expectError(t, err, "--"+name, hidden)
			_, err = newSettings(flags{}, environment(map[string]string{variable: value}))
			expectError(t, err, variable, hidden)
		})
	}
	t.Run("SecretAndFile", func(t *testing.T) {
		_, err := newSettings(flags{"secret-file": empty}, environment(map[string]string{"CABLESTAY_SECRET": hidden}))
		expectError(t, err, "CABLESTAY_SECRET", hidden)
	})
	t.Run("DrainLongerThanShutdown", func(t *testing.T) {
		_, err := newSettings(flags{"secret": hidden, "drain": "2m"}, nothingSet)
		expectError(t, err, "--drain", hidden)
	})
}

func expectError(t *testing.T, err error, names, hidden string) {
	t.Helper()
	switch {
	case err == nil:
		t.Error("got no error")
	case !strings.Contains(err.Error(), names):
		t.Errorf("got %q, want it to name %s", err, names)
	case strings.Contains(err.Error(), hidden):
		t.Errorf("the error has what is secret: %v", err)
	case strings.Contains(err.Error(), "\n"):
		t.Errorf("more than one line: %q", err)
	}
}

func TestUnknownVariables_AreNamed(t *testing.T) {
	got := strings.Join(unknownVariables([]string{"CABLESTAY_RAIL_URL=x", "CABLESTAY_LISTEN=y", "HOME=/"}), "\n")
	if !strings.HasPrefix(got, "CABLESTAY_RAIL_URL ") || strings.Contains(got, "\n") {
		t.Errorf("got %q, want CABLESTAY_RAIL_URL alone", got)
	}
}
