# frozen_string_literal: true

module Cablestay
  module Rpc
    # The connection of an event: the living one, where this process holds it, the one that the last event left, where that is at
    # hand, else one that is revived from its state.
    class Revival
      include Live::Holdable

      attr_reader :surroundings, :cable, :kept

      def initialize(request, env, app, left: nil)
        @connection_id = request.string("connection")
        if (id = request.optional_string("hold"))
          living(@hold = Live::Holds.find(id))
        elsif left
          living(@left = left)
          surroundings.road = Live::Road.of(request, env)
          surroundings.outside.hold_back
        else
          @middleware_env = MiddlewareEnv.new(request.handshake.env(env), app)
          @surroundings = Surroundings.new(CableServer.of(app), road: Live::Road.of(request, env))
        end
      end

      def held?
        !@hold.nil?
      end

      def left?
        !@left.nil?
      end

      # This and the next raise UnreadableState.
      def restore_connection(token)
        raise UnreadableState, "its living channel is gone" unless surroundings
        return alone { kept.catch_up(token) } if held?
        return if @left

        @cable = RailsVersions.cable.revive(surroundings.server, @middleware_env, surroundings.socket.open)
        @kept = Kept.new(@connection_id, cable)
        kept.restore_connection(token)
      end

      # A channel that is there needs no state.
      def restore_channel(identifier, token)
        alone { kept.restore_channel(identifier, token.to_s) unless cable.table.key?(identifier) }
      end

      # The handshake's env as the socket knew it.
      def raw_env
        (@hold || @left)&.raw_env || @middleware_env.raw
      end

      # Puts what this event left at hand for the next one of the subscription.
      def leave(identifier, connection_state, state)
        AtHand.current.put(@connection_id, identifier, AtHand::Left.new(connection_state, state, surroundings, cable, kept, raw_env))
      end

      private
        def living(there)
          @surroundings, @cable, @kept = there.surroundings, there.cable, there.kept if there
        end
    end
  end
end
