# frozen_string_literal: true

module Cablestay
  module Rpc
    # Two events of one connection ran at the same time, and both changed what it keeps. None of the app's code runs.
    class Merge
      def initialize(request, env, app)
        @connection_id = request.string("connection")
        @states = %w[ before kept changed ].map { |name| request.string(name) }
        @middleware_env = MiddlewareEnv.new(request.handshake.env(env), app)
        @surroundings = Surroundings.new(CableServer.of(app))
      end

      def answer
        Event.new(@surroundings).run do
          cable = RailsVersions.cable.revive(@surroundings.server, @middleware_env, @surroundings.socket)
          { contract: CONTRACT, connection_state: Kept.new(@connection_id, cable).merge(*@states) }
        rescue UnreadableState => error
          lost(error)
        end
      end

      private
        def lost(error)
          Cablestay.logger.error("can't merge two states of a connection: #{error.message}; the client is told to reconnect")
          { contract: CONTRACT, lost: true }
        end
    end
  end
end
