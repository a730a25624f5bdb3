package rpc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// answer is what a call expects. check finds what JSON alone does not.
type answer interface {
	check() error
}

// decode reads an answer with status 200.
func decode(event string, body []byte, into answer) error {
	problem := func(text string, err error) error {
		return &AnswerError{Event: event, Problem: text, Body: excerpt(body), Err: err}
	}
	if len(body) == 0 {
		return problem("its body is empty", nil)
	}
	if opening := bytes.TrimLeft(body, " \t\r\n"); len(opening) == 0 || opening[0] != '{' {
		return problem("its body is not a JSON object", nil)
	}
	if event == hello.name {
		problem = func(text string, err error) error { // Redis' password may be in it
			return &AnswerError{Event: event, Problem: text, Err: err}
		}
	}
	if text, err := contractProblem(body); text != "" {
		return problem(text, err)
	}
	if err := json.Unmarshal(body, into); err != nil {
		if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
			return problem("its body is not JSON", err)
		}
		return problem("its body does not keep the contract", err)
	}
	if err := into.check(); err != nil {
		return problem("its body does not keep the contract", err)
	}
	return nil
}

var (
	plainContract  = fmt.Appendf(nil, `{"contract":%d,`, Contract)
	onlyAContract  = fmt.Appendf(nil, `{"contract":%d}`, Contract)
	wantedContract = strconv.Itoa(Contract)
)

// contractProblem is why the answer is not of this contract, or empty. The gem says which it is in front of all else.
func contractProblem(body []byte) (string, error) {
	if bytes.HasPrefix(body, plainContract) || bytes.Equal(body, onlyAContract) {
		return "", nil
	}
	var version struct {
		Contract json.RawMessage `json:"contract"`
	}
	if err := json.Unmarshal(body, &version); err != nil {
		return "its body is not JSON", err
	}
	if version.Contract == nil {
		return "its contract is missing", nil
	}
	if got := string(version.Contract); got != wantedContract {
		return fmt.Sprintf("it speaks contract %s and this bridge contract %d", excerpt(version.Contract), Contract), ErrOtherContract
	}
	return "", nil
}

type helloAnswer struct {
	Hello
}

func (a *helloAnswer) check() error {
	switch {
	case a.Adapter == "":
		return errors.New("the adapter is missing")
	case a.Concurrency < 1:
		return fmt.Errorf("the concurrency is %d, not at least 1", a.Concurrency)
	case a.RemoteDisconnect != RemoteDisconnectTransmits && a.RemoteDisconnect != RemoteDisconnectCloses:
		return fmt.Errorf("remote_disconnect is %q, neither %q nor %q", a.RemoteDisconnect, RemoteDisconnectTransmits, RemoteDisconnectCloses)
	}
	return nil
}

type connectAnswer struct {
	ConnectAnswer
	Given *bool `json:"accepted"` // in the place of ConnectAnswer's, to know that it is there
}

func (a *connectAnswer) check() error {
	if a.HTTP != nil {
		if a.HTTP.Status < 200 || a.HTTP.Status > 599 {
			return fmt.Errorf("the http status is %d", a.HTTP.Status)
		}
		return nil
	}
	if a.Given == nil {
		return errors.New("there is neither http nor accepted")
	}
	a.Accepted = *a.Given
	return errors.Join(checkEffects(a.Effects), a.Live.check())
}

type commandAnswer struct {
	CommandAnswer
	Given *bool `json:"subscribed"` // in the place of CommandAnswer's, to know that it is there
}

func (a *commandAnswer) check() error {
	if a.Given == nil {
		return errors.New("subscribed is missing")
	}
	a.Subscribed = *a.Given
	return errors.Join(checkEffects(a.Effects), a.Live.check())
}

func (l *Live) check() error {
	switch {
	case l == nil:
	case l.Worker == "":
		return errors.New("live has no worker")
	case l.Hold == "":
		return errors.New("live has no hold")
	}
	return nil
}

type mergeAnswer struct {
	MergeAnswer
}

func (a *mergeAnswer) check() error {
	if !a.Lost && a.ConnectionState == "" {
		return errors.New("there is neither connection_state nor lost")
	}
	return nil
}

type disconnectAnswer struct{}

func (*disconnectAnswer) check() error { return nil }

func checkEffects(effects []Effect) error {
	for i, e := range effects {
		switch e.Effect {
		case EffectTransmit, EffectConfirm, EffectReject:
			if e.Frame == "" {
				return fmt.Errorf("effect %d, %s, has no frame", i+1, e.Effect)
			}
		case EffectTimer, EffectStopTimer:
			if e.Timer == nil || *e.Timer < 0 {
				return fmt.Errorf("effect %d, %s, does not say which timer", i+1, e.Effect)
			}
			if e.Effect == EffectTimer && e.Every <= 0 {
				return fmt.Errorf("effect %d, %s, is every %g seconds, which is not positive", i+1, e.Effect, e.Every)
			}
		case EffectStream, EffectStopStream, EffectBroadcast, EffectClose:
		default:
			return fmt.Errorf("effect %d is of the unknown kind %q", i+1, excerpt([]byte(e.Effect)))
		}
	}
	return nil
}

// complaint is what an answer that is no 200 says: its error member, where it is the gem's.
func complaint(body []byte) string {
	var said struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(body, &said) == nil && said.Error != "" {
		return excerpt([]byte(said.Error))
	}
	return excerpt(body)
}
