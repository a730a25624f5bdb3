package rpctest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/cablestay/cablestay/rpc"
)

// Secret is the secret of a Rails that names none.
const Secret = "a secret for tests"

// Rails is an app. Every event that has a function is answered by it, on a goroutine of its own; the other events are
// answered as an app would in which there is nothing to say: connections are welcome, subscriptions confirmed.
//
// The context of a function ends when the client goes away. An error becomes a 500, or what [Status] says.
type Rails struct {
	Secret string // "" means Secret above
	Socket string // the path of a Unix socket to listen on, see SocketPath; "" means a free TCP port

	// Workers are the processes it runs in, which give links. Each new connection is the next one's. Without any the app
	// is like one whose web server gives no connection away.
	Workers []*Worker

	Hello       func(context.Context, *rpc.HelloRequest) (*rpc.Hello, error)
	Connect     func(context.Context, *rpc.ConnectRequest) (*rpc.ConnectAnswer, error)
	Subscribe   func(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error)
	Unsubscribe func(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error)
	Perform     func(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error)
	Timer       func(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error)
	Merge       func(context.Context, *rpc.MergeRequest) (*rpc.MergeAnswer, error)
	Disconnect  func(context.Context, *rpc.DisconnectRequest) error
}

// A Status is an error that answers with a status and a body of its own.
type Status struct {
	Code int
	Body string
}

func (s *Status) Error() string { return fmt.Sprintf("status %d", s.Code) }

// NewRails starts an app that ends with the test. What breaks the contract or comes without proof is refused as the
// gem refuses it.
func NewRails(t testing.TB, app Rails) *Server {
	t.Helper()
	if app.Secret == "" {
		app.Secret = Secret
	}
	for _, worker := range app.Workers {
		t.Cleanup(worker.start(app))
	}
	return listen(t, app.Socket, app.handler(), app.workerOf())
}

func (app Rails) handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, err := app.answer(r)
		if err != nil {
			refuse(w, err)
			return
		}
		if worker := workerOf(r.Context()); worker != nil && r.Header.Get("Upgrade") == "cablestay-link" && worker.link(w, answer) {
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer)
	})
}

func (app Rails) answer(r *http.Request) ([]byte, error) {
	event, ok := strings.CutPrefix(r.URL.Path, "/_cablestay/")
	run := app.event(event)
	if !ok || run == nil {
		return nil, failure(http.StatusNotFound, "no event "+event)
	}
	if r.Method != http.MethodPost {
		return nil, failure(http.StatusMethodNotAllowed, r.Method+" is not POST")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, failure(http.StatusBadRequest, "the body is cut short")
	}
	id, err := checkProof(r.Header.Get("Authorization"), app.Secret, event, body)
	if err != nil {
		return nil, failure(http.StatusUnauthorized, err.Error())
	}
	if err := checkRequest(body, id, event, r.Header.Get("Content-Type")); err != nil {
		return nil, err
	}
	answer, err := run(r.Context(), body)
	if err != nil {
		return nil, err
	}
	return withContract(answer)
}

// checkRequest looks at what all requests have in common.
func checkRequest(body []byte, id, event, contentType string) error {
	var common struct {
		Contract   *int                 `json:"contract"`
		ID         string               `json:"id"`
		Hold       string               `json:"hold"`
		Bridge     string               `json:"bridge"`
		Connection *string              `json:"connection"`
		Handshake  rpc.EncodedHandshake `json:"handshake"`
	}
	if err := json.Unmarshal(body, &common); err != nil {
		return failure(http.StatusBadRequest, err.Error())
	}
	switch {
	case contentType != "application/json":
		return failure(http.StatusBadRequest, "the content type is "+contentType)
	case common.Contract == nil:
		return failure(http.StatusBadRequest, "contract is missing")
	case *common.Contract != rpc.Contract:
		return failure(http.StatusConflict, fmt.Sprintf("contract %d is spoken, not %d", rpc.Contract, *common.Contract))
	case common.ID == "":
		return failure(http.StatusBadRequest, "id is missing")
	case common.ID != id:
		return failure(http.StatusUnauthorized, "the proof is of another event")
	case event == "hello":
		return nil
	case common.Bridge == "":
		return failure(http.StatusBadRequest, "bridge is missing")
	case event == "link":
		return nil
	case common.Connection == nil || *common.Connection == "":
		return failure(http.StatusBadRequest, "connection is missing")
	case common.Handshake == "" && common.Hold == "":
		return failure(http.StatusBadRequest, "handshake is missing")
	}
	return nil
}

func withContract(answer any) ([]byte, error) {
	members, err := json.Marshal(answer)
	if err != nil {
		return nil, err
	}
	if string(members) == "{}" {
		return fmt.Appendf(nil, `{"contract":%d}`, rpc.Contract), nil
	}
	return append(fmt.Appendf(nil, `{"contract":%d,`, rpc.Contract), members[1:]...), nil
}

func failure(code int, message string) *Status {
	body, _ := json.Marshal(map[string]any{"contract": rpc.Contract, "error": message})
	return &Status{Code: code, Body: string(body)}
}

func statusOf(err error) *Status {
	var status *Status
	if !errors.As(err, &status) {
		status = failure(http.StatusInternalServerError, err.Error())
	}
	return status
}

func refuse(w http.ResponseWriter, err error) {
	status := statusOf(err)
	w.WriteHeader(status.Code)
	_, _ = io.WriteString(w, status.Body)
}
