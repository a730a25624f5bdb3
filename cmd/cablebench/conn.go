//go:build linux

package main

// Connection states, in the order a connection passes through them.
const (
	stClosed = iota
	stConnecting
	stUpgrading
	stWelcome
	stConfirm
	stReady
)

// sub is one subscription, and which of its stream's messages have come.
type sub struct {
	stream uint32
	last   uint32 // highest sequence number seen, 1-based
	seen   uint64 // bit i: last-i has come
	ok     bool
}

// arrival is what a message is, next to those that have come before.
type arrival int

const (
	inOrder arrival = iota
	outOfOrder
	duplicate
)

// arrive takes a message's sequence number. One that is more than 64 behind counts as out of order, come before or not.
func (s *sub) arrive(seq uint32) arrival {
	if seq > s.last {
		s.seen = s.seen<<(seq-s.last) | 1
		s.last = seq
		return inOrder
	}
	bit := uint64(1) << (s.last - seq)
	if s.seen&bit != 0 {
		return duplicate
	}
	s.seen |= bit
	return outOfOrder
}

// forget begins anew.
func (s *sub) forget() { s.last, s.seen = 0, 0 }

// conn is one Action Cable client. It belongs to one loop and is only touched
// by that loop's thread.
type conn struct {
	fd       int32
	state    uint8
	idx      int32
	unconf   int32 // subscriptions not yet confirmed
	subs     []sub
	pend     []byte // bytes of an incomplete frame
	frag     []byte // payload of an incomplete fragmented message
	fragOn   bool
	deflate  bool  // messages may be compressed
	squeezed bool  // the one under way is
	wire     int32 // bytes of the frames of the message under way
	t0       int64 // connect() called
	tWelcome int64
	deadline int64 // handshake must end by then
	opIdx    int32 // position in loop.opening, -1 when not opening
}
