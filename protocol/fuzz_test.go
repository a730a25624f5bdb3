package protocol_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cablestay/cablestay/protocol"
)

// readable is CheckPayload's verdict by other means: encoding/json's, which knows neither UTF-8 nor lone surrogates nor
// a depth of 100. It can't tell where a text has U+FFFD of its own.
func readable(text []byte) (yes, known bool) {
	if !json.Valid(text) || !utf8.Valid(text) {
		return false, true
	}
	if bytes.Contains(text, []byte("\uFFFD")) || bytes.Contains(bytes.ToLower(text), []byte(`\ufffd`)) {
		return false, false
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	for depth := 0; ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return true, true
		}
		if err != nil {
			return false, true
		}
		switch token := token.(type) {
		case json.Delim:
			if token == '{' || token == '[' {
				depth++
			} else {
				depth--
			}
			if depth > protocol.MaxNesting {
				return false, true
			}
		case string:
			if strings.ContainsRune(token, utf8.RuneError) {
				return false, true
			}
		}
	}
}

func seed(f *testing.F) {
	for _, text := range []string{
		``, ` `, `{}`, `[1,-0.5e+3,true,false,null,"a"]`, `{"a":{"b":[]}}`, `"\ud83d\ude00"`, `"\ud800"`, "\"\xff\"", `01`, `1e`, `[1,]`, `{"a"}`,
		`{"command":"subscribe","identifier":"{\"channel\":\"ChatChannel\"}"}`, `{"command":"message","identifier":"i","data":"{}"}`,
		`{"\u0063ommand":"unsubscribe","Command":1,"identifier":"\u2028<"}`, `{"channel":"ChatChannel"}`,
		`{"type":"disconnect","reconnect":false}`, `{"type":"disconnect"}`, strings.Repeat("[", 101) + strings.Repeat("]", 101),
	} {
		f.Add([]byte(text))
	}
}

func FuzzCheckPayload(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		if want, known := readable(text); known {
			if err := protocol.CheckPayload(text); (err == nil) != want {
				t.Errorf("got %v, readable: %t", err, want)
			}
		}
	})
}

func FuzzParseCommand(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, frame []byte) {
		command, err := protocol.ParseCommand(frame)
		members := map[string]any{}
		readableJSON := protocol.CheckPayload(frame) == nil && json.Unmarshal(frame, &members) == nil
		name, _ := members["command"].(string)
		identifier, identified := members["identifier"].(string)
		data, hasData := members["data"].(string)
		known := name == "subscribe" || name == "unsubscribe" || name == "message"
		if want := readableJSON && known && identified && (hasData || name != "message"); want != (err == nil) {
			t.Fatalf("got %v, want a command: %t", err, want)
		}
		if err != nil {
			if len(err.Error()) > 400 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		if name != "message" {
			data = ""
		}
		if want := (protocol.Command{Name: protocol.CommandName(name), Identifier: protocol.Identifier(identifier), Data: data}); command != want {
			t.Errorf("got %+v, want %+v", command, want)
		}
	})
}

func FuzzEnvelope(f *testing.F) {
	f.Add(`{"channel":"ChatChannel"}`, []byte(`{"a":1}`))
	f.Add("<&>\u2028\u2029\x00\x1f\x7f\"\\/", []byte(`null`))
	f.Add("\xe2\x80", []byte(`1`))
	f.Fuzz(func(t *testing.T, id string, payload []byte) {
		if !utf8.ValidString(id) || protocol.CheckPayload(payload) != nil {
			t.Skip()
		}
		frame := protocol.NewEnvelope(protocol.Identifier(id)).Append([]byte("before"), payload)
		frame, ok := bytes.CutPrefix(frame, []byte("before"))
		if !ok {
			t.Fatal("what was there is gone")
		}
		var got struct {
			Identifier string
			Message    json.RawMessage
		}
		if err := json.Unmarshal(frame, &got); err != nil {
			t.Fatalf("%v: %s", err, frame)
		}
		if got.Identifier != id {
			t.Errorf("identifier: got %q, want %q", got.Identifier, id)
		}
		if want := bytes.Trim(payload, " \t\r\n"); !bytes.Equal(got.Message, want) {
			t.Errorf("message: got %s, want %s", got.Message, want)
		}
		// encoding/json writes an identifier as Rails does.
		encoded, _ := json.Marshal(id)
		if want := append([]byte(`{"identifier":`), encoded...); !bytes.HasPrefix(frame, want) {
			t.Errorf("got %s, want %s first", frame, want)
		}
	})
}

func FuzzIdentifier(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		got := protocol.Identifier(text).Channel()
		members := map[string]any{}
		want := ""
		if protocol.CheckPayload(text) == nil && json.Unmarshal(text, &members) == nil {
			want, _ = members["channel"].(string)
		}
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func FuzzParseRemote(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, payload []byte) {
		remote, ok := protocol.ParseRemote(payload)
		var value any
		if protocol.CheckPayload(payload) != nil || json.Unmarshal(payload, &value) != nil {
			if ok && json.Valid(payload) == false {
				t.Fatalf("got %+v of what is no JSON", remote)
			}
			return
		}
		members, isObject := value.(map[string]any)
		_, isString := value.(string)
		if want := isObject && members["type"] == "disconnect" || !isObject && !isString; ok != want {
			t.Fatalf("got %t, want %t", ok, want)
		}
		if remote.Failed != (ok && !isObject) {
			t.Errorf("failed: got %t", remote.Failed)
		}
		if !ok {
			return
		}
		var frame struct {
			Type      string
			Reason    *string
			Reconnect any
		}
		if err := json.Unmarshal(remote.Disconnect.Append(nil), &frame); err != nil || frame.Type != "disconnect" {
			t.Fatalf("%v: %s", err, remote.Disconnect.Append(nil))
		}
		if _, given := members["reconnect"]; !given && frame.Reconnect != true {
			t.Errorf("reconnect: got %v, want true", frame.Reconnect)
		}
	})
}
