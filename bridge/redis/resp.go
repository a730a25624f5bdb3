package redis

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// What the replies on a pub/sub connection are called.
const (
	replyMessage     = "message"
	replySubscribe   = "subscribe"
	replyUnsubscribe = "unsubscribe"
	replyPong        = "pong"
	replyStatus      = "status" // our own word for +OK
)

// longest is how long Redis lets a string be (proto-max-bulk-len).
const longest = 512 << 20

// errReply says that something other than RESP2 came, or what pub/sub does not send.
var errReply = errors.New("reply that pub/sub does not have")

// serverError is Redis' own: "NOAUTH Authentication required."
type serverError string

func (e serverError) Error() string { return "redis says: " + string(e) }

// isOfUser says whether AUTH may have failed for its user's name.
func (e serverError) isOfUser() bool {
	return strings.HasPrefix(string(e), "WRONGPASS ") || strings.HasPrefix(string(e), "ERR wrong number of arguments")
}

// reply is one of a pub/sub connection. The name is valid until the next is read; the payload is the caller's.
type reply struct {
	kind    string
	name    []byte // the channel
	payload []byte // of message and pong
}

type replyReader struct {
	buffer *bufio.Reader
	name   []byte
}

func newReplyReader(from io.Reader) *replyReader {
	return &replyReader{buffer: bufio.NewReaderSize(from, 64<<10)}
}

// next reads one reply. An error that is a serverError leaves the connection usable.
func (r *replyReader) next() (reply, error) {
	kind, rest, err := r.line()
	if err != nil {
		return reply{}, err
	}
	switch kind {
	case '-':
		return reply{}, serverError(rest)
	case '+':
		return reply{kind: replyStatus}, nil
	case '$': // the answer to PING where nothing is subscribed to
		payload, err := r.rest(rest)
		return reply{kind: replyPong, payload: payload}, err
	case '*':
		return r.push()
	default:
		return reply{}, fmt.Errorf("%w: it begins with %q", errReply, kind)
	}
}

// push reads what an array says: kind, channel, and payload or count.
func (r *replyReader) push() (reply, error) {
	word, err := r.short()
	if err != nil {
		return reply{}, err
	}
	switch string(word) {
	case replyMessage:
		name, err := r.short()
		if err != nil {
			return reply{}, err
		}
		payload, err := r.bulk()
		return reply{kind: replyMessage, name: name, payload: payload}, err
	case replySubscribe:
		name, err := r.acknowledged()
		return reply{kind: replySubscribe, name: name}, err
	case replyUnsubscribe:
		name, err := r.acknowledged()
		return reply{kind: replyUnsubscribe, name: name}, err
	case replyPong:
		payload, err := r.bulk()
		return reply{kind: replyPong, payload: payload}, err
	default:
		return reply{}, fmt.Errorf("%w: %q", errReply, word)
	}
}

func (r *replyReader) acknowledged() ([]byte, error) {
	name, err := r.short()
	if err != nil {
		return nil, err
	}
	if kind, _, err := r.line(); err != nil || kind != ':' {
		return nil, errors.Join(errReply, err)
	}
	return name, nil
}

// line reads a type and what follows it, which is valid until the next read.
func (r *replyReader) line() (kind byte, rest []byte, err error) {
	line, err := r.buffer.ReadSlice('\n')
	if err != nil {
		return 0, nil, err
	}
	if len(line) < 3 || line[len(line)-2] != '\r' {
		return 0, nil, fmt.Errorf("%w: a line without an end", errReply)
	}
	return line[0], line[1 : len(line)-2], nil
}

func (r *replyReader) length() (int, error) {
	kind, rest, err := r.line()
	if err != nil {
		return 0, err
	}
	if kind != '$' {
		return 0, fmt.Errorf("%w: %q where a string must be", errReply, kind)
	}
	return size(rest)
}

func size(digits []byte) (int, error) {
	n, err := strconv.Atoi(string(digits))
	if err != nil || n < 0 || n > longest {
		return 0, fmt.Errorf("%w: a string of length %q", errReply, digits)
	}
	return n, nil
}

// short reads a string into the reader's own memory.
func (r *replyReader) short() ([]byte, error) {
	n, err := r.length()
	if err != nil {
		return nil, err
	}
	if n > trusted {
		return r.own(n)
	}
	if cap(r.name) < n+2 {
		r.name = make([]byte, n+2)
	}
	return r.fill(r.name[:n+2])
}

// bulk reads a string into memory of its own.
func (r *replyReader) bulk() ([]byte, error) {
	n, err := r.length()
	if err != nil {
		return nil, err
	}
	return r.own(n)
}

func (r *replyReader) rest(digits []byte) ([]byte, error) {
	n, err := size(digits)
	if err != nil {
		return nil, err
	}
	return r.own(n)
}

// trusted is up to which length memory is taken before the bytes are there.
const trusted = 1 << 20

func (r *replyReader) own(n int) ([]byte, error) {
	if n <= trusted {
		return r.fill(make([]byte, n+2))
	}
	var memory bytes.Buffer
	if _, err := io.CopyN(&memory, r.buffer, int64(n)); err != nil {
		return nil, err
	}
	if _, err := r.fill(make([]byte, 2)); err != nil {
		return nil, err
	}
	return memory.Bytes()[:n:n], nil
}

func (r *replyReader) fill(memory []byte) ([]byte, error) {
	if _, err := io.ReadFull(r.buffer, memory); err != nil {
		return nil, err
	}
	n := len(memory) - 2
	if memory[n] != '\r' || memory[n+1] != '\n' {
		return nil, fmt.Errorf("%w: a string without an end", errReply)
	}
	return memory[:n:n], nil
}

// appendCommand begins a command of so many words, of which the first is given.
func appendCommand(buffer []byte, words int, first string) []byte {
	buffer = append(buffer, '*')
	buffer = strconv.AppendInt(buffer, int64(words), 10)
	buffer = append(buffer, '\r', '\n')
	return appendWord(buffer, "", first)
}

// appendWord appends a word in two parts.
func appendWord(buffer []byte, prefix, word string) []byte {
	buffer = append(buffer, '$')
	buffer = strconv.AppendInt(buffer, int64(len(prefix)+len(word)), 10)
	buffer = append(buffer, '\r', '\n')
	buffer = append(buffer, prefix...)
	buffer = append(buffer, word...)
	return append(buffer, '\r', '\n')
}
