package pubsubtest

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cablestay/cablestay/bridge"
)

// Subject is a PubSub under test.
type Subject struct {
	PubSub bridge.PubSub
	// Run delivers until ctx ends.
	Run func(ctx context.Context, receiver bridge.Receiver)
	// Publish returns when the payload is published. It may be called from several goroutines.
	Publish func(broadcasting string, payload []byte)
}

// Run runs all tests, each on a subject of its own.
func Run(t *testing.T, subject func(t *testing.T) Subject) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, s *started)
	}{
		{"AcknowledgementLiesBeforeTheFirstMessageAndNoneIsMissedAfterIt", acknowledgementIsExact},
		{"BarrierLiesAfterAllThatWasPublishedBefore", barrierIsExact},
		{"EverySubscribeIsAcknowledgedOnce", everySubscribeIsAcknowledgedOnce},
		{"NothingComesAfterUnsubscribe", nothingComesAfterUnsubscribe},
		{"OrderIsThePublishers", orderIsThePublishers},
		{"PayloadsArriveByteForByte", payloadsArriveByteForByte},
		{"NamesMayBeAnything", namesMayBeAnything},
		{"TenThousandNames", tenThousandNames},
		{"ManyCallersAtATime", manyCallers},
		{"WhatIsAskedBeforeRunIsDone", askedBeforeRun},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &started{Subject: subject(t), recorder: NewRecorder(t)}
			ctx, end := context.WithCancel(context.Background())
			var running sync.WaitGroup
			s.run = func() { running.Go(func() { s.Run(ctx, s.recorder) }) }
			t.Cleanup(func() { end(); running.Wait() })
			if test.name != "WhatIsAskedBeforeRunIsDone" {
				s.run()
			}
			test.run(t, s)
		})
	}
}

type started struct {
	Subject
	recorder *Recorder
	run      func()
}

// publishing never pauses: it publishes 1, 2, 3, … until the test ends it. The last number that is out is published.
func (s *started) publishing(t *testing.T, broadcasting string) (published *atomic.Int64, end func()) {
	t.Helper()
	published = new(atomic.Int64)
	stop := make(chan struct{})
	var publisher sync.WaitGroup
	publisher.Go(func() {
		for n := int64(1); ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			s.Publish(broadcasting, strconv.AppendInt(nil, n, 10))
			published.Store(n)
		}
	})
	end = sync.OnceFunc(func() { close(stop); publisher.Wait() })
	t.Cleanup(end)
	return published, end
}

func numbers(t *testing.T, all []Delivery, broadcasting string) []int64 {
	t.Helper()
	var found []int64
	for _, d := range all {
		if d.Broadcast != broadcasting {
			continue
		}
		n, err := strconv.ParseInt(string(d.Payload), 10, 64)
		if err != nil {
			t.Fatalf("payload %q is no number", d.Payload)
		}
		found = append(found, n)
	}
	return found
}

func acknowledgementIsExact(t *testing.T, s *started) {
	published, end := s.publishing(t, "busy")
	for range 50 {
		began := len(s.recorder.All())
		already := Acknowledgements(s.recorder.All(), "busy")
		s.PubSub.Subscribe("busy")
		all := s.recorder.AwaitSubscribed("busy", already+1)
		after := published.Load() // all that comes from here on must be delivered
		for i, d := range all[began:] {
			if d.Subscribed == "busy" {
				break
			}
			if d.Broadcast != "" {
				t.Fatalf("delivery %d is a message, before the acknowledgement", i)
			}
		}
		awaitNumber(t, s, began, after+2)
		s.PubSub.Unsubscribe("busy")
		s.recorder.Barrier(s.PubSub)
		got := numbers(t, s.recorder.All()[began:], "busy")
		if got[0] > after+2 { // after+1 may have been on its way
			t.Fatalf("%d was the last before the acknowledgement was heard of, the first message is %d", after, got[0])
		}
		for i := range got {
			if got[i] != got[0]+int64(i) {
				t.Fatalf("message %d is %d, want %d", i, got[i], got[0]+int64(i))
			}
		}
	}
	end()
}

func awaitNumber(t *testing.T, s *started, began int, n int64) {
	t.Helper()
	s.recorder.Await(fmt.Sprint("message ", n), func(all []Delivery) bool {
		for i := len(all) - 1; i >= began; i-- {
			if all[i].Broadcast != "" {
				got, err := strconv.ParseInt(string(all[i].Payload), 10, 64)
				return err == nil && got >= n
			}
		}
		return false
	})
}

func barrierIsExact(t *testing.T, s *started) {
	s.PubSub.Subscribe("busy")
	s.recorder.AwaitSubscribed("busy", 1)
	published, end := s.publishing(t, "busy")
	for token := uint64(1); token <= 200; token++ {
		before := published.Load()
		s.PubSub.Barrier(token)
		all := s.recorder.Await("a barrier", func(all []Delivery) bool { return passed(all, token) >= 0 })
		got := numbers(t, all[:passed(all, token)], "busy")
		if int64(len(got)) < before {
			t.Fatalf("%d were published before barrier %d, %d delivered", before, token, len(got))
		}
	}
	end()
	for i, n := range numbers(t, s.recorder.All(), "busy") {
		if n != int64(i+1) {
			t.Fatalf("message %d is %d", i+1, n)
		}
	}
	seen := make(map[uint64]int)
	for _, d := range s.recorder.All() {
		if d.Passed != 0 {
			seen[d.Passed]++
		}
	}
	for token, times := range seen {
		if times != 1 {
			t.Errorf("barrier %d passed %d times", token, times)
		}
	}
}

func everySubscribeIsAcknowledgedOnce(t *testing.T, s *started) {
	const rounds = 300
	for range rounds {
		s.PubSub.Subscribe("fickle")
		s.PubSub.Unsubscribe("fickle")
		s.PubSub.Subscribe("fickle")
		s.PubSub.Subscribe("other")
		s.PubSub.Unsubscribe("other")
	}
	s.recorder.AwaitSubscribed("fickle", 2*rounds)
	s.recorder.AwaitSubscribed("other", rounds)
	all := s.recorder.Barrier(s.PubSub)
	if got, want := Acknowledgements(all, "fickle"), 2*rounds; got != want {
		t.Errorf("acknowledgements: got %d, want %d", got, want)
	}
	s.Publish("fickle", []byte("1"))
	s.Publish("other", []byte("2"))
	all = s.recorder.Barrier(s.PubSub)
	if got := numbers(t, all, "fickle"); len(got) != 1 {
		t.Errorf("fickle ended followed: got %d messages, want 1", len(got))
	}
	if got := numbers(t, all, "other"); len(got) != 0 {
		t.Errorf("other ended not followed: got %d messages, want 0", len(got))
	}
}

func nothingComesAfterUnsubscribe(t *testing.T, s *started) {
	s.PubSub.Subscribe("left")
	s.PubSub.Subscribe("kept")
	s.recorder.AwaitSubscribed("left", 1)
	s.recorder.AwaitSubscribed("kept", 1)
	s.PubSub.Unsubscribe("left")
	s.recorder.Barrier(s.PubSub)
	s.Publish("left", []byte("1"))
	s.Publish("kept", []byte("2"))
	s.PubSub.Unsubscribe("never followed")
	all := s.recorder.Barrier(s.PubSub)
	if got := numbers(t, all, "left"); len(got) != 0 {
		t.Errorf("left: got %v, want nothing", got)
	}
	if got := numbers(t, all, "kept"); len(got) != 1 {
		t.Errorf("kept: got %v, want one message", got)
	}
}

func orderIsThePublishers(t *testing.T, s *started) {
	names := []string{"a", "b", "c"}
	for _, name := range names {
		s.PubSub.Subscribe(name)
		s.recorder.AwaitSubscribed(name, 1)
	}
	const messages = 3000
	for n := range messages {
		s.Publish(names[n%len(names)], strconv.AppendInt(nil, int64(n), 10))
	}
	n := 0
	for _, d := range s.recorder.Barrier(s.PubSub) {
		if d.Broadcast == "" {
			continue
		}
		if got, want := string(d.Payload), strconv.Itoa(n); got != want || d.Broadcast != names[n%len(names)] {
			t.Fatalf("message %d: got %s of %q, want %s of %q", n, got, d.Broadcast, want, names[n%len(names)])
		}
		n++
	}
	if n != messages {
		t.Errorf("messages: got %d, want %d", n, messages)
	}
}

func payloadsArriveByteForByte(t *testing.T, s *started) {
	payloads := [][]byte{
		[]byte(`{"id":9007199254740993,"html":"<script>","nil":null}`), []byte("null"), {}, []byte("\r\n$5\r\n"), {0, 255, 254},
		[]byte("ünïcode \u2028"), bytes.Repeat([]byte("x"), 1<<20), bytes.Repeat([]byte("y"), 3<<20), []byte("last"),
	}
	s.PubSub.Subscribe("payloads")
	s.recorder.AwaitSubscribed("payloads", 1)
	for _, payload := range payloads {
		s.Publish("payloads", bytes.Clone(payload))
	}
	var got [][]byte
	for _, d := range s.recorder.Barrier(s.PubSub) {
		if d.Broadcast != "" {
			got = append(got, d.Payload)
		}
	}
	if len(got) != len(payloads) {
		t.Fatalf("messages: got %d, want %d", len(got), len(payloads))
	}
	for i := range got {
		if !bytes.Equal(got[i], payloads[i]) {
			t.Errorf("payload %d: got %d bytes that differ from %d", i, len(got[i]), len(payloads[i]))
		}
	}
	// They are the receiver's: what it does with one is not seen in another, also not by appending to it.
	clear(got[0])
	_ = append(got[0], "spilt"...)
	if !bytes.Equal(got[1], payloads[1]) {
		t.Errorf("payload 1 has changed with payload 0: %q", got[1])
	}
}

func namesMayBeAnything(t *testing.T, s *started) {
	names := []string{
		"chat:Z2lkOi8vY2hhdC9Sb29tLzE", "_action_cable_internal", "action_cable/Z2lkOi8", "with space", "Ünï", "line\r\nend", "*", "[a]?",
		string(bytes.Repeat([]byte("long"), 40_000)),
	}
	for _, name := range names {
		s.PubSub.Subscribe(name)
		s.recorder.AwaitSubscribed(name, 1)
	}
	for i, name := range names {
		s.Publish(name, strconv.AppendInt(nil, int64(i), 10))
	}
	all := s.recorder.Barrier(s.PubSub)
	for i, name := range names {
		if got := numbers(t, all, name); len(got) != 1 || got[0] != int64(i) {
			t.Errorf("%.40q: got %v, want [%d]", name, got, i)
		}
	}
}

func tenThousandNames(t *testing.T, s *started) {
	const names = 10_000
	for i := range names {
		s.PubSub.Subscribe("name " + strconv.Itoa(i))
	}
	all := s.recorder.Await("10,000 acknowledgements", func(all []Delivery) bool { return len(all) >= names })
	for i := range names {
		if want := "name " + strconv.Itoa(i); all[i].Subscribed != want {
			t.Fatalf("acknowledgement %d: got %q, want %q", i, all[i].Subscribed, want)
		}
	}
	s.Publish("name 0", []byte("0"))
	s.Publish("name 9999", []byte("9999"))
	if got, want := len(s.recorder.Barrier(s.PubSub)), names+2; got != want {
		t.Errorf("deliveries: got %d, want %d", got, want)
	}
}

func manyCallers(t *testing.T, s *started) {
	const callers, rounds = 8, 200
	var calling sync.WaitGroup
	for caller := range callers {
		calling.Go(func() {
			name := "caller " + strconv.Itoa(caller)
			for round := range rounds {
				s.PubSub.Subscribe(name)
				s.PubSub.Barrier(uint64(1_000_000 + caller*rounds + round))
				if round+1 < rounds {
					s.PubSub.Unsubscribe(name)
				}
			}
		})
	}
	calling.Wait()
	const want = 2 * callers * rounds
	s.recorder.Await("every answer", func(all []Delivery) bool { return len(all) >= want })
	if got := len(s.recorder.Barrier(s.PubSub)); got != want {
		t.Errorf("answers: got %d, want %d", got, want)
	}
	for caller := range callers {
		s.Publish("caller "+strconv.Itoa(caller), []byte("1"))
	}
	if got := len(s.recorder.Barrier(s.PubSub)) - want - 1; got != callers {
		t.Errorf("messages: got %d, want %d", got, callers)
	}
}

func askedBeforeRun(t *testing.T, s *started) {
	s.PubSub.Subscribe("early")
	s.PubSub.Subscribe("regretted")
	s.PubSub.Unsubscribe("regretted")
	s.PubSub.Barrier(7)
	s.run()
	s.recorder.Await("barrier 7", func(all []Delivery) bool { return passed(all, 7) >= 0 })
	s.recorder.AwaitSubscribed("early", 1)
	s.recorder.AwaitSubscribed("regretted", 1)
	s.Publish("early", []byte("1"))
	s.Publish("regretted", []byte("2"))
	all := s.recorder.Barrier(s.PubSub)
	if got := numbers(t, all, "early"); len(got) != 1 {
		t.Errorf("early: got %v, want one message", got)
	}
	if got := numbers(t, all, "regretted"); len(got) != 0 {
		t.Errorf("regretted: got %v, want none", got)
	}
}
