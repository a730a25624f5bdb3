package bridge

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/cablestay/cablestay/protocol"
	"github.com/cablestay/cablestay/rpc"
)

// subscription is one identifier of a connection, from its first command to the end of the last. Its commands run
// in order, one at a time; those of other subscriptions run beside them.
type subscription struct {
	connection *Connection
	identifier protocol.Identifier

	// guarded by connection.mu
	made       uint32 // its place among the connection's subscriptions
	commands   []protocol.Command
	running    bool   // a goroutine is working them off
	wanted     bool   // it will be in Rails' table when all commands have run
	subscribed bool   // it is
	state      string // sealed
	streams    []*stream
	joining    int    // streams that are not live yet
	confirm    []byte // waits for them
}

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
	s := c.subscriptions[command.Identifier]
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
	s.commands = append(s.commands, command)
	c.takePendingLocked(weight(&command))
	if !s.running {
		s.running = true
		c.runners++
		go s.run()
	}
	return true
}

// weight is what a command that waits holds of the client's.
func weight(command *protocol.Command) int { return len(command.Identifier) + len(command.Data) }

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
	if c.subscriptions == nil {
		c.subscriptions = make(map[protocol.Identifier]*subscription, 1)
	}
	c.subscriptions[identifier] = s
	return s
}

// run works the commands off.
func (s *subscription) run() {
	for {
		command, ok := s.next()
		if !ok {
			return
		}
		s.execute(command)
		s.done(command)
	}
}

// next takes the first command, or ends the run where there is none.
func (s *subscription) next() (protocol.Command, bool) {
	c := s.connection
	c.mu.Lock()
	if len(s.commands) > 0 {
		command := s.commands[0]
		s.commands[0] = protocol.Command{}
		s.commands = s.commands[1:]
		c.mu.Unlock()
		return command, true
	}
	s.commands, s.running = nil, false
	c.runners--
	if !s.subscribed && !s.wanted {
		delete(c.subscriptions, s.identifier)
	}
	finish := c.finishLocked()
	c.mu.Unlock()
	if finish {
		c.finish()
	}
	return protocol.Command{}, false
}

func (s *subscription) done(command protocol.Command) {
	c := s.connection
	c.mu.Lock()
	defer c.mu.Unlock()
	c.donePendingLocked(weight(&command))
}

// execute asks Rails, and does what it answers.
func (s *subscription) execute(command protocol.Command) {
	c := s.connection
	c.mu.Lock()
	subscribed := s.subscribed
	request := &rpc.CommandRequest{
		Event: c.event(), Identifier: string(s.identifier), ConnectionState: c.state, State: s.state, Data: command.Data,
	}
	c.mu.Unlock()

	rails := c.server.rails
	call := rails.Perform
	switch {
	case command.Name == protocol.Subscribe && subscribed:
		return // an unsubscribed that raised has left it in the table
	case command.Name == protocol.Subscribe:
		call, request.State = rails.Subscribe, ""
	case !subscribed:
		c.refuse(command)
		return
	case command.Name == protocol.Unsubscribe:
		call = rails.Unsubscribe
	}
	answer, err := call(c.server.background, request)
	if err != nil {
		s.failed(command, err)
		return
	}
	c.settleConnectionState(answer.ConnectionState)
	joins := s.apply(answer.Effects)
	s.settle(answer.Subscribed, answer.State)
	// Last of all, so that no broadcast comes between what the event itself has broadcast and transmitted.
	for _, j := range joins {
		c.server.streams.follow(j)
	}
}

// failed is for a command that Rails did not answer. Nobody is left waiting in silence: a client that waits for a
// confirmation is told to begin again.
func (s *subscription) failed(command protocol.Command, err error) {
	c := s.connection
	c.server.metrics.commandsFailed.WithLabelValues(string(command.Name)).Inc()
	c.log().Error("Rails did not answer a command", "command", string(command.Name), "identifier", inShort(s.identifier),
		"error", err)
	afresh := protocol.Disconnect{Reason: protocol.ServerRestart, Reconnect: true}
	notRun := errors.Is(err, rpc.ErrNotRun)
	switch {
	case command.Name == protocol.Subscribe:
		s.settle(!notRun, nil) // where it may have run, unsubscribed must run too
		c.disconnect(closeFailed, afresh)
	case command.Name == protocol.Unsubscribe && notRun:
		c.disconnect(closeFailed, afresh) // unsubscribed must run: it is tried once more at the connection's end
	case command.Name == protocol.Unsubscribe:
		s.settle(false, nil)
	}
}

// settle keeps what an event has made of the subscription.
func (s *subscription) settle(subscribed bool, state *string) {
	c := s.connection
	c.mu.Lock()
	defer c.mu.Unlock()
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
		s.state, s.confirm = "", nil
	}
	s.wanted = subscribed
	for _, command := range s.commands {
		switch command.Name {
		case protocol.Subscribe:
			s.wanted = true
		case protocol.Unsubscribe:
			s.wanted = false
		}
	}
}

// discardLocked forgets the commands that have not begun.
func (s *subscription) discardLocked() {
	for _, command := range s.commands {
		s.connection.donePendingLocked(weight(&command))
	}
	s.commands = nil
}

func subscriptionStates(all map[protocol.Identifier]*subscription) []rpc.SubscriptionState {
	inOrder := make([]*subscription, 0, len(all))
	for _, s := range all {
		if s.subscribed {
			inOrder = append(inOrder, s)
		}
	}
	slices.SortFunc(inOrder, func(a, b *subscription) int { return cmp.Compare(a.made, b.made) })
	states := make([]rpc.SubscriptionState, len(inOrder))
	for i, s := range inOrder {
		states[i] = rpc.SubscriptionState{Identifier: string(s.identifier), State: s.state}
	}
	return states
}
