// Package freeport is for tests that start servers which must know their port beforehand, or come back at the same one.
package freeport

import (
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"
)

// Linux gives clients ports from 32768 on unless it is told otherwise; other systems begin still higher.
const (
	lowest  = 12000
	highest = 32000
)

// reserved has, for each port that this process has found, the UDP socket that keeps others from finding it.
var reserved struct {
	sync.Mutex
	sockets []net.PacketConn
}

// Find returns a TCP port of 127.0.0.1 that nobody listens on, and that no other call returns, in any process, as long as
// this one lives: a server may take its time to start, or be stopped for a while. The port lies below those that the system
// gives to clients: one of them could have it meanwhile.
//
// The UDP port of the same number is the reservation. It leaves nothing behind, however the process ends.
func Find(t testing.TB) string {
	t.Helper()
	for range 100 {
		port := strconv.Itoa(lowest + rand.IntN(highest-lowest))
		reservation, err := net.ListenPacket("udp", "127.0.0.1:"+port)
		if err != nil {
			continue
		}
		listener, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil {
			_ = reservation.Close()
			continue
		}
		_ = listener.Close()
		reserved.Lock()
		reserved.sockets = append(reserved.sockets, reservation) // one that nobody refers to would be closed
		reserved.Unlock()
		return port
	}
	t.Fatal("no free port")
	return ""
}
