package protocol_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cablestay/cablestay/protocol"
)

func TestParseCommand_ErrorsNameWhatIsWrongAndWhere(t *testing.T) {
	for frame, want := range map[string]string{
		``:                                     "malformed command: the frame is not JSON: the JSON ends too early at byte 0",
		`{"command":`:                          "malformed command: the frame is not JSON: the JSON ends too early at byte 11",
		`{"command" 5}`:                        "malformed command: the frame is not JSON: a member of an object has no colon at byte 11",
		`{"a":"\ud800"}`:                       "malformed command: the frame is not JSON: half of a surrogate pair is alone in a string at byte 6",
		"{\"a\":\"\xff\"}":                     "malformed command: the frame is not JSON: the text is not UTF-8 at byte 6",
		"{\"a\":\"\t\"}":                       "malformed command: the frame is not JSON: a control character in a string is not escaped at byte 6",
		`{"a":"\x"}`:                           "malformed command: the frame is not JSON: an escape in a string is malformed at byte 7",
		`{"a":01}`:                             "malformed command: the frame is not JSON: there is neither a comma nor the end of the array or object at byte 6",
		`{"a":-}`:                              "malformed command: the frame is not JSON: a number is malformed at byte 6",
		`{} {}`:                                "malformed command: the frame is not JSON: something follows the JSON value at byte 3",
		`{a:1}`:                                "malformed command: the frame is not JSON: a member of an object does not begin with a string at byte 1",
		`nonsense`:                             "malformed command: the frame is not JSON: there is no JSON value at byte 1",
		`[5]`:                                  "malformed command: the frame is an array, not an object",
		`"subscribe"`:                          "malformed command: the frame is a string, not an object",
		`{}`:                                   "malformed command: member command is missing",
		`{"command":null}`:                     "malformed command: member command is null, not a string",
		`{"command":"shout","identifier":"i"}`: `malformed command: member command is not known: "shout"`,
		`{"command":"subscribe"}`:              "malformed command: member identifier is missing",
		`{"command":"subscribe","identifier":{}}`:          "malformed command: member identifier is an object, not a string",
		`{"command":"message","identifier":"i"}`:           "malformed command: member data is missing",
		`{"command":"message","identifier":"i","data":1}`:  "malformed command: member data is a number, not a string",
		`{"command":"message","identifier":"i","data":[]}`: "malformed command: member data is an array, not a string",
	} {
		_, err := protocol.ParseCommand([]byte(frame))
		var problem *protocol.CommandError
		if !errors.As(err, &problem) {
			t.Errorf("%s: got %v, want a CommandError", frame, err)
		} else if got := err.Error(); got != want {
			t.Errorf("%s:\n got %s\nwant %s", frame, got, want)
		}
	}
}

func TestParseCommand_ErrorsDoNotRepeatTheClientsData(t *testing.T) {
	long := strings.Repeat("ż\n", 1000)
	_, err := protocol.ParseCommand([]byte(`{"command":"` + strings.ReplaceAll(long, "\n", `\n`) + `","identifier":"i"}`))
	if err == nil {
		t.Fatal("got no error")
	}
	if got := err.Error(); len(got) > 150 || strings.Contains(got, "\n") {
		t.Errorf("got %q", got)
	}
}

func TestParseCommand_DataOfOtherCommandsIsIgnored(t *testing.T) {
	got, err := protocol.ParseCommand([]byte(`{"command":"subscribe","identifier":"i","data":5}`))
	if want := (protocol.Command{Name: protocol.Subscribe, Identifier: "i"}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

func TestIdentifier_ChannelIsTheClassNameOrNothing(t *testing.T) {
	for id, want := range map[protocol.Identifier]string{
		`{"channel":"ChatChannel"}`:                                    "ChatChannel",
		`{"room":1,"channel":"Chat::Channel","x":{"channel":"Other"}}`: "Chat::Channel",
		`{"channel":"A","channel":"B"}`:                                "B",
		`{"\u0063hannel":"\u0041"}`:                                    "A",
		`{"Channel":"A"}`:                                              "",
		`{"channel":5}`:                                                "",
		`{"channel":"A"`:                                               "",
		`{"channel":"A"}x`:                                             "",
		`"A"`:                                                          "",
		``:                                                             "",
		"{\"channel\":\"\xff\"}":                                       "",
	} {
		if got := id.Channel(); got != want {
			t.Errorf("%s: got %q, want %q", id, got, want)
		}
	}
}

func TestChooseSubprotocol_TakesTheClientsFirstThatIsKnown(t *testing.T) {
	for _, test := range []struct{ offered, want string }{
		{"actioncable-v1-json, actioncable-unsupported", protocol.Subprotocol},
		{"actioncable-unsupported, actioncable-v1-json", protocol.Unsupported},
		{"jwt.abc, actioncable-v1-json", protocol.Subprotocol},
		{"Actioncable-V1-Json", ""},
		{"foo", ""},
		{"", ""},
	} {
		got, ok := protocol.ChooseSubprotocol(strings.Split(test.offered, ", "))
		if got != test.want || ok != (test.want != "") {
			t.Errorf("%q: got %q, %t, want %q", test.offered, got, ok, test.want)
		}
	}
}

func TestParseRemote_GivesTheClientsViewOfReconnect(t *testing.T) {
	for payload, want := range map[string]bool{
		`{"type":"disconnect"}`:                    true,
		`{"type":"disconnect","reconnect":false}`:  false,
		`{"type":"disconnect","reconnect":null}`:   false,
		`{"type":"disconnect","reconnect":0}`:      false,
		`{"type":"disconnect","reconnect":"soon"}`: true,
		`[]`: true,
	} {
		remote, ok := protocol.ParseRemote([]byte(payload))
		if got := remote.Disconnect.Reconnect; !ok || got != want {
			t.Errorf("%s: got %t, %t, want %t", payload, got, ok, want)
		}
	}
}
