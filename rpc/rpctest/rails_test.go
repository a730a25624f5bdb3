package rpctest_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/cablestay/cablestay/rpc"
	"github.com/cablestay/cablestay/rpc/rpctest"
)

const performBody = `{"contract":1,"id":"1","bridge":"b","connection":"c","handshake":{},"identifier":"i"}`

// ask sends body to an event with a proof in which change has changed something.
func ask(t *testing.T, rails *rpctest.Server, method, event, body string, change jwt.MapClaims) (status int, answer string) {
	t.Helper()
	sum := sha256.Sum256([]byte(body))
	claims := jwt.MapClaims{
		"iss": "cablestay", "aud": "cablestay-rails", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(),
		"jti": "1", "event": event, "digest": hex.EncodeToString(sum[:]),
	}
	maps.Copy(claims, change)
	proof, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(rpctest.Secret))
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, rails.URL()+"/_cablestay/"+event, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+proof)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestRails_RefusesWhatTheGemRefuses(t *testing.T) {
	rails := rpctest.NewRails(t, rpctest.Rails{})
	long := time.Now().Add(-time.Hour).Unix()
	for name, test := range map[string]struct {
		method, event, body string
		change              jwt.MapClaims
		status              int
		says                string
	}{
		"good":           {http.MethodPost, "perform", performBody, nil, 200, `"contract":1`},
		"other event":    {http.MethodPost, "perform", performBody, jwt.MapClaims{"event": "hello"}, 401, "another event"},
		"other id":       {http.MethodPost, "perform", performBody, jwt.MapClaims{"jti": "2"}, 401, "another event"},
		"other body":     {http.MethodPost, "perform", performBody, jwt.MapClaims{"digest": "00"}, 401, "another body"},
		"expired":        {http.MethodPost, "perform", performBody, jwt.MapClaims{"exp": long}, 401, "expired"},
		"other audience": {http.MethodPost, "perform", performBody, jwt.MapClaims{"aud": "x"}, 401, "aud"},
		"other issuer":   {http.MethodPost, "perform", performBody, jwt.MapClaims{"iss": "x"}, 401, "iss"},
		"unknown event":  {http.MethodPost, "dance", performBody, nil, 404, "dance"},
		"a GET":          {http.MethodGet, "perform", performBody, nil, 405, "GET"},
		"contract 2":     {http.MethodPost, "perform", strings.Replace(performBody, `:1`, `:2`, 1), nil, 409, "contract"},
		"no contract":    {http.MethodPost, "perform", `{"id":"1"}`, nil, 400, "contract is missing"},
		"no bridge":      {http.MethodPost, "perform", `{"contract":1,"id":"1","connection":"c","handshake":{}}`, nil, 400, "bridge is missing"},
		"no connection":  {http.MethodPost, "perform", `{"contract":1,"id":"1","bridge":"b","handshake":{}}`, nil, 400, "connection is missing"},
		"no handshake":   {http.MethodPost, "perform", `{"contract":1,"id":"1","bridge":"b","connection":"c"}`, nil, 400, "handshake is missing"},
		"no JSON":        {http.MethodPost, "perform", `{`, nil, 400, "JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			status, answer := ask(t, rails, test.method, test.event, test.body, test.change)
			if status != test.status || !strings.Contains(answer, test.says) {
				t.Errorf("got %d %s, want %d that says %q", status, answer, test.status, test.says)
			}
		})
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestRails_IsGoneWhenClosed(t *testing.T) {
	rails := rpctest.NewRails(t, rpctest.Rails{})
	rails.Close()
	client, err := rpc.NewClient(rpc.Options{RailsURL: rails.URL(), Secret: rpctest.Secret, Budget: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.Hello(t.Context()); !errors.Is(err, rpc.ErrNotRun) {
		t.Errorf("got %v, want what is ErrNotRun", err)
	}
}
