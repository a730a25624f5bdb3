//go:build linux

package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/cablestay/cablestay/rpc"
)

// standIn answers a bridge as an app would whose channels stream from params[:stream] and whose actions transmit their data
// back, along a link as the gem does. It has no disconnect and no unsubscribed and logs nothing at info, as the app in app/: so it says
// of all ends that they run nothing. It checks no proof: what is measured is the bridge.
func standIn(args []string) error {
	var r stand
	fs := flag.NewFlagSet("cablebench rails", flag.ContinueOnError)
	listen := fs.String("listen", "127.0.0.1:3000", "address; loopback ones only")
	fs.StringVar(&r.redis, "redis", "redis://127.0.0.1:6379", "the Redis of its cable.yml")
	fs.IntVar(&r.concurrency, "threads", 16, "how many events it says that it runs at a time")
	state := fs.Int("state", 0, "bytes of state of each connection and of each subscription")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if err := loopbackOnly(*listen); err != nil {
		return err
	}
	r.state = strings.Repeat("s", *state)
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "cablebench: standing in for Rails on", listener.Addr())
	server := &http.Server{Handler: &r, ReadHeaderTimeout: time.Minute}
	return server.Serve(listener)
}

// stand is the app that is not there.
type stand struct {
	redis       string
	concurrency int
	state       string

	mu     sync.Mutex // guards the following
	linked map[string]bool
}

// ServeHTTP answers one event.
func (r *stand) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var event standInEvent
	if err := json.Unmarshal(body, &event); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer := r.answer(strings.TrimPrefix(request.URL.Path, "/_cablestay/"), event.Identifier, event.Data)
	if answer == nil {
		http.NotFound(w, request)
		return
	}
	if request.Header.Get("Upgrade") == standInLink && r.link(w, event.Bridge, answer) {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(answer) // the bridge may have gone
}

// standInEvent is what the stand-in looks at.
type standInEvent struct{ ID, Bridge, Identifier, Data string }

// answer is nil where there is no such event. The contract comes before all else, as in the gem's answers.
func (r *stand) answer(event, identifier, data string) json.RawMessage {
	members := r.members(event, identifier, data)
	if members == nil {
		return nil
	}
	text, _ := json.Marshal(members) // what is in them can always be
	answer := fmt.Appendf(nil, `{"contract":%d`, rpc.Contract)
	if len(members) > 0 {
		answer = append(answer, ',')
	}
	return append(answer, text[1:]...)
}

func (r *stand) members(event, identifier, data string) map[string]any {
	switch event {
	case "hello":
		return map[string]any{
			"gem": "none", "rails": "none", "ruby": "none", "environment": "production",
			"adapter": "redis", "redis": map[string]any{"url": r.redis}, "channel_prefix": nil,
			"mounts": []rpc.Mount{{Path: "/cable", Anchored: true}}, "concurrency": r.concurrency, "workers": 1,
			"remote_disconnect": rpc.RemoteDisconnectTransmits,
		}
	case "link":
		return map[string]any{"worker": standInWorker, "linked": true}
	case "connect":
		return map[string]any{
			"accepted": true, "connection_state": r.state, "connection_end": rpc.EndNothing,
			"effects": []rpc.Effect{transmit(`{"type":"welcome"}`)},
		}
	case "subscribe":
		var params struct{ Stream string }
		_ = json.Unmarshal([]byte(identifier), &params)
		answer := subscribed(
			rpc.Effect{Effect: rpc.EffectStream, Broadcasting: params.Stream},
			rpc.Effect{Effect: rpc.EffectConfirm, Frame: `{"identifier":` + jsonString(identifier) + `,"type":"confirm_subscription"}`},
		)
		answer["state"] = r.state
		return answer
	case "perform":
		return subscribed(transmit(`{"identifier":` + jsonString(identifier) + `,"message":` + data + `}`))
	case "timer":
		return subscribed()
	case "unsubscribe":
		return map[string]any{"subscribed": false, "connection_end": rpc.EndNothing, "effects": []rpc.Effect{}}
	case "merge":
		return map[string]any{"connection_state": r.state}
	case "disconnect":
		return map[string]any{}
	}
	return nil
}

func subscribed(effects ...rpc.Effect) map[string]any {
	return map[string]any{"subscribed": true, "connection_end": rpc.EndNothing, "end": rpc.EndNothing, "effects": append([]rpc.Effect{}, effects...)}
}

func transmit(frame string) rpc.Effect { return rpc.Effect{Effect: rpc.EffectTransmit, Frame: frame} }
