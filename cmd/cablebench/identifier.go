//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

func (c *config) identifier(stream int, idx int32) string {
	r := strings.NewReplacer("{{stream}}", c.streamName(stream), "{{k}}", strconv.Itoa(stream), "{{i}}", strconv.Itoa(int(idx)))
	return r.Replace(c.identTpl)
}

func (c *config) streamName(k int) string {
	if c.k == 1 {
		return c.stream
	}
	return c.stream + "-" + strconv.Itoa(k)
}

func jsonString(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s)
	return strings.TrimSpace(b.String())
}

// subscribeFrame is cached per stream unless the identifier differs per connection.
func (c *config) subscribeFrame(stream int, idx int32) []byte {
	if !c.perConnIdent {
		return c.subFrames[stream]
	}
	return c.buildSubscribe(stream, idx)
}

func (c *config) buildSubscribe(stream int, idx int32) []byte {
	return appendFrame(nil, opText, []byte(`{"command":"subscribe","identifier":`+jsonString(c.identifier(stream, idx))+`}`))
}

func (c *config) prepare() {
	c.perConnIdent = strings.Contains(c.identTpl, "{{i}}")
	if !c.perConnIdent {
		c.subFrames = make([][]byte, c.k)
		for k := range c.subFrames {
			c.subFrames[k] = c.buildSubscribe(k, 0)
		}
	}
}
