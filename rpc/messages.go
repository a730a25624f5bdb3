package rpc

// Contract is the version of the contract in README.md that this package speaks.
const Contract = 1

// Handshake is the HTTP request that opened a connection, as the gem needs it to build the app's Rack env. All events of the
// connection bring it: [EncodedHandshake].
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
	ID         string           `json:"id"`         // the same for every try of one event
	Connection string           `json:"connection"` // chosen by the bridge at the handshake
	Handshake  EncodedHandshake `json:"handshake,omitempty"`

	// Hold is who holds the event's subscription or connection: the event goes along that worker's link. nil: over HTTP.
	Hold *Hold `json:"-"`
}

func (e *Event) of() string { return e.Connection }

// connectionOf is the id of the connection whose event the request is, or "".
func connectionOf(request any) string {
	if event, ok := request.(interface{ of() string }); ok {
		return event.of()
	}
	return ""
}

// Hold is one object that a worker keeps alive.
type Hold struct {
	Worker string
	ID     string
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
	Workers          int            `json:"workers,omitempty"` // how many links there can be
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
	Live                 *Live       `json:"live,omitempty"`
	ConnectionEnd        End         `json:"connection_end,omitempty"`
}

// End is what an answer says of what Rails has to run when a connection or a subscription ends. Nothing said, or something unknown,
// is that there may be something.
type End string

// EndNothing is that there is certainly nothing, not even a line in the log: the event need not be sent.
const EndNothing End = "nothing"

// Live says that a worker holds the event's subscription from now on, or its whole connection.
type Live struct {
	Worker     string `json:"worker"`
	Hold       string `json:"hold"`
	Connection bool   `json:"connection"` // all of it, not the subscription alone
	Why        string `json:"why"`
}

// HTTPAnswer is what the app answered instead of letting the socket open.
type HTTPAnswer struct {
	Status  int         `json:"status"`
	Headers [][2]string `json:"headers"`
	Body    []byte      `json:"body"` // Base64 in JSON
}

// CommandRequest is one command of the client: subscribe, unsubscribe or perform; or one tick of a timer.
type CommandRequest struct {
	Event
	Identifier      string   `json:"identifier"`            // the client's string, byte for byte
	Identifiers     []string `json:"identifiers,omitempty"` // of all the connection's subscriptions, unless there is none but this one
	ConnectionState string   `json:"connection_state"`
	State           string   `json:"state,omitempty"` // the subscription's; none in subscribe, none for who holds it
	Data            string   `json:"data,omitempty"`  // perform's; the client's string
	Timer           *int     `json:"timer,omitempty"` // timer's, as the effect had it
	Every           float64  `json:"every,omitempty"` // timer's, as the effect had it
}

// CommandAnswer is what the command did. A state that is nil is unchanged.
type CommandAnswer struct {
	Subscribed      bool     `json:"subscribed"`
	ConnectionState *string  `json:"connection_state,omitempty"`
	State           *string  `json:"state,omitempty"`
	Effects         []Effect `json:"effects"`
	Live            *Live    `json:"live,omitempty"`
	ConnectionEnd   End      `json:"connection_end,omitempty"`
	End             End      `json:"end,omitempty"` // the subscription's

	applied func() // nil where nothing waits for it
}

// Applied must be called when the answer has been applied: what its worker did after it comes after it.
func (a *CommandAnswer) Applied() {
	if a.applied != nil {
		a.applied()
	}
}

// MergeRequest asks for the one connection state that two events have made which ran at a time.
type MergeRequest struct {
	Event
	Before  string `json:"before"`  // with which the event began
	Kept    string `json:"kept"`    // what the bridge has now
	Changed string `json:"changed"` // what the event answered with
}

// MergeAnswer is that state, or that there is none.
type MergeAnswer struct {
	ConnectionState string `json:"connection_state,omitempty"`
	Lost            bool   `json:"lost,omitempty"` // one of them can't be read
}

// DisconnectRequest says that a connection is gone, so that every unsubscribed and then disconnect run.
type DisconnectRequest struct {
	Event
	ConnectionState string              `json:"connection_state"`
	Subscriptions   []SubscriptionState `json:"subscriptions"`     // in the order in which they were made
	Partial         bool                `json:"partial,omitempty"` // the connection's own disconnect runs elsewhere
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
	EffectTimer      EffectKind = "timer"
	EffectStopTimer  EffectKind = "stop_timer"
	EffectClose      EffectKind = "close"
)

// Effect is one thing that the Ruby code did during an event, in its place among the others.
type Effect struct {
	Effect       EffectKind `json:"effect"`
	Frame        string     `json:"frame,omitempty"`        // of transmit, confirm and reject
	Broadcasting string     `json:"broadcasting,omitempty"` // of stream, stop_stream and broadcast
	Payload      string     `json:"payload,omitempty"`      // of broadcast
	Timer        *int       `json:"timer,omitempty"`        // of timer and stop_timer: its place among the channel's
	Every        float64    `json:"every,omitempty"`        // of timer: seconds
	Identifier   string     `json:"identifier,omitempty"`   // whose it is, where not the event's own subscription's
}
