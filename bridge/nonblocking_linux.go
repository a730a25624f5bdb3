package bridge

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// read is read(2) on a non-blocking descriptor, and write is send(2), which does for a socket what write(2) does, by a shorter way through the kernel: about a
// twentieth of a delivery. Go's scheduler is not told of them, because they never wait: of calls that might, it has a thread look after each that is under
// way, which wakes thousands of times a second beside a fan-out and puts the writer aside each time.

func read(fd int32, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
	return result(n, errno)
}

func write(fd int32, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)),
		unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	return result(n, errno)
}

func result(n uintptr, errno unix.Errno) (int, error) {
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
