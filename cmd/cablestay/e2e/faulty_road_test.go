//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gobwas/ws"
)

// fault is what goes wrong with an event on the road to Rails.
type fault string

const (
	garbage   fault = "Garbage"        // a page of HTML, as a proxy in between would send it
	cutShort  fault = "JSONCutShort"   // half of an answer
	wrongType fault = "WrongTypes"     // JSON, but not in the contract's shape
	broken    fault = "Status500"      // Rails fails
	hungUp    fault = "HungUp"         // the connection ends before any answer
	lost      fault = "AnswerIsLost"   // Rails has run the event, and the connection ends before the answer
	mismatch  fault = "OtherContract"  // 409
	refused   fault = "ProofIsRefused" // 401
	silent    fault = "NeverAnswered"  // until the bridge gives up, after 30 s
)

var faults = []fault{garbage, cutShort, wrongType, broken, hungUp, lost, mismatch, refused}

// faultyRoad passes events to the real Rails, except those for which a fault was set.
type faultyRoad struct {
	rails *rails

	mutex  sync.Mutex // guards the following
	faults map[string]fault
	once   map[string]bool // the fault is over after its first time
	events []string        // that went down this road
	done   []string        // that came back with Rails' own answer
	hello  func(answer map[string]any)
}

// build returns the URL at which the road begins.
func (f *faultyRoad) build(t *testing.T, rails *rails) string {
	t.Helper()
	f.rails, f.faults, f.once = rails, map[string]fault{}, map[string]bool{}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return server.URL
}

// set makes an event go wrong from now on, or only the next time; "" mends it.
func (f *faultyRoad) set(event string, fault fault, once bool) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.faults[event], f.once[event] = fault, once
}

// rewriteHello changes what Rails answers to hello.
func (f *faultyRoad) rewriteHello(change func(answer map[string]any)) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.hello = change
}

// travelled counts an event's tries.
func (f *faultyRoad) travelled(event string) int {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return count(f.events, event)
}

// answered counts how often Rails' own answer to an event came back.
func (f *faultyRoad) answered(event string) int {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return count(f.done, event)
}

func count(events []string, event string) int {
	count := 0
	for _, e := range events {
		if e == event {
			count++
		}
	}
	return count
}

func (f *faultyRoad) take(event string) (fault, func(map[string]any)) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.events = append(f.events, event)
	fault := f.faults[event]
	if f.once[event] {
		delete(f.faults, event)
	}
	return fault, f.hello
}

// ServeHTTP is one event on its way.
func (f *faultyRoad) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	event := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	fault, hello := f.take(event)
	switch fault {
	case garbage:
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<html><body>We'll be right back!</body></html>")
	case cutShort:
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"contract":1,"effects":[{"effect":"tra`)
	case wrongType:
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"contract":"one","accepted":"yes","subscribed":{},"effects":7}`)
	case broken:
		http.Error(w, "We're sorry, but something went wrong.", http.StatusInternalServerError)
	case mismatch:
		w.WriteHeader(http.StatusConflict)
		_, _ = io.WriteString(w, `{"contract":2,"error":"this app speaks contract 2"}`)
	case refused:
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"contract":1,"error":"the proof is wrong"}`)
	case silent:
		_, _ = io.Copy(io.Discard, r.Body) // until then net/http does not look whether the client has left
		<-r.Context().Done()
	case hungUp:
		panic(http.ErrAbortHandler)
	case lost:
		_, _ = f.pass(r)
		panic(http.ErrAbortHandler)
	default:
		answer, err := f.pass(r)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		if event == "hello" && hello != nil {
			answer.body = edit(answer.body, hello)
		}
		w.Header().Set("Content-Type", answer.header.Get("Content-Type"))
		w.WriteHeader(answer.status)
		_, _ = io.WriteString(w, answer.body)
		f.mutex.Lock()
		f.done = append(f.done, event)
		f.mutex.Unlock()
	}
}

// pass takes the event to Rails.
func (f *faultyRoad) pass(r *http.Request) (answer, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return answer{}, err
	}
	request, err := http.NewRequestWithContext(r.Context(), r.Method, "http://rails.test"+r.URL.Path, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	request.Header = r.Header.Clone()
	request.Header.Del("Upgrade") // of this connection only (RFC 9110, 7.8): no links on this road
	request.Header.Del("Connection")
	response, err := f.rails.http.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	return answer{status: response.StatusCode, header: response.Header, body: string(text)}, err
}

func edit(body string, change func(map[string]any)) string {
	var answer map[string]any
	if json.Unmarshal([]byte(body), &answer) != nil {
		return body
	}
	change(answer)
	return encode(answer)
}

const roadReason = "nothing lies between its sockets and its channels"

// eachFault runs a scenario through one bridge, with each fault in turn.
func eachFault(t *testing.T, scenario func(t *testing.T, server *server, road *faultyRoad, fault fault)) {
	onlyBridged(t, roadReason, func(t *testing.T) {
		road := &faultyRoad{}
		server := newServer(t, t, bridged, setup{road: road})
		for _, fault := range faults {
			t.Run(string(fault), func(t *testing.T) { scenario(t, server, road, fault) })
		}
	})
}

func TestFaultyRoad_HandshakeGetsA503AndTheNextOneSucceeds(t *testing.T) {
	eachFault(t, func(t *testing.T, server *server, road *faultyRoad, fault fault) {
		marks := server.marks()
		road.set("connect", fault, false)
		server.get(t, "/cable", server.upgrade()).expectUnavailable(t)
		server.awaitComplaint(t, marks)
		road.set("connect", "", false)
		server.connect(t, handshake{}).expectNothing()
	})
}

func TestFaultyRoad_SubscribeThatGotNoAnswerSendsTheClientToReconnect(t *testing.T) {
	eachFault(t, func(t *testing.T, server *server, road *faultyRoad, fault fault) {
		c := server.connect(t, handshake{})
		marks := server.marks()
		road.set("subscribe", fault, false)
		c.subscribe(identify("EchoChannel"))
		var goodbye struct {
			Type      string
			Reconnect bool
		}
		frame := c.next()
		if err := json.Unmarshal([]byte(frame), &goodbye); err != nil || goodbye.Type != "disconnect" || !goodbye.Reconnect {
			t.Errorf("got %s, want a disconnect that lets the client reconnect", frame)
		}
		c.expectClose(ws.StatusNormalClosure)
		server.awaitComplaint(t, marks)
		road.set("subscribe", "", false)
		server.rails.awaitEvent(t, c.device, "disconnect")
		server.connect(t, handshake{}).join(identify("EchoChannel"))
	})
}

func TestFaultyRoad_PerformThatGotNoAnswerIsNeverRepeatedAndTheSubscriptionStays(t *testing.T) {
	eachFault(t, func(t *testing.T, server *server, road *faultyRoad, fault fault) {
		c := server.connect(t, handshake{})
		echo := identify("EchoChannel")
		c.join(echo)
		marks, tried := server.marks(), road.travelled("perform")
		road.set("perform", fault, false)
		c.perform(echo, "count", "name", "x")
		server.awaitComplaint(t, marks)
		road.set("perform", "", false)
		c.expectNothing()
		c.perform(echo, "echo", "text", "it works again")
		c.expect(message(echo, `{"text":"it works again","action":"echo"}`))
		if got := road.travelled("perform") - tried; got != 3 { // this one, that of expectNothing, and the echo
			t.Errorf("performs on the road: got %d, want 3", got)
		}
		want := 0
		if fault == lost {
			want = 1
		}
		expectTimes(t, server, c.device, echo, "performed", want)
	})
}

func TestFaultyRoad_UnsubscribeAndDisconnectAreRepeatedAndRunOnce(t *testing.T) {
	onlyBridged(t, roadReason, func(t *testing.T) {
		road := &faultyRoad{}
		server := newServer(t, t, bridged, setup{road: road})
		for _, fault := range []fault{garbage, cutShort, broken, hungUp, lost} {
			t.Run(string(fault), func(t *testing.T) {
				c := server.connect(t, handshake{})
				one, other := identify("EchoChannel", "n", 1), identify("EchoChannel", "n", 2)
				c.join(one)
				c.join(other)
				answered := road.answered("unsubscribe")
				road.set("unsubscribe", fault, true)
				c.unsubscribe(one)
				await(t, "the answer to the second try", func() bool { return road.answered("unsubscribe") > answered })
				c.join(one) // after the unsubscribe, in the same line
				answered = road.answered("disconnect")
				road.set("disconnect", fault, true)
				c.leave()
				await(t, "the answer to the second try", func() bool { return road.answered("disconnect") > answered })
				want := []string{"connect", "subscribed", "subscribed", "unsubscribed", "subscribed", "unsubscribed", "unsubscribed", "disconnect"}
				if got := server.rails.happened(t, c.device); !slices.Equal(got, want) {
					t.Errorf("callbacks:\n got %q\nwant %q", got, want)
				}
			})
		}
	})
}

// It takes the half minute after which the bridge gives up.
func TestFaultyRoad_RailsThatNeverAnswersIsGivenUp(t *testing.T) {
	onlyBridged(t, roadReason, func(t *testing.T) {
		road := &faultyRoad{}
		server := newServer(t, t, bridged, setup{road: road})
		performer, subscriber := server.connect(t, handshake{}), server.connect(t, handshake{})
		echo := identify("EchoChannel")
		performer.join(echo)
		for _, event := range []string{"connect", "subscribe", "perform"} {
			road.set(event, silent, true)
		}
		marks := server.marks()
		performer.perform(echo, "count", "name", "x")
		subscriber.subscribe(echo)
		server.get(t, "/cable", server.upgrade()).expectUnavailable(t)
		subscriber.expect(disconnection("server_restart", true))
		subscriber.expectClose(ws.StatusNormalClosure)
		server.awaitComplaint(t, marks)
		performer.perform(echo, "count", "name", "y") // waits in line behind the one that is given up
		performer.expect(message(echo, `{"count":1,"names":["y"],"since":"2001-02-03T04:05:06.000Z"}`))
		performer.expectNothing()
	})
}

// awaitComplaint waits until the bridge has logged that something went wrong.
func (s *server) awaitComplaint(t *testing.T, marks map[string]int64) {
	t.Helper()
	s.bridge.process.awaitLog(t, marks[s.bridge.process.log], `(?i)level"?[=:]"?(warn|error)`)
}

func TestFaultyRoad_NoSecretIsEverLogged(t *testing.T) {
	onlyBridged(t, roadReason, func(t *testing.T) {
		road := &faultyRoad{}
		server := newServer(t, t, bridged, setup{road: road})
		road.set("connect", refused, true)
		_ = server.get(t, "/cable?"+url.Values{"token": {"client-secret-token"}}.Encode(), server.upgrade())
		server.connect(t, handshake{}).expectNothing()
		server.bridge.process.stop(t)
		log := server.bridge.process.logSince(0)
		for _, secret := range []string{rpcSecret, "client-secret-token", server.rails.login(t, "ann", "cookie"), "Bearer ey"} {
			if strings.Contains(log, secret) {
				t.Errorf("%q is in the log of cablestay:\n%s", secret, log)
			}
		}
	})
}
