//go:build linux

package main

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"testing"
)

func TestToken_ComesBackAsItWasPut(t *testing.T) {
	in := token{7, 123456, 99999999, 42, 1234567890123456}
	var b [tokenLen]byte
	in.put(b[:])
	out, ok := parseToken(b[:])
	if !ok || out != in {
		t.Fatalf("%s -> %+v", b, out)
	}
}

func TestMessage_HasTheSizeThatWasAskedFor(t *testing.T) {
	for _, n := range []int{64, 128, 1024, 70000} {
		m := message(n, "", letters)
		if len(m.b) != n {
			t.Errorf("size %d: got %d", n, len(m.b))
		}
		(token{1, 2, 3, 4, 5}).put(m.b[m.pos:])
		var v struct{ B, P string }
		if err := json.Unmarshal(m.b, &v); err != nil {
			t.Fatal(err)
		}
		if tk, ok := parseToken([]byte(v.B)); !ok || tk.msg != 4 {
			t.Fatal(v.B)
		}
		w := wrap(message(n, "", letters), `{"stream":"s","data":`, `}`)
		(token{1, 2, 3, 4, 5}).put(w.b[w.pos:])
		var o struct{ Stream, Data string }
		if err := json.Unmarshal(w.b, &o); err != nil {
			t.Fatal(err)
		}
		if o.Data != string(m.b) {
			t.Fatal(o.Data)
		}
	}
}

func TestMessage_OfRecordsIsATextThatShrinksAsAppsDo(t *testing.T) {
	for _, n := range []int{128, 1024, 65536} {
		m := message(n, "", records)
		if len(m.b) != n || !json.Valid(m.b) {
			t.Errorf("size %d: got %d bytes, valid JSON: %v", n, len(m.b), json.Valid(m.b))
		}
	}
	m := message(65536, "", records)
	var small bytes.Buffer
	w, _ := flate.NewWriter(&small, flate.BestSpeed)
	_, _ = w.Write(m.b)
	_ = w.Close()
	if times := float64(len(m.b)) / float64(small.Len()); times < 2.5 || times > 8 {
		t.Errorf("deflate makes it %.1f times smaller, want about what it does to an app's JSON", times)
	}
}
