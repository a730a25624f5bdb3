package rpctest

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/cablestay/cablestay/rpc"
)

// run answers the body of one request.
type run func(ctx context.Context, body []byte) (any, error)

func (app Rails) event(name string) run {
	switch name {
	case "hello":
		return running(app.Hello, func(*rpc.HelloRequest) *rpc.Hello { return Hello() })
	case "connect":
		return running(app.Connect, func(*rpc.ConnectRequest) *rpc.ConnectAnswer { return Welcome("") })
	case "subscribe":
		return running(app.Subscribe, Confirmed)
	case "unsubscribe":
		return running(app.Unsubscribe, func(*rpc.CommandRequest) *rpc.CommandAnswer { return &rpc.CommandAnswer{Effects: []rpc.Effect{}} })
	case "perform":
		return running(app.Perform, func(*rpc.CommandRequest) *rpc.CommandAnswer {
			return &rpc.CommandAnswer{Subscribed: true, Effects: []rpc.Effect{}}
		})
	case "timer":
		return running(app.Timer, func(*rpc.CommandRequest) *rpc.CommandAnswer {
			return &rpc.CommandAnswer{Subscribed: true, Effects: []rpc.Effect{}}
		})
	case "merge":
		return running(app.Merge, func(request *rpc.MergeRequest) *rpc.MergeAnswer {
			return &rpc.MergeAnswer{ConnectionState: request.Changed}
		})
	case "link":
		return func(ctx context.Context, _ []byte) (any, error) {
			worker := workerOf(ctx)
			if worker == nil {
				return map[string]any{"worker": "alone", "linked": false}, nil
			}
			return map[string]any{"worker": worker.ID, "linked": true}, nil
		}
	case "disconnect":
		return running(func(ctx context.Context, request *rpc.DisconnectRequest) (*struct{}, error) {
			if app.Disconnect == nil {
				return new(struct{}), nil
			}
			return new(struct{}), app.Disconnect(ctx, request)
		}, nil)
	}
	return nil
}

func running[Request, Answer any](own func(context.Context, *Request) (*Answer, error), usual func(*Request) *Answer) run {
	return func(ctx context.Context, body []byte) (any, error) {
		request := new(Request)
		if err := json.Unmarshal(body, request); err != nil {
			return nil, failure(http.StatusBadRequest, err.Error())
		}
		var answer any
		if own == nil {
			answer = usual(request)
		} else {
			given, err := own(ctx, request)
			if err != nil {
				return nil, err
			}
			answer = given
		}
		if connect, ok := answer.(*rpc.ConnectAnswer); ok && connect.HTTP == nil {
			return openSocket{ConnectAnswer: connect, Accepted: connect.Accepted}, nil
		}
		return answer, nil
	}
}

// openSocket says accepted even where it is false, as the contract wants.
type openSocket struct {
	*rpc.ConnectAnswer
	Accepted bool `json:"accepted"`
}

// Hello is what an app in production with Redis next door says of itself.
func Hello() *rpc.Hello {
	prefix := "app_production"
	return &rpc.Hello{
		Gem: "0.1.0", Rails: "7.2.2", Ruby: "3.3.8", Environment: "production",
		Adapter: "redis", Redis: map[string]any{"url": "redis://127.0.0.1:6379/1"}, ChannelPrefix: &prefix,
		Mounts:      []rpc.Mount{{Path: "/cable", Anchored: true}},
		Concurrency: 5, Workers: 1, RemoteDisconnect: rpc.RemoteDisconnectTransmits,
	}
}

// Welcome opens a connection with this connection identifier, which may be "".
func Welcome(connectionIdentifier string) *rpc.ConnectAnswer {
	state := "connection state"
	return &rpc.ConnectAnswer{
		Accepted: true, ConnectionIdentifier: connectionIdentifier, ConnectionState: &state,
		Effects: []rpc.Effect{{Effect: rpc.EffectTransmit, Frame: `{"type":"welcome"}`}},
	}
}

// Confirmed confirms a subscription that follows no streams.
func Confirmed(request *rpc.CommandRequest) *rpc.CommandAnswer {
	identifier, _ := json.Marshal(request.Identifier)
	state := "state of " + request.Identifier
	return &rpc.CommandAnswer{
		Subscribed: true, State: &state,
		Effects: []rpc.Effect{{
			Effect: rpc.EffectConfirm,
			Frame:  `{"identifier":` + string(identifier) + `,"type":"confirm_subscription"}`,
		}},
	}
}
