package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"time"

	"github.com/cablestay/cablestay/bridge/redis"
	"github.com/cablestay/cablestay/rpc"
)

const (
	greetPatience   = 2 * time.Second  // after which it is said that Rails keeps us waiting
	greetPause      = time.Second      // between calls, each of which tries for a while by itself
	greetSayEvery   = 30 * time.Second // that Rails still does not answer
	greetAgainEvery = 30 * time.Second // to hear of a deploy
)

// greet asks Rails until it answers. It gives up where asking again can't help, with a sentence that says what to change.
func greet(ctx context.Context, client *rpc.Client, s *settings, log *slog.Logger) (*rpc.Hello, error) {
	waiting := time.AfterFunc(greetPatience, func() {
		s.warn(log)
		log.Info("waiting for Rails", "rails", s.railsURL)
	})
	defer waiting.Stop()
	var said time.Time
	for {
		hello, err := client.Hello(ctx)
		switch {
		case err == nil:
			return hello, nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case lasting(err):
			return nil, err
		}
		if time.Since(said) >= greetSayEvery {
			said = time.Now()
			s.warn(log)
			log.Warn("Rails does not answer yet, asking again", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(greetPause):
		}
	}
}

// lasting errors stay until somebody changes something.
func lasting(err error) bool {
	return errors.Is(err, rpc.ErrUnproven) || errors.Is(err, rpc.ErrNoEndpoint) ||
		errors.Is(err, rpc.ErrOtherContract) || errors.Is(err, rpc.ErrMalformed)
}

// warn logs what is odd about the settings, once.
func (s *settings) warn(log *slog.Logger) {
	s.warned.Do(func() {
		for _, warning := range s.warnings {
			log.Warn(warning)
		}
	})
}

// redisOptions is where the broadcasts are, by the settings or by Rails.
func redisOptions(s *settings, hello *rpc.Hello, log *slog.Logger) (redis.Options, error) {
	var options redis.Options
	switch {
	case hello.Adapter != "redis" && (s.redis == nil || keepsBroadcasts(hello.Adapter)):
		return options, fmt.Errorf("the app's cable.yml has adapter %q in %s, whose broadcasts the bridge can't hear: "+
			"it must be redis there", hello.Adapter, hello.Environment)
	case s.redis != nil:
		options = *s.redis
		if hello.Adapter != "redis" {
			log.Warn("the app's adapter is not redis; it must publish as that does", "adapter", hello.Adapter)
		}
	default:
		var err error
		if options, err = redis.OptionsFromRails(hello.Redis); err != nil {
			return options, fmt.Errorf("%w; or give --redis-url (CABLESTAY_REDIS_URL)", err)
		}
	}
	options.Logger = log
	switch {
	case s.channelPrefix == nil:
		options.ChannelPrefix = hello.ChannelPrefix
	case *s.channelPrefix != "":
		options.ChannelPrefix = s.channelPrefix
	}
	return options, nil
}

// keepsBroadcasts tells the adapters whose broadcasts never leave their process.
func keepsBroadcasts(adapter string) bool {
	return adapter == "async" || adapter == "inline" || adapter == "test"
}

func mounts(s *settings, hello *rpc.Hello) []rpc.Mount {
	if len(s.paths) == 0 {
		return hello.Mounts
	}
	var all []rpc.Mount
	for _, path := range s.paths {
		one := rpc.Mount{Path: path, Anchored: true}
		for _, known := range hello.Mounts {
			if known.Path == path {
				one.Anchored = known.Anchored
			}
		}
		all = append(all, one)
	}
	return all
}

// keepGreeting follows what a deploy of the app changes, until ctx ends. How much Rails can run is taken over; for the
// rest the bridge must be started anew, and says so.
func keepGreeting(ctx context.Context, client *rpc.Client, s *settings, first *rpc.Hello, log *slog.Logger) {
	known, refused := first, false
	every := time.NewTicker(greetAgainEvery)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		hello, err := client.Hello(ctx)
		if err != nil {
			if lasting(err) && !refused && ctx.Err() == nil {
				log.Error("Rails refuses the bridge now", "error", err)
			}
			refused = lasting(err)
			continue
		}
		refused = false
		if s.rpcConcurrency == 0 && hello.Concurrency != known.Concurrency {
			client.SetConcurrency(hello.Concurrency)
			log.Info("Rails runs another number of events at a time", "concurrency", hello.Concurrency, "before", known.Concurrency)
		}
		if !reflect.DeepEqual(needsStart(hello), needsStart(known)) {
			log.Warn("the app's cable.yml or its mounts have changed; start the bridge anew to take that over")
		}
		known = hello
	}
}

// needsStart is what a running bridge can't change.
func needsStart(hello *rpc.Hello) []any {
	return []any{hello.Adapter, hello.Redis, hello.ChannelPrefix, hello.Mounts, hello.RemoteDisconnect}
}
