package bridge

import (
	"net/http"
	"slices"

	"github.com/cablestay/cablestay/rpc"
)

// hopByHop headers are for one connection only (RFC 9110, 7.6.1), and the length is counted anew.
var hopByHop = []string{
	"Connection", "Content-Length", "Keep-Alive", "Proxy-Authenticate", "Proxy-Connection", "Te", "Trailer",
	"Transfer-Encoding", "Upgrade",
}

// relay gives the client what the app answered instead of an upgrade.
func relay(w http.ResponseWriter, answer *rpc.HTTPAnswer) {
	if answer.Status < 200 || answer.Status > 599 {
		http.Error(w, "Bad gateway", http.StatusBadGateway)
		return
	}
	header := w.Header()
	header["Content-Type"] = nil // none is made up
	for _, pair := range answer.Headers {
		name := http.CanonicalHeaderKey(pair[0])
		if !slices.Contains(hopByHop, name) {
			header.Add(name, pair[1])
		}
	}
	w.WriteHeader(answer.Status)
	_, _ = w.Write(answer.Body) // the client may have left, or a HEAD wants none
}
