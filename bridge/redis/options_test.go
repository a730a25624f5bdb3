package redis_test

import (
	"strings"
	"testing"

	"github.com/cablestay/cablestay/bridge/redis"
)

func TestOptionsFromRails_WhereRedisIs(t *testing.T) {
	for name, scenario := range map[string]struct {
		rails    map[string]any
		where    string
		username string
		password string
		ignored  string
	}{
		"Nothing":          {map[string]any{}, "redis://127.0.0.1:6379", "", "", ""},
		"URL":              {map[string]any{"url": "redis://example.test:7000/1"}, "redis://example.test:7000", "", "", ""},
		"URLWithoutPort":   {map[string]any{"url": "redis://example.test"}, "redis://example.test:6379", "", "", ""},
		"URLOfIPv6":        {map[string]any{"url": "redis://[::1]:7000"}, "redis://[::1]:7000", "", "", ""},
		"URLWithTLS":       {map[string]any{"url": "rediss://ann:pass@example.test"}, "rediss://example.test:6379", "ann", "pass", ""},
		"URLOfUnixSocket":  {map[string]any{"url": "unix:///run/redis.sock"}, "unix:///run/redis.sock", "", "", ""},
		"OnlyAPassword":    {map[string]any{"url": "redis://:pass@example.test"}, "redis://example.test:6379", "", "pass", ""},
		"OptionsWinOverIt": {map[string]any{"url": "redis://ann:a@example.test:1/2", "host": "other.test", "port": 2.0, "username": "bob", "password": "b"}, "redis://other.test:2", "bob", "b", ""},
		"HostAndPort":      {map[string]any{"host": "example.test", "port": "7000", "db": 3.0}, "redis://example.test:7000", "", "", ""},
		"Path":             {map[string]any{"path": "/run/redis.sock"}, "unix:///run/redis.sock", "", "", ""},
		"SSL":              {map[string]any{"host": "example.test", "ssl": true}, "rediss://example.test:6379", "", "", ""},
		"NumberAsPassword": {map[string]any{"password": 1234567890.0}, "redis://127.0.0.1:6379", "", "1234567890", ""},
		"Timeouts":         {map[string]any{"timeout": 1.0, "reconnect_attempts": []any{0.1, 1.0}, "id": "x"}, "redis://127.0.0.1:6379", "", "", ""},
		"Unknown":          {map[string]any{"zzz": 1.0, "custom": map[string]any{}, "ssl": true, "ssl_params": map[string]any{"ciphers": "x"}}, "rediss://127.0.0.1:6379", "", "", "custom ssl_params.ciphers zzz"},
		"Null":             {map[string]any{"url": nil, "password": nil, "ssl_params": nil, "sentinels": nil}, "redis://127.0.0.1:6379", "", "", ""},
		"Sentinel": {
			map[string]any{"name": "main", "password": "p", "sentinels": []any{
				map[string]any{"host": "a.test", "port": 1.0}, map[string]any{"host": "b.test"},
			}},
			"main, found by Sentinel at a.test:1, b.test:26379", "", "p", "",
		},
		"SentinelNamedByTheURL": {
			map[string]any{"url": "redis://main", "sentinels": []any{map[string]any{"host": "a.test"}}},
			"main, found by Sentinel at a.test:26379", "", "", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := redis.OptionsFromRails(scenario.rails)
			if err != nil {
				t.Fatal(err)
			}
			if got.Where() != scenario.where {
				t.Errorf("where: got %s, want %s", got.Where(), scenario.where)
			}
			if got.Username != scenario.username || got.Password != scenario.password {
				t.Errorf("proof: got %q and %q, want %q and %q", got.Username, got.Password, scenario.username, scenario.password)
			}
			if ignored := strings.Join(got.Ignored, " "); ignored != scenario.ignored {
				t.Errorf("ignored: got %q, want %q", ignored, scenario.ignored)
			}
		})
	}
}

func TestOptionsFromRails_CertificateIsForTheHostThatIsDialled(t *testing.T) {
	for name, scenario := range map[string]struct {
		rails map[string]any
		want  string
	}{
		"URL":      {map[string]any{"url": "rediss://example.test:7000"}, "example.test"},
		"Host":     {map[string]any{"url": "rediss://example.test", "host": "other.test"}, "other.test"},
		"Sentinel": {map[string]any{"url": "rediss://main", "sentinels": []any{map[string]any{"host": "a.test"}}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := redis.OptionsFromRails(scenario.rails)
			if err != nil {
				t.Fatal(err)
			}
			if got.TLS == nil || got.TLS.ServerName != scenario.want {
				t.Errorf("TLS: got %+v, want the server's name %q", got.TLS, scenario.want)
			}
		})
	}
}

func TestOptionsFromRails_SentinelsOwnPasswordAndRole(t *testing.T) {
	got, err := redis.OptionsFromRails(map[string]any{
		"name": "main", "role": "replica", "sentinel_username": "watch",
		"sentinels": []any{map[string]any{"host": "a.test", "password": "s"}, map[string]any{"host": "b.test", "password": "s"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if s := got.Sentinel; s.Username != "watch" || s.Password != "s" || !s.Replica {
		t.Errorf("got %+v, want watch, s and a replica", *s)
	}
}

func TestOptionsFromRails_BadOnesAreNamedAndNotRepeated(t *testing.T) {
	const secret = "hunter2"
	for name, scenario := range map[string]struct {
		rails map[string]any
		names string
	}{
		"Scheme":              {map[string]any{"url": "http://:" + secret + "@example.test"}, `"url"`},
		"UnreadableURL":       {map[string]any{"url": "redis://user:" + secret + "/x@example.test:6379"}, `"url"`},
		"DatabaseIsNoNumber":  {map[string]any{"url": "redis://example.test/" + secret}, `"url"`},
		"Port":                {map[string]any{"port": "many"}, `"port"`},
		"PortTooLarge":        {map[string]any{"port": 70000.0}, `"port"`},
		"HostIsAHash":         {map[string]any{"host": map[string]any{}}, `"host"`},
		"SSL":                 {map[string]any{"ssl": "yes"}, `"ssl"`},
		"Authority":           {map[string]any{"ssl": true, "ssl_params": map[string]any{"ca_file": "/nonexistent"}}, `"ssl_params.ca_file"`},
		"VerifyMode":          {map[string]any{"ssl": true, "ssl_params": map[string]any{"verify_mode": "maybe"}}, `"ssl_params.verify_mode"`},
		"KeyWithoutCert":      {map[string]any{"ssl": true, "ssl_params": map[string]any{"key": "-----BEGIN " + secret}}, `"ssl_params.cert"`},
		"CertificateAndNoKey": {map[string]any{"ssl": true, "ssl_params": map[string]any{"cert": "-----BEGIN", "key": "-----BEGIN " + secret}}, `"ssl_params.cert"`},
		"SentinelsAreNoList":  {map[string]any{"sentinels": "a.test"}, `"sentinels"`},
		"SentinelWithoutHost": {map[string]any{"name": "m", "sentinels": []any{map[string]any{"port": 1.0}}}, `"sentinels[0].host"`},
		"SentinelPasswords":   {map[string]any{"name": "m", "sentinels": []any{map[string]any{"host": "a", "password": secret}, map[string]any{"host": "b", "password": "x"}}}, `"sentinels[1].password"`},
		"SentinelWithoutName": {map[string]any{"sentinels": []any{map[string]any{"host": "a.test"}}}, `"name"`},
		"Role":                {map[string]any{"name": "m", "role": "king", "sentinels": []any{map[string]any{"host": "a.test"}}}, `"role"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := redis.OptionsFromRails(scenario.rails)
			if err == nil {
				t.Fatal("got no error")
			}
			if !strings.Contains(err.Error(), scenario.names) {
				t.Errorf("got %q, want it to name %s", err, scenario.names)
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the error has the secret: %v", err)
			}
		})
	}
}
