package rpc

import (
	"encoding/json"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func TestProve_SaysWhatTheFixtureSays(t *testing.T) {
	raw, err := os.ReadFile("testdata/proof.json")
	if err != nil {
		t.Fatal(err)
	}
	var fixture struct {
		Secret string
		Now    int64
		Event  string
		Body   string
		Claims map[string]any
		Token  string
	}
	if err := json.Unmarshal(raw, &fixture); err != nil {
		t.Fatal(err)
	}
	now := time.Unix(fixture.Now, 0)
	read := func(token string) map[string]any {
		t.Helper()
		claims := jwt.MapClaims{}
		_, err := jwt.ParseWithClaims(token, claims, func(*jwt.Token) (any, error) { return []byte(fixture.Secret), nil },
			jwt.WithValidMethods([]string{"HS256"}), jwt.WithTimeFunc(func() time.Time { return now }))
		if err != nil {
			t.Fatal(err)
		}
		return claims
	}

	ours, err := prove([]byte(fixture.Secret), fixture.Event, fixture.Claims["jti"].(string), digestOf([]byte(fixture.Body)), now)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := read(ours), fixture.Claims; !reflect.DeepEqual(got, want) {
		t.Errorf("claims:\n got %v\nwant %v", got, want)
	}
	if got, want := read(fixture.Token), fixture.Claims; !reflect.DeepEqual(got, want) {
		t.Errorf("the fixture's own token:\n got %v\nwant %v", got, want)
	}
}
