package rpc_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/cablestay/cablestay/rpc"
	"github.com/cablestay/cablestay/rpc/rpctest"
)

// call makes the client send a fixture's request, and returns the client's version of the answer.
func call[Request, Answer any](send func(context.Context, *Request) (*Answer, error)) func(context.Context, []byte) (any, error) {
	return func(ctx context.Context, raw []byte) (any, error) {
		request := new(Request)
		if err := json.Unmarshal(raw, request); err != nil {
			return nil, err
		}
		return send(ctx, request)
	}
}

// The fixtures are what the gem's tests read, too: what goes out must say what they say, and what comes back must
// lose nothing.
func TestFixtures_BothEndsSayTheSame(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.json")
	if err != nil || len(paths) < 10 {
		t.Fatalf("got %d fixtures, %v", len(paths), err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		if name == "proof" {
			continue // proof_test.go
		}
		t.Run(name, func(t *testing.T) {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var fixture struct{ Request, Answer json.RawMessage }
			if err := json.Unmarshal(raw, &fixture); err != nil {
				t.Fatal(err)
			}
			var sent []byte
			rails := rpctest.NewServer(t, func(w http.ResponseWriter, r *http.Request) {
				sent, _ = io.ReadAll(r.Body)
				_, _ = w.Write(fixture.Answer)
			})
			client := newClient(t, rails.URL(), nil)
			event, _, _ := strings.Cut(name, "_")
			exchange, ok := map[string]func(context.Context, []byte) (any, error){
				"hello":       func(ctx context.Context, _ []byte) (any, error) { return client.Hello(ctx) },
				"connect":     call(client.Connect),
				"subscribe":   call(client.Subscribe),
				"unsubscribe": call(client.Unsubscribe),
				"perform":     call(client.Perform),
				"timer":       call(client.Timer),
				"merge":       call(client.Merge),
				"link":        func(ctx context.Context, _ []byte) (any, error) { return client.AskForLink(ctx) },
				"disconnect": call(func(ctx context.Context, request *rpc.DisconnectRequest) (*struct{}, error) {
					return new(struct{}), client.Disconnect(ctx, request)
				}),
			}[event]
			if !ok {
				t.Fatalf("no event %q", event)
			}
			answer, err := exchange(t.Context(), fixture.Request)
			if err != nil {
				t.Fatal(err)
			}

			got, want := members(t, sent), members(t, fixture.Request)
			own := []string{"bridge"} // the client's
			switch event {
			case "hello":
				own = []string{"id"}
			case "link":
				own = append(own, "id")
			}
			for _, name := range own {
				if got[name] == nil || got[name] == "" {
					t.Errorf("request: its %s is missing", name)
				}
				delete(got, name)
				delete(want, name)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("request:\n got %v\nwant %v", got, want)
			}
			encoded, err := json.Marshal(answer)
			if err != nil {
				t.Fatal(err)
			}
			got, want = members(t, encoded), members(t, fixture.Answer)
			delete(want, "contract")
			leaveOutZeros(want)
			leaveOutZeros(got)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("answer:\n got %v\nwant %v", got, want)
			}
		})
	}
}

func members(t *testing.T, text []byte) map[string]any {
	t.Helper()
	object := map[string]any{}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&object); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return object
}

// leaveOutZeros drops what Go's zero values stand for: false, "", and no effects.
func leaveOutZeros(object map[string]any) {
	for key, value := range object {
		effects, ok := value.([]any)
		if value == false || value == "" || ok && len(effects) == 0 {
			delete(object, key)
		}
	}
}
