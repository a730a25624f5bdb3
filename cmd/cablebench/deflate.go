//go:build linux

package main

import (
	"bytes"
	"compress/flate"
	"hash/maphash"
	"io"
	"strings"
)

const deflateOffer = "permessage-deflate; client_no_context_takeover; server_no_context_takeover"

// checkDeflate returns why a server's choice is none of what was offered, or "". Without server_no_context_takeover every
// connection would need an inflater of its own.
func checkDeflate(chosen string) string {
	name, parameters, _ := strings.Cut(chosen, ";")
	if strings.TrimSpace(name) != "permessage-deflate" || strings.Contains(parameters, ",") {
		return "server chose an extension that was not offered"
	}
	each := make(map[string]bool)
	for parameter := range strings.SplitSeq(parameters, ";") {
		key, _, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		each[key] = true
	}
	switch {
	case each["client_max_window_bits"]:
		return "server chose client_max_window_bits, which was not offered"
	case !each["server_no_context_takeover"]:
		return "server did not agree to server_no_context_takeover"
	}
	return ""
}

// inflater decompresses the messages of a loop. A broadcast's frame is the same for thousands of connections, so the last few
// are remembered and one that comes again costs its hash. What it returns is its own until some messages later.
type inflater struct {
	seed   maphash.Seed
	reader io.ReadCloser
	source bytes.Reader
	recent [32]inflated
	next   int
}

// inflated is a message that has come, by the hash of what it was on the wire.
type inflated struct {
	hash uint64
	size int // on the wire
	text bytes.Buffer
}

// deflateEnd is what a sender leaves out at the end of a message, and an empty last block after it: RFC 7692, 7.2.2.
var deflateEnd = []byte{0x00, 0x00, 0xff, 0xff, 0x01, 0x00, 0x00, 0xff, 0xff}

func (in *inflater) text(p []byte) ([]byte, error) {
	if in.reader == nil {
		in.seed, in.reader = maphash.MakeSeed(), flate.NewReader(nil)
	}
	hash := maphash.Bytes(in.seed, p)
	for i := range in.recent {
		if one := &in.recent[i]; one.hash == hash && one.size == len(p) {
			return one.text.Bytes(), nil
		}
	}
	one := &in.recent[in.next]
	in.next = (in.next + 1) % len(in.recent)
	*one = inflated{text: one.text}
	one.text.Reset()
	in.source.Reset(p)
	if err := in.reader.(flate.Resetter).Reset(io.MultiReader(&in.source, bytes.NewReader(deflateEnd)), nil); err != nil {
		return nil, err
	}
	const most = 64 << 20
	if _, err := one.text.ReadFrom(io.LimitReader(in.reader, most)); err != nil {
		return nil, err
	}
	one.hash, one.size = hash, len(p)
	return one.text.Bytes(), nil
}
