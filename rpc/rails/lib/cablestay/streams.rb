# frozen_string_literal: true

require "monitor"

module Cablestay
  # What channels begin and cease to follow during one event. The bridge carries the streams that need no Ruby; one
  # that does is the real adapter's, and its channel is kept alive.
  class Streams
    # In the table of a channel that was rebuilt, where Rails keeps the handler that it made.
    Handler = Struct.new(:broadcasting, :carried, :identifier)

    # What we know of a handler that Rails made. +by+ is who follows: :bridge, :adapter or, where the stream could not be
    # begun, :nobody. +begun_in+ stands for the event.
    Stream = Struct.new(:broadcasting, :identifier, :by, :begun_in)

    # Overridden in the app, these see or change each broadcast, which only Ruby can do.
    DELIVERY = %i[ transmit stream_handler default_stream_handler stream_transmitter stream_decoder ].freeze

    attr_reader :internal

    def initialize(effects, surroundings)
      @effects, @surroundings, @event = effects, surroundings, Object.new
      @begun = {} # broadcastings that the bridge begins to follow after this event => the effect that says so
      @left = {}  # broadcastings of earlier events => the effect that this one left it
      @lock = Monitor.new  # guards channel and why: the app may stream from threads of its own
    end

    # Around Channel#stream_from: the handler that Rails makes of these tells nothing any more.
    def from(channel, callback, coder)
      @lock.synchronize do
        before = [ @channel, @why ]
        @channel, @why = channel, needs_ruby(channel, callback, coder)
        refuse_live(channel, @why) if @why && !Live.allowed?
        yield
      ensure
        @channel, @why = before
      end
    end

    # The success callback of a stream that the bridge carries runs at once: Rails' confirmation then comes after all that it
    # waits for, and the bridge waits for the streams. Without one it is no channel's stream, but the connection's own
    # broadcasting for remote disconnects, which the bridge follows by the connection identifier.
    def follow(broadcasting, handler, success)
      if success.nil?
        @internal = broadcasting
      elsif @why && @surroundings.holdable?
        live(broadcasting, handler, success)
      elsif @why
        know(handler, broadcasting, :nobody)
        Cablestay.warn_once("#{@channel.class.name} streams with #{@why}", "nothing of #{broadcasting.inspect} reaches the client, " \
          "because its channel can't be kept alive: there is no link to the bridge")
        success.call
      else
        carry(broadcasting, handler)
        success.call
      end
    end

    def leave(broadcasting, handler)
      stream = handler.is_a?(Handler) ? Stream.new(broadcasting, handler.identifier, handler.carried ? :bridge : :nobody) : @surroundings.forget(handler)
      case stream&.by
      when :bridge then leave_carried(broadcasting, stream)
      when :adapter then adapter.unsubscribe(broadcasting, handler)
      end
    end

    # Around what this event publishes: it gets nothing of what it has left, and all of what it has begun to follow, once.
    def publishing(broadcasting, payload)
      leave_before_publishing(broadcasting) if @left[broadcasting]
      return yield unless @begun.key?(broadcasting)

      @effects.hold_back(@begun[broadcasting]) do |sent|
        follow_before_publishing(broadcasting) if sent
        yield.tap { deliver_here(broadcasting, payload) unless sent }
      end
    end

    # Does the bridge follow it, with no need of Ruby?
    def carried?(handler)
      handler.is_a?(Handler) ? handler.carried : @surroundings.known(handler)&.by == :bridge
    end

    # Instead of Rails' own start_timer. The bridge has the clock.
    def timer(channel, callback, every)
      number = channel.class.periodic_timers.index { |known, _| known.equal?(callback) }
      @effects.record("timer", identifier: channel.identifier, timer: number, every: every.to_f)
      Timer.new(@surroundings, channel.identifier, number)
    end

    private
      # A stream that was there before the event, and that the event leaves and begins again, simply goes on: the
      # bridge never left it, so what the event publishes to it comes through Redis.
      def carry(broadcasting, handler)
        return know(handler, broadcasting, :bridge) if @left.key?(broadcasting) && @effects.withdraw(@left.delete(broadcasting))

        know(handler, broadcasting, :nobody) # Rails has it in its table by now, and will want to stop it
        begun = @effects.record("stream", identifier: @channel&.identifier, broadcasting: Utf8.bytes(broadcasting, "a broadcasting"))
        know(handler, broadcasting, :bridge)
        @begun[broadcasting] = begun
      end

      def leave_carried(broadcasting, stream)
        begun = @begun.delete(broadcasting)
        left = @effects.record("stop_stream", identifier: stream.identifier, broadcasting: Utf8.bytes(broadcasting, "a broadcasting"))
        @left[broadcasting] = left if !stream.begun_in.equal?(@event) || begun.nil? || @effects.sent?(begun)
      end

      # What is published comes to the bridge another way than what this event does, which therefore goes first.
      def leave_before_publishing(broadcasting)
        return unless @effects.send_as_far_as(@left[broadcasting])

        @left[broadcasting] = nil
        @surroundings.road.applied
      end

      # From now on what this event publishes comes from Redis.
      def follow_before_publishing(broadcasting)
        @begun.delete(broadcasting)
        @surroundings.road.applied(live: true)
      end

      # In its place: the copy that Redis brings is older than the stream.
      def deliver_here(broadcasting, payload)
        @effects.record("broadcast", broadcasting: Utf8.bytes(broadcasting, "a broadcasting"),
          payload: Utf8.bytes(payload.to_s, "a broadcast"))
      rescue EncodingError => error # stock drops it too, for each subscriber
        Cablestay.logger.error("not delivered to the channel that broadcast it: #{error.message}")
      end

      def live(broadcasting, handler, success)
        @surroundings.keep_alive(@channel.identifier, @why)
        know(handler, broadcasting, :adapter)
        adapter.subscribe(broadcasting, handler, success)
        @effects.lives(@channel.identifier)
      end

      def know(handler, broadcasting, by)
        @surroundings.know(handler, Stream.new(broadcasting, @channel&.identifier, by, @event))
      end

      def adapter
        @surroundings.server.__getobj__.pubsub
      end

      def refuse_live(channel, why)
        raise Live::NotAllowed, "#{channel.class.name} streams with #{why}: that needs a living channel, and config.cablestay.live is false"
      end

      def needs_ruby(channel, callback, coder)
        return "a block or callback" if callback
        return "a coder" if coder && coder != ActiveSupport::JSON

        overridden = DELIVERY.find { |name| RailsVersions.overridden?(channel, name) }
        return "#{overridden} overridden" if overridden

        "a connection that transmits in its own way" if RailsVersions.own_transmit?(channel.connection)
      end
  end
end
