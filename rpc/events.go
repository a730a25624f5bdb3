package rpc

import (
	"context"
	"crypto/rand"
	"time"
)

// event is one kind of call.
type event struct {
	name    string // the last part of the path
	lane    lane
	policy  policy
	cleanUp bool // nobody waits for it, and it must run
}

// The events of contract version 1, each with its policy; retry.go says why.
var (
	hello       = event{"hello", laneCommands, retryAlways, false}
	connect     = event{"connect", laneConnects, retryNotRun, false}
	subscribe   = event{"subscribe", laneCommands, retryNotRun, false}
	unsubscribe = event{"unsubscribe", laneCommands, retryAlways, true}
	perform     = event{"perform", laneCommands, retryNotRun, false}
	disconnect  = event{"disconnect", laneDisconnects, retryAlways, true}
)

// wait is how long the event may queue for a place, in each try.
func (e event) wait(o *Options) time.Duration {
	if e.cleanUp {
		return o.CleanUpWait
	}
	return o.Wait
}

// deadline is when its last try must have begun.
func (e event) deadline(o *Options, started, firstTried time.Time) time.Time {
	if e.cleanUp {
		return firstTried.Add(o.CleanUpBudget)
	}
	return started.Add(o.Budget)
}

// Hello asks Rails what the bridge would otherwise have to be told. The answer may hold the password of Redis.
func (c *Client) Hello(ctx context.Context) (*Hello, error) {
	request := &HelloRequest{ID: "hello-" + rand.Text()}
	answer := new(helloAnswer)
	if err := c.do(ctx, hello, request.ID, request, answer); err != nil {
		return nil, err
	}
	return &answer.Hello, nil
}

// Connect sends a handshake through the app's middleware and, if that lets it, to the connection's connect.
func (c *Client) Connect(ctx context.Context, request *ConnectRequest) (*ConnectAnswer, error) {
	answer := new(connectAnswer)
	if err := c.do(ctx, connect, request.ID, request, answer); err != nil {
		return nil, err
	}
	return &answer.ConnectAnswer, nil
}

// Subscribe runs subscribed of the channel that the request's identifier names.
func (c *Client) Subscribe(ctx context.Context, request *CommandRequest) (*CommandAnswer, error) {
	return c.command(ctx, subscribe, request)
}

// Unsubscribe runs unsubscribed of a subscription.
func (c *Client) Unsubscribe(ctx context.Context, request *CommandRequest) (*CommandAnswer, error) {
	return c.command(ctx, unsubscribe, request)
}

// Perform runs an action of a subscription.
func (c *Client) Perform(ctx context.Context, request *CommandRequest) (*CommandAnswer, error) {
	return c.command(ctx, perform, request)
}

func (c *Client) command(ctx context.Context, e event, request *CommandRequest) (*CommandAnswer, error) {
	answer := new(commandAnswer)
	if err := c.do(ctx, e, request.ID, request, answer); err != nil {
		return nil, err
	}
	return &answer.CommandAnswer, nil
}

// Disconnect runs every unsubscribed of a connection that is gone, and then its disconnect.
func (c *Client) Disconnect(ctx context.Context, request *DisconnectRequest) error {
	if request.Subscriptions == nil {
		none := *request
		none.Subscriptions = []SubscriptionState{} // a list, not null
		request = &none
	}
	return c.do(ctx, disconnect, request.ID, request, new(disconnectAnswer))
}
