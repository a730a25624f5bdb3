package rpc

// Contract is the version of the contract in README.md that this package speaks.
const Contract = 1

// Handshake is the HTTP request that opened a connection, as the gem needs it to build the app's Rack env.
type Handshake struct {
	Method     string      `json:"method"`
	Scheme     string      `json:"scheme"`
	Path       string      `json:"path"`        // raw, still percent-encoded
	Query      string      `json:"query"`       // without "?"
	RemoteAddr string      `json:"remote_addr"` // of the TCP peer, without the port
	Headers    [][2]string `json:"headers"`     // repeated headers are repeated pairs
}

// Event is what the requests of all events of a connection have in common.
type Event struct {
	ID         string     `json:"id"`         // the same for every try of one event
	Connection string     `json:"connection"` // chosen by the bridge at the handshake
	Handshake  *Handshake `json:"handshake"`
}

// HelloRequest asks Rails what the bridge would otherwise have to be told.
type HelloRequest struct {
	ID string `json:"id"`
}

// Hello is the answer to [HelloRequest].
type Hello struct {
	Gem              string         `json:"gem"`
	Rails            string         `json:"rails"`
	Ruby             string         `json:"ruby"`
	Environment      string         `json:"environment"`
	Adapter          string         `json:"adapter"`
	Redis            map[string]any `json:"redis"` // may hold a password: never log it
	ChannelPrefix    *string        `json:"channel_prefix"`
	Mounts           []Mount        `json:"mounts"`
	Concurrency      int            `json:"concurrency"`
	RemoteDisconnect string         `json:"remote_disconnect"`
}

// What Hello.RemoteDisconnect says: whether a remote disconnect sends a disconnect frame before it closes.
const (
	RemoteDisconnectTransmits = "transmit" // Rails 7.1 and later
	RemoteDisconnectCloses    = "close"    // earlier ones
)

// Mount is a path at which the app mounts Action Cable.
type Mount struct {
	Path     string `json:"path"`     // in the router's words: "/t/:tenant/cable"
	Anchored bool   `json:"anchored"` // false where longer paths match too (Rails before 7.0.4)
}

// ConnectRequest is a handshake that waits for its answer.
type ConnectRequest struct {
	Event
	Protocol *string `json:"protocol"` // the subprotocol that the bridge will answer with
}

// ConnectAnswer is either the app's own HTTP answer, or an open connection.
type ConnectAnswer struct {
	HTTP                 *HTTPAnswer `json:"http,omitempty"`
	Accepted             bool        `json:"accepted,omitempty"`
	ConnectionIdentifier string      `json:"connection_identifier,omitempty"`
	ConnectionState      *string     `json:"connection_state,omitempty"`
	Effects              []Effect    `json:"effects,omitempty"`
}

// HTTPAnswer is what the app answered instead of letting the socket open.
type HTTPAnswer struct {
	Status  int         `json:"status"`
	Headers [][2]string `json:"headers"`
	Body    []byte      `json:"body"` // Base64 in JSON
}

// CommandRequest is one command of the client: subscribe, unsubscribe or perform.
type CommandRequest struct {
	Event
	Identifier      string `json:"identifier"` // the client's string, byte for byte
	ConnectionState string `json:"connection_state"`
	State           string `json:"state,omitempty"` // the subscription's; none in subscribe
	Data            string `json:"data,omitempty"`  // perform's; the client's string
}

// CommandAnswer is what the command did. A state that is nil is unchanged.
type CommandAnswer struct {
	Subscribed      bool     `json:"subscribed"`
	ConnectionState *string  `json:"connection_state,omitempty"`
	State           *string  `json:"state,omitempty"`
	Effects         []Effect `json:"effects"`
}

// DisconnectRequest says that a connection is gone, so that every unsubscribed and then disconnect run.
type DisconnectRequest struct {
	Event
	ConnectionState string              `json:"connection_state"`
	Subscriptions   []SubscriptionState `json:"subscriptions"` // in the order in which they were made
}

// SubscriptionState is a subscription that outlived its socket.
type SubscriptionState struct {
	Identifier string `json:"identifier"`
	State      string `json:"state"`
}

// EffectKind says what an Effect asks of the bridge.
type EffectKind string

// The effects of contract version 1; README.md says what each means.
const (
	EffectTransmit   EffectKind = "transmit"
	EffectStream     EffectKind = "stream"
	EffectStopStream EffectKind = "stop_stream"
	EffectBroadcast  EffectKind = "broadcast"
	EffectConfirm    EffectKind = "confirm"
	EffectReject     EffectKind = "reject"
	EffectClose      EffectKind = "close"
)

// Effect is one thing that the Ruby code did during an event, in its place among the others.
type Effect struct {
	Effect       EffectKind `json:"effect"`
	Frame        string     `json:"frame,omitempty"`        // of transmit, confirm and reject
	Broadcasting string     `json:"broadcasting,omitempty"` // of stream, stop_stream and broadcast
	Payload      string     `json:"payload,omitempty"`      // of broadcast
}
