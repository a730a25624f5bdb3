//go:build linux

package main

import "encoding/binary"

// Opcodes of RFC 6455, 5.2.
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xa
)

// rsv1 marks the first frame of a compressed message: RFC 7692, 6.
const rsv1 = 0x40

// mask is every frame's: it has to be there, and need not be a secret between two programs on one machine.
var mask = [4]byte{0x37, 0xfa, 0x21, 0x3d}

// appendFrame adds one whole frame of a client.
func appendFrame(b []byte, opcode byte, payload []byte) []byte {
	const fin, masked = 0x80, 0x80
	b = append(b, fin|opcode)
	switch n := len(payload); {
	case n < 126:
		b = append(b, masked|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, masked|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, masked|127), uint64(n))
	}
	b = append(b, mask[:]...)
	start := len(b)
	b = append(b, payload...)
	for i := range b[start:] {
		b[start+i] ^= mask[i%4]
	}
	return b
}
