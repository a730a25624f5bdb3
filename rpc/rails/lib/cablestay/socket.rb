# frozen_string_literal: true

require "json"
require "websocket/driver"

module Cablestay
  # Stands where Action Cable has its WebSocket. Records the frames that Rails encoded instead of sending them.
  class Socket
    KINDS = { "confirm_subscription" => "confirm", "reject_subscription" => "reject" }.freeze

    attr_reader :protocol

    def initialize(effects, env: nil, protocol: nil)
      @effects, @env, @protocol = effects, env, protocol
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

    # After a close nothing is sent, as in stock.
    def transmit(frame)
      return false unless @open

      frame = Utf8.bytes(frame, "a transmission")
      @effects.record(kind(frame), frame: frame) || Cablestay.logger.warn(
        "lost a transmission: it was made after its event had ended (by a thread of the app?): #{frame.truncate(200)}")
    end

    def close(*)
      return unless @open

      @open = false
      @effects.record("close")
    end

    private
      # The frame itself tells, whichever way it was made. Only these two have a type beside an identifier.
      def kind(frame)
        return "transmit" unless KINDS.each_key.any? { |type| frame.include?(type) }

        message = JSON.parse(frame)
        message.is_a?(Hash) && message.key?("identifier") && KINDS[message["type"]] || "transmit"
      rescue JSON::ParserError
        "transmit"
      end
  end
end
