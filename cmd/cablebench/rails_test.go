//go:build linux

package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/cablestay/cablestay/rpc"
)

// linkReceiver awaits a link of a stand-in, which says nothing of its own accord.
type linkReceiver struct{ rpc.LinkReceiver }

func (linkReceiver) LinkEnded(string) {}

func TestStandIn_KeepsTheContractAlongALink(t *testing.T) {
	requests := make(chan string, 16)
	app := &stand{redis: "redis://127.0.0.1:6379", concurrency: 2, state: "ss"}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		app.ServeHTTP(w, r)
		requests <- r.URL.Path
	}))
	t.Cleanup(server.Close)
	client, err := rpc.NewClient(rpc.Options{RailsURL: server.URL, Secret: "any will do, it is not checked"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	client.Link(linkReceiver{})

	event := rpc.Event{ID: "1", Connection: "c", Handshake: new(rpc.Handshake).Encode()}
	opened, err := client.Connect(t.Context(), &rpc.ConnectRequest{Event: event}) // makes the link
	if err != nil || !opened.Accepted || *opened.ConnectionState != "ss" {
		t.Errorf("connect: %+v, %v", opened, err)
	}
	<-requests
	command := &rpc.CommandRequest{Event: event, Identifier: `{"channel":"BenchChannel","stream":"s"}`}
	subscribed, err := client.Subscribe(t.Context(), command)
	if err != nil || len(subscribed.Effects) != 2 || subscribed.Effects[0].Broadcasting != "s" {
		t.Errorf("subscribe: %+v, %v", subscribed, err)
	}
	if _, err := client.Connect(t.Context(), &rpc.ConnectRequest{Event: event}); err != nil {
		t.Errorf("connect: %v", err)
	}
	if len(requests) > 0 {
		t.Errorf("%s came as a request", <-requests)
	}
}

func TestStandIn_KeepsTheContract(t *testing.T) {
	server := httptest.NewServer(&stand{redis: "redis://127.0.0.1:6379", concurrency: 2, state: "ss"})
	t.Cleanup(server.Close)
	client, err := rpc.NewClient(rpc.Options{RailsURL: server.URL, Secret: "any will do, it is not checked"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)

	hello, err := client.Hello(t.Context())
	if err != nil || hello.Redis["url"] != "redis://127.0.0.1:6379" || hello.Concurrency != 2 {
		t.Errorf("hello: %+v, %v", hello, err)
	}
	event := rpc.Event{ID: "1", Connection: "c", Handshake: new(rpc.Handshake).Encode()}
	opened, err := client.Connect(t.Context(), &rpc.ConnectRequest{Event: event})
	if err != nil || !opened.Accepted || *opened.ConnectionState != "ss" || opened.ConnectionEnd != rpc.EndNothing {
		t.Errorf("connect: %+v, %v", opened, err)
	}
	command := &rpc.CommandRequest{Event: event, Identifier: `{"channel":"BenchChannel","stream":"s"}`, Data: `{"action":"echo"}`}
	subscribed, err := client.Subscribe(t.Context(), command)
	if err != nil || len(subscribed.Effects) != 2 || subscribed.Effects[0].Broadcasting != "s" ||
		subscribed.ConnectionEnd != rpc.EndNothing || subscribed.End != rpc.EndNothing {
		t.Errorf("subscribe: %+v, %v", subscribed, err)
	}
	performed, err := client.Perform(t.Context(), command)
	if err != nil || len(performed.Effects) != 1 ||
		performed.Effects[0].Frame != `{"identifier":"{\"channel\":\"BenchChannel\",\"stream\":\"s\"}","message":{"action":"echo"}}` {
		t.Errorf("perform: %+v, %v", performed, err)
	}
	if left, err := client.Unsubscribe(t.Context(), command); err != nil || left.Subscribed {
		t.Errorf("unsubscribe: %+v, %v", left, err)
	}
	if err := client.Disconnect(t.Context(), &rpc.DisconnectRequest{Event: event}); err != nil {
		t.Errorf("disconnect: %v", err)
	}
}
