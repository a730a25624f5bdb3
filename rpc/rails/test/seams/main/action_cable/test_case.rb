# frozen_string_literal: true

require "action_cable/connection/test_case"

module ActionCable
  module Connection
    # A socket for tests of connections, which are made as they are anywhere else.
    class TestSocket
      attr_reader :logger, :request, :transmissions
      delegate :env, to: :request

      def initialize(request)
        @request, @transmissions = request, []
        @logger = ActionCable::Server::TaggedLoggerProxy.new(ActiveSupport::TaggedLogging.new(Logger.new(StringIO.new)), tags: [])
      end

      def transmit(message)
        transmissions << message
      end

      def protocol
      end

      def close
      end
    end

    class TestCase
      module Behavior
        def connect(path = ActionCable.server.config.mount_path, **request_params)
          socket = TestSocket.new(build_test_request(path || DEFAULT_PATH, **request_params))
          connection = self.class.connection_class.new(ActionCable.server, socket)
          connection.connect
          @connection = connection
        end

        def disconnect
          connection.disconnect
          @connection = nil
        end
      end
    end
  end
end
