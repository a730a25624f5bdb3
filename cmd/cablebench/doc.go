// Command cablebench loads a server that speaks Action Cable and measures what connections, deliveries, actions and
// reconnects cost it. It drives any such server: Cablestay, Rails itself, another one. It talks to loopback addresses only.
//
// Connections have no goroutine and no buffer each: an epoll loop reads them all, and decodes nothing that it does not count.
// Times are microseconds, CPU times are those of /proc, memory is the resident set.
package main
