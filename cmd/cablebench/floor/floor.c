/* The floor without a language runtime: accepts connections, takes PUBLISH
 * on a second port as Redis does, and write(2)s one ready-made frame to each socket.
 * No handshake: drive it with  cablebench fanout -raw.
 *
 *   cc -O2 -o floor floor.c && ./floor 7811 7812
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAXC = 200000, MAXM = 1 << 20 };
static int conns[MAXC], nconns;

static int listen_on(int port) {
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, 4096)) {
		perror("listen");
		exit(1);
	}
	return fd;
}

static void add(int ep, int fd, unsigned long long tag) {
	struct epoll_event e = {.events = EPOLLIN, .data.u64 = tag};
	epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
}

static const char head[] = "{\"identifier\":\"{\\\"channel\\\":\\\"BenchChannel\\\",\\\"stream\\\":\\\"bench\\\"}\",\"message\":";

static int fan(const char *msg, size_t n) {
	static unsigned char f[MAXM + 512];
	size_t len = sizeof head - 1 + n + 1, h;
	f[0] = 0x81;
	if (len < 126) {
		f[1] = len;
		h = 2;
	} else if (len < 65536) {
		f[1] = 126;
		f[2] = len >> 8;
		f[3] = len;
		h = 4;
	} else {
		f[1] = 127;
		for (int i = 0; i < 8; i++)
			f[2 + i] = (unsigned long long)len >> (56 - 8 * i);
		h = 10;
	}
	memcpy(f + h, head, sizeof head - 1);
	memcpy(f + h + sizeof head - 1, msg, n);
	f[h + len - 1] = '}';
	int live = 0;
	for (int i = 0; i < nconns; i++) {
		size_t off = 0;
		int ok = 1;
		while (off < h + len) {
			ssize_t w = write(conns[i], f + off, h + len - off);
			if (w > 0)
				off += w;
			else if (errno == EAGAIN) {
				struct pollfd p = {.fd = conns[i], .events = POLLOUT};
				poll(&p, 1, 1000);
			} else {
				ok = 0;
				break;
			}
		}
		if (ok)
			conns[live++] = conns[i];
		else
			close(conns[i]);
	}
	nconns = live;
	return live;
}

/* Reads one RESP array at p..end: 0 if incomplete, else its length; fills args. */
static size_t parse(char *p, char *end, char **arg, size_t *len, int *n) {
	char *q = p, *nl;
	if (!(nl = memchr(q, '\n', end - q)))
		return 0;
	*n = atoi(q + 1);
	q = nl + 1;
	for (int i = 0; i < *n; i++) {
		if (!(nl = memchr(q, '\n', end - q)))
			return 0;
		size_t l = strtoul(q + 1, NULL, 10);
		q = nl + 1;
		if ((size_t)(end - q) < l + 2)
			return 0;
		if (i < 4) {
			arg[i] = q;
			len[i] = l;
		}
		q += l + 2;
	}
	return q - p;
}

int main(int argc, char **argv) {
	if (argc < 3)
		return fprintf(stderr, "usage: floor PORT PUBLISH-PORT\n"), 2;
	struct rlimit r;
	getrlimit(RLIMIT_NOFILE, &r);
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
	signal(SIGPIPE, SIG_IGN);
	int ls = listen_on(atoi(argv[1])), lp = listen_on(atoi(argv[2])), ep = epoll_create1(EPOLL_CLOEXEC);
	add(ep, ls, 1);
	add(ep, lp, 2);
	static char buf[MAXM];
	size_t have = 0;
	for (;;) {
		struct epoll_event ev[64];
		int n = epoll_wait(ep, ev, 64, -1);
		for (int i = 0; i < n; i++) {
			if (ev[i].data.u64 == 1) {
				int fd = accept4(ls, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;
				if (fd >= 0 && nconns < MAXC) {
					setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
					conns[nconns++] = fd;
				}
			} else if (ev[i].data.u64 == 2) {
				int fd = accept4(lp, NULL, NULL, SOCK_CLOEXEC);
				if (fd >= 0)
					add(ep, fd, 3ULL << 32 | fd), have = 0;
			} else {
				int fd = (int)ev[i].data.u64;
				ssize_t got = read(fd, buf + have, sizeof buf - have);
				if (got <= 0) {
					close(fd);
					continue;
				}
				have += got;
				size_t off = 0, used;
				char *arg[4];
				size_t len[4];
				int na;
				while (off < have && (used = parse(buf + off, buf + have, arg, len, &na))) {
					char out[32] = "+OK\r\n";
					if (na == 3)
						snprintf(out, sizeof out, ":%d\r\n", fan(arg[2], len[2]));
					if (write(fd, out, strlen(out)) < 0)
						perror("reply");
					off += used;
				}
				memmove(buf, buf + off, have - off);
				have -= off;
			}
		}
	}
}
