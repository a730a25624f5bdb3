# frozen_string_literal: true

module Cablestay
  # Stands where a connection has its subscription adapter: what a channel follows is recorded for the bridge.
  # All but that (an app may ask for the adapter's Redis connection) is the real adapter's.
  class PubSub
    def initialize(cable_server, surroundings)
      @cable_server, @surroundings = cable_server, surroundings
    end

    def subscribe(broadcasting, handler, success_callback = nil)
      @surroundings.event.streams.follow(broadcasting, handler, success_callback)
    end

    def unsubscribe(broadcasting, handler)
      @surroundings.event.streams.leave(broadcasting, handler)
    end

    ruby2_keywords def method_missing(name, *arguments, &block)
      @cable_server.pubsub.__send__(name, *arguments, &block)
    end

    def respond_to_missing?(name, include_all = false)
      @cable_server.pubsub.respond_to?(name, include_all)
    end
  end
end
