//go:build !linux

package bridge

func epollSocketOrNothing() any { return struct{}{} }
