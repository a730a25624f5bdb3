package bridge

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// read and write are read(2) and write(2) on a non-blocking descriptor. Go's scheduler is not told of them, because they never wait: of
// calls that might, it has a thread look after each that is under way, which wakes thousands of times a second beside a fan-out and puts the writer
// aside each time.

func read(fd int32, p []byte) (int, error) {
	return nonblocking(unix.SYS_READ, fd, p)
}

func write(fd int32, p []byte) (int, error) {
	return nonblocking(unix.SYS_WRITE, fd, p)
}

func nonblocking(call uintptr, fd int32, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, _, errno := unix.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
