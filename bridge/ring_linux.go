package bridge

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What of linux/io_uring.h it takes to send, under the names that it has there; io_uring(7) explains them.
const (
	ioringOpSend = 26 // IORING_OP_SEND

	ioringOffSQRing = 0          // IORING_OFF_SQ_RING
	ioringOffSQEs   = 0x10000000 // IORING_OFF_SQES

	ioringEnterGetEvents = 1 << 0 // IORING_ENTER_GETEVENTS

	// ioringFeatures are IORING_FEAT_SINGLE_MMAP, which has both rings in one mapping, and IORING_FEAT_NATIVE_WORKERS, which is how
	// one knows Linux 5.12: what was before had faults that are not worth it.
	ioringFeatures = 1<<0 | 1<<9
)

type ioUringParams struct {
	sqEntries    uint32
	cqEntries    uint32
	flags        uint32
	sqThreadCPU  uint32
	sqThreadIdle uint32
	features     uint32
	wqFd         uint32
	resv         [3]uint32
	sqOff        ioSQRingOffsets
	cqOff        ioCQRingOffsets
}

type ioSQRingOffsets struct {
	head, tail, ringMask, ringEntries, flags, dropped, array, resv1 uint32
	resv2                                                           uint64
}

type ioCQRingOffsets struct {
	head, tail, ringMask, ringEntries, overflow, cqes, flags, resv1 uint32
	resv2                                                           uint64
}

type ioUringSQE struct {
	opcode   uint8
	flags    uint8
	ioprio   uint16
	fd       int32
	off      uint64
	addr     uint64
	len      uint32
	msgFlags uint32
	userData uint64
	_        [24]byte
}

type ioUringCQE struct {
	userData uint64
	res      int32
	flags    uint32
}

// ring is an io_uring(7) that sends, up to as many at a time as it was made for. All is done when submit returns: nothing that was sent from
// is read later, no descriptor is looked at later. It belongs to one goroutine, on whatever thread that runs.
type ring struct {
	fd       int
	rings    []byte // mapped: both, but for the entries of the one to the kernel
	entries  []byte // mapped: those
	sqTail   *uint32
	sqMask   uint32
	sqes     []ioUringSQE
	cqHead   *uint32
	cqTail   *uint32
	cqMask   uint32
	cqes     []ioUringCQE
	prepared int
	results  []int32 // of what was prepared, in its order: how many bytes were taken, or an errno, negative
}

// notTaken is the result of what the kernel has not looked at: as if the socket were full.
const notTaken = -int32(unix.EAGAIN)

func newRing(most int) (*ring, error) {
	var p ioUringParams
	fd, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, uintptr(most), uintptr(unsafe.Pointer(&p)), 0)
	if errno != 0 {
		return nil, fmt.Errorf("io_uring_setup: %w", errno)
	}
	r := &ring{fd: int(fd), results: make([]int32, most)}
	if err := r.mapMemory(&p); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *ring) mapMemory(p *ioUringParams) (err error) {
	if p.features&ioringFeatures != ioringFeatures {
		return fmt.Errorf("io_uring has the features %#x, want %#x among them, as from Linux 5.12 on", p.features, ioringFeatures)
	}
	size := max(int(p.sqOff.array)+int(p.sqEntries)*4, int(p.cqOff.cqes)+int(p.cqEntries)*int(unsafe.Sizeof(ioUringCQE{})))
	const protection, how = unix.PROT_READ | unix.PROT_WRITE, unix.MAP_SHARED | unix.MAP_POPULATE
	if r.rings, err = unix.Mmap(r.fd, ioringOffSQRing, size, protection, how); err != nil {
		return fmt.Errorf("map io_uring's rings: %w", err)
	}
	if r.entries, err = unix.Mmap(r.fd, ioringOffSQEs, int(p.sqEntries)*int(unsafe.Sizeof(ioUringSQE{})), protection, how); err != nil {
		return fmt.Errorf("map io_uring's entries: %w", err)
	}
	at := func(offset uint32) *uint32 { return (*uint32)(unsafe.Pointer(&r.rings[offset])) }
	r.sqTail, r.sqMask = at(p.sqOff.tail), *at(p.sqOff.ringMask)
	r.sqes = unsafe.Slice((*ioUringSQE)(unsafe.Pointer(&r.entries[0])), p.sqEntries)
	r.cqHead, r.cqTail, r.cqMask = at(p.cqOff.head), at(p.cqOff.tail), *at(p.cqOff.ringMask)
	r.cqes = unsafe.Slice((*ioUringCQE)(unsafe.Pointer(&r.rings[p.cqOff.cqes])), p.cqEntries)
	for i, places := 0, unsafe.Slice(at(p.sqOff.array), p.sqEntries); i < len(places); i++ {
		places[i] = uint32(i) //nolint:gosec // no more than were asked for
	}
	for i := range r.sqes { // what is the same for all
		r.sqes[i] = ioUringSQE{opcode: ioringOpSend, msgFlags: unix.MSG_DONTWAIT | unix.MSG_NOSIGNAL}
	}
	return nil
}

func (r *ring) close() {
	if r.entries != nil {
		_ = unix.Munmap(r.entries)
	}
	if r.rings != nil {
		_ = unix.Munmap(r.rings)
	}
	_ = unix.Close(r.fd)
}

// prepare has the next submit send p, which is not empty. The caller keeps p until then: the ring's memory is not Go's, so the garbage collector doesn't
// look there. It moves nothing on the heap, though.
func (r *ring) prepare(fd int32, p []byte) {
	sqe := &r.sqes[(*r.sqTail+uint32(r.prepared))&r.sqMask]                                //nolint:gosec // a place
	sqe.fd, sqe.addr, sqe.len = fd, uint64(uintptr(unsafe.Pointer(&p[0]))), uint32(len(p)) //nolint:gosec // as the kernel's write
	sqe.userData = uint64(r.prepared)                                                      //nolint:gosec // not negative
	r.results[r.prepared] = notTaken
	r.prepared++
}

// submit sends what was prepared, and returns the results, which hold until the next prepare. A send that must not wait (MSG_DONTWAIT) is never put off by the
// kernel, so it is done within the call that submits it; should that ever be otherwise, submit waits for it.
func (r *ring) submit() []int32 {
	results := r.results[:r.prepared]
	left := uint32(r.prepared) //nolint:gosec // a place
	r.prepared = 0
	atomic.StoreUint32(r.sqTail, *r.sqTail+left)
	submitted := 0
	for left > 0 {
		n, errno := r.enter(left, 0, 0)
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 || n == 0 {
			break // for want of memory
		}
		left -= n
		submitted += int(n)
	}
	if left > 0 { // never seen: the kernel reads how far it may go only when it is entered
		atomic.StoreUint32(r.sqTail, *r.sqTail-left)
	}
	for done := r.reap(results); done < submitted; done += r.reap(results) {
		_, _ = r.enter(0, uint32(submitted-done), ioringEnterGetEvents) //nolint:gosec // not negative
	}
	return results
}

// enter is io_uring_enter(2). Go's scheduler is not told, for the reason that send gives.
func (r *ring) enter(submit, complete, flags uint32) (uint32, unix.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_IO_URING_ENTER, uintptr(r.fd), uintptr(submit), uintptr(complete), uintptr(flags), 0, 0)
	return uint32(n), errno //nolint:gosec // no more than submit
}

// reap notes what is done, and tells how many that are.
func (r *ring) reap(results []int32) int {
	head, tail := *r.cqHead, atomic.LoadUint32(r.cqTail)
	for at := head; at != tail; at++ {
		cqe := &r.cqes[at&r.cqMask]
		results[cqe.userData] = cqe.res
	}
	atomic.StoreUint32(r.cqHead, tail)
	return int(tail - head)
}
