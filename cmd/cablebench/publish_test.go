//go:build linux

package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
)

// servePublish accepts connections on ln and calls f for each PUBLISH; the
// number f returns is the reply. Any other command gets +OK.
func servePublish(ln net.Listener, f func(channel, payload []byte) int) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer func() { _ = c.Close() }()
			br := bufio.NewReaderSize(c, 1<<16)
			for {
				args, err := readCommand(br)
				if err != nil || len(args) == 0 {
					return
				}
				if len(args) == 3 && (string(args[0]) == "PUBLISH" || string(args[0]) == "publish") {
					n := f(args[1], args[2])
					_, err = c.Write(append(strconv.AppendInt([]byte{':'}, int64(n), 10), '\r', '\n'))
				} else {
					_, err = c.Write([]byte("+OK\r\n"))
				}
				if err != nil {
					return
				}
			}
		}()
	}
}

// readCommand reads one RESP array of bulk strings.
func readCommand(br *bufio.Reader) ([][]byte, error) {
	n, err := readLen(br, '*')
	if err != nil || n < 0 || n > 1024 {
		return nil, fmt.Errorf("bad array: %w", err)
	}
	out := make([][]byte, n)
	for i := range out {
		l, err := readLen(br, '$')
		if err != nil || l < 0 || l > 64<<20 {
			return nil, fmt.Errorf("bad bulk: %w", err)
		}
		b := make([]byte, l+2)
		if _, err := io.ReadFull(br, b); err != nil {
			return nil, err
		}
		out[i] = b[:l]
	}
	return out, nil
}

func readLen(br *bufio.Reader, kind byte) (int, error) {
	l, err := br.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if len(l) < 4 || l[0] != kind {
		return 0, fmt.Errorf("unexpected %q", l)
	}
	return strconv.Atoi(string(l[1 : len(l)-2]))
}
