package bridge_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
)

// What a record can be of, and the message that asks for new keys (RFC 8446, 5.1 and 4.6.3).
const (
	recordOfHandshake = 22
	recordOfData      = 23
	keyUpdate         = 24
)

// rekeying is a client's TLS 1.3 session that can ask for new keys, which crypto/tls can't.
type rekeying struct {
	net.Conn
	t         *testing.T
	out, in   direction
	decrypted []byte
	updates   int // of the bridge's keys
}

// direction is what one side encrypts with.
type direction struct {
	secret []byte
	aead   cipher.AEAD
	iv     []byte
	number uint64 // of the next record
}

// DialRekeying opens a session with crypto/tls, and goes on with its secrets.
func (b *testBridge) DialRekeying() *rekeying {
	b.t.Helper()
	conn, err := net.Dial("tcp", b.address()) //nolint:noctx // loopback
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = conn.Close() })
	var secrets bytes.Buffer
	config := b.tls.Clone()
	config.ServerName, config.MinVersion, config.KeyLogWriter = "127.0.0.1", tls.VersionTLS13, &secrets
	session := tls.Client(conn, config)
	if err := session.Handshake(); err != nil {
		b.t.Fatal(err)
	}
	if session.ConnectionState().CipherSuite != tls.TLS_AES_128_GCM_SHA256 {
		b.t.Skip("without hardware for AES another cipher is chosen, which this client does not know")
	}
	r := &rekeying{Conn: conn, t: b.t}
	for line := range strings.Lines(secrets.String()) {
		words := strings.Fields(line)
		secret, err := hex.DecodeString(words[2])
		if err != nil {
			b.t.Fatal(err)
		}
		switch words[0] {
		case "CLIENT_TRAFFIC_SECRET_0":
			r.out.use(b.t, secret)
		case "SERVER_TRAFFIC_SECRET_0":
			r.in.use(b.t, secret)
		}
	}
	return r
}

// expand is HKDF-Expand-Label (RFC 8446, 7.1).
func expand(t *testing.T, secret []byte, label string, length int) []byte {
	t.Helper()
	label = "tls13 " + label
	info := binary.BigEndian.AppendUint16(nil, uint16(length)) //nolint:gosec // it is a key's
	info = append(append(append(info, byte(len(label))), label...), 0)
	key, err := hkdf.Expand(sha256.New, secret, string(info), length)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (d *direction) use(t *testing.T, secret []byte) {
	t.Helper()
	block, err := aes.NewCipher(expand(t, secret, "key", 16))
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	*d = direction{secret: secret, aead: aead, iv: expand(t, secret, "iv", aead.NonceSize())}
}

func (d *direction) renew(t *testing.T) {
	t.Helper()
	d.use(t, expand(t, d.secret, "traffic upd", sha256.Size))
}

func (d *direction) nonce() []byte {
	nonce := bytes.Clone(d.iv)
	tail := nonce[len(nonce)-8:]
	binary.BigEndian.PutUint64(tail, binary.BigEndian.Uint64(tail)^d.number)
	d.number++
	return nonce
}

func (r *rekeying) send(kind byte, content []byte) error {
	header := []byte{recordOfData, 3, 3, 0, 0}
	binary.BigEndian.PutUint16(header[3:], uint16(len(content)+1+r.out.aead.Overhead())) //nolint:gosec // it is short
	_, err := r.Conn.Write(r.out.aead.Seal(header, r.out.nonce(), append(bytes.Clone(content), kind), header))
	return err
}

// Rekey changes the client's keys, and asks for new ones of the bridge's.
func (r *rekeying) Rekey() {
	r.t.Helper()
	const asked = 1
	if err := r.send(recordOfHandshake, []byte{keyUpdate, 0, 0, 1, asked}); err != nil {
		r.t.Fatal(err)
	}
	r.out.renew(r.t)
}

func (r *rekeying) Write(p []byte) (int, error) { return len(p), r.send(recordOfData, p) }

func (r *rekeying) Read(p []byte) (int, error) {
	for len(r.decrypted) == 0 {
		header := make([]byte, 5)
		if _, err := io.ReadFull(r.Conn, header); err != nil {
			return 0, err
		}
		record := make([]byte, binary.BigEndian.Uint16(header[3:]))
		if _, err := io.ReadFull(r.Conn, record); err != nil {
			return 0, err
		}
		content, err := r.in.aead.Open(nil, r.in.nonce(), record, header)
		if err != nil {
			return 0, err
		}
		content, kind := content[:len(content)-1], content[len(content)-1]
		switch {
		case kind == recordOfData:
			r.decrypted = content
		case kind == recordOfHandshake && content[0] == keyUpdate:
			r.updates++
			r.in.renew(r.t)
		default:
			return 0, fmt.Errorf("a record of type %d: %x", kind, content)
		}
	}
	n := copy(p, r.decrypted)
	r.decrypted = r.decrypted[n:]
	return n, nil
}

func TestTLS_AClientMayAskForNewKeys(t *testing.T) {
	eachTLS(t, func(t *testing.T, kind polling) {
		b := startBridge(t, &fakeRails{OnSubscribe: following, OnPerform: echo}, on(kind))
		session := b.DialRekeying()
		c := b.upgrade(session, "Host: example.test\r\nConnection: Upgrade\r\n", nil)
		c.Expect(`{"type":"welcome"}`)
		c.Subscribe("room")
		const times = 5
		for i := range times {
			session.Rekey()
			c.Command("message", "room", fmt.Sprint(i))
			c.Expect(fmt.Sprint(i))
			b.PubSub.Publish("room", []byte(fmt.Sprint(i)))
			c.Expect(transmission("room", fmt.Sprint(i)))
		}
		if session.updates != times {
			t.Errorf("the bridge changed its keys %d times, want %d", session.updates, times)
		}
	})
}
