package rpc

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// line is what a worker says along a link. Exactly one of its kinds is in it.
type line struct {
	// the first line, as the answer to the event that offered the link
	Worker  string `json:"worker"`
	Threads int    `json:"threads"` // how many events it runs at a time of which it holds nothing

	// the answer to an event
	ID     string          `json:"id"`
	Answer json.RawMessage `json:"answer"`
	Status int             `json:"status"`
	Error  string          `json:"error"`
	// problem is why an answer could not be read
	problem string

	// what was done outside of any event
	Connection string   `json:"connection"`
	Effects    []Effect `json:"effects"`

	// what a channel has done after its event, which makes the worker offer to hold it
	Identifier string `json:"identifier"`
	Event      string `json:"event"` // the event's ID
	Offer      *Live  `json:"offer"`

	Ask     string `json:"ask"` // with an ID
	States  bool   `json:"states"`
	Restart bool   `json:"restart"`
	Ending  bool   `json:"ending"`
	Gone    string `json:"gone"` // the hold that was to be attached
}

// askConnections is all that can be asked.
const askConnections = "connections"

// parseFirstLine reads the line that opens a link. Errors of this file repeat nothing of what a line says: what users send
// each other is in it.
func parseFirstLine(text []byte) (*line, error) {
	l, err := unmarshalLine(text)
	switch {
	case err != nil:
		return nil, err
	case l.Worker == "":
		return nil, errors.New("its worker is missing")
	case l.Answer == nil:
		return nil, errors.New("its answer is missing")
	}
	return l, nil
}

// parseLine reads any other.
func parseLine(text []byte) (*line, error) {
	l, err := unmarshalLine(text)
	if err != nil {
		return nil, err
	}
	switch {
	case l.Answer != nil || l.Status != 0:
		if l.ID == "" {
			return nil, errors.New("it answers, but not what: its id is missing")
		}
	case l.Ask != "":
		if l.Ask != askConnections {
			return nil, errors.New("it asks for what can't be asked for")
		}
		if l.ID == "" {
			return nil, errors.New("it asks, but its id is missing")
		}
	case l.Restart, l.Ending, l.Gone != "":
	case l.Offer != nil:
		if l.Connection == "" || l.Event == "" {
			return nil, errors.New("it offers to hold a channel, but its connection or its event is missing")
		}
		if err := l.Offer.check(); err != nil {
			return nil, err
		}
	case l.Connection != "":
		if err := checkEffects(l.Effects); err != nil {
			return nil, err
		}
	default:
		return nil, errors.New("it is of no kind that the contract knows")
	}
	return l, nil
}

func unmarshalLine(text []byte) (*line, error) {
	if opening := bytes.TrimLeft(text, " \t\r"); len(opening) == 0 || opening[0] != '{' {
		return nil, errors.New("it is not a JSON object")
	}
	l := new(line)
	if id, answer := plainAnswer(text); answer != nil {
		l.ID, l.Answer = id, answer
		return l, nil
	}
	if err := json.Unmarshal(text, l); err != nil {
		if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
			return nil, fmt.Errorf("its %s is no %s", wrong.Field, wrong.Type)
		}
		return nil, fmt.Errorf("it is not JSON: %w", err)
	}
	if string(l.Answer) == "null" {
		l.Answer = nil
	}
	return l, nil
}

// plainAnswer is what nearly all lines are, {"id":"…","answer":{…}}, without having to look at the answer but once. It is nil where the
// line may be anything else.
func plainAnswer(text []byte) (id string, answer []byte) {
	rest, ok := bytes.CutPrefix(text, []byte(`{"id":"`))
	if !ok {
		return "", nil
	}
	name, rest, ok := bytes.Cut(rest, []byte(`","answer":{`))
	if !ok || len(name) == 0 || bytes.ContainsFunc(name, func(r rune) bool { return r < 0x20 || r == '"' || r == '\\' || r >= 0x7f }) {
		return "", nil
	}
	answer = text[len(text)-len(rest)-1 : len(text)-1]
	if text[len(text)-1] != '}' || !json.Valid(answer) {
		return "", nil
	}
	return string(name), answer
}

var errLineTooLong = errors.New("it is too long")

// answered is the id of the event that a line answers, of which only the beginning is known; empty where it is another kind of
// line.
func answered(beginning []byte) string {
	decoder := json.NewDecoder(bytes.NewReader(beginning))
	var said [4]json.Token
	for i := range said {
		said[i], _ = decoder.Token()
	}
	id, _ := said[2].(string)
	if said[0] != json.Delim('{') || said[1] != "id" || said[3] != "answer" {
		return ""
	}
	return id
}

// skipLine reads the rest of a line.
func skipLine(r *bufio.Reader) error {
	for {
		if _, err := r.ReadSlice('\n'); !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

// readLine is the next line without its line feed. It is the caller's. Of one that is too long it is the beginning.
func readLine(r *bufio.Reader, limit int64) ([]byte, error) {
	var text []byte
	for {
		part, err := r.ReadSlice('\n')
		if int64(len(text)+len(part)) > limit+1 {
			if err == nil {
				_ = r.UnreadByte() // the line feed is skipLine's
			}
			return append(text, part...), errLineTooLong
		}
		text = append(text, part...)
		switch {
		case err == nil:
			return text[:len(text)-1], nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(text) > 0:
			return nil, io.ErrUnexpectedEOF
		default:
			return nil, err
		}
	}
}

// eventLine is an event on its way to who holds its subscription or connection.
func eventLine(event string, request []byte) []byte {
	text := make([]byte, 0, len(request)+len(event)+32)
	text = append(append(append(text, `{"event":"`...), event...), `","request":`...)
	return append(append(text, request...), "}\n"...)
}

// jsonLine is any other.
func jsonLine(message any) ([]byte, error) {
	text, err := json.Marshal(message)
	return append(text, '\n'), err
}

type attachLine struct {
	Attach string `json:"attach"`
}

type dropLine struct {
	Drop string `json:"drop"`
}

type connectionsLine struct {
	ID          string           `json:"id"`
	Connections []OpenConnection `json:"connections"`
}

// untoldLine is the answer where there are more than a line can say.
type untoldLine struct {
	ID string `json:"id"`
}
