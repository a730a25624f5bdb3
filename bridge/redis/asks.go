package redis

import (
	"strconv"
)

// askKind is what is asked of Redis.
type askKind uint8

const (
	askSubscribe   askKind = iota // somebody waits for Subscribed
	askUnsubscribe                //
	askBarrier                    // a PING; somebody waits for Passed
	askAgain                      // SUBSCRIBE on a new connection to what was followed on the one before
	askRestored                   // a PING after the last askAgain
	askAlive                      // a PING that only wants an answer
)

// ask is one thing asked, and so one answer to come.
type ask struct {
	kind  askKind
	name  string // the broadcasting, of the kinds that have one
	token uint64 // of askBarrier
	owed  []ask  // of askRestored: whom its answer lets be told
}

// owes says whether the receiver is told of the answer.
func (a *ask) owes() bool { return a.kind == askSubscribe || a.kind == askBarrier }

// reply is what Redis answers with.
func (a *ask) reply() string {
	switch a.kind {
	case askSubscribe, askAgain:
		return replySubscribe
	case askUnsubscribe:
		return replyUnsubscribe
	default:
		return replyPong
	}
}

// pings are told apart by what they carry.
func (a *ask) appendPing(buffer []byte) []byte {
	switch a.kind {
	case askBarrier:
		return strconv.AppendUint(append(buffer, "barrier "...), a.token, 10)
	case askRestored:
		return append(buffer, "restored"...)
	default:
		return append(buffer, "alive"...)
	}
}

// manyNames is how many names one command has at most, so that Redis has room for others in between.
const manyNames = 1000

// appendAsks encodes asks in their order; neighbours that subscribe, or unsubscribe, become one command.
func appendAsks(buffer []byte, prefix string, asks []ask) []byte {
	for len(asks) > 0 {
		var word string
		switch asks[0].reply() {
		case replyPong:
			var payload [32]byte
			buffer = appendCommand(buffer, 2, "PING")
			buffer = appendWord(buffer, "", string(asks[0].appendPing(payload[:0])))
			asks = asks[1:]
			continue
		case replySubscribe:
			word = "SUBSCRIBE"
		default:
			word = "UNSUBSCRIBE"
		}
		n := 1
		for n < len(asks) && n < manyNames && asks[n].reply() == asks[0].reply() {
			n++
		}
		buffer = appendCommand(buffer, n+1, word)
		for i := range asks[:n] {
			buffer = appendWord(buffer, prefix, asks[i].name)
		}
		asks = asks[n:]
	}
	return buffer
}

// askQueue is first in, first out.
type askQueue struct {
	asks []ask
	head int
}

func (q *askQueue) push(asks ...ask) { q.asks = append(q.asks, asks...) }
func (q *askQueue) waiting() []ask   { return q.asks[q.head:] }

func (q *askQueue) pop() (ask, bool) {
	if q.head == len(q.asks) {
		return ask{}, false
	}
	first := q.asks[q.head]
	q.drop(1)
	return first, true
}

// drop removes the first n and keeps the memory for those to come.
func (q *askQueue) drop(n int) {
	clear(q.asks[q.head : q.head+n])
	q.head += n
	switch {
	case q.head == len(q.asks):
		q.asks, q.head = q.asks[:0], 0
		if cap(q.asks) > 4*manyNames {
			q.asks = nil // a burst's
		}
	case q.head > 64 && q.head > len(q.asks)/2:
		rest := copy(q.asks, q.asks[q.head:])
		clear(q.asks[rest:])
		q.asks, q.head = q.asks[:rest], 0
	}
}
