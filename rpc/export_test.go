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

// ReadLine and CheckLine take a link's lines in.
var ReadLine = readLine

func CheckLine(text []byte) error {
	_, _ = parseFirstLine(text)
	_, err := parseLine(text)
	return err
}

// AskForLink sends one link event.
func (c *Client) AskForLink(ctx context.Context) (any, error) { return c.askForLink(ctx) }
