//go:build linux

package main

// A token travels in every measured payload as the string member "b":
//
//	RR.KKKKKK.SSSSSSSS.MMMMMMMM.TTTTTTTTTTTTTTTT
//
// run, stream, sequence number within the stream (1-based), message number
// within the run, and nanoseconds on the generator's monotonic clock.
type token struct {
	run    uint8
	stream uint32
	seq    uint32
	msg    uint32
	at     int64
}

const tokenLen = 2 + 1 + 6 + 1 + 8 + 1 + 8 + 1 + 16

func putDigits(b []byte, v uint64) {
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = byte('0' + v%10)
		v /= 10
	}
}

func (t token) put(b []byte) {
	_ = b[tokenLen-1]
	putDigits(b[0:2], uint64(t.run))
	b[2] = '.'
	putDigits(b[3:9], uint64(t.stream))
	b[9] = '.'
	putDigits(b[10:18], uint64(t.seq))
	b[18] = '.'
	putDigits(b[19:27], uint64(t.msg))
	b[27] = '.'
	putDigits(b[28:44], uint64(t.at))
}

func digits(b []byte) (v uint64, ok bool) {
	for _, c := range b {
		d := uint64(c - '0')
		if d > 9 {
			return 0, false
		}
		v = v*10 + d
	}
	return v, true
}

func parseToken(b []byte) (t token, ok bool) {
	if len(b) < tokenLen || b[2] != '.' || b[9] != '.' || b[18] != '.' || b[27] != '.' {
		return t, false
	}
	r, o1 := digits(b[0:2])
	k, o2 := digits(b[3:9])
	s, o3 := digits(b[10:18])
	m, o4 := digits(b[19:27])
	a, o5 := digits(b[28:44])
	return token{uint8(r), uint32(k), uint32(s), uint32(m), int64(a)}, o1 && o2 && o3 && o4 && o5
}
