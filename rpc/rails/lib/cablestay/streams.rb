# frozen_string_literal: true

require "monitor"

module Cablestay
  # What the channel of one event follows, and which of its streams the bridge can carry.
  class Streams
    # In the table of a channel that was rebuilt, where Rails keeps the handler that it made.
    Handler = Struct.new(:broadcasting, :carried)

    # Overridden in the app, these see or change each broadcast, which only Ruby can do.
    DELIVERY = %i[ transmit stream_handler default_stream_handler stream_transmitter stream_decoder ].freeze

    attr_reader :internal

    def initialize(effects)
      @effects = effects
      @refused = {}.compare_by_identity # handlers of streams that the bridge can't carry
      @begun = Hash.new(0)              # broadcastings that this event began to follow
      @left = {}                        # broadcastings of earlier events => the effect that this one left it
      @lock = Monitor.new               # guards reason and channel: the app may stream from threads of its own
    end

    # Around Channel#stream_from: the handler that Rails makes of these tells nothing any more.
    def from(channel, callback, coder)
      @lock.synchronize do
        before, @reason = @reason, uncarried(channel, callback, coder)
        @channel = channel.class.name
        yield
      ensure
        @reason = before
      end
    end

    # A stream that was there before the event, and that the event leaves and begins again, simply goes on: the
    # bridge never left it, so what the event publishes to it comes through Redis.
    #
    # +internal+: no channel's, but the connection's own broadcasting for remote disconnects. The bridge
    # follows that one by the connection identifier.
    def follow(broadcasting, handler, internal: false)
      return @internal = broadcasting if internal
      return refuse(broadcasting, handler) if @reason
      return @effects.withdraw(@left.delete(broadcasting)) if @left.key?(broadcasting)

      record("stream", broadcasting)
      @begun[broadcasting] += 1
    rescue EncodingError
      @refused[handler] = true # Rails has it in its table by now, and will want to stop it
      raise
    end

    def leave(broadcasting, handler)
      return unless carried?(handler)

      @begun.delete(broadcasting)
      left = record("stop_stream", broadcasting)
      @left[broadcasting] = left if left && handler.is_a?(Handler)
    end

    # What this event published to a stream that it had begun is delivered here, in its place.
    def broadcast(broadcasting, payload)
      return unless @begun[broadcasting].positive?

      @effects.record("broadcast", broadcasting: Utf8.bytes(broadcasting, "a broadcasting"),
        payload: Utf8.bytes(payload.to_s, "a broadcast"))
    rescue EncodingError => error # stock drops it too, for each subscriber
      Cablestay.logger.error("not delivered to the channel that broadcast it: #{error.message}")
    end

    def carried?(handler)
      handler.is_a?(Handler) ? handler.carried : !@refused.key?(handler)
    end

    def refuse_timer(interval)
      Cablestay.warn_once("a periodic timer (every #{interval} s)",
        "periodically is not yet carried by cablestay: the callback will not run")
    end

    private
      def record(effect, broadcasting)
        @effects.record(effect, broadcasting: Utf8.bytes(broadcasting, "a broadcasting")) || Cablestay.logger.warn(
          "lost a #{effect} of #{broadcasting.inspect}: it was made after its event had ended (by a thread of the app?)")
      end

      def uncarried(channel, callback, coder)
        return "a block or callback" if callback
        return "a coder" if coder && coder != ActiveSupport::JSON

        overridden = DELIVERY.find { |name| RailsVersions.overridden?(channel, name) }
        return "#{overridden} overridden" if overridden

        "a connection that transmits in its own way" if RailsVersions.own_transmit?(channel.connection)
      end

      def refuse(broadcasting, handler)
        @refused[handler] = true
        Cablestay.warn_once("#{@channel} streams with #{@reason}",
          "not yet carried by cablestay: nothing of #{broadcasting.inspect} reaches the client, and no Ruby runs for it")
      end
  end
end
