package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/cablestay/cablestay/bridge"
)

// lookAtCertificateEvery is how soon, at the most, a client gets a certificate that has been renewed.
const lookAtCertificateEvery = 10 * time.Second

// certificate is what the bridge shows its clients. When its files change they are read again, at the next handshake: who renews them, as
// cert-manager does, need not know of the bridge. Files that can't be used change nothing. It is safe for concurrent use.
type certificate struct {
	// static after the start
	path, source       string // the file, and the flag or the variable that names it
	keyPath, keySource string
	lookEvery          time.Duration
	log                *slog.Logger

	mu       sync.Mutex // guards the following
	pair     *tls.Certificate
	seen     [2]os.FileInfo // the files as they were last read
	looked   time.Time
	grumbled string // the last complaint: it is made once
}

// secure has who is accepted speak TLS; without a certificate nobody does.
func (c *certificate) secure(listener net.Listener) net.Listener {
	if c == nil {
		return listener
	}
	return bridge.TLSListener(listener, &tls.Config{GetCertificate: c.get})
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.looked) >= c.lookEvery {
		c.looked = now
		c.renewLocked()
	}
	return c.pair, nil
}

func (c *certificate) renewLocked() {
	files, err := c.look()
	if err == nil && sameFiles(files, c.seen) {
		return
	}
	var pair *tls.Certificate
	if err == nil {
		pair, err = c.read()
	}
	switch {
	case err == nil:
		c.pair, c.seen, c.grumbled = pair, files, "" // what could not be used is read again: a chmod, for one, would not show
		c.log.Info("took up a renewed certificate", "expires", pair.Leaf.NotAfter)
	case err.Error() != c.grumbled:
		c.grumbled = err.Error()
		c.log.Error("kept the old certificate: a renewed one can't be used", "error", err)
	}
}

// load is for the start.
func (c *certificate) load() error {
	switch {
	case c.keyPath == "":
		return fmt.Errorf("%s %q: there is no --tls-key (CABLESTAY_TLS_KEY); give both or neither", c.source, c.path)
	case c.path == "":
		return fmt.Errorf("%s %q: there is no --tls-cert (CABLESTAY_TLS_CERT); give both or neither", c.keySource, c.keyPath)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var err error
	if c.seen, err = c.look(); err != nil {
		return err
	}
	c.looked = time.Now()
	c.pair, err = c.read()
	return err
}

// look follows links: a renewed secret of Kubernetes is another target of the same ones.
func (c *certificate) look() (files [2]os.FileInfo, err error) {
	if files[0], err = os.Stat(c.path); err != nil {
		return files, fmt.Errorf("%s: %w", c.source, err)
	}
	if files[1], err = os.Stat(c.keyPath); err != nil {
		return files, fmt.Errorf("%s: %w", c.keySource, err)
	}
	return files, nil
}

func sameFiles(a, b [2]os.FileInfo) bool {
	for i := range a {
		if !os.SameFile(a[i], b[i]) || a[i].Size() != b[i].Size() || !a[i].ModTime().Equal(b[i].ModTime()) {
			return false
		}
	}
	return true
}

// read says which of the two files is wrong, in words that have nothing of what is in them.
func (c *certificate) read() (*tls.Certificate, error) {
	chain, err := os.ReadFile(c.path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.source, err)
	}
	if !hasCertificate(chain) {
		return nil, fmt.Errorf("%s %q: want a certificate in PEM, and those between it and its authority", c.source, c.path)
	}
	key, err := os.ReadFile(c.keyPath)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.keySource, err)
	}
	pair, err := tls.X509KeyPair(chain, key)
	switch {
	case err == nil:
		return &pair, nil
	case strings.Contains(err.Error(), "does not match"):
		return nil, fmt.Errorf("%s %q: is not the key of the certificate in %q", c.keySource, c.keyPath, c.path)
	default:
		return nil, fmt.Errorf("%s %q: want a private key in PEM, without a passphrase", c.keySource, c.keyPath)
	}
}

// hasCertificate is about the first: it is the server's own.
func hasCertificate(chain []byte) bool {
	for block, rest := pem.Decode(chain); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			_, err := x509.ParseCertificate(block.Bytes)
			return err == nil
		}
	}
	return false
}
