//go:build linux

package main

import (
	"bytes"
	"fmt"
	"math/rand"
	"strings"
)

// template is a payload with a hole for the token.
type template struct {
	b   []byte
	pos int
}

// message returns the JSON object of the given size that is broadcast.
func message(size int, extra string, rest filler) template {
	head := `{` + extra + `"b":"`
	b := append([]byte(head), bytes.Repeat([]byte{'0'}, tokenLen)...)
	b = append(b, '"')
	b = rest(b, size-len("}"))
	return template{append(b, '}'), len(head)}
}

func (c *config) message(size int, extra string) template {
	return message(size, extra, fillers[c.payload])
}

// A filler adds members to a JSON object until it has so many bytes, or a few more where that is too few.
type filler func(object []byte, size int) []byte

// fillers are what payloads consist of, by the name that -payload gives them.
var fillers = map[string]filler{"letters": letters, "json": records}

// letters is one long string. It is hardly a text: deflate makes next to nothing of it.
func letters(b []byte, size int) []byte {
	b = append(b, `,"p":"`...)
	for i := 0; len(b) < size-len(`"`); i++ {
		b = append(b, "abcdefghijklmnopqrstuvwxyz "[i%27])
	}
	return append(b, '"')
}

// records is a list as an app would render it: names that repeat, and values that don't.
func records(b []byte, size int) []byte {
	random := rand.New(rand.NewSource(7)) // the same for every server
	before := ""
	list := append(b, `,"list":[`...)
	for {
		record := fmt.Sprintf(`%s{"id":%d,"user":{"id":%d,"name":%q},"at":"2026-11-%02dT%02d:%02d:%02dZ","text":%q,"likes":%d,"read":%t}`, before,
			random.Intn(1e9), random.Intn(1e5), some(random, 2), 1+random.Intn(28), random.Intn(24), random.Intn(60), random.Intn(60),
			some(random, 4+random.Intn(16)), random.Intn(50), random.Intn(2) == 0)
		if len(list)+len(record)+len(`],"p":""`) > size {
			break
		}
		list, before = append(list, record...), ","
	}
	return letters(append(list, ']'), size)
}

var words = strings.Fields(`a about after all also and any are at back be because bridge but by cable can channel could day do even first for from get give
	go good have he her him his how if in into it its just know like look make me message most my new no not now of on one only or other our out over people
	room say see she so some stream subscriber take than that the their them then there these they think this time to two up us use want way we well what
	when which who will with work would year you your`)

// some is so many words.
func some(random *rand.Rand, n int) string {
	text := make([]string, n)
	for i := range text {
		text[i] = words[random.Intn(len(words))]
	}
	return strings.Join(text, " ")
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
