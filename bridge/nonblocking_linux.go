package bridge

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// read, write and send are read(2), write(2) and send(2) on a non-blocking descriptor. Go's scheduler is not told of them, because they never
// wait: of calls that might, it has a thread look after each that is under way, which wakes thousands of times a second beside a fan-out and puts
// the writer aside each time.

func read(fd int32, p []byte) (int, error) {
	return nonblocking(unix.SYS_READ, fd, p, 0)
}

func write(fd int32, p []byte) (int, error) {
	return nonblocking(unix.SYS_WRITE, fd, p, 0)
}

// send writes to a socket. For write that is a file first, whose position and watchers the kernel looks up.
func send(fd int32, p []byte) (int, error) {
	return nonblocking(unix.SYS_SENDTO, fd, p, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
}

func nonblocking(call uintptr, fd int32, p []byte, flags uintptr) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, _, errno := unix.RawSyscall6(call, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)), flags, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
