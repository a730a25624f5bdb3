package bridge

import "testing"

// unmoved is a handler that does nothing.
type unmoved struct{ gone chan struct{} }

func (unmoved) readable([]byte) {}
func (unmoved) writable()       {}
func (u unmoved) hangup()       { close(u.gone) }

func TestEpollSocket_CostsNoAllocationForAFrame(t *testing.T) {
	server, _ := connected(t)
	p, err := newPoller(false)
	if err != nil {
		t.Fatal(err)
	}
	h := unmoved{make(chan struct{})}
	s, err := p.add(server, h)
	if err != nil {
		t.Fatal(err)
	}
	s.start()
	o := outbound{socket: s}
	frame := textFrame([]byte("a short one, so that the kernel takes them all"))
	if n := testing.AllocsPerRun(100, func() { _ = o.transmit(frame) }); n != 0 {
		t.Errorf("%v allocations for a frame, want none", n)
	}
	if o.backlog != nil {
		t.Error("the kernel did not take all")
	}
	s.close()
	<-h.gone
	p.stop()
}

// reading is a handler that tells of what was read.
type reading struct {
	unmoved
	read chan string
}

func (r reading) readable(p []byte) { r.read <- string(p) }

func TestEpollSocket_PausedBeforeItsStartReadsNothingUntilItIsResumed(t *testing.T) {
	peer := testPeers(t, 1)[0] // for its poller
	server, client := connected(t)
	h := reading{unmoved{make(chan struct{})}, make(chan string, 1)}
	s, err := peer.socket.poller.attach(server, h)
	if err != nil {
		t.Fatal(err)
	}
	s.pauseReading()
	s.start()
	if s.events != 0 {
		t.Errorf("epoll is asked for %x, want nothing", s.events)
	}
	if _, err := client.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	s.resumeReading()
	if got := <-h.read; got != "hello" {
		t.Errorf("got %q", got)
	}
	s.close()
	<-h.gone
}

// A handshake may outlast its server, which has given up all sockets by then, and told their handlers.
func TestEpollSocket_ThatIsStartedAfterThePollersEndHangsUpOnce(t *testing.T) {
	server, _ := connected(t)
	p, err := newEpoll()
	if err != nil {
		t.Fatal(err)
	}
	h := unmoved{make(chan struct{})} // a second hangup panics
	s, err := p.add(server, h)
	if err != nil {
		t.Fatal(err)
	}
	p.stop()
	<-h.gone
	s.start()
}
