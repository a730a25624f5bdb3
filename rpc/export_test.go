package rpc

import "time"

// SetClock replaces the clock by which proofs are signed. It must be called before the client is used.
func (c *Client) SetClock(now func() time.Time) { c.transport.now = now }

// Waiting is how many events wait for a place.
func (c *Client) Waiting() int {
	_, waiting := c.places.counts()
	return waiting
}
