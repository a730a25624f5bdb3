# frozen_string_literal: true

module Cablestay
  # Stands where a connection has its subscription adapter: what a channel follows is recorded for the bridge.
  # All but that (an app may ask for the adapter's Redis connection) is the real adapter's.
  class PubSub
    def initialize(cable_server, streams)
      @cable_server, @streams = cable_server, streams
    end

    # The success callback runs at once, so that Rails' confirmation comes after all that it waits for.
    def subscribe(broadcasting, handler, success_callback = nil)
      @streams.follow(broadcasting, handler, internal: success_callback.nil?)
      success_callback&.call
    end

    def unsubscribe(broadcasting, handler)
      @streams.leave(broadcasting, handler)
    end

    ruby2_keywords def method_missing(name, *arguments, &block)
      @cable_server.pubsub.__send__(name, *arguments, &block)
    end

    def respond_to_missing?(name, include_all = false)
      @cable_server.pubsub.respond_to?(name, include_all)
    end
  end
end
