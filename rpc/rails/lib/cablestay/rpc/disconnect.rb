# frozen_string_literal: true

module Cablestay
  module Rpc
    # The connection is gone, or, where the event is partial, what this process holds of it is to end.
    class Disconnect
      def initialize(request, env, app)
        @id = request.id
        @connection_state = request.string("connection_state")
        @subscriptions = request.list("subscriptions").map { |subscription| checked(subscription) }
        @partial = request.true?("partial")
        @revival = Revival.new(request, env, app, left: left(request))
        AtHand.current.forget(request.string("connection"))
      end

      def answer
        Cablestay.once.run([ "disconnect", @id ]) do
          surroundings = @revival.surroundings
          surroundings.origin = nil if @revival.left? # nothing of it is to be held any more
          Event.new(surroundings).run { close(Event.current) } if surroundings # a hold that has ended has cleaned up
          { contract: CONTRACT }
        end
      end

      private
        def checked(subscription)
          pair = subscription.is_a?(Hash) ? subscription.values_at("identifier", "state") : []
          return pair if pair.size == 2 && pair.all?(String)

          raise BadRequest, "subscriptions has one without the strings identifier and state"
        end

        # The connection as its last event left it, where that has all of its subscriptions.
        def left(request)
          return if @subscriptions.size > 1 || request.optional_string("hold")

          identifier, state = @subscriptions.first
          AtHand.current.take(request.string("connection"), identifier, @connection_state, state)
        end

        def close(event)
          return if @revival.held? && !Live::Holds.release(@revival.hold) # the end of its link cleans up

          @revival.restore_connection(@connection_state)
          @revival.surroundings.socket.lose if @revival.held?
          event.work(@revival.cable.connection) { close_restored }
        rescue UnreadableState => error
          Cablestay.logger.error("can't restore a connection to run its disconnect: #{error.message}")
        ensure
          @revival.hold&.end_streams
        end

        def close_restored
          @revival.cable.log_finished(@revival.raw_env) unless @partial
          restore_channels
          KnownIdentifiers.tell(@revival.cable.connection.subscriptions, nil, nil) # none but these
          Closing.new(@revival.cable).run(@subscriptions.map(&:first), disconnect: !@partial)
        end

        def restore_channels
          @subscriptions.each do |identifier, state|
            @revival.restore_channel(identifier, state)
          rescue UnreadableState => error
            Cablestay.logger.error("can't restore #{identifier} to run its unsubscribed: #{error.message}")
          end
        end
    end
  end
end
