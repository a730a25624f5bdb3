package rpc

import (
	"context"
	"time"
)

// SetClock replaces the clock by which proofs are signed. It must be called before the client is used.
func (c *Client) SetClock(now func() time.Time) { c.transport.now = now }

// Waiting is how many events wait for a place.
func (c *Client) Waiting() int {
	_, waiting := c.places.counts()
	return waiting
}

// AwaitRoom has events wait for room in a link for so long. It must be called before the client is used.
func (c *Client) AwaitRoom(within time.Duration) { c.links.room.within = within }

// EventsUsuallyTake so long, as far as the client knows. It must be called before the client is used.
func (c *Client) EventsUsuallyTake(long time.Duration) { c.links.room.usual = long }

// WaitingForRoom is how many events wait until a link has room.
func (c *Client) WaitingForRoom() int {
	c.links.mu.Lock()
	defer c.links.mu.Unlock()
	return len(c.links.room.queue)
}

// ReadLine and CheckLine take a link's lines in.
var ReadLine = readLine

func CheckLine(text []byte) error {
	_, _ = parseFirstLine(text)
	_, err := parseLine(text)
	return err
}

// AskForLink sends one link event.
func (c *Client) AskForLink(ctx context.Context) (any, error) { return c.askForLink(ctx) }
