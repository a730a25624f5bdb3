//go:build linux

package main

import (
	"net"
	"testing"
)

func TestGoLoop_IsEnoughForAnAvalancheOfHandshakes(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- acceptAll(listener) }()
	f := &fake{ln: listener, pub: listener} // nothing is published

	r := drive(t, f, "avalanche", "-subs", "0", "-n", "20", "-rounds", "2")
	want(t, r, "n", 20)
	want(t, r, "failed_attempts", 0)
	if all, _ := r["all_confirmed_s"].(float64); all <= 0 {
		t.Errorf("all were back after %v s", r["all_confirmed_s"])
	}
	_ = listener.Close()
	if err := <-ended; err == nil {
		t.Error("the loop ended without a reason")
	}
}
