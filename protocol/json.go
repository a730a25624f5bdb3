package protocol

import (
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxNesting is how deep arrays and objects may lie in one another: the max_nesting of Ruby's JSON.parse, which
// refuses what is deeper.
const MaxNesting = 100

// A SyntaxError tells where a text stops being the JSON that Rails can read and a client may be sent.
type SyntaxError struct {
	Offset  int    // the byte at which it was noticed, counted from 0
	Problem string // what is wrong there; it never quotes the text
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("%s at byte %d", e.Problem, e.Offset) }

const (
	problemCutShort  = "the JSON ends too early"
	problemValue     = "there is no JSON value"
	problemAfter     = "something follows the JSON value"
	problemNumber    = "a number is malformed"
	problemDeep      = "arrays and objects are nested deeper than 100"
	problemKey       = "a member of an object does not begin with a string"
	problemColon     = "a member of an object has no colon"
	problemSeparator = "there is neither a comma nor the end of the array or object"
	problemControl   = "a control character in a string is not escaped"
	problemEscape    = "an escape in a string is malformed"
	problemSurrogate = "half of a surrogate pair is alone in a string"
	problemUTF8      = "the text is not UTF-8"
)

// scanner walks over a JSON text without building anything. Its methods report whether what they were asked for is
// there; when it is not, problem says why and at tells where.
//
// encoding/json is no help here: it matches keys in any case, replaces bytes that are not UTF-8, goes 10,000 deep,
// and allocates.
type scanner struct {
	text    []byte
	at      int
	problem string
}

func (s *scanner) err() error {
	if s.problem == "" {
		return nil
	}
	return &SyntaxError{Offset: s.at, Problem: s.problem}
}

func (s *scanner) fail(problem string) bool {
	if s.at >= len(s.text) {
		problem = problemCutShort
	}
	s.problem = problem
	return false
}

// begin checks what concerns the text as a whole and goes to its first value.
func (s *scanner) begin() bool {
	if utf8.Valid(s.text) {
		s.space()
		return true
	}
	for s.at < len(s.text) {
		r, size := utf8.DecodeRune(s.text[s.at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		s.at += size
	}
	s.problem = problemUTF8
	return false
}

func (s *scanner) end() bool {
	s.space()
	if s.at < len(s.text) {
		return s.fail(problemAfter)
	}
	return true
}

func (s *scanner) space() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return
		}
	}
}

// peek is the next byte, or 0 at the end; no JSON has a 0 where it is asked for.
func (s *scanner) peek() byte {
	if s.at < len(s.text) {
		return s.text[s.at]
	}
	return 0
}

func (s *scanner) take(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.at++
	return true
}

// value goes over one value; depth is the number of arrays and objects around it.
func (s *scanner) value(depth int) bool {
	switch s.peek() {
	case '{':
		return s.object(depth, nil)
	case '[':
		return s.array(depth)
	case '"':
		return s.string()
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return s.number()
	}
	return s.fail(problemValue)
}

// object calls each, if there is one, with every member's key and value, both raw.
func (s *scanner) object(depth int, each func(key, value []byte)) bool {
	if depth == MaxNesting {
		return s.fail(problemDeep)
	}
	s.at++
	s.space()
	if s.take('}') {
		return true
	}
	for {
		key := s.at
		if s.peek() != '"' {
			return s.fail(problemKey)
		}
		if !s.string() {
			return false
		}
		keyEnd := s.at
		s.space()
		if !s.take(':') {
			return s.fail(problemColon)
		}
		s.space()
		value := s.at
		if !s.value(depth + 1) {
			return false
		}
		if each != nil {
			each(s.text[key:keyEnd], s.text[value:s.at])
		}
		s.space()
		if s.take('}') {
			return true
		}
		if !s.take(',') {
			return s.fail(problemSeparator)
		}
		s.space()
	}
}

func (s *scanner) array(depth int) bool {
	if depth == MaxNesting {
		return s.fail(problemDeep)
	}
	s.at++
	s.space()
	if s.take(']') {
		return true
	}
	for {
		if !s.value(depth + 1) {
			return false
		}
		s.space()
		if s.take(']') {
			return true
		}
		if !s.take(',') {
			return s.fail(problemSeparator)
		}
		s.space()
	}
}

func (s *scanner) literal(word string) bool {
	for i := range len(word) {
		if !s.take(word[i]) {
			return s.fail(problemValue)
		}
	}
	return true
}

func (s *scanner) number() bool {
	s.take('-')
	if !s.take('0') && !s.digits() {
		return s.fail(problemNumber)
	}
	if s.take('.') && !s.digits() {
		return s.fail(problemNumber)
	}
	if s.take('e') || s.take('E') {
		if !s.take('+') {
			s.take('-')
		}
		if !s.digits() {
			return s.fail(problemNumber)
		}
	}
	return true
}

func (s *scanner) digits() bool {
	start := s.at
	for s.at < len(s.text) && s.text[s.at]-'0' <= 9 {
		s.at++
	}
	return s.at > start
}

func (s *scanner) string() bool {
	s.at++
	for {
		text, at := s.text, s.at
		for at < len(text) && plain[text[at]] {
			at++
		}
		s.at = at
		switch s.peek() {
		case '"':
			s.at++
			return true
		case '\\':
			if !s.escape() {
				return false
			}
		default:
			return s.fail(problemControl)
		}
	}
}

// plain tells which bytes stand for themselves in a string.
var plain = func() (plain [256]bool) {
	for c := range plain {
		plain[c] = c >= ' ' && c != '"' && c != '\\'
	}
	return plain
}()

func (s *scanner) escape() bool {
	start := s.at
	s.at++
	switch s.peek() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.at++
		return true
	case 'u':
	default:
		return s.fail(problemEscape)
	}
	s.at++
	first, ok := s.hex()
	if !ok {
		return s.fail(problemEscape)
	}
	if !utf16.IsSurrogate(first) {
		return true
	}
	// Ruby decodes half a pair to bytes that are not UTF-8 and then can't encode them.
	if s.take('\\') && s.take('u') {
		if second, ok := s.hex(); ok && utf16.DecodeRune(first, second) != utf8.RuneError {
			return true
		}
	}
	s.at = start
	return s.fail(problemSurrogate)
}

func (s *scanner) hex() (rune, bool) {
	if len(s.text)-s.at < 4 {
		s.at = len(s.text)
		return 0, false
	}
	var r rune
	for range 4 {
		digit := hexDigit(s.text[s.at])
		if digit < 0 {
			return 0, false
		}
		r = r<<4 | digit
		s.at++
	}
	return r, true
}

func hexDigit(c byte) rune {
	switch {
	case '0' <= c && c <= '9':
		return rune(c - '0')
	case 'a' <= c && c <= 'f':
		return rune(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return rune(c-'A') + 10
	}
	return -1
}

// kind says what a raw value is, for messages.
func kind(raw []byte) string {
	switch raw[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}
