package protocol

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// CommandName says what a client asks for.
type CommandName string

// The commands that ActionCable::Connection::Subscriptions#execute_command knows.
const (
	Subscribe   CommandName = "subscribe"
	Unsubscribe CommandName = "unsubscribe"
	Message     CommandName = "message" // perform an action
)

// A Command is a frame of the client:
//
//	{"command":"subscribe","identifier":"{\"channel\":\"ChatChannel\"}"}
//	{"command":"unsubscribe","identifier":"{\"channel\":\"ChatChannel\"}"}
//	{"command":"message","identifier":"{\"channel\":\"ChatChannel\"}","data":"{\"action\":\"speak\"}"}
type Command struct {
	Name       CommandName
	Identifier Identifier
	Data       string // the JSON text of a message's data; "" in other commands
}

// A CommandError says why a frame is not a command. Action Cable logs such a frame, sends nothing, and keeps the
// connection open.
type CommandError struct {
	Member  string // "command", "identifier" or "data"; "" if the frame as a whole is at fault
	Problem string // what is wrong with it; it quotes no more than the start of an unknown command
	Err     error  // the [*SyntaxError] if the frame is not JSON
}

func (e *CommandError) Error() string {
	var b strings.Builder
	b.WriteString("malformed command: ")
	if e.Member != "" {
		b.WriteString("member ")
		b.WriteString(e.Member)
		b.WriteByte(' ')
	}
	b.WriteString(e.Problem)
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

func (e *CommandError) Unwrap() error { return e.Err }

// ParseCommand reads one text frame of the client, or returns a [*CommandError]. It is as strict as Rails where Rails
// looks at the frame, and no stricter: members that no command has are ignored, keys are matched exactly, and of a
// key that comes twice the last one counts. Whether identifier and data hold JSON is for Rails to say, which logs it
// in its own words.
//
// What is refused here, stock Action Cable logs as follows: a frame that is not JSON raises JSON::ParserError, one
// that is an array, number, boolean or null, or whose identifier or data is no string, raises a TypeError or
// NoMethodError; the rest is "Received unrecognized command in {…}".
func ParseCommand(frame []byte) (Command, error) {
	var name, identifier, data []byte
	s := scanner{text: frame}
	if !s.begin() {
		return Command{}, notJSON(&s)
	}
	if s.peek() != '{' {
		start := s.at
		if !s.value(0) || !s.end() {
			return Command{}, notJSON(&s)
		}
		return Command{}, &CommandError{Problem: "the frame is " + kind(frame[start:]) + ", not an object"}
	}
	if !s.object(0, func(key, value []byte) {
		switch {
		case isKey(key, "command"):
			name = value
		case isKey(key, "identifier"):
			identifier = value
		case isKey(key, "data"):
			data = value
		}
	}) || !s.end() {
		return Command{}, notJSON(&s)
	}

	text, err := stringMember("command", name)
	if err != nil {
		return Command{}, err
	}
	command := Command{Name: CommandName(text)}
	switch command.Name {
	case Subscribe, Unsubscribe, Message:
	default:
		return Command{}, &CommandError{Member: "command", Problem: fmt.Sprintf("is not known: %q", excerpt(text))}
	}
	text, err = stringMember("identifier", identifier)
	if err != nil {
		return Command{}, err
	}
	command.Identifier = Identifier(text)
	if command.Name == Message {
		if command.Data, err = stringMember("data", data); err != nil {
			return Command{}, err
		}
	}
	return command, nil
}

func notJSON(s *scanner) error {
	return &CommandError{Problem: "the frame is not JSON", Err: s.err()}
}

func stringMember(member string, raw []byte) (string, error) {
	if len(raw) == 0 {
		return "", &CommandError{Member: member, Problem: "is missing"}
	}
	if raw[0] != '"' {
		return "", &CommandError{Member: member, Problem: "is " + kind(raw) + ", not a string"}
	}
	return unquote(raw), nil
}

// excerpt is enough of a client's string to recognise it in a log, and no more.
func excerpt(s string) string {
	const most = 32
	if len(s) <= most {
		return s
	}
	end := most
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
