package bridge

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/cablestay/cablestay/protocol"
	"github.com/cablestay/cablestay/rpc"
	"github.com/prometheus/client_golang/prometheus"
)

// subscription is one identifier of a connection, from its first command to the end of the last. Its commands run
// in order, one at a time; those of other subscriptions run beside them.
type subscription struct {
	connection *Connection
	identifier protocol.Identifier

	// guarded by connection.mu
	place       int32  // in the connection's table
	joining     int32  // streams that are not live yet
	made        uint32 // numbers the connection's subscriptions
	running     bool   // a goroutine is working the line off
	wanted      bool   // it will be in Rails' table when all commands have run
	subscribed  bool   // it is
	underWay    bool   // its last event has not been answered
	endsUnheard bool   // Rails has said that it has nothing to run at its end
	event       uint32 // the number of its last event
	line        []task
	state       string // sealed
	streams     []*stream
	timers      []*timer
	offer       *rpc.Live        // made in that event's name, and taken when it has been answered
	hold        *rpc.Hold        // the worker that holds its channel, or nil
	live        prometheus.Gauge // counts it while it is held
	confirm     []byte           // waits for them
}

// A task is what waits in a subscription's line: a command of the client, or a tick of a timer.
type task struct {
	command protocol.Command
	tick    *timer
}

// weight is what a task that waits holds of the client's: a tick nothing.
func (t *task) weight() int { return len(t.command.Identifier) + len(t.command.Data) }

// name is the event's.
func (t *task) name() string {
	if t.tick != nil {
		return eventTimer
	}
	return string(t.command.Name)
}

// eventTimer is the event of a tick, which is no command of a client's.
const eventTimer = "timer"

// receive puts a command in line, or says that there is none for it.
func (c *Connection) receive(command protocol.Command) {
	c.server.metrics.commands.WithLabelValues(string(command.Name)).Inc()
	if !c.enqueue(command) {
		c.refuse(command)
	}
}

// enqueue is false where the command has no subscription to go to, which is where
// ActionCable::Connection::Subscriptions#execute_command finds none. A second subscribe of what is, or will be, in the
// table is ignored without a word.
func (c *Connection) enqueue(command protocol.Command) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return true // it is dropped
	}
	s := c.subscriptions.find(command.Identifier)
	switch command.Name {
	case protocol.Subscribe:
		if s == nil {
			s = c.addLocked(command.Identifier)
		}
		if s.wanted {
			return true
		}
		c.made++
		s.wanted, s.made = true, c.made
	case protocol.Unsubscribe, protocol.Message:
		if s == nil || !s.wanted {
			return false
		}
		if command.Name == protocol.Unsubscribe {
			s.wanted = false
		}
	}
	command.Identifier = s.identifier
	t := task{command: command}
	c.takePendingLocked(t.weight())
	s.queueLocked(t)
	return true
}

// queueLocked puts a task in line, and sees that somebody works it off.
func (s *subscription) queueLocked(t task) {
	s.line = append(s.line, t)
	if !s.running {
		s.running = true
		s.connection.runners++
		go s.run()
	}
}

// refuse logs what stock raises, with its words.
func (c *Connection) refuse(command protocol.Command) {
	c.server.metrics.commandsFailed.WithLabelValues(string(command.Name)).Inc()
	c.log().Error("could not execute a command", "command", string(command.Name), "identifier", inShort(command.Identifier),
		"error", errUnknownSubscription)
}

// inShort is as much of a client's identifier as a line of a log has room for.
func inShort(identifier protocol.Identifier) string {
	const most = 200
	if len(identifier) <= most {
		return string(identifier)
	}
	return strings.ToValidUTF8(string(identifier[:most]), "") + "…"
}

func (c *Connection) addLocked(identifier protocol.Identifier) *subscription {
	identifier = intern(identifier)
	s := &subscription{connection: c, identifier: identifier}
	c.subscriptions.add(s)
	return s
}

// run works the line off.
func (s *subscription) run() {
	for {
		t, ok := s.next()
		if !ok {
			return
		}
		s.execute(&t)
		s.done(&t)
	}
}

// next takes the first task, or ends the run where there is none.
func (s *subscription) next() (task, bool) {
	c := s.connection
	c.mu.Lock()
	if len(s.line) > 0 {
		t := s.line[0]
		s.line[0] = task{}
		s.line = s.line[1:]
		c.mu.Unlock()
		return t, true
	}
	s.line, s.running = nil, false
	c.runners--
	s.forgetLocked()
	finish := c.finishLocked()
	c.mu.Unlock()
	if finish {
		c.finish()
	}
	return task{}, false
}

// forgetLocked takes what is neither in Rails' table nor on its way there out of ours.
func (s *subscription) forgetLocked() {
	if !s.running && !s.subscribed && !s.wanted {
		s.connection.subscriptions.remove(s)
	}
}

func (s *subscription) done(t *task) {
	c := s.connection
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.tick != nil {
		t.tick.underWay = false
		return
	}
	c.donePendingLocked(t.weight())
}

// execute asks Rails, and does what it answers.
func (s *subscription) execute(t *task) {
	c := s.connection
	c.mu.Lock()
	subscribed, stopped := s.subscribed, t.tick != nil && t.tick.stopped
	request := &rpc.CommandRequest{
		Event: c.event(), Identifier: string(s.identifier), Identifiers: c.identifiersLocked(s),
		ConnectionState: c.state, State: s.state, Data: t.command.Data,
	}
	before := c.state
	living := s.addressLocked(request)
	c.mu.Unlock()

	rails := c.server.rails
	call := rails.Perform
	switch {
	case stopped:
		return
	case t.tick != nil:
		call, request.Timer, request.Every = rails.Timer, &t.tick.number, t.tick.seconds
	case t.command.Name == protocol.Subscribe && subscribed:
		return // an unsubscribed that raised has left it in the table
	case t.command.Name == protocol.Subscribe:
		call, request.State = rails.Subscribe, ""
	case !subscribed:
		c.refuse(t.command)
		return
	case t.command.Name == protocol.Unsubscribe && s.endUnheard():
		return
	case t.command.Name == protocol.Unsubscribe:
		call = rails.Unsubscribe
	}
	s.begin(request.ID)
	defer s.end()
	answer, err := call(c.server.background, request)
	if err != nil {
		s.heardOf("", "")
		s.failed(t, err)
		return
	}
	defer answer.Applied()
	s.heardOf(answer.ConnectionEnd, answer.End)
	// Before what it transmitted: a client that has seen that may at once ask another subscription for it.
	if living {
		c.keepState(answer.ConnectionState)
	} else {
		c.settleState(before, answer.ConnectionState)
	}
	if answer.Subscribed { // for the same reason
		s.settle(true, answer.State)
	}
	taken := s.becomeLive(answer)
	joins := c.applyAll(answer.Effects, s)
	if !answer.Subscribed {
		s.settle(false, nil)
	}
	// After all that, so that no broadcast comes between what the event itself has broadcast and transmitted.
	for _, j := range joins {
		c.server.streams.follow(j)
	}
	s.confirmLive(answer, taken, request.Hold != nil)
}

// failed is for a command that Rails did not answer. Nobody is left waiting in silence: a client that waits for a
// confirmation is told to begin again.
func (s *subscription) failed(t *task, err error) {
	c := s.connection
	c.server.metrics.commandsFailed.WithLabelValues(t.name()).Inc()
	c.log().Error("Rails did not answer a command", "command", t.name(), "identifier", inShort(s.identifier), "error", err)
	afresh := protocol.Disconnect{Reason: protocol.ServerRestart, Reconnect: true}
	notRun := errors.Is(err, rpc.ErrNotRun)
	switch {
	case errors.Is(err, rpc.ErrWorkerGone):
		if t.command.Name == protocol.Subscribe {
			s.settle(false, nil) // if it ran, what it made is gone
		}
		c.workerGone(err)
	case t.command.Name == protocol.Subscribe:
		s.settle(!notRun, nil) // where it may have run, unsubscribed must run too
		c.disconnect(closeFailed, afresh)
	case t.command.Name == protocol.Unsubscribe && notRun:
		c.disconnect(closeFailed, afresh) // unsubscribed must run: it is tried once more at the connection's end
	case t.command.Name == protocol.Unsubscribe:
		s.settle(false, nil)
	}
}

// settle keeps what an event has made of the subscription.
func (s *subscription) settle(subscribed bool, state *string) {
	s.connection.mu.Lock()
	defer s.connection.mu.Unlock()
	s.settleLocked(subscribed, state)
}

func (s *subscription) settleLocked(subscribed bool, state *string) {
	c := s.connection
	if subscribed != s.subscribed {
		s.subscribed = subscribed
		if subscribed {
			c.server.metrics.subscriptions.Inc()
		} else {
			c.server.metrics.subscriptions.Dec()
		}
	}
	if state != nil {
		s.state = *state
	}
	if !subscribed {
		s.leaveAllLocked()
		s.stopTimersLocked()
		s.releaseLocked()
		s.state, s.confirm = "", nil
	}
	s.wanted = subscribed
	for _, t := range s.line {
		switch t.command.Name {
		case protocol.Subscribe:
			s.wanted = true
		case protocol.Unsubscribe:
			s.wanted = false
		}
	}
}

// discardLocked forgets what has not begun.
func (s *subscription) discardLocked() {
	for i := range s.line {
		if t := &s.line[i]; t.tick == nil {
			s.connection.donePendingLocked(t.weight())
		}
	}
	s.line = nil
}

// inOrderLocked is what is in Rails' table, in the order in which it was made.
func (c *Connection) inOrderLocked() []*subscription {
	inOrder := make([]*subscription, 0, c.subscriptions.len())
	for s := range c.subscriptions.each() {
		if s.subscribed {
			inOrder = append(inOrder, s)
		}
	}
	slices.SortFunc(inOrder, func(a, b *subscription) int { return cmp.Compare(a.made, b.made) })
	return inOrder
}
