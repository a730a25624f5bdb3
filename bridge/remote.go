package bridge

import (
	"github.com/cablestay/cablestay/protocol"
	"github.com/cablestay/cablestay/rpc"
)

// disconnectRemotely does what a message on a connection identifier's internal channel asks for
// (ActionCable::Connection::InternalChannel#process_internal_message). It is called by the PubSub.
func (s *Server) disconnectRemotely(connectionIdentifier string, payload []byte) {
	remote, ok := protocol.ParseRemote(payload)
	if !ok {
		return
	}
	for _, c := range s.connections.identifiedBy(connectionIdentifier) {
		c.log().Info("removing connection", "connection_identifier", connectionIdentifier)
		if s.remoteDisconnect == rpc.RemoteDisconnectCloses && !remote.Failed {
			c.close(closeRemote, nil, normalClose)
		} else {
			c.disconnect(closeRemote, remote.Disconnect)
		}
	}
}
