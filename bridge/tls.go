package bridge

import (
	"crypto/tls"
	"net"
)

// TLSListener is what [tls.NewListener] makes, for an [http.Server] before a [Server]: of sockets that were accepted here an idle one has no
// goroutine, as of plain ones. What the config leaves open is TLS 1.2 or later; ALPN is http/1.1 alone, in which a WebSocket begins.
//
// Accept does not wait for a client's handshake; the http.Server does that, and bounds it with its ReadTimeout.
func TLSListener(inner net.Listener, config *tls.Config) net.Listener {
	config = config.Clone()
	config.NextProtos = []string{"http/1.1"}
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	// Nobody can use the first packet of a message alone, so that one record for it all is only cheaper.
	config.DynamicRecordSizingDisabled = true
	return &tlsListener{inner, config}
}

type tlsListener struct {
	net.Listener
	config *tls.Config
}

func (l *tlsListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return tls.Server(&carrier{conn}, l.config), nil
}

// carrier is what a session of a TLSListener lies on: the connection that was accepted, until a poller takes its descriptor and puts
// something else there.
type carrier struct{ net.Conn }

// transport is the connection that has the descriptor.
func transport(conn net.Conn) net.Conn {
	if session, ok := conn.(*tls.Conn); ok {
		if under, ok := session.NetConn().(*carrier); ok {
			return under.Conn
		}
	}
	return conn
}
