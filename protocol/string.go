package protocol

import (
	"bytes"
	"strings"
	"unicode/utf16"
)

// unquote decodes a string that a scanner has gone over, quotes and all.
func unquote(raw []byte) string {
	raw = raw[1 : len(raw)-1]
	escape := bytes.IndexByte(raw, '\\')
	if escape < 0 {
		return string(raw)
	}
	var b strings.Builder
	b.Grow(len(raw))
	for ; escape >= 0; escape = bytes.IndexByte(raw, '\\') {
		b.Write(raw[:escape])
		c := raw[escape+1]
		raw = raw[escape+2:]
		switch c {
		case 'b':
			b.WriteByte('\b')
		case 'f':
			b.WriteByte('\f')
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		case 'u':
			s := scanner{text: raw}
			r, _ := s.hex()
			if utf16.IsSurrogate(r) {
				s.at += len(`\u`)
				second, _ := s.hex()
				r = utf16.DecodeRune(r, second)
			}
			b.WriteRune(r)
			raw = raw[s.at:]
		default:
			b.WriteByte(c)
		}
	}
	b.Write(raw)
	return b.String()
}

const hexDigits = "0123456789abcdef"

// appendString appends s as ActiveSupport::JSON.encode writes a String
// (ActiveSupport::JSON::Encoding::JSONGemEncoder, with escape_html_entities_in_json on): / and DEL and everything
// beyond ASCII stay as they are, but for U+2028 and U+2029. s is UTF-8.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		size := 1
		switch {
		case c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' || c < ' ':
		case c == 0xE2 && i+2 < len(s) && s[i+1] == 0x80 && s[i+2]&^1 == 0xA8:
			size = 3
		default:
			continue
		}
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, `\b`...)
		case '\f':
			dst = append(dst, `\f`...)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\t':
			dst = append(dst, `\t`...)
		case 0xE2:
			dst = append(dst, `\u202`...)
			dst = append(dst, hexDigits[s[i+2]&0xF])
		default:
			dst = append(dst, `\u00`...)
			dst = append(dst, hexDigits[c>>4], hexDigits[c&0xF])
		}
		i += size - 1
		start = i + 1
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}
