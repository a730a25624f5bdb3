# frozen_string_literal: true

module Cablestay
  # The state that travelled to this event, and the state that travels on, which is sent only where it changed.
  class Kept
    def initialize(connection_id, cable)
      @seal = Seal.new(connection_id)
      @cable = cable
      @before = {}
    end

    # This and the next raise UnreadableState.
    def restore_connection(token)
      @cable.restore(References.among(connection_objects) { State.load(opened(token)) })
    end

    def restore_channel(identifier, token)
      Channels.revive(@cable, identifier) do |channel|
        References.among(channel_objects(channel)) { State.load(opened(token, identifier)) }
      end
    end

    # This and the next give nil where nothing changed.
    def connection_token
      References.among(connection_objects) do
        sealed(State.dump(@cable.saved, @cable.connection.class.name))
      end
    end

    def channel_token(channel, streams)
      References.among(channel_objects(channel)) do
        sealed(State.dump(Channels.saved(channel, streams), channel.class.name), channel.identifier)
      end
    end

    private
      def opened(token, identifier = nil)
        @before[identifier] = @seal.open(token, identifier)
      end

      def sealed(bytes, identifier = nil)
        @seal.seal(bytes, identifier) unless bytes == @before[identifier]
      end

      def connection_objects
        server = @cable.server
        { "connection" => @cable.connection, "subscriptions" => @cable.connection.subscriptions,
          "logger" => @cable.connection.logger, "server" => server, "pubsub" => server.pubsub,
          "worker pool" => server.worker_pool, "ActionCable.server" => ActionCable.server,
          "Rails.logger" => (Rails.logger if defined?(Rails.logger)) }.compact
      end

      def channel_objects(channel)
        connection_objects.merge(identifying_records, "channel" => channel)
      end

      # A record that identifies the connection is one object in all of its channels, as in stock. Its name says
      # which record it is: the connection may be given another one.
      def identifying_records
        records = @cable.connection.identifiers.map { |name| @cable.connection.instance_variable_get("@#{name}") }
        records.select { |value| value.respond_to?(:to_gid_param) && value.respond_to?(:id) && value.id }
          .to_h { |record| [ [ record.class.name, record.id ], record ] }
      end
  end
end
