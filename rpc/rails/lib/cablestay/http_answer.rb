# frozen_string_literal: true

require "stringio"

module Cablestay
  # What the app answered a handshake with instead of opening a socket.
  class HttpAnswer
    # About the road between the app and its web server, not for the client.
    NOT_FOR_THE_CLIENT = %w[ connection transfer-encoding rack.hijack ].freeze

    def initialize(response, env)
      @status, @headers, @body = response
      @env = env
    end

    def to_h
      { status: @status.to_i, headers: headers, body: [ body ].pack("m0") }.tap { after_reply }
    end

    # An answer that nobody reads still has to be closed: middleware ends its work there.
    def discard
      @body.close if @body.respond_to?(:close)
      after_reply
    end

    private
      # As Puma does once it has answered.
      def after_reply
        Array(@env["rack.after_reply"]).each(&:call)
      rescue StandardError => error
        Cablestay.log_exception("what the app does after a reply raised", error)
      end

      def headers
        @headers.reject { |name, _| NOT_FOR_THE_CLIENT.include?(name.downcase) }.flat_map do |name, value|
          lines = value.is_a?(Array) ? value : value.to_s.split("\n", -1)
          lines.map { |line| [ name.to_s, Utf8.nearest(line.to_s) ] }
        end
      end

      def body
        parts = "".b
        if @body.respond_to?(:each)
          @body.each { |part| parts << part.b }
        else # Rack 3: a body that writes by itself
          @body.call(StringIO.new(parts))
        end
        parts
      ensure
        @body.close if @body.respond_to?(:close)
      end
  end
end
