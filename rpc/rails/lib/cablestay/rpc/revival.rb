# frozen_string_literal: true

module Cablestay
  module Rpc
    # The connection of an event: the living one, where this process holds it, else one that is revived from its state.
    class Revival
      include Live::Holdable

      attr_reader :surroundings, :cable, :kept

      def initialize(request, env, app)
        @connection_id = request.string("connection")
        if (id = request.optional_string("hold"))
          living(Live::Holds.find(id))
        else
          @middleware_env = MiddlewareEnv.new(request.handshake.env(env), app)
          @surroundings = Surroundings.new(CableServer.of(app), road: Live::Road.of(request, env))
        end
      end

      def held?
        !@hold.nil?
      end

      # This and the next raise UnreadableState.
      def restore_connection(token)
        raise UnreadableState, "its living channel is gone" unless surroundings
        return alone { kept.catch_up(token) } if held?

        @cable = RailsVersions.cable.revive(surroundings.server, @middleware_env, surroundings.socket.open)
        @kept = Kept.new(@connection_id, cable)
        kept.restore_connection(token)
      end

      # A living channel needs no state.
      def restore_channel(identifier, token)
        alone { kept.restore_channel(identifier, token.to_s) unless cable.table.key?(identifier) }
      end

      # The handshake's env as the socket knew it.
      def raw_env
        held? ? @hold.raw_env : @middleware_env.raw
      end

      private
        def living(hold)
          @hold = hold
          @surroundings, @cable, @kept = hold.surroundings, hold.cable, hold.kept if hold
        end
    end
  end
end
