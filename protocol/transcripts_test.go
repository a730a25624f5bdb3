package protocol_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cablestay/cablestay/protocol"
)

// transcript is what testdata/record.rb wrote: stock Action Cable's own words.
type transcript struct {
	Rails         string
	Welcome, Ping string
	Subscriptions []struct {
		Identifier                       protocol.Identifier
		Confirmation, Rejection, Message string
	}
	Messages    []struct{ Payload, Frame string }
	Disconnects []struct {
		Reason    *protocol.Reason
		Reconnect bool
		Frame     string
	}
	Commands []struct {
		Frame    string
		Executed *struct {
			Command          protocol.CommandName
			Identifier, Data any
		}
		Raised       *string
		Unrecognized bool
		Sent         int
	}
	Internal []struct {
		Payload string
		Frames  []string
		Closed  bool
	}
}

// eachTranscript runs a test on the transcript of every recorded version of Rails.
func eachTranscript(t *testing.T, test func(*testing.T, *transcript)) {
	t.Helper()
	paths, err := filepath.Glob("testdata/transcripts/rails-*.json")
	if err != nil || len(paths) < 2 {
		t.Fatalf("got %d transcripts, %v", len(paths), err)
	}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		recorded := new(transcript)
		if err := json.Unmarshal(raw, recorded); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		t.Run("Rails "+recorded.Rails, func(t *testing.T) { test(t, recorded) })
	}
}

func equal[T ~string | ~[]byte](t *testing.T, what string, got T, want string) {
	t.Helper()
	if string(got) != want {
		t.Errorf("%s:\n got %q\nwant %q", what, string(got), want)
	}
}

func TestTranscripts_FramesAreRailsOwnByteForByte(t *testing.T) {
	eachTranscript(t, func(t *testing.T, stock *transcript) {
		equal(t, "welcome", protocol.AppendWelcome(nil), stock.Welcome)
		equal(t, "ping", protocol.AppendPing(nil, 1_700_000_000), stock.Ping)
		for _, s := range stock.Subscriptions {
			equal(t, "confirmation", protocol.AppendConfirmation(nil, s.Identifier), s.Confirmation)
			equal(t, "rejection", protocol.AppendRejection(nil, s.Identifier), s.Rejection)
			equal(t, "message", protocol.NewEnvelope(s.Identifier).Append(nil, []byte(`{"a":1}`)), s.Message)
		}
		for _, d := range stock.Disconnects {
			ours := protocol.Disconnect{Reconnect: d.Reconnect}
			if d.Reason != nil {
				ours.Reason = *d.Reason
			}
			equal(t, "disconnect", ours.Append(nil), d.Frame)
		}
	})
}

func TestTranscripts_PayloadsAreSplicedAsRailsTransmitsThem(t *testing.T) {
	envelope := protocol.NewEnvelope(`{"channel":"ChatChannel"}`)
	eachTranscript(t, func(t *testing.T, stock *transcript) {
		for _, m := range stock.Messages {
			if err := protocol.CheckPayload([]byte(m.Payload)); err != nil {
				t.Errorf("%s: %v", m.Payload, err)
			}
			equal(t, "message", envelope.Append(nil, []byte(m.Payload)), m.Frame)
			if got, want := envelope.Size(len(m.Payload)), len(m.Frame); got != want {
				t.Errorf("size: got %d, want %d", got, want)
			}
		}
	})
}

// Whatever Rails executes is a command here, the same one, as long as its members are strings; Rails raises on the
// others a step later.
func TestTranscripts_CommandsAreWhatRailsTakesForOne(t *testing.T) {
	isString := func(value any) bool { _, ok := value.(string); return ok }
	eachTranscript(t, func(t *testing.T, stock *transcript) {
		for _, c := range stock.Commands {
			if c.Sent != 0 {
				t.Errorf("%s: Rails answered", c.Frame)
			}
			got, err := protocol.ParseCommand([]byte(c.Frame))
			want := c.Executed
			if want == nil || !isString(want.Identifier) || want.Command == protocol.Message && !isString(want.Data) {
				if err == nil {
					t.Errorf("%s: got %+v, want an error", c.Frame, got)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", c.Frame, err)
				continue
			}
			equal(t, c.Frame+": name", got.Name, string(want.Command))
			equal(t, c.Frame+": identifier", got.Identifier, want.Identifier.(string))
			if want.Command == protocol.Message {
				equal(t, c.Frame+": data", got.Data, want.Data.(string))
			}
		}
	})
}

func TestTranscripts_RemoteDisconnectsAreWhatRailsDoes(t *testing.T) {
	eachTranscript(t, func(t *testing.T, stock *transcript) {
		for _, m := range stock.Internal {
			remote, ok := protocol.ParseRemote([]byte(m.Payload))
			if ok != m.Closed {
				t.Errorf("%s: closes: got %t, want %t", m.Payload, ok, m.Closed)
				continue
			}
			if !ok || stock.Rails < "7.1" && !remote.Failed {
				continue // that Rails closes without a word
			}
			if got, want := string(remote.Disconnect.Append(nil)), m.Frames; !slices.Equal([]string{got}, want) {
				t.Errorf("%s: got %s, want %s", m.Payload, got, want)
			}
		}
	})
}
