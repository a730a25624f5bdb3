//go:build !linux

package bridge

import "runtime"

// A glance lets others run: what it does on Linux is not to be had here.
type glance struct{}

func newGlance() *glance { return &glance{} }

func (*glance) look() { runtime.Gosched() }

func (*glance) close() {}
