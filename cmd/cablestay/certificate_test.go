package main

import (
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cablestay/cablestay/bridge/certificatetest"
)

func TestCertificate_BadOnesAreNamedWithoutWhatIsInThem(t *testing.T) {
	path, key := certificatetest.Write(t, t.TempDir(), "one")
	_, otherKey := certificatetest.Write(t, t.TempDir(), "other")
	file := func(content string) string {
		name := filepath.Join(t.TempDir(), "file.pem")
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	block := func(kind, content string) string {
		return file(string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: []byte(content)})))
	}
	const hidden, gone = "hunter2", "/nonexistent/file.pem"
	for name, scenario := range map[string]struct{ certificate, key, names, says string }{
		"CertificateAlone":   {path, "", "tls-cert", "--tls-key (CABLESTAY_TLS_KEY)"},
		"KeyAlone":           {"", key, "tls-key", "--tls-cert (CABLESTAY_TLS_CERT)"},
		"NoCertificateFile":  {gone, key, "tls-cert", gone},
		"NoKeyFile":          {path, gone, "tls-key", gone},
		"CertificateFolder":  {t.TempDir(), key, "tls-cert", "directory"},
		"NoPEM":              {file(hidden), key, "tls-cert", "want a certificate in PEM"},
		"KeyForCertificate":  {key, key, "tls-cert", "want a certificate in PEM"},
		"BrokenCertificate":  {block("CERTIFICATE", hidden), key, "tls-cert", "want a certificate in PEM"},
		"CertificateForKey":  {path, path, "tls-key", "want a private key in PEM"},
		"BrokenKey":          {path, block("PRIVATE KEY", hidden), "tls-key", "want a private key in PEM"},
		"KeyOfAnother":       {path, otherKey, "tls-key", "is not the key of the certificate"},
		"KeyWithAPassphrase": {path, block("ENCRYPTED PRIVATE KEY", hidden), "tls-key", "without a passphrase"},
	} {
		t.Run(name, func(t *testing.T) {
			given, variables := flags{"secret": hidden}, map[string]string{"CABLESTAY_SECRET": hidden}
			if scenario.certificate != "" {
				given["tls-cert"], variables["CABLESTAY_TLS_CERT"] = scenario.certificate, scenario.certificate
			}
			if scenario.key != "" {
				given["tls-key"], variables["CABLESTAY_TLS_KEY"] = scenario.key, scenario.key
			}
			expect := func(err error, source string) {
				t.Helper()
				expectError(t, err, scenario.says, hidden)
				if err != nil && !strings.HasPrefix(err.Error(), source) {
					t.Errorf("got %q, want it to begin with %s", err, source)
				}
			}
			_, err := newSettings(given, nothingSet)
			expect(err, "--"+scenario.names)
			_, err = newSettings(flags{}, environment(variables))
			expect(err, "CABLESTAY_"+strings.ToUpper(strings.ReplaceAll(scenario.names, "-", "_")))
		})
	}
}

// secureListener is the binary's, whose certificate is looked at on each handshake, and what it logs.
func secureListener(t *testing.T, folder string) (address string, said *bytes.Buffer) {
	t.Helper()
	s, err := newSettings(flags{
		"secret": "s", "tls-cert": filepath.Join(folder, "cert.pem"), "tls-key": filepath.Join(folder, "key.pem"),
	}, nothingSet)
	if err != nil {
		t.Fatal(err)
	}
	s.certificate.lookEvery = 0
	said = new(bytes.Buffer)
	l, err := listen("--listen", "127.0.0.1:0", s.certificate, http.NotFoundHandler(), slog.New(slog.NewTextHandler(said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.close)
	return l.address(), said
}

// shown is the name in the certificate that a client gets.
func shown(t *testing.T, address string) string {
	t.Helper()
	conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true}) // it looks for itself
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	return conn.ConnectionState().PeerCertificates[0].Subject.CommonName
}

func expectShown(t *testing.T, address, want string) {
	t.Helper()
	if got := shown(t, address); got != want {
		t.Errorf("clients get the certificate %q, want %q", got, want)
	}
}

func TestCertificate_IsTakenUpAnewWhenItsFilesChange(t *testing.T) {
	folder := t.TempDir()
	certificatetest.Write(t, folder, "first")
	address, _ := secureListener(t, folder)
	expectShown(t, address, "first")
	certificatetest.Write(t, folder, "second")
	expectShown(t, address, "second")
}

// As the kubelet renews a secret: the files are links into a folder that is itself a link, which is replaced.
func TestCertificate_IsTakenUpAnewWhenALinkLeadsElsewhere(t *testing.T) {
	folder := t.TempDir()
	data := filepath.Join(folder, "..data")
	link := func(target, name string) {
		t.Helper()
		if err := os.Symlink(target, name); err != nil {
			t.Fatal(err)
		}
	}
	for _, version := range []string{"first", "second"} {
		if err := os.Mkdir(filepath.Join(folder, version), 0o700); err != nil {
			t.Fatal(err)
		}
		certificatetest.Write(t, filepath.Join(folder, version), version)
	}
	link("first", data)
	link(filepath.Join("..data", "cert.pem"), filepath.Join(folder, "cert.pem"))
	link(filepath.Join("..data", "key.pem"), filepath.Join(folder, "key.pem"))
	address, _ := secureListener(t, folder)
	expectShown(t, address, "first")
	link("second", data+"_tmp")
	if err := os.Rename(data+"_tmp", data); err != nil {
		t.Fatal(err)
	}
	expectShown(t, address, "second")
}

func TestCertificate_OfABrokenRenewalTheOldOneStaysAndThatIsSaidOnce(t *testing.T) {
	folder := t.TempDir()
	path, key := certificatetest.Write(t, folder, "first")
	address, said := secureListener(t, folder)
	for _, breakIt := range []func() error{
		func() error { return os.WriteFile(path, []byte("nonsense"), 0o600) },
		func() error { return os.Remove(path) },
		func() error {
			certificatetest.Write(t, folder, "other")
			return os.WriteFile(key, []byte("nonsense"), 0o600)
		},
	} {
		said.Reset()
		if err := breakIt(); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			expectShown(t, address, "first")
		}
		if got := strings.Count(said.String(), "level=ERROR"); got != 1 || !strings.Contains(said.String(), "--tls-") {
			t.Errorf("%d errors, want one that names the setting:\n%s", got, said)
		}
	}
	certificatetest.Write(t, folder, "second")
	expectShown(t, address, "second")
}

// What is wrong may be put right in a way that does not show: by a chmod, or within the file system's clock's tick.
func TestCertificate_OfABrokenRenewalIsTakenUpWhenItIsPutRightThoughItsFilesLookTheSame(t *testing.T) {
	folder := t.TempDir()
	certificatetest.Write(t, folder, "first")
	address, _ := secureListener(t, folder)
	_, key := certificatetest.Write(t, folder, "second")
	good, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	for _, version := range []struct {
		key  []byte
		want string
	}{{bytes.Repeat([]byte("x"), len(good)), "first"}, {good, "second"}} {
		if err := errors.Join(os.WriteFile(key, version.key, 0o600), os.Chtimes(key, at, at)); err != nil {
			t.Fatal(err)
		}
		expectShown(t, address, version.want)
	}
}

func TestCertificate_IsNotLookedAtOnEveryHandshake(t *testing.T) {
	folder := t.TempDir()
	path, key := certificatetest.Write(t, folder, "first")
	c := &certificate{path: path, keyPath: key, lookEvery: time.Hour}
	if err := c.load(); err != nil {
		t.Fatal(err)
	}
	certificatetest.Write(t, folder, "second")
	if pair, err := c.get(nil); err != nil || pair.Leaf.Subject.CommonName != "first" {
		t.Errorf("got %v %v, want the first", pair, err)
	}
}

func TestServer_LetsGoOfWhoDoesNotFinishItsTLSHandshake(t *testing.T) {
	folder := t.TempDir()
	certificatetest.Write(t, folder, "bridge.test")
	s, err := newSettings(flags{
		"secret": "s", "tls-cert": filepath.Join(folder, "cert.pem"), "tls-key": filepath.Join(folder, "key.pem"),
	}, nothingSet)
	if err != nil {
		t.Fatal(err)
	}
	for _, sent := range []string{"", "\x16\x03\x01\x02\x00\x01"} {
		conn := serveClient(t, s.certificate, 50*time.Millisecond, sent, http.NotFound)
		if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("after %q it is still open", sent)
		}
	}
}
