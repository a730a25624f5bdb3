# frozen_string_literal: true

module Cablestay
  module Rpc
    # The connection is gone: every unsubscribed, then disconnect. One that raises does not stop the others,
    # unlike in stock, and what they transmit goes nowhere.
    class Disconnect
      def initialize(request, env, app)
        @id = request.id
        @connection_id = request.string("connection")
        @connection_state = request.string("connection_state")
        @subscriptions = request.list("subscriptions").map { |subscription| checked(subscription) }
        @middleware_env = MiddlewareEnv.new(request.handshake.env(env), app)
        @event = Event.new(CableServer.of(app))
      end

      def answer
        Cablestay.once.run([ "disconnect", @id ]) do
          @event.run { close }
          { contract: CONTRACT }
        end
      end

      private
        def checked(subscription)
          pair = subscription.is_a?(Hash) ? subscription.values_at("identifier", "state") : []
          return pair if pair.size == 2 && pair.all?(String)

          raise BadRequest, "subscriptions has one without the strings identifier and state"
        end

        def close
          cable = RailsVersions.cable.revive(@event.server, @middleware_env, @event.socket)
          kept = Kept.new(@connection_id, cable)
          kept.restore_connection(@connection_state)
          @event.work(cable.connection) { close_restored(cable, kept) }
        rescue UnreadableState => error
          Cablestay.logger.error("can't restore a connection to run its disconnect: #{error.message}")
        end

        def close_restored(cable, kept)
          logger = cable.connection.logger
          cable.log_finished(@middleware_env.raw)
          restore_channels(cable, kept)
          cable.table.values.each do |channel|
            @event.logging_exceptions(logger, cable.receiver) { cable.connection.subscriptions.remove_subscription(channel) }
          end
          @event.logging_exceptions(logger, cable.receiver) { cable.disconnect }
        end

        def restore_channels(cable, kept)
          @subscriptions.each do |identifier, state|
            kept.restore_channel(identifier, state)
          rescue UnreadableState => error
            Cablestay.logger.error("can't restore #{identifier} to run its unsubscribed: #{error.message}")
          end
        end
    end
  end
end
