//go:build linux

package main

import (
	"net/http/httptest"
	"testing"

	"github.com/cablestay/cablestay/rpc"
)

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
	if err != nil || !opened.Accepted || *opened.ConnectionState != "ss" {
		t.Errorf("connect: %+v, %v", opened, err)
	}
	command := &rpc.CommandRequest{Event: event, Identifier: `{"channel":"BenchChannel","stream":"s"}`, Data: `{"action":"echo"}`}
	subscribed, err := client.Subscribe(t.Context(), command)
	if err != nil || len(subscribed.Effects) != 2 || subscribed.Effects[0].Broadcasting != "s" {
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
