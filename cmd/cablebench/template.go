//go:build linux

package main

import (
	"bytes"
	"strings"
)

// template is a payload with a hole for the token.
type template struct {
	b   []byte
	pos int
}

// message returns the JSON object of the given size that is broadcast.
func message(size int, extra string) template {
	head := `{` + extra + `"b":"`
	tail := `","p":"`
	pad := size - len(head) - tokenLen - len(tail) - len(`"}`)
	if pad < 0 {
		pad = 0
	}
	b := []byte(head)
	pos := len(b)
	b = append(b, bytes.Repeat([]byte{'0'}, tokenLen)...)
	b = append(b, tail...)
	for i := 0; i < pad; i++ {
		b = append(b, "abcdefghijklmnopqrstuvwxyz "[i%27])
	}
	return template{append(b, `"}`...), pos}
}

// wrap quotes t as a JSON string between two pieces of text.
func wrap(t template, before, after string) template {
	q := jsonString(string(t.b))
	mark := strings.Repeat("0", 2) // the token starts with zeros until it is filled
	pos := strings.Index(q, `\"b\":\"`+mark)
	if pos < 0 {
		panic("no token in template")
	}
	return template{[]byte(before + q + after), len(before) + pos + len(`\"b\":\"`)}
}
