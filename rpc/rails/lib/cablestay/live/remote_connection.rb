# frozen_string_literal: true

module Cablestay
  module Live
    # A connection whose socket is a bridge's, as ActionCable.server.connections shows it. What is asked of it beyond what
    # the bridge knows is had by reviving the app's connection from its state.
    class RemoteConnection
      Subscriptions = Struct.new(:identifiers)

      class << self
        # Those of all bridges with which this process has a link.
        def all
          Links.all.flat_map do |link|
            states = Concurrent::Delay.new { link.connections(states: true).to_h { |each| [ each["connection"], each["connection_state"] ] } }
            link.connections.map { |connection| new(link, connection, states) }
          end
        end
      end

      attr_reader :connection_identifier, :subscriptions

      # +states+ is asked for all connections of the link at a time, and only if one needs its own.
      def initialize(link, members, states)
        @link, @states = link, states
        @id = members["connection"]
        @connection_identifier = members["connection_identifier"]
        @subscriptions = Subscriptions.new(members["subscriptions"])
      end

      def statistics
        { identifier: connection_identifier, started_at: revived.instance_variable_get(:@started_at),
          subscriptions: subscriptions.identifiers, request_id: revived_cable.request_id }
      end

      def transmit(data)
        send_effects({ effect: "transmit", frame: ActiveSupport::JSON.encode(data) })
      end

      def close(reason: nil, reconnect: true)
        frame = ActiveSupport::JSON.encode({ type: ActionCable::INTERNAL[:message_types][:disconnect], reason: reason, reconnect: reconnect })
        send_effects({ effect: "transmit", frame: frame }, { effect: "close" })
      end

      # The bridge does it by itself.
      def beat
      end

      def inspect
        "#<#{self.class.name} #{connection_identifier.inspect}>"
      end

      def respond_to_missing?(name, include_all = false)
        ActionCable.server.config.connection_class.call.method_defined?(name) || super
      end

      def method_missing(name, ...)
        respond_to_missing?(name) ? revived.public_send(name, ...) : super
      end

      private
        def send_effects(*effects)
          @link.send_line(connection: @id, effects: effects)
        end

        def revived
          revived_cable.connection
        end

        def revived_cable
          @revived_cable ||= begin
            token = @states.value[@id] or raise Error, "the connection #{connection_identifier} is no longer open"
            surroundings = Surroundings.new(ActionCable.server)
            cable = RailsVersions.cable.revive(surroundings.server, MiddlewareEnv.new({}, nil), surroundings.socket)
            Kept.new(@id, cable).restore_connection(token)
            cable
          end
        end
    end
  end
end
