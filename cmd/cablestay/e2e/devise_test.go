//go:build e2e

package e2e

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

// Debian's Devise, 4.8, is of the time of Rails 7.0 and does not load on 7.2.
func deviseApp(t *testing.T) string {
	t.Helper()
	program := []string{"ruby", "-e", `require "rails/version"; exit Rails::VERSION::STRING.to_f < 7.2`}
	if root := os.Getenv("CABLESTAY_E2E_RAILS_ROOT"); root != "" {
		program = append([]string{repository(t, ".ci/rails-root"), "--run", root, "--"}, program...)
	}
	if err := exec.Command(program[0], program[1:]...).Run(); err != nil {
		t.Skip("there is no Devise for this Rails in Debian")
	}
	return repository(t, "cmd/cablestay/e2e/devise")
}

func TestDevise_LetsIntoTheCableWhoeverHasSignedIn(t *testing.T) {
	eachOwn(t, setup{app: deviseApp}, func(t *testing.T, server *server) {
		cookie := deviseSignIn(t, server, "ann@example.test")
		for _, path := range []string{"/cable", "/members/cable"} {
			t.Run(path, func(t *testing.T) {
				c := server.connect(t, handshake{path: path, login: "none", header: http.Header{"Cookie": {cookie}, "User-Agent": {"e2e"}}})
				door := identify("DoorChannel")
				c.join(door)
				for range 2 { // each is an event of its own
					c.perform(door, "look")
					c.expect(message(door, `{"user":"ann@example.test","signed_in":true,"session":[1],"agent":"e2e","same":true}`))
				}
				mark := server.rails.process.logSize()
				c.leave()
				server.rails.process.awaitLog(t, mark, `left: {"user":"ann@example.test"`)
			})
		}
	})
}

func TestDevise_KeepsOutWhoeverHasNot(t *testing.T) {
	eachOwn(t, setup{app: deviseApp}, func(t *testing.T, server *server) {
		t.Run("in connect", func(t *testing.T) {
			c := server.dial(t, handshake{login: "none"})
			c.expect(disconnection("unauthorized", false))
			c.expectClose(ws.StatusNormalClosure)
		})
		t.Run("in the routes", func(t *testing.T) {
			got := server.get(t, "/members/cable", server.upgrade())
			if location := got.header.Get("Location"); got.status != http.StatusFound || !strings.HasSuffix(location, "/users/sign_in") {
				t.Errorf("got %d to %q, want 302 to where one signs in", got.status, location)
			}
		})
		t.Run("with a session that was tampered with", func(t *testing.T) {
			cookie := deviseSignIn(t, server, "ann@example.test")
			c := server.dial(t, handshake{login: "none", header: http.Header{"Cookie": {strings.Replace(cookie, "=", "=x", 1)}}})
			c.expect(disconnection("unauthorized", false))
		})
	})
}

func TestDevise_WhoSignsOutLosesTheSocketsAndNobodyElseDoes(t *testing.T) {
	eachOwn(t, setup{app: deviseApp}, func(t *testing.T, server *server) {
		cookie := deviseSignIn(t, server, "ann@example.test")
		connect := func(cookie string) *consumer {
			return server.connect(t, handshake{login: "none", header: http.Header{"Cookie": {cookie}}})
		}
		first, second, bob := connect(cookie), connect(cookie), connect(deviseSignIn(t, server, "bob@example.test"))
		followed := identify("DoorChannel")
		for _, c := range []*consumer{first, second, bob} {
			c.join(followed)
		}
		for _, gid := range []string{"gid://members/User/1", "gid://members/User/2"} {
			awaitMember(t, server, gid)
		}

		request, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, "http://rails.test/users/sign_out", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Cookie", cookie)
		left := server.rails.do(t, request)
		for _, c := range []*consumer{first, second} {
			if server.rails.atLeast(t, 7, 1) {
				c.expect(disconnection("remote", true))
			}
			c.expectClose(ws.StatusNormalClosure)
		}
		bob.perform(followed, "look")
		bob.awaitMessage(followed, "user", "bob@example.test")

		c := server.dial(t, handshake{login: "none", header: http.Header{"Cookie": {cookies(left)}}})
		c.expect(disconnection("unauthorized", false))
	})
}

// awaitMember waits until Redis knows of a follower of the user's internal channel.
func awaitMember(t *testing.T, server *server, gid string) {
	t.Helper()
	internal := "members_production:action_cable/" + base64.RawURLEncoding.EncodeToString([]byte(gid))
	await(t, "a follower of "+internal, func() bool {
		return server.redis.client.PubSubNumSub(t.Context(), internal).Val()[internal] > 0
	})
}

// deviseSignIn returns the Cookie header of a user who signed in with Devise's own form.
func deviseSignIn(t *testing.T, server *server, email string) string {
	t.Helper()
	form := url.Values{"user[email]": {email}, "user[password]": {"let-me-in"}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://rails.test/users/sign_in", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	got := server.rails.do(t, request)
	if got.status != http.StatusFound && got.status != http.StatusSeeOther {
		t.Fatalf("sign in: got %d %s", got.status, got.body)
	}
	return cookies(got)
}

func cookies(a answer) string {
	var pairs []string
	for _, cookie := range (&http.Response{Header: a.header}).Cookies() {
		pairs = append(pairs, cookie.Name+"="+cookie.Value)
	}
	return strings.Join(pairs, "; ")
}
