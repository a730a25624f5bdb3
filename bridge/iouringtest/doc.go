// Package iouringtest is for tests of what happens where the system has no io_uring to give.
package iouringtest
