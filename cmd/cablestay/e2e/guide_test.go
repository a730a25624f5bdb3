//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

var guideScenarios = []struct {
	name string
	run  func(*testing.T, *server)
}{
	{"whoever is not signed in is rejected", guideRejectsStrangers},
	{"users sign in with a cookie, a session or a token", guideAuthenticates},
	{"an expired or forged token is rejected", guideRejectsBadTokens},
	{"a page of an allowed origin may connect and others may not", guideChecksOrigins},
	{"a room is for its members", guideRejectsOutsiders},
	{"members hear who joins, speaks, types, reads and leaves", guideChats},
	{"a message tells by itself that it was changed and removed", guideChangesMessages},
	{"messages are limited by rate", guideLimitsMessages},
	{"notifications arrive and are marked as read", guideNotifies},
	{"an organization sees who is there and in what state", guideShowsPresence},
	{"presence is only for those with an organization", guideRejectsPresence},
	{"jobs and services broadcast", guideAnnounces},
	{"an error in an action is told to the client, who may go on", guideRescues},
	{"log lines carry the tags of connect and the guide's own text", guideLogs},
	{"the health check counts connections and subscriptions", guideIsHealthy},
}

func TestGuide_ItsCodeWorksUnedited(t *testing.T) {
	eachOwn(t, setup{app: guide()}, func(t *testing.T, server *server) {
		for _, scenario := range guideScenarios {
			t.Run(scenario.name, func(t *testing.T) { scenario.run(t, server) })
		}
	})
}

func TestGuide_ItsConnectionWithSeveralIdentifiersAndItsRateLimitsWorkUnedited(t *testing.T) {
	eachOwn(t, setup{app: guide("multiple_identifiers", "rate_limiting")}, func(t *testing.T, server *server) {
		stranger := server.dial(t, handshake{login: "none"})
		stranger.expect(disconnection("unauthorized", false))

		mark := server.rails.process.logSize()
		ann := server.connect(t, handshake{})
		tracked := func() []string {
			t.Helper()
			values, err := server.redis.client.HVals(t.Context(), "connections").Result()
			if err != nil {
				t.Fatal(err)
			}
			return values
		}
		if got := tracked(); len(got) != 1 || !strings.Contains(got[0], `"user_id":1`) {
			t.Fatalf("tracked connections: got %q, want one of user 1", got)
		}
		ann.join(lobby)
		server.rails.process.awaitLog(t, mark, `\[ActionCable\] \[User:1\] \[Account:1\] Registered connection`)
		for n := range 30 {
			ann.perform(lobby, "send_message", "content", fmt.Sprint(n))
		}
		ann.expectNoMessage(lobby)
		ann.perform(lobby, "send_message", "content", "one too many")
		ann.expect(message(lobby, `{"error":"Rate limit exceeded","action":"send_message"}`))
		ann.leave()
		await(t, "the connection to be tracked no longer", func() bool { return len(tracked()) == 0 })
	})
}

func TestGuide_ItsSecurityChecksAndItsValidationWorkUnedited(t *testing.T) {
	eachOwn(t, setup{app: guide("security", "input_validation")}, func(t *testing.T, server *server) {
		for _, user := range []string{"zoe", "none"} {
			refused := server.dial(t, handshake{user: "zoe", login: map[string]string{"none": "none"}[user]})
			refused.expect(disconnection("unauthorized", false))
			refused.expectClose(ws.StatusNormalClosure)
		}
		ann := server.connect(t, handshake{})
		ann.join(lobby)
		ann.perform(lobby, "send_message", "type", "sound")
		ann.expect(message(lobby, `{"error":"content is required; type must be one of: text, image, file"}`))
		ann.perform(lobby, "send_message", "content", strings.Repeat("x", 10_001))
		ann.expect(message(lobby, `{"error":"content exceeds maximum length of 10000"}`))
		ann.perform(lobby, "send_message", "content", 5)
		ann.expect(message(lobby, `{"error":"content must be a String"}`))
		ann.perform(lobby, "send_message", "content", "hello", "type", "text")
		ann.expectNoMessage(lobby)
	})
}

func TestGuide_ItsOptionsForRedisWorkUnedited(t *testing.T) {
	eachOwn(t, setup{app: guide("redis_options")}, func(t *testing.T, server *server) {
		if server.rails.atLeast(t, 7, 0) {
			t.Skip("redis-rb 5, which this Rails comes with, refuses these options")
		}
		ann, bob := server.connect(t, handshake{}), server.connect(t, handshake{user: "bob"})
		ann.subscribe(lobby)
		ann.awaitFrame(confirmation(lobby))
		bob.subscribe(lobby)
		ann.awaitMessage(lobby, "type", "presence", "action", "join", "user_id", 2)
	})
}

func guideRejectsStrangers(t *testing.T, server *server) {
	stranger := server.dial(t, handshake{login: "none"})
	stranger.expect(disconnection("unauthorized", false))
	stranger.expectClose(ws.StatusNormalClosure)
}

func guideAuthenticates(t *testing.T, server *server) {
	for _, login := range []string{"cookie", "session"} {
		c := server.connect(t, handshake{user: "bob", login: login})
		c.joinAsUser(2)
	}
	c := server.connect(t, handshake{login: "none", query: url.Values{"token": {guideToken(t, server, nil)}}})
	c.joinAsUser(1)
}

// joinAsUser proves who the connection belongs to: notifications of that user arrive.
func (c *consumer) joinAsUser(user int) {
	c.t.Helper()
	c.subscribe(notifications)
	c.awaitMessage(notifications, "type", "unread_count")
	c.awaitFrame(confirmation(notifications))
	answer := c.server.rails.postSignedIn(c.t, "ann", "/notifications", url.Values{
		"notification[recipient_id]": {fmt.Sprint(user)}, "notification[title]": {c.device}})
	if answer.status != http.StatusOK || answer.body != `{"success":true}` {
		c.t.Fatalf("notify: got %d %q", answer.status, answer.body)
	}
	got := c.awaitMessage(notifications, "type", "notification")
	if inner, _ := got["notification"].(map[string]any); inner["title"] != c.device || inner["sender_name"] != "ann" {
		c.t.Fatalf("notification: got %v", got)
	}
}

func guideRejectsBadTokens(t *testing.T, server *server) {
	expired := guideToken(t, server, url.Values{"expired": {"1"}})
	for _, token := range []string{expired, guideToken(t, server, nil) + "x", "no.token", "nonsense"} {
		c := server.dial(t, handshake{login: "none", query: url.Values{"token": {token}}})
		c.expect(disconnection("unauthorized", false))
		c.expectClose(ws.StatusNormalClosure)
	}
}

func guideToken(t *testing.T, server *server, more url.Values) string {
	t.Helper()
	form := url.Values{"user": {"ann"}, "into": {"token"}}
	for name, values := range more {
		form[name] = values
	}
	for _, cookie := range server.rails.post(t, "/login", form) {
		if cookie.Name == "token" {
			return cookie.Value
		}
	}
	t.Fatal("no token")
	return ""
}

func guideChecksOrigins(t *testing.T, server *server) {
	server.connect(t, handshake{origin: "https://www.yourapp.com"})
	header := server.upgrade()
	header.Set("Origin", "https://elsewhere.test")
	server.get(t, "/cable", header).expect(t, http.StatusNotFound, "Page not found")
}

func guideRejectsOutsiders(t *testing.T, server *server) {
	eve := server.connect(t, handshake{user: "eve"})
	for _, room := range []any{1, 2, 99, "invalid", nil} {
		identifier := identify("ChatChannel", "room_id", room)
		eve.subscribe(identifier)
		eve.expect(rejection(identifier))
	}
	eve.perform(lobby, "send_message", "content", "let me in")
	eve.expectNoMessage(notifications)
}

const (
	lobby         = `{"channel":"ChatChannel","room_id":1}`
	notifications = `{"channel":"NotificationChannel"}`
	presence      = `{"channel":"PresenceChannel"}`
)

func guideChats(t *testing.T, server *server) {
	ann, bob := server.connect(t, handshake{}), server.connect(t, handshake{user: "bob"})
	ann.subscribe(lobby)
	ann.awaitFrame(confirmation(lobby))
	bob.subscribe(lobby)
	bob.awaitFrame(confirmation(lobby))
	joined := ann.awaitMessage(lobby, "type", "presence", "action", "join", "user_id", 2, "user_name", "bob", "user_avatar", "/avatars/bob.png")
	if names := guideNames(joined["online_users"]); !slices.Equal(names, []string{"ann", "bob"}) {
		t.Errorf("online after bob's join: %v", names)
	}

	bob.perform(lobby, "send_message", "content", "  hello <ann>  ")
	said := ann.awaitMessage(lobby, "type", "message", "content", "hello <ann>", "message_type", "text", "user_id", 2, "user_name", "bob")
	bob.awaitMessage(lobby, "type", "message", "id", said["id"])
	// The model broadcasts too, as it is created.
	created := ann.awaitMessage(lobby, "type", "new_message")
	if inner, _ := created["message"].(map[string]any); inner["id"] != said["id"] || inner["content"] != "hello <ann>" {
		t.Errorf("new_message: got %v, want that of %v", created, said["id"])
	}

	bob.perform(lobby, "send_message", "content", "   ")
	bob.perform(lobby, "typing", "typing", true)
	ann.awaitMessage(lobby, "type", "typing", "user_id", 2, "user_name", "bob", "typing", true)
	bob.perform(lobby, "typing", "typing", "yes")
	ann.awaitMessage(lobby, "type", "typing", "typing", false)

	ann.perform(lobby, "mark_read", "message_ids", []any{})
	ann.perform(lobby, "mark_read", "message_ids", []any{said["id"]})
	bob.awaitMessage(lobby, "type", "read_receipt", "user_id", 1, "message_ids", []any{said["id"]})

	bob.unsubscribe(lobby)
	left := ann.awaitMessage(lobby, "type", "presence", "action", "leave", "user_id", 2)
	if names := guideNames(left["online_users"]); !slices.Equal(names, []string{"ann"}) {
		t.Errorf("online after bob has left: %v", names)
	}
	if n := ann.count(lobby, "type", "message"); n != 1 {
		t.Errorf("ann got %d messages, want 1", n)
	}
	ann.leave()
	await(t, "the room to be empty", func() bool {
		return server.redis.client.SCard(t.Context(), "presence:room:1").Val() == 0
	})
}

func guideNames(users any) []string {
	var names []string
	list, _ := users.([]any)
	for _, user := range list {
		one, _ := user.(map[string]any)
		names = append(names, fmt.Sprint(one["name"]))
	}
	slices.Sort(names)
	return names
}

func guideChangesMessages(t *testing.T, server *server) {
	ann := server.connect(t, handshake{})
	ann.subscribe(lobby)
	ann.awaitFrame(confirmation(lobby))
	ann.perform(lobby, "send_message", "content", "tpyo", "type", "image")
	said := ann.awaitMessage(lobby, "type", "message", "message_type", "image")
	path := fmt.Sprintf("/messages/%v", said["id"])
	server.rails.postSignedIn(t, "ann", path, url.Values{"_method": {"patch"}, "content": {"typo"}})
	changed := ann.awaitMessage(lobby, "type", "message_updated")
	if inner, _ := changed["message"].(map[string]any); inner["content"] != "typo" {
		t.Errorf("message_updated: got %v", changed)
	}
	server.rails.postSignedIn(t, "ann", path, url.Values{"_method": {"delete"}})
	ann.awaitMessage(lobby, "type", "message_deleted", "message_id", said["id"])
}

func guideLimitsMessages(t *testing.T, server *server) {
	server.redis.client.Del(t.Context(), "rate_limit:chat:2")
	bob := server.connect(t, handshake{user: "bob"})
	bob.subscribe(lobby)
	bob.awaitFrame(confirmation(lobby))
	for n := range 30 { // one by one: stock runs them at a time, and SQLite then refuses one now and then
		bob.perform(lobby, "send_message", "content", fmt.Sprint(n))
		bob.awaitMessage(lobby, "type", "message", "content", fmt.Sprint(n))
	}
	bob.perform(lobby, "send_message", "content", "one too many")
	bob.awaitMessage(lobby, "error", "Rate limit exceeded")
	if n := bob.count(lobby, "type", "message"); n != 30 {
		t.Errorf("%d messages were sent, want 30", n)
	}
	bob.unsubscribe(lobby)
	server.redis.client.Del(t.Context(), "rate_limit:chat:2")
}

func guideNotifies(t *testing.T, server *server) {
	ann := server.connect(t, handshake{})
	ann.subscribe(notifications)
	unread := ann.awaitMessage(notifications, "type", "unread_count")["count"]
	if unread == float64(0) {
		t.Fatal("ann has no unread notification")
	}
	ann.awaitFrame(confirmation(notifications))
	ann.perform(notifications, "mark_as_read", "notification_id", 999)
	ann.perform(notifications, "mark_as_read", "notification_id", 1)
	ann.awaitMessage(notifications, "type", "marked_read", "notification_id", 1)
	ann.perform(notifications, "mark_all_read")
	ann.awaitMessage(notifications, "type", "all_marked_read", "unread_count", 0)
	if n := ann.count(notifications, "type", "marked_read"); n != 1 {
		t.Errorf("%d notifications were marked as read, want 1", n)
	}
}

func guideShowsPresence(t *testing.T, server *server) {
	ann := server.connect(t, handshake{})
	ann.subscribe(presence)
	ann.awaitMessage(presence, "type", "presence_list")
	ann.awaitFrame(confirmation(presence))
	bob := server.connect(t, handshake{user: "bob"})
	bob.subscribe(presence)
	list := bob.awaitMessage(presence, "type", "presence_list")
	if names := guideNames(list["users"]); !slices.Equal(names, []string{"ann", "bob"}) {
		t.Errorf("presence list: got %v", list)
	}
	bob.awaitFrame(confirmation(presence))
	ann.awaitMessage(presence, "type", "presence_update", "user_id", 2, "user_name", "bob", "status", "online")
	bob.perform(presence, "heartbeat")
	bob.perform(presence, "update_status", "status", "asleep")
	bob.perform(presence, "update_status", "status", "busy")
	ann.awaitMessage(presence, "type", "presence_update", "user_id", 2, "status", "busy")
	if n := ann.count(presence, "status", "asleep"); n != 0 {
		t.Errorf("ann heard %d times of a status that there is not", n)
	}
	bob.leave()
	ann.awaitMessage(presence, "type", "presence_update", "user_id", 2, "status", "offline")
}

func guideRejectsPresence(t *testing.T, server *server) {
	eve := server.connect(t, handshake{user: "eve"})
	eve.subscribe(presence)
	eve.expect(rejection(presence))
}

func guideAnnounces(t *testing.T, server *server) {
	ann := server.connect(t, handshake{})
	ann.subscribe(lobby)
	ann.awaitFrame(confirmation(lobby))
	server.rails.postSignedIn(t, "ann", "/announcements", url.Values{"room": {"1"}, "text": {"now"}})
	ann.awaitMessage(lobby, "type", "announcement", "text", "now")
	server.rails.postSignedIn(t, "ann", "/announcements", url.Values{"room": {"1"}, "text": {"later"}, "later": {"1"}})
	ann.awaitMessage(lobby, "type", "announcement", "text", "later")
}

func guideRescues(t *testing.T, server *server) {
	ann := server.connect(t, handshake{})
	ann.subscribe(lobby)
	ann.awaitFrame(confirmation(lobby))
	mark := server.rails.process.logSize()
	ann.perform(lobby, "send_message", "content", 7) // has no strip
	ann.awaitMessage(lobby, "error", "An error occurred processing your request")
	server.rails.process.awaitLog(t, mark, `Channel error: undefined method .strip`)
	ann.perform(lobby, "typing", "typing", true)
	ann.awaitMessage(lobby, "type", "typing", "typing", true)
}

func guideLogs(t *testing.T, server *server) {
	mark := server.rails.process.logSize()
	ann := server.connect(t, handshake{})
	ann.subscribe(lobby)
	ann.awaitFrame(confirmation(lobby))
	server.rails.process.awaitLog(t, mark, `\[ActionCable\] \[User:1\].*ChatChannel is streaming from chat_room_1`)
	server.rails.process.awaitLog(t, mark, `User 1 joined room 1`)
	ann.unsubscribe(lobby)
	server.rails.process.awaitLog(t, mark, `User 1 left room 1`)
	ann.leave()
	server.rails.process.awaitLog(t, mark, `\[ActionCable\] \[User:1\].*User 1 disconnected`)
}

func guideIsHealthy(t *testing.T, server *server) {
	ann := server.connect(t, handshake{})
	ann.subscribe(lobby)
	ann.awaitFrame(confirmation(lobby))
	var health struct {
		Healthy                    bool
		Connections, Subscriptions int
	}
	await(t, "one connection with one subscription", func() bool {
		answer, err := server.rails.http.Get("http://rails.test/health/cable")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = answer.Body.Close() }()
		if answer.StatusCode != http.StatusOK {
			t.Fatalf("health: %s", answer.Status)
		}
		if err := json.NewDecoder(answer.Body).Decode(&health); err != nil {
			t.Fatal(err)
		}
		return health.Healthy && health.Connections == 1 && health.Subscriptions == 1
	})
}

// postSignedIn calls a controller of the app in Puma itself, as a user with a cookie.
func (r *rails) postSignedIn(t *testing.T, user, path string, form url.Values) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://rails.test"+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Cookie", r.login(t, user, "cookie"))
	return r.do(t, request)
}

// awaitMessage waits for a message that has these members, wherever it comes: what several broadcasts bring has no certain
// order in stock, nor has the answer to one's own join.
func (c *consumer) awaitMessage(identifier string, members ...any) map[string]any {
	c.t.Helper()
	var found map[string]any
	c.awaitUnder(fmt.Sprintf("a message with %v", members), func() bool {
		for _, frame := range c.frames {
			if message := messageWith(frame, identifier, members); message != nil {
				found = message
				return true
			}
		}
		return false
	})
	return found
}

// count says how many messages with these members have come.
func (c *consumer) count(identifier string, members ...any) int {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	n := 0
	for _, frame := range c.frames {
		if messageWith(frame, identifier, members) != nil {
			n++
		}
	}
	return n
}

// expectNoMessage proves that none came: the answer to a subscription made now comes next. On stock commands run at the
// same time, but those of a test that asks this transmit at once or not at all.
func (c *consumer) expectNoMessage(identifier string) {
	c.t.Helper()
	fence := identify("ChatChannel", "room_id", fmt.Sprintf("fence %d", devices.Add(1)))
	c.subscribe(fence)
	if got := c.next(); got != rejection(fence) && got != confirmation(fence) {
		c.t.Fatalf("after commands to %s that are not answered: got %s", identifier, got)
	}
}

// messageWith is the message of a frame if it is the identifier's and has these members.
func messageWith(frame, identifier string, members []any) map[string]any {
	var parts struct {
		Identifier string
		Message    map[string]any
	}
	if json.Unmarshal([]byte(frame), &parts) != nil || parts.Identifier != identifier || parts.Message == nil {
		return nil
	}
	var want map[string]any
	if err := json.Unmarshal([]byte(object(members...)), &want); err != nil {
		panic(err)
	}
	for name, value := range want {
		if !reflect.DeepEqual(parts.Message[name], value) {
			return nil
		}
	}
	return parts.Message
}
