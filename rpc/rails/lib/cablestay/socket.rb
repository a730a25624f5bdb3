# frozen_string_literal: true

require "json"
require "websocket/driver"

module Cablestay
  # Stands where Action Cable has its WebSocket. Records the frames that Rails encoded instead of sending them.
  class Socket
    KINDS = { "confirm_subscription" => "confirm", "reject_subscription" => "reject" }.freeze

    attr_reader :protocol

    def initialize(surroundings, env: nil, protocol: nil)
      @surroundings, @env, @protocol = surroundings, env, protocol
      @open = @taken = false
    end

    def possible?
      @env.nil? || ::WebSocket::Driver.websocket?(@env)
    end

    # What Rails answers the web server with when the socket is its own from now on.
    def rack_response
      @taken = true
      [ -1, {}, [] ]
    end

    def taken?
      @taken
    end

    def open
      @open = true
      self
    end

    def alive?
      @open
    end

    # It is gone: whatever is transmitted goes nowhere.
    def lose
      @open = false
    end

    # After a close nothing is sent, as in stock.
    def transmit(frame)
      return false unless @open

      frame = Utf8.bytes(frame, "a transmission")
      kind, identifier = kind_and_identifier(frame)
      @surroundings.event.effects.record(kind, identifier: identifier, frame: frame)
    end

    def close(*)
      return unless @open

      @open = false
      @surroundings.event.effects.record("close")
    end

    private
      # The frame itself tells, whichever way it was made, and for which subscription. Only these two have a type
      # beside an identifier.
      def kind_and_identifier(frame)
        return "transmit" unless KINDS.each_key.any? { |type| frame.include?(type) }

        message = JSON.parse(frame)
        kind = KINDS[message["type"]] if message.is_a?(Hash) && message.key?("identifier")
        kind ? [ kind, message["identifier"] ] : "transmit"
      rescue JSON::ParserError
        "transmit"
      end
  end
end
