// Package rpctest is a Rails for tests of what calls Rails: it speaks the contract over real HTTP and is as strict
// about it as the gem, but what runs is the test's own Go. A [Worker] is one of its processes, and the far end of a link.
package rpctest
