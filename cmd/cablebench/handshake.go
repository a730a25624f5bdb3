//go:build linux

package main

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

// wsKey is the same for every connection: it only has to be a valid nonce.
var wsKey = base64.StdEncoding.EncodeToString([]byte("cablebench-nonce"))

func acceptFor(key string) string {
	s := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(s[:])
}

var wantAccept = acceptFor(wsKey)

func (c *config) upgradeRequest(idx int32) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n", c.path, c.host)
	fmt.Fprintf(&b, "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n", wsKey)
	if c.subprotocol != "" {
		fmt.Fprintf(&b, "Sec-WebSocket-Protocol: %s\r\n", c.subprotocol)
	}
	if c.deflate {
		fmt.Fprintf(&b, "Sec-WebSocket-Extensions: %s\r\n", deflateOffer)
	}
	if c.origin != "" {
		fmt.Fprintf(&b, "Origin: %s\r\n", c.origin)
	}
	for _, h := range c.headers {
		b.WriteString(strings.ReplaceAll(h, "{{i}}", strconv.Itoa(int(idx))))
		b.WriteString("\r\n")
	}
	b.WriteString("\r\n")
	return []byte(b.String())
}

// checkUpgrade returns why a handshake response is no good, or "", and whether messages may come compressed.
func (c *config) checkUpgrade(head []byte) (why string, deflate bool) {
	line, rest, _ := bytes.Cut(head, []byte("\r\n"))
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 101")) {
		return "handshake answered " + string(line), false
	}
	accept, proto := "", ""
	for _, l := range bytes.Split(rest, []byte("\r\n")) {
		k, v, ok := bytes.Cut(l, []byte(":"))
		if !ok {
			continue
		}
		switch strings.ToLower(string(k)) {
		case "sec-websocket-accept":
			accept = string(bytes.TrimSpace(v))
		case "sec-websocket-protocol":
			proto = string(bytes.TrimSpace(v))
		case "sec-websocket-extensions":
			if !c.deflate {
				return "server chose an extension that was not offered", false
			}
			if why := checkDeflate(string(v)); why != "" {
				return why, false
			}
			deflate = true
		}
	}
	if accept != wantAccept {
		return "wrong Sec-WebSocket-Accept", false
	}
	if first, _, _ := strings.Cut(c.subprotocol, ","); first != "" && !strings.Contains(c.subprotocol, proto) || (first != "" && proto == "") {
		return "server chose subprotocol " + strconv.Quote(proto), false
	}
	return "", deflate
}
