//go:build !linux

package iouringtest

import "testing"

// Refused runs f where io_uring is refused: everywhere.
func Refused(t *testing.T, f func()) {
	t.Helper()
	f()
}
