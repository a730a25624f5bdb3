package rpc

import (
	"context"
	"crypto/rand"
	"time"
)

// event is one kind of call.
type event struct {
	name     string // the last part of the path
	lane     lane
	policy   policy
	cleanUp  bool // nobody waits for it, and it must run
	linkable bool // a link with any worker carries it as well as a request does
}

// The events of contract version 1, each with its policy; retry.go says why.
var (
	hello       = event{name: "hello", lane: laneCommands, policy: retryAlways}
	connect     = event{name: "connect", lane: laneConnects, policy: retryNotRun, linkable: true}
	subscribe   = event{name: "subscribe", lane: laneCommands, policy: retryNotRun, linkable: true}
	unsubscribe = event{name: "unsubscribe", lane: laneCommands, policy: retryAlways, cleanUp: true, linkable: true}
	perform     = event{name: "perform", lane: laneCommands, policy: retryNotRun, linkable: true}
	timer       = event{name: "timer", lane: laneCommands, policy: retryNotRun, linkable: true}
	merge       = event{name: "merge", lane: laneNone, policy: retryAlways}
	linking     = event{name: "link", lane: laneCommands, policy: retryAlways}
	disconnect  = event{name: "disconnect", lane: laneDisconnects, policy: retryAlways, cleanUp: true, linkable: true}
)

var events = []event{hello, connect, subscribe, unsubscribe, perform, timer, merge, linking, disconnect}

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
	c.links.setWorkers(answer.Workers)
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

// Timer runs the callback of one of a subscription's timers, once.
func (c *Client) Timer(ctx context.Context, request *CommandRequest) (*CommandAnswer, error) {
	return c.command(ctx, timer, request)
}

// Merge makes one state of the two that events which ran at a time have made of a connection's.
func (c *Client) Merge(ctx context.Context, request *MergeRequest) (*MergeAnswer, error) {
	answer := new(mergeAnswer)
	if err := c.do(ctx, merge, request.ID, request, answer); err != nil {
		return nil, err
	}
	return &answer.MergeAnswer, nil
}

func (c *Client) command(ctx context.Context, e event, request *CommandRequest) (*CommandAnswer, error) {
	answer := new(commandAnswer)
	if request.Hold == nil {
		if err := c.do(ctx, e, request.ID, request, answer); err != nil {
			return nil, err
		}
		return &answer.CommandAnswer, nil
	}
	held := *request
	held.Handshake = "" // it knows that
	applied, err := c.along(ctx, e, request.ID, request.Hold, &held, answer)
	if err != nil {
		return nil, err
	}
	answer.applied = applied
	return &answer.CommandAnswer, nil
}

// Disconnect runs every unsubscribed of a connection that is gone, and then its disconnect.
func (c *Client) Disconnect(ctx context.Context, request *DisconnectRequest) error {
	if request.Hold == nil {
		return c.do(ctx, disconnect, request.ID, request, new(disconnectAnswer))
	}
	gone := *request
	gone.Handshake = "" // it knows that
	applied, err := c.along(ctx, disconnect, gone.ID, gone.Hold, &gone, new(disconnectAnswer))
	if err == nil {
		applied() // there is nothing to apply
	}
	return err
}
