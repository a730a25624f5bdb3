package protocol_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cablestay/cablestay/protocol"
)

func TestCheckPayload_RefusesWhatRailsDoes(t *testing.T) {
	nested := func(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }
	for payload, want := range map[string]string{
		"":                     "the JSON ends too early at byte 0",
		"plain text":           "there is no JSON value at byte 0",
		"NaN":                  "there is no JSON value at byte 0",
		"\"a\tb\"":             "a control character in a string is not escaped at byte 2",
		`"\ud800"`:             "half of a surrogate pair is alone in a string at byte 1",
		`"\udc00\ud800"`:       "half of a surrogate pair is alone in a string at byte 1",
		`"\ud800\u0041"`:       "half of a surrogate pair is alone in a string at byte 1",
		"\"\xff\"":             "the text is not UTF-8 at byte 1",
		"\"ż\xc5\"":            "the text is not UTF-8 at byte 3",
		"[1,]":                 "there is no JSON value at byte 3",
		nested(101):            "arrays and objects are nested deeper than 100 at byte 100",
		`{"a":1} x`:            "something follows the JSON value at byte 8",
		nested(100):            "",
		"null":                 "",
		" [1, 2.5e-3, -0] ":    "",
		`"\ud83d\ude00 \/ ż"`:  "",
		"18446744073709551616": "",
	} {
		err := protocol.CheckPayload([]byte(payload))
		var problem *protocol.SyntaxError
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", payload, err)
		case want != "" && (!errors.As(err, &problem) || err.Error() != want):
			t.Errorf("%s:\n got %v\nwant %s", payload, err, want)
		}
	}
}

const identifier = protocol.Identifier(`{"channel":"ChatChannel","room":1}`)

var payload = []byte(`{"type":"message","id":9223372036854775807,"body":"\u003cb\u003ezażółć\u003c/b\u003e 😀","by":{"name":"Ann","tags":[1,2.5,null,true]}}`)

func TestAllocs_NothingIsAllocatedForATransmission(t *testing.T) {
	envelope := protocol.NewEnvelope(identifier)
	disconnect := protocol.Disconnect{Reason: protocol.Remote, RawReconnect: "null"}
	dst := make([]byte, 0, 1024)
	for name, run := range map[string]func(){
		"Envelope.Append":    func() { dst = envelope.Append(dst[:0], payload) },
		"CheckPayload":       func() { _ = protocol.CheckPayload(payload) },
		"AppendWelcome":      func() { dst = protocol.AppendWelcome(dst[:0]) },
		"AppendPing":         func() { dst = protocol.AppendPing(dst[:0], 1_700_000_000) },
		"AppendConfirmation": func() { dst = protocol.AppendConfirmation(dst[:0], identifier) },
		"AppendRejection":    func() { dst = protocol.AppendRejection(dst[:0], identifier) },
		"Disconnect.Append":  func() { dst = disconnect.Append(dst[:0]) },
	} {
		if got := testing.AllocsPerRun(100, run); got != 0 {
			t.Errorf("%s: got %v allocations, want 0", name, got)
		}
	}
}

func BenchmarkEnvelopeAppend(b *testing.B) {
	envelope := protocol.NewEnvelope(identifier)
	dst := make([]byte, 0, envelope.Size(len(payload)))
	b.SetBytes(int64(cap(dst)))
	b.ReportAllocs()
	for b.Loop() {
		dst = envelope.Append(dst[:0], payload)
	}
}

func BenchmarkCheckPayload(b *testing.B) {
	b.SetBytes(int64(len(payload)))
	b.ReportAllocs()
	for b.Loop() {
		if protocol.CheckPayload(payload) != nil {
			b.Fatal("refused")
		}
	}
}

func BenchmarkParseCommand(b *testing.B) {
	frame := []byte(`{"command":"message","identifier":"{\"channel\":\"ChatChannel\",\"room\":1}","data":"{\"body\":\"hello\",\"action\":\"speak\"}"}`)
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := protocol.ParseCommand(frame); err != nil {
			b.Fatal(err)
		}
	}
}
