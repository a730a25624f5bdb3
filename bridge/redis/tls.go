package redis

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
)

// What OpenSSL::SSL::VERIFY_NONE and VERIFY_PEER are as numbers.
const (
	verifyNone = "0"
	verifyPeer = "1"
)

// tls reads ssl_params: what Ruby gives to OpenSSL::SSL::SSLContext#set_params.
func (r *railsOptions) tls(config *tls.Config) {
	switch mode := strings.ToLower(r.text("verify_mode")); strings.TrimPrefix(mode, "verify_") {
	case "", verifyPeer, "peer":
	case verifyNone, "none":
		config.InsecureSkipVerify = true
	default:
		r.fail("verify_mode", errors.New("want none or peer (0 or 1)"))
	}
	if path := r.text("ca_file"); path != "" {
		authorities, err := os.ReadFile(path)
		config.RootCAs = x509.NewCertPool()
		switch {
		case err != nil:
			r.fail("ca_file", fmt.Errorf("the bridge reads this file itself: %w", err))
		case !config.RootCAs.AppendCertsFromPEM(authorities):
			r.fail("ca_file", errors.New("no certificate in it"))
		}
	}
	certificate, key := r.pem("cert"), r.pem("key")
	switch {
	case certificate == nil && key == nil:
	case certificate == nil:
		r.fail("cert", errors.New("is missing beside key"))
	case key == nil:
		r.fail("key", errors.New("is missing beside cert"))
	default:
		pair, err := tls.X509KeyPair(certificate, key)
		if err != nil {
			r.fail("cert", errors.New("is no PEM certificate that belongs to key"))
			return
		}
		config.Certificates = []tls.Certificate{pair}
	}
}

// pem is a file's path, or the thing itself.
func (r *railsOptions) pem(name string) []byte {
	text := r.text(name)
	if text == "" {
		return nil
	}
	if strings.Contains(text, "-----BEGIN") {
		return []byte(text)
	}
	content, err := os.ReadFile(text)
	if err != nil {
		r.fail(name, fmt.Errorf("the bridge reads this file itself: %w", err))
	}
	return content
}
