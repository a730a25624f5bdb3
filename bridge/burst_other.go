//go:build !linux

package bridge

import "errors"

// burst is what a lane has with io_uring: nothing, here.
type burst struct{}

func newBurst() (*burst, error) { return nil, CheckIOURing() }

// CheckIOURing says why the system can't have Config.IOURing.
func CheckIOURing() error { return errors.New("only Linux has io_uring") }

func (*burst) transmit(o *outbound, frame []byte) error { return o.transmit(frame) }

func (*burst) end() {}

func (*burst) close() {}
